#include "command/start_guard.h"

#include <sys/resource.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <system_error>

#include "command/exit_code.h"

namespace keyvigil {
namespace {

// There may be no memory for anything: no allocation, no destructors.
[[noreturn]] void end_for_want_of_memory() {
  std::array<char, 512> sentence{};
  rlimit limit{};
  const bool limited = ::getrlimit(RLIMIT_AS, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY;
  const int bytes = std::snprintf(
      sentence.data(), sentence.size(),
      "keyvigil serve: expected memory and threads enough to start, found that the system gives no more%s; raise the "
      "limit (ulimit -v, ulimit -u, MemoryMax and TasksMax of the unit), or free some memory, and start again\n",
      limited ? " under a limit of the address space" : "");
  if (bytes > 0 && ::write(STDERR_FILENO, sentence.data(), static_cast<std::size_t>(bytes)) < 0) { std::_Exit(1); }
  std::_Exit(static_cast<int>(ExitCode::kInputOutput));
}

// A thread that cannot be made throws; what else does so is broken code. No exception at all: one was on its way past a
// thread that runs.
[[noreturn]] void end_where_start_failed() {
  try {
    if (std::exception_ptr thrown = std::current_exception()) { std::rethrow_exception(thrown); }
  } catch (const std::bad_alloc&) { end_for_want_of_memory(); } catch (const std::system_error&) {
    end_for_want_of_memory();
  } catch (...) { std::abort(); }
  end_for_want_of_memory();
}

}  // namespace

StartGuard::StartGuard()
    : new_handler_(std::set_new_handler(end_for_want_of_memory)),
      terminate_handler_(std::set_terminate(end_where_start_failed)) {}

void StartGuard::give_up() {
  end_for_want_of_memory();
}

StartGuard::~StartGuard() {
  std::set_terminate(terminate_handler_);
  std::set_new_handler(new_handler_);
}

}  // namespace keyvigil
