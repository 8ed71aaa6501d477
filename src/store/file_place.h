// FilePlace: whether a path still names the file that it named when it was opened.
//
// Whoever removes or replaces the file of a running program does not disturb it: it goes on writing to what has no name
// any more, and all of that is gone when it ends. Threads: any.
#pragma once

#include <sys/stat.h>

#include <cerrno>
#include <string>
#include <utility>

namespace keyvigil {

class FilePlace {
 public:
  // A file that is not there is never in its place.
  explicit FilePlace(std::string path) : path_(std::move(path)) { known_ = ::stat(path_.c_str(), &opened_) == 0; }

  // Where it cannot be looked at, it may well be there.
  [[nodiscard]] bool is_there() const {
    struct stat now {};
    if (::stat(path_.c_str(), &now) != 0) { return known_ && errno != ENOENT && errno != ENOTDIR; }
    return known_ && now.st_dev == opened_.st_dev && now.st_ino == opened_.st_ino;
  }

 private:
  std::string path_;
  struct stat opened_ {};
  bool known_ = false;
};

}  // namespace keyvigil
