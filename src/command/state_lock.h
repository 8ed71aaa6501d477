// StateLock: one run at a time on a state file.
//
// The lock is on the file NAME.lock beside the state, which holds the id of the process and goes with the run, and on
// the state itself, where it exists, so that it holds through hard links too. A run that dies gives both up. Threads:
// any.
#pragma once

#include <string>
#include <utility>

#include "base/file_descriptor.h"
#include "base/result.h"

namespace keyvigil {

class StateLock {
 public:
  // Refuses at once where another run has it. `path`: of the state, without links (see final_path).
  [[nodiscard]] static Result<StateLock> take(const std::string& path);
  StateLock(StateLock&& other) noexcept;
  StateLock& operator=(StateLock&&) = delete;
  ~StateLock();

  [[nodiscard]] static std::string name_beside(const std::string& path) { return path + ".lock"; }

 private:
  StateLock(std::string name, FileDescriptor lock, FileDescriptor state)
      : name_(std::move(name)), lock_(std::move(lock)), state_(std::move(state)) {}

  std::string name_;
  FileDescriptor lock_;
  FileDescriptor state_;
};

}  // namespace keyvigil
