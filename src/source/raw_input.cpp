#include "source/raw_input.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fmt/format.h>

namespace keyvigil {

namespace {

tl::unexpected<Error> system_failure(const std::string& what, const std::string& name) {
  return fail(ErrorKind::kInputOutput, fmt::format("{} {}: {}", what, name, std::strerror(errno)));
}

// A file without a name in `folder`.
Result<FileDescriptor> open_spool(const std::string& folder) {
  std::string name = folder + "/keyvigil-spool-XXXXXX";
  FileDescriptor file(::mkostemp(name.data(), O_CLOEXEC));
  if (file.get() < 0) return system_failure("cannot create a spool file in", folder);
  if (::unlink(name.c_str()) != 0) return system_failure("cannot unlink the spool file", name);
  return file;
}

}  // namespace

Result<RawInput> RawInput::open(const std::string& path, const std::string& spool_folder) {
  FileDescriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (file.get() < 0) return system_failure("cannot open", path);
  return from(std::move(file), path, spool_folder);
}

Result<RawInput> RawInput::open_stdin(const std::string& spool_folder) {
  return from(FileDescriptor(STDIN_FILENO), "stdin", spool_folder);
}

Result<RawInput> RawInput::from(FileDescriptor file, std::string name, const std::string& spool_folder) {
  struct stat status {};
  if (::fstat(file.get(), &status) != 0) return system_failure("cannot read", name);
  if (S_ISDIR(status.st_mode)) {
    return fail(ErrorKind::kUsage, fmt::format("expected a file, found the folder {}", name));
  }
  RawInput input;
  input.is_seekable_ = S_ISREG(status.st_mode);
  input.file_ = std::move(file);
  input.name_ = std::move(name);
  if (!input.is_seekable_ && !spool_folder.empty()) {
    Result<FileDescriptor> spool = open_spool(spool_folder);
    if (!spool) return tl::unexpected(spool.error());
    input.spool_ = std::move(*spool);
  }
#ifdef POSIX_FADV_SEQUENTIAL
  if (input.is_seekable_) ::posix_fadvise(input.file_.get(), 0, 0, POSIX_FADV_SEQUENTIAL);
#endif
  return input;
}

RawInput RawInput::of_bytes(std::string_view bytes, std::string name) {
  RawInput input;
  input.is_seekable_ = true;
  input.bytes_ = bytes;
  input.name_ = std::move(name);
  return input;
}

RawInput RawInput::of_reader(std::function<Result<std::size_t>(char* to, std::size_t room)> read,
                             std::function<Result<void>()> rewind, std::string name) {
  RawInput input;
  input.is_seekable_ = true;
  input.reader_ = std::move(read);
  input.rewind_reader_ = std::move(rewind);
  input.name_ = std::move(name);
  return input;
}

Result<std::size_t> RawInput::read(char* to, std::size_t room) {
  if (reader_) return reader_(to, room);
  if (!file_.valid()) {
    const std::size_t taken = bytes_.substr(position_).copy(to, room);
    position_ += taken;
    return taken;
  }
  const bool replays = position_ < spooled_bytes_;
  const std::size_t size = replays ? std::min<std::uint64_t>(room, spooled_bytes_ - position_) : room;
  while (true) {
    const ssize_t got =
        replays ? ::pread(spool_.get(), to, size, static_cast<off_t>(position_)) : ::read(file_.get(), to, size);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return system_failure("cannot read", name_);
    const auto taken = static_cast<std::size_t>(got);
    if (replays && taken == 0) {
      return fail(ErrorKind::kInputOutput, fmt::format("the spool file of {} lost bytes that were written", name_));
    }
    if (!replays && spool_.get() >= 0) {
      if (auto spooled = spool(to, taken); !spooled) return tl::unexpected(spooled.error());
    }
    position_ += taken;
    return taken;
  }
}

Result<void> RawInput::spool(const char* bytes, std::size_t size) {
  std::size_t written = 0;
  while (written < size) {
    const ssize_t put =
        ::pwrite(spool_.get(), bytes + written, size - written, static_cast<off_t>(spooled_bytes_ + written));
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) return system_failure("cannot write the spool file of", name_);
    written += static_cast<std::size_t>(put);
  }
  spooled_bytes_ += size;
  return {};
}

Result<std::uint64_t> RawInput::size_bytes() {
  if (!file_.valid()) return bytes_.size();
  if (is_seekable_) {
    struct stat status {};
    if (::fstat(file_.get(), &status) != 0) return system_failure("cannot read", name_);
    return static_cast<std::uint64_t>(status.st_size);
  }
  if (spool_.get() < 0) {
    return fail(ErrorKind::kInputOutput, fmt::format("{} is a pipe and cannot be read in any order", name_));
  }
  position_ = spooled_bytes_;
  std::vector<char> chunk(std::size_t{256} << 10);
  while (true) {
    const Result<std::size_t> size = read(chunk.data(), chunk.size());
    if (!size) return tl::unexpected(size.error());
    if (*size == 0) return spooled_bytes_;
  }
}

Result<std::size_t> RawInput::read_at(std::uint64_t position, char* to, std::size_t room) const {
  if (!file_.valid()) return position >= bytes_.size() ? 0 : bytes_.substr(position).copy(to, room);
  const int file = is_seekable_ ? file_.get() : spool_.get();
  while (true) {
    const ssize_t got = ::pread(file, to, room, static_cast<off_t>(position));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return system_failure("cannot read", name_);
    return static_cast<std::size_t>(got);
  }
}

Result<void> RawInput::rewind() {
  if (reader_) return rewind_reader_();
  if (is_seekable_) {
    if (file_.valid() && ::lseek(file_.get(), 0, SEEK_SET) != 0) return system_failure("cannot rewind", name_);
  } else if (spool_.get() < 0) {
    return fail(ErrorKind::kInputOutput, fmt::format("{} is a pipe and cannot be read twice", name_));
  }
  position_ = 0;
  return {};
}

}  // namespace keyvigil
