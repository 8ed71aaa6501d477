// StartGuard: while a program starts, the want of memory or of a thread ends it with a sentence and exit code 3.
//
// Later a request that cannot be served fails alone; what is needed to start has no caller to tell. The process'
// handlers (std::new_handler, std::terminate_handler) are its own while one lives; not two at a time.
#pragma once

#include <exception>
#include <new>

namespace keyvigil {

class StartGuard {
 public:
  StartGuard();
  ~StartGuard();
  StartGuard(const StartGuard&) = delete;
  StartGuard& operator=(const StartGuard&) = delete;

  // For an exception of the library that says so.
  [[noreturn]] static void give_up();

 private:
  std::new_handler new_handler_;
  std::terminate_handler terminate_handler_;
};

}  // namespace keyvigil
