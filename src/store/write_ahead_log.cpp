#include "store/write_ahead_log.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <string_view>
#include <utility>
#include <vector>

#include "base/file_descriptor.h"
#include "store/database.h"
#include "store/page_checksums.h"

namespace keyvigil {
namespace {

constexpr std::size_t kHeaderBytes = 32;
constexpr std::size_t kFrameHeadBytes = 24;
constexpr std::size_t kFrameBytes = kFrameHeadBytes + kPageBytes;
constexpr std::uint32_t kMagic = 0x377F0682;  // the last bit: words are summed big-endian
constexpr std::uint32_t kVersion = 3007000;

struct Sum {
  std::uint32_t first = 0;
  std::uint32_t second = 0;
  friend bool operator==(const Sum&, const Sum&) = default;
};

std::uint32_t big_endian(std::string_view bytes, std::size_t at) {
  std::uint32_t value = 0;
  for (std::size_t i = 0; i < 4; ++i) { value = (value << 8U) | static_cast<unsigned char>(bytes[at + i]); }
  return value;
}

Sum sum_in(std::string_view bytes, std::size_t at) {
  return {big_endian(bytes, at), big_endian(bytes, at + 4)};
}

// REQUIRES: a multiple of eight bytes.
Sum sum_of(std::string_view bytes, Sum sum, bool summed_big_endian) {
  for (std::size_t at = 0; at < bytes.size(); at += 8) {
    std::array<std::uint32_t, 2> words{};
    std::memcpy(words.data(), bytes.data() + at, 8);
    if (summed_big_endian) { words = {big_endian(bytes, at), big_endian(bytes, at + 4)}; }
    sum.first += words[0] + sum.second;
    sum.second += words[1] + sum.first;
  }
  return sum;
}

// What one frame says of itself, and what it is after the sums that may stand before it.
class Frame {
 public:
  Frame(std::string_view bytes, bool summed_big_endian) : bytes_(bytes), summed_big_endian_(summed_big_endian) {}
  [[nodiscard]] std::uint32_t page() const { return big_endian(bytes_, 0); }
  [[nodiscard]] bool commits() const { return big_endian(bytes_, 4) != 0; }
  [[nodiscard]] std::string_view salt() const { return bytes_.substr(8, 8); }
  [[nodiscard]] Sum stored() const { return sum_in(bytes_, 16); }
  [[nodiscard]] Sum after(Sum before) const {
    const Sum head = sum_of(bytes_.substr(0, 8), before, summed_big_endian_);
    return sum_of(bytes_.substr(kFrameHeadBytes), head, summed_big_endian_);
  }
  [[nodiscard]] bool fits(Sum before) const { return page() != 0 && after(before) == stored(); }

 private:
  std::string_view bytes_;
  bool summed_big_endian_;
};

// False: there are fewer bytes.
Result<bool> read_whole(const FileDescriptor& file, const std::string& path, std::uint64_t at, char* to,
                        std::size_t bytes) {
  for (std::size_t had = 0; had < bytes;) {
    const ssize_t got = ::pread(file.get(), to + had, bytes - had, static_cast<off_t>(at + had));
    if (got < 0 && errno == EINTR) { continue; }
    if (got < 0) {
      return fail(ErrorKind::kInputOutput, fmt::format("expected to read '{}', found: {}", path, std::strerror(errno)));
    }
    if (got == 0) { return false; }
    had += static_cast<std::size_t>(got);
  }
  return true;
}

}  // namespace

Result<WriteAheadLog> read_write_ahead_log(const std::string& store_path) {
  WriteAheadLog log;
  const std::string path = store_path + "-wal";
  const FileDescriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!file.valid() && errno == ENOENT) { return log; }
  if (!file.valid()) {
    return fail(ErrorKind::kInputOutput, fmt::format("expected to read '{}', found: {}", path, std::strerror(errno)));
  }
  std::string header(kHeaderBytes, '\0');
  auto read = read_whole(file, path, 0, header.data(), header.size());
  if (!read) { return tl::unexpected(read.error()); }
  if (!*read) { return log; }
  const bool summed_big_endian = big_endian(header, 0) == (kMagic | 1U);
  const Sum header_sum = sum_of(std::string_view(header).substr(0, kFrameHeadBytes), {}, summed_big_endian);
  const bool is_header = (big_endian(header, 0) | 1U) == (kMagic | 1U) && big_endian(header, 4) == kVersion &&
                         big_endian(header, 8) == static_cast<std::uint32_t>(kPageBytes) &&
                         header_sum == sum_in(header, kFrameHeadBytes);
  const std::string_view salt = std::string_view(header).substr(16, 8);

  log.header_damaged = !is_header;
  bool ended = !is_header;
  std::uint64_t whole = 0;                 // frames that fit one after another, since the last commit
  std::vector<std::uint32_t> whole_pages;  // of these
  Sum before = sum_in(header, kFrameHeadBytes);
  Sum or_before = before;  // what the sum before should be, where the one that is stored may be damaged itself
  std::string bytes(kFrameBytes, '\0');
  std::uint64_t number = 0;
  for (;; ++number) {
    read = read_whole(file, path, kHeaderBytes + number * kFrameBytes, bytes.data(), bytes.size());
    if (!read) { return tl::unexpected(read.error()); }
    if (!*read) { break; }
    const Frame frame(bytes, summed_big_endian);
    const bool fits = frame.salt() == salt && (frame.fits(before) || (ended && frame.fits(or_before)));
    if (!fits) {
      ended = true;
      whole = 0;
    } else {
      ++whole;
      if (!ended) { whole_pages.push_back(frame.page()); }
      if (frame.commits()) {
        (ended ? log.lost_frames : log.frames) += std::exchange(whole, 0);
        if (!ended) { log.pages.insert(whole_pages.begin(), whole_pages.end()); }
        whole_pages.clear();
      }
    }
    or_before = frame.after(before);
    before = frame.stored();
  }
  log.header_damaged = log.header_damaged && number > 0;
  return log;
}

Result<WriteAheadLog> check_write_ahead_log(const std::string& store_path) {
  auto log = read_write_ahead_log(store_path);
  if (!log || !log->is_damaged()) { return log; }
  const std::string found = log->header_damaged
                                ? "that the head of its write-ahead log is damaged, behind which there are frames"
                                : fmt::format(
                                      "that its write-ahead log is damaged after frame {}: {} committed "
                                      "frames behind it would be lost",
                                      log->frames, log->lost_frames);
  return tl::unexpected(damaged_store(store_path, found));
}

}  // namespace keyvigil
