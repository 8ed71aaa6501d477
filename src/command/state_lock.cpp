#include "command/state_lock.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <string_view>
#include <system_error>

namespace keyvigil {
namespace {

constexpr mode_t kOwnerOnly = 0600;

bool is_still_there(const std::string& name, const FileDescriptor& file) {
  struct stat named {};
  struct stat open {};
  return ::stat(name.c_str(), &named) == 0 && ::fstat(file.get(), &open) == 0 && named.st_dev == open.st_dev &&
         named.st_ino == open.st_ino;
}

// What stands in a lock file: the digits of a process id, or nothing yet. Anything else is somebody's file.
struct LockContent {
  bool is_lock = true;
  std::string process;
};

LockContent read_content(const FileDescriptor& file) {
  std::array<char, 32> bytes{};
  const ssize_t size = ::pread(file.get(), bytes.data(), bytes.size(), 0);
  std::string_view text(bytes.data(), static_cast<std::size_t>(std::max<ssize_t>(size, 0)));
  const bool whole = text.size() < bytes.size();
  if (text.ends_with('\n')) { text.remove_suffix(1); }
  LockContent content;
  content.is_lock = whole && text.find_first_not_of("0123456789") == std::string_view::npos;
  if (content.is_lock) { content.process = text; }
  return content;
}

tl::unexpected<Error> is_taken(const std::string& path, const std::string& process) {
  return fail(ErrorKind::kInputOutput,
              fmt::format("--state: expected a state that no other run uses, found '{}' in use{}; wait until that run "
                          "has ended, or name another file",
                          path, process.empty() ? "" : " by process " + process));
}

tl::unexpected<Error> cannot_lock(const std::string& name) {
  return fail(ErrorKind::kInputOutput,
              fmt::format("--state: expected to make the lock file '{}', found: {}; check the folder", name,
                          std::generic_category().message(errno)));
}

}  // namespace

Result<StateLock> StateLock::take(const std::string& path) {
  const std::string name = name_beside(path);
  // A run that ends removes its lock file: one that was opened just before is nobody's any more, and opened anew.
  while (true) {
    FileDescriptor lock(::open(name.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, kOwnerOnly));
    if (!lock.valid()) { return cannot_lock(name); }
    const LockContent content = read_content(lock);
    if (!content.is_lock) {
      return fail(ErrorKind::kInputOutput,
                  fmt::format("--state: expected '{}' to be free for the lock of the state, found another file; "
                              "move it, or name another state",
                              name));
    }
    if (::flock(lock.get(), LOCK_EX | LOCK_NB) != 0) {
      return errno == EWOULDBLOCK ? is_taken(path, content.process) : cannot_lock(name);
    }
    if (!is_still_there(name, lock)) { continue; }
    FileDescriptor state(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (state.valid() && ::flock(state.get(), LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK) {
      (void)::unlink(name.c_str());
      return is_taken(path, "");
    }
    const std::string process = fmt::format("{}\n", ::getpid());
    if (::ftruncate(lock.get(), 0) != 0 ||
        ::pwrite(lock.get(), process.data(), process.size(), 0) != static_cast<ssize_t>(process.size())) {
      return cannot_lock(name);
    }
    return StateLock(name, std::move(lock), std::move(state));
  }
}

StateLock::StateLock(StateLock&& other) noexcept
    : name_(std::exchange(other.name_, {})), lock_(std::move(other.lock_)), state_(std::move(other.state_)) {}

StateLock::~StateLock() {
  // While it is locked still: nobody else's can be removed.
  if (!name_.empty()) { (void)::unlink(name_.c_str()); }
}

}  // namespace keyvigil
