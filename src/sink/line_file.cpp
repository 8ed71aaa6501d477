#include "sink/line_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <string_view>
#include <system_error>

#include <fmt/format.h>

namespace keyvigil {
namespace {

constexpr mode_t kReadableByOwnerAndGroup = 0640;  // alerts name people and secrets

tl::unexpected<Error> refusal(const std::string& path, std::string_view doing, int error_number) {
  return fail(ErrorKind::kInputOutput, fmt::format("cannot {} '{}': {}; make room or let the service write there",
                                                   doing, path, std::generic_category().message(error_number)));
}

bool is_same_file(const struct stat& left, const struct stat& right) {
  return left.st_dev == right.st_dev && left.st_ino == right.st_ino;
}

bool ends_within_a_line(int descriptor, off_t size) {
  char last = '\n';
  return size > 0 && ::pread(descriptor, &last, 1, size - 1) == 1 && last != '\n';
}

}  // namespace

Result<void> LineFile::make_ready() {
  struct stat named {};
  struct stat open {};
  const bool exists = ::stat(options_.path.c_str(), &named) == 0;
  if (file_ && exists && ::fstat(file_->get(), &open) == 0 && is_same_file(named, open)) { return {}; }
  file_.reset();
  FileDescriptor file(
      ::open(options_.path.c_str(), O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY, kReadableByOwnerAndGroup));
  if (!file.valid()) { return refusal(options_.path, "open", errno); }
  if (::fstat(file.get(), &open) != 0) { return refusal(options_.path, "look at", errno); }
  if (!S_ISREG(open.st_mode)) {
    return fail(ErrorKind::kUsage, fmt::format("'{}': expected a file, found something else", options_.path));
  }
  file_ = std::move(file);
  if (ends_within_a_line(file_->get(), open.st_size)) { return append("\n"); }
  return open.st_size == 0 ? append(format_prologue(options_)) : Result<void>();
}

Result<void> LineFile::append(std::string_view bytes) {
  struct stat before {};
  if (::fstat(file_->get(), &before) != 0) { return refusal(options_.path, "look at", errno); }
  while (!bytes.empty()) {
    const ssize_t count = ::write(file_->get(), bytes.data(), bytes.size());
    if (count < 0 && errno == EINTR) { continue; }
    if (count <= 0) {
      const int error_number = count == 0 ? EIO : errno;
      // Nobody is to read half a batch and then the whole one; where even that fails, it is read twice.
      if (::ftruncate(file_->get(), before.st_size) != 0) { file_.reset(); }
      return refusal(options_.path, "write to", error_number);
    }
    bytes.remove_prefix(static_cast<std::size_t>(count));
  }
  return {};
}

std::vector<Attempt> LineFile::deliver(std::span<const OutgoingAlert> alerts) {
  std::string bytes;
  for (const OutgoingAlert& one : alerts) { bytes += format_alert(one.alert, options_, one.standing); }
  auto done = make_ready();
  if (done) { done = append(bytes); }
  if (done && ::fdatasync(file_->get()) != 0) { done = refusal(options_.path, "finish writing", errno); }
  return {alerts.size(), done ? Attempt::delivered() : Attempt::away(done.error().message)};
}

}  // namespace keyvigil
