#include "sink/file_sink.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <system_error>
#include <utility>

#include <fmt/format.h>

namespace keyvigil {
namespace {

constexpr mode_t kReadableByOwnerAndGroup = 0640;  // alerts name people and secrets
constexpr std::size_t kWriteAtBytes = 1 << 16;

std::string_view advice(int error_number) {
  switch (error_number) {
    case ENOSPC:
    case EDQUOT:
      return "make room there, or choose another place with --output";
    case EPIPE:
      return "the program that reads the output has ended";
    case ENOENT:
    case ENOTDIR:
      return "create the folder first";
    case EACCES:
    case EPERM:
    case EROFS:
      return "choose a place that you may write to";
    case EISDIR:
      return "name a file, not a folder";
    default:
      return "choose another place with --output";
  }
}

tl::unexpected<Error> refusal(const std::string& path, std::string_view doing, int error_number) {
  return fail(ErrorKind::kInputOutput,
              fmt::format("cannot {} {}: {}; {}", doing, path == "-" ? "standard output" : "'" + path + "'",
                          std::generic_category().message(error_number), advice(error_number)));
}

}  // namespace

FileSink::FileSink(SinkOptions options, int descriptor, std::string partial_path)
    : options_(std::move(options)), descriptor_(descriptor), partial_path_(std::move(partial_path)) {}

FileSink::FileSink(FileSink&& other) noexcept
    : options_(std::move(other.options_)),
      descriptor_(std::exchange(other.descriptor_, -1)),
      begun_(other.begun_),
      partial_path_(std::exchange(other.partial_path_, {})),
      totals_(std::move(other.totals_)) {}

FileSink::~FileSink() {
  if (descriptor_ > STDOUT_FILENO) { ::close(descriptor_); }
  if (!partial_path_.empty()) { ::unlink(partial_path_.c_str()); }
}

Result<FileSink> FileSink::open(const SinkOptions& options) {
  int descriptor = STDOUT_FILENO;
  std::string partial_path;
  if (options.path != "-") {
    struct stat status {};
    const bool exists = ::stat(options.path.c_str(), &status) == 0;
    if (exists && S_ISDIR(status.st_mode)) { return refusal(options.path, "write to", EISDIR); }
    const bool direct = exists && !S_ISREG(status.st_mode);
    if (!direct) { partial_path = options.path + ".partial"; }
    const std::string& name = direct ? options.path : partial_path;
    const int flags = O_WRONLY | O_CLOEXEC | (direct ? 0 : O_CREAT | O_TRUNC);
    descriptor = ::open(name.c_str(), flags, kReadableByOwnerAndGroup);
    if (descriptor < 0) { return refusal(name, "open", errno); }
  }
  return FileSink(options, descriptor, std::move(partial_path));
}

Result<void> FileSink::begin() {
  return std::exchange(begun_, true) ? Result<void>{} : write_bytes(format_prologue(options_));
}

std::string FileSink::text_of(const Alert& alert, const AlertStanding& standing) {
  if (options_.format == AlertFormat::kTable) { totals_.add(alert); }
  return format_alert(alert, options_, standing);
}

Result<void> FileSink::write(std::span<const Alert> alerts) {
  if (auto begun = begin(); !begun) { return begun; }
  std::string bytes;
  for (const Alert& alert : alerts) {
    bytes += text_of(alert, {});
    if (bytes.size() < kWriteAtBytes) { continue; }
    if (auto written = write_bytes(bytes); !written) { return written; }
    bytes.clear();
  }
  return write_bytes(bytes);
}

Result<void> FileSink::write_one(const Alert& alert, const AlertStanding& standing) {
  if (auto begun = begin(); !begun) { return begun; }
  return write_bytes(text_of(alert, standing));
}

Result<void> FileSink::close() {
  if (descriptor_ < 0) { return {}; }
  if (auto begun = begin(); !begun) { return begun; }
  if (auto ended = write_bytes(totals_.text(options_.table)); !ended) { return ended; }
  const int descriptor = std::exchange(descriptor_, -1);
  if (descriptor <= STDOUT_FILENO) { return {}; }
  const bool synced = partial_path_.empty() || ::fsync(descriptor) == 0;
  const int sync_error = errno;
  // Some file systems report a full disk only here.
  if (::close(descriptor) != 0) { return refusal(options_.path, "finish writing", errno); }
  if (!synced) { return refusal(options_.path, "finish writing", sync_error); }
  if (partial_path_.empty()) { return {}; }
  if (::rename(partial_path_.c_str(), options_.path.c_str()) != 0) {
    return refusal(options_.path, "move the finished output to", errno);
  }
  partial_path_.clear();
  return {};
}

Result<void> FileSink::write_bytes(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t count = ::write(descriptor_, bytes.data(), bytes.size());
    if (count < 0) {
      if (errno == EINTR) { continue; }
      return refusal(options_.path, "write alerts to", errno);
    }
    bytes.remove_prefix(static_cast<std::size_t>(count));
  }
  return {};
}

}  // namespace keyvigil
