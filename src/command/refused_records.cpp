#include "command/refused_records.h"

#include <fcntl.h>
#include <fmt/format.h>

#include <cerrno>
#include <cstring>
#include <nlohmann/json.hpp>

#include "alert/printable.h"
#include "base/file_descriptor.h"

namespace keyvigil {
namespace {

constexpr std::size_t kShownBytes = 80;

tl::unexpected<Error> cannot_write(const std::string& path) {
  return fail(ErrorKind::kInputOutput,
              fmt::format("expected to write refused records to '{}', found: {}; check the path and the free space",
                          path, std::strerror(errno)));
}

bool is_utf8(const std::string& text) {
  return bounded_utf8(text, text.size() + 4) == text;
}

std::string shown(std::string_view text, std::size_t limit_bytes) {
  return harmless(bounded_utf8(text, limit_bytes));
}

// The framing says it in its sentence, for which there is no cause of its own.
bool is_cut(const Refusal& refusal) {
  return refusal.cause == RefusalCause::kBadCompression ||
         (refusal.cause == RefusalCause::kNotJson &&
          refusal.message.find("the end of the input inside") != std::string::npos);
}

std::string to_hex_bytes(const std::string& bytes) {
  std::string out;
  out.reserve(bytes.size() * 2);
  for (const char byte : bytes) { out += fmt::format("{:02x}", static_cast<unsigned char>(byte)); }
  return out;
}

std::string to_line(const Refusal& refusal, const std::string& input_name) {
  nlohmann::ordered_json line;
  line["cause"] = to_string(refusal.cause);
  line["message"] = refusal.message;
  line["file"] = input_name;
  line["line"] = refusal.place.line;
  line["byte"] = refusal.place.byte;
  // Bytes that are no text are kept as they are, in hexadecimal digits.
  if (is_utf8(refusal.record)) {
    line["record"] = refusal.record;
  } else {
    line["recordHex"] = to_hex_bytes(refusal.record);
  }
  return line.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
}

}  // namespace

Result<void> RefusedRecords::open(const std::string& path) {
  path_ = path;
  if (path_.empty()) { return {}; }
  // Records name people: a new file is for its owner and group.
  { const FileDescriptor made(::open(path_.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0640)); }
  file_.open(path_, std::ios::binary | std::ios::trunc);
  if (!file_) { return cannot_write(path_); }
  return {};
}

Result<void> RefusedRecords::take(const Refusal& refusal, const std::string& input_name) {
  ++total_;
  if (is_cut(refusal) && cut_++ == 0) {
    first_cut_ = fmt::format("{}:{}", shown(input_name, kShownBytes * 4), refusal.place.line);
  }
  const auto cause = static_cast<std::size_t>(refusal.cause);
  if (counts_[cause]++ < kSamplesPerCause) {
    samples_.push_back(fmt::format("{}:{} (byte {}): {}; it begins with: {}", shown(input_name, kShownBytes * 4),
                                   refusal.place.line, refusal.place.byte, shown(refusal.message, 300),
                                   shown(refusal.record, kShownBytes)));
  }
  if (path_.empty()) { return {}; }
  file_ << to_line(refusal, input_name);
  if (!file_) { return cannot_write(path_); }
  return {};
}

Result<void> RefusedRecords::close() {
  if (path_.empty()) { return {}; }
  file_.close();
  if (!file_) { return cannot_write(path_); }
  return {};
}

Result<void> RefusedRecords::start_over() {
  total_ = 0;
  cut_ = 0;
  counts_.fill(0);
  samples_.clear();
  if (path_.empty()) { return {}; }
  file_.close();
  file_.clear();
  return open(path_);
}

}  // namespace keyvigil
