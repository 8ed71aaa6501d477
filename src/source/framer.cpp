#include "source/framer.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include <fmt/format.h>

#include "source/foreign_forms.h"
#include "source/table_head.h"

namespace keyvigil {

namespace {

constexpr std::size_t kHeaderLimitBytes = std::size_t{1} << 20;
// Room for the record that was cut by the end of the batch before.
constexpr std::size_t kSpareBytes = std::size_t{64} << 10;
constexpr std::size_t kColumnsNamed = 5;

bool starts_with_blank(char byte) {
  return byte == ' ' || byte == '\t' || byte == '\r' || byte == '\n';
}

std::string describe_header(const std::vector<std::string>& names) {
  std::string out;
  for (std::size_t i = 0; i < std::min(names.size(), kColumnsNamed); ++i) {
    out += fmt::format("{}\"{}\"", i == 0 ? "" : ", ", printable(names[i]));
  }
  return names.size() > kColumnsNamed ? out + ", ..." : out;
}

}  // namespace

Framer::Framer(ReadBytes read, const FramingOptions& options, std::uint64_t line, std::uint64_t byte)
    : text_(std::move(read)), options_(options) {
  options_.batch_bytes = std::max<std::size_t>(options_.batch_bytes, 1);
  options_.record_limit_bytes = std::max<std::size_t>(options_.record_limit_bytes, 1);
  window_.base = byte;
  place_ = JsonFraming::Place{byte, line, byte};
}

std::uint64_t Framer::line() const {
  if (json_) return json_->line();
  return csv_ ? csv_->line() : place_.line;
}

std::uint64_t Framer::held_from() const {
  if (form_ == Form::kRefused) return window_.end();
  std::uint64_t held = place_.position;
  if (json_) held = json_->held_from();
  if (csv_) held = csv_->held_from();
  return window_.held_from(held);
}

Result<bool> Framer::next(RawBatch& batch) {
  window_.begin_batch(batch);
  const std::uint64_t began_at = window_.end();
  while (true) {
    const Framing outcome = advance();
    const bool holds_records = !batch.records.empty();
    if (outcome == Framing::kDone) {
      const bool anything = holds_records || !batch.refused.empty() || batch.blank_records > 0;
      hand_over(batch);
      return anything;
    }
    const bool enough =
        window_.end() - began_at >= options_.batch_bytes && (holds_records || held_from() == window_.end());
    if (outcome == Framing::kBatchEnds || enough) {
      hand_over(batch);
      return true;
    }
    if (auto read = read_more(holds_records); !read) return tl::unexpected(read.error());
  }
}

Framing Framer::advance() {
  switch (form_) {
    case Form::kUnclear:
      return find_form();
    case Form::kJson:
      return json_->advance(window_);
    case Form::kCsv:
      return csv_->advance(window_);
    case Form::kRefused:
      return Framing::kDone;
  }
  return Framing::kDone;
}

Framing Framer::find_form() {
  if (!byte_order_mark_checked_) {
    if (window_.filled < 3 && !window_.ended) return Framing::kNeedsBytes;
    const std::string_view start = window_.text(window_.base, window_.end());
    if (start.starts_with("\xFF\xFE")) {
      return refuse_input(
          "expected UTF-8 or UTF-16 text, found UTF-32 (its byte order mark); save or convert the file as UTF-8");
    }
    byte_order_mark_checked_ = true;
    if (start.starts_with("\xEF\xBB\xBF")) place_.position += 3;
    place_.line_begin = place_.position;
  }
  const std::optional<char> first = find_first_byte();
  if (!first) return window_.ended ? Framing::kDone : Framing::kNeedsBytes;
  if (*first != '{' && *first != '[') return find_form_of_text();
  json_.emplace(place_, options_.record_limit_bytes);
  form_ = Form::kJson;
  return json_->advance(window_);
}

// Skips blanks. Tabs are left where text follows that is no JSON: they stand between empty cells of a header.
std::optional<char> Framer::find_first_byte() {
  constexpr std::uint64_t kEmptyCells = 4096;
  for (std::uint64_t at = place_.position; at < window_.end(); ++at) {
    const char byte = window_.byte(at);
    if (!starts_with_blank(byte)) {
      if (byte == '{' || byte == '[') place_.position = at;
      return byte;
    }
    if (byte == '\n') {
      window_.count_blank();
      ++place_.line;
      place_.line_begin = at + 1;
    }
    const bool kept = window_.byte(place_.position) == '\t' && byte != '\n' && at - place_.position < kEmptyCells;
    if (!kept) place_.position = at + (byte == '\t' ? 0 : 1);
  }
  if (window_.ended) place_.position = window_.end();
  return std::nullopt;
}

// A CSV export; or JSON lines whose first line lost its beginning; or nothing that we know.
Framing Framer::find_form_of_text() {
  if (window_.end() - place_.position < kForeignHeadBytes && !window_.ended) return Framing::kNeedsBytes;
  if (const auto known = foreign_form(window_.text(place_.position, window_.end()))) {
    return refuse_input(fmt::format("expected JSON or CSV, found {}", *known));
  }
  const std::size_t limit = std::min(options_.record_limit_bytes, kHeaderLimitBytes);
  const std::uint64_t stop = std::min(window_.end(), place_.position + limit + 1);
  const bool all_in_hand = stop < window_.end() || window_.ended;
  TableHead table = find_table_head(window_, place_.position, place_.line, stop, all_in_hand);
  if (table.outcome == TableHead::Outcome::kNeedsBytes) return Framing::kNeedsBytes;
  if (table.outcome == TableHead::Outcome::kTable) {
    if (options_.date_order) table.head.columns.set_date_order(*options_.date_order);
    csv_.emplace(std::move(table.head), options_.record_limit_bytes, options_.settle_date_order);
    form_ = Form::kCsv;
    return csv_->advance(window_);
  }
  if (table.outcome == TableHead::Outcome::kLocalTime) {
    return refuse_input(
        fmt::format("expected times in UTC, found the column \"{}\": the table was exported in local "
                    "time, and no offset stands in it; set the portal's clock to UTC (display time "
                    "zone, above the results) and export again",
                    printable(table.time_name)));
  }

  const std::string_view text = window_.text(place_.position, stop);
  const std::size_t line_end = text.find('\n');
  const std::size_t second =
      line_end == std::string_view::npos ? line_end : text.find_first_not_of(" \t\r\n", line_end);
  if (second == std::string_view::npos && !all_in_hand) return Framing::kNeedsBytes;
  if (second != std::string_view::npos && text[second] == '{') {
    window_.refuse(
        RefusalCause::kNotJson, {place_.position, place_.position + line_end, place_.line},
        fmt::format("expected a JSON value at line {}, found text that begins none; skipped to the next line",
                    place_.line));
    place_.position += line_end + 1;
    place_.line_begin = place_.position;
    ++place_.line;
    json_.emplace(place_, options_.record_limit_bytes);
    form_ = Form::kJson;
    return json_->advance(window_);
  }
  const std::string found = table.names.size() > 1
                                ? fmt::format("a table with the columns {}", describe_header(table.names))
                                : fmt::format("text that begins with \"{}\"", printable(text.substr(0, line_end)));
  return refuse_input(
      fmt::format("expected JSON (records, an array, {{\"records\":[...]}}) or a CSV export of "
                  "AzureDiagnostics or AZKVAuditLogs with a time and an operation column; found {}",
                  found));
}

Framing Framer::refuse_input(std::string expected_and_found) {
  // The sample must not depend on how the input was cut into reads.
  if (window_.end() - place_.position < kSampleBytes && !window_.ended) return Framing::kNeedsBytes;
  window_.refuse(RefusalCause::kUnknownForm, {place_.position, place_.position + kSampleBytes, place_.line},
                 std::move(expected_and_found));
  form_ = Form::kRefused;
  return Framing::kDone;
}

Result<void> Framer::read_more(bool holds_records) {
  make_room(holds_records);
  const std::size_t room = std::min(options_.batch_bytes, window_.bytes.size() - kRecordPadding - window_.filled);
  const Result<std::size_t> size = text_.read(window_.bytes.data() + window_.filled, room);
  if (!size) return tl::unexpected(size.error());
  window_.filled += *size;
  window_.ended = *size == 0;
  return {};
}

void Framer::make_room(bool holds_records) {
  std::vector<char>& bytes = window_.bytes;
  if (!holds_records) {
    const std::size_t gone = held_from() - window_.base;
    if (gone > 0) std::memmove(bytes.data(), bytes.data() + gone, window_.filled - gone);
    window_.base += gone;
    window_.filled -= gone;
  }
  const std::size_t least = window_.filled + std::min(options_.batch_bytes, kSpareBytes) + kRecordPadding;
  if (bytes.size() >= least) return;
  bytes.resize(std::max(options_.batch_bytes + kSpareBytes + kRecordPadding, least + window_.filled));
}

void Framer::hand_over(RawBatch& batch) {
  const std::uint64_t held = held_from();
  const std::size_t kept = window_.end() - held;
  const std::size_t kept_at = window_.filled - kept;
  batch.bytes.swap(window_.bytes);
  if (window_.bytes.size() < kept + kRecordPadding) window_.bytes.resize(kept + kRecordPadding);
  if (batch.bytes.size() < window_.filled + kRecordPadding) batch.bytes.resize(window_.filled + kRecordPadding);
  if (kept > 0) std::memcpy(window_.bytes.data(), batch.bytes.data() + kept_at, kept);
  window_.base = held;
  window_.filled = kept;
}

std::vector<RawBatch> split_envelope(std::string_view value, std::uint64_t line, std::uint64_t byte,
                                     std::size_t record_limit_bytes) {
  std::size_t taken = 0;
  const auto read = [&](char* to, std::size_t room) -> Result<std::size_t> {
    const std::size_t size = std::min(room, value.size() - taken);
    if (size > 0) std::memcpy(to, value.data() + taken, size);
    taken += size;
    return size;
  };
  FramingOptions options;
  options.batch_bytes = std::max<std::size_t>(value.size(), 1);
  options.record_limit_bytes = record_limit_bytes;
  Framer framer(read, options, line, byte);
  std::vector<RawBatch> batches;
  RawBatch batch;
  for (Result<bool> more = framer.next(batch); more && *more; more = framer.next(batch)) {
    batches.push_back(std::move(batch));
    batch = RawBatch{};
  }
  return batches;
}

}  // namespace keyvigil
