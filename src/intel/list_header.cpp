#include "intel/list_header.h"

#include <algorithm>
#include <array>

#include "intel/list_readers.h"
#include "intel/text_lines.h"

namespace keyvigil {
namespace {

constexpr std::array<std::string_view, 12> kMonths{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                   "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

// "17:18:59"
[[nodiscard]] bool read_time_of_day(std::string_view word, CivilTime& civil) {
  if (word.size() != 8 || word[2] != ':' || word[5] != ':') { return false; }
  const std::optional<int> hour = read_number<int>(word.substr(0, 2));
  const std::optional<int> minute = read_number<int>(word.substr(3, 2));
  const std::optional<int> second = read_number<int>(word.substr(6, 2));
  if (!hour || !minute || !second) { return false; }
  civil.hour = *hour;
  civil.minute = *minute;
  civil.second = *second;
  return true;
}

// "+0200" in minutes.
[[nodiscard]] std::optional<int> read_offset_minutes(std::string_view word) {
  if (word.size() != 5 || (word[0] != '+' && word[0] != '-')) { return std::nullopt; }
  const std::optional<int> digits = read_number<int>(word.substr(1));
  if (!digits || *digits < 0) { return std::nullopt; }
  const int minutes = *digits / 100 * 60 + *digits % 100;
  return word[0] == '-' ? -minutes : minutes;
}

// Dates with the month's name: what `date` and RFC 5322 write.
[[nodiscard]] std::optional<EventTime> read_named_month_date(std::string_view text) {
  CivilTime civil;
  int offset_minutes = 0;
  bool month = false;
  bool day = false;
  bool year = false;
  bool time_of_day = false;
  while (!text.empty()) {
    std::string_view word = take_word(text);
    if (word.ends_with(',')) { word.remove_suffix(1); }
    const auto named = std::find(kMonths.begin(), kMonths.end(), word);
    if (named != kMonths.end()) {
      civil.month = static_cast<int>(named - kMonths.begin()) + 1;
      month = true;
    } else if (read_time_of_day(word, civil)) {
      time_of_day = true;
    } else if (const std::optional<int> offset = read_offset_minutes(word)) {
      offset_minutes = *offset;
    } else if (const std::optional<int> number = read_number<int>(word)) {
      (word.size() == 4 ? civil.year : civil.day) = *number;
      (word.size() == 4 ? year : day) = true;
    }
  }
  if (!month || !day || !year || !time_of_day) { return std::nullopt; }
  std::optional<EventTime> time = from_civil(civil);
  if (time) { time->ticks -= offset_minutes * EventTime::kTicksPerMinute; }
  return time;
}

}  // namespace

// "6273 subnets, 680864624 unique IPs" or "1200 unique IPs".
void ListHeader::read_entries(std::string_view promise) {
  while (!promise.empty()) {
    const std::size_t comma = std::min(promise.find(','), promise.size());
    std::string_view part = promise.substr(0, comma);
    promise.remove_prefix(std::min(comma + 1, promise.size()));
    const std::optional<std::uint64_t> count = read_number<std::uint64_t>(take_word(part));
    if (count && part == "subnets") { lines_promised = count; }
    if (count && part == "unique IPs") { addresses_promised = count; }
  }
}

void ListHeader::read(std::string_view comment) {
  const std::string_view text = strip_comment_marks(comment);
  const std::size_t colon = text.find(':');
  const std::string_view key = trim(text.substr(0, colon));
  const std::string_view value = colon == std::string_view::npos ? std::string_view{} : trim(text.substr(colon + 1));
  if (key == "Entries") { return read_entries(value); }
  constexpr std::array<std::string_view, 6> kDateKeys{"This File Date", "Last-Modified", "Last update",
                                                      "Last updated",   "Last Updated",  "Generated"};
  if (std::find(kDateKeys.begin(), kDateKeys.end(), key) != kDateKeys.end()) {
    date = read_list_date(value);
    return;
  }
  if (text.empty() || text.find("://") != std::string_view::npos) { return; }
  // "Spamhaus DROP List 2016/08/16 - (c) 2016 ...", "abuse.ch Feodo Tracker Botnet C2 IP Blocklist (CSV)".
  if (colon == std::string_view::npos) { set_name(trim(text.substr(0, text.find(" - (c)")))); }
}

void ListHeader::apply(ListBuilder& builder) const {
  if (!name.empty()) { builder.list().name = name; }
  if (!date.empty()) { builder.list().date = date; }
}

TextLine first_data_line(std::string_view text) {
  TextLines lines(text);
  TextLine line;
  while (lines.next(line)) {
    if (!line.text.empty() && !is_comment(line.text)) { return line; }
  }
  return TextLine{};
}

std::string read_list_date(std::string_view text) {
  std::string_view plain = trim(text);
  std::optional<EventTime> time = read_named_month_date(plain);
  if (!time) {
    if (plain.ends_with(" UTC") || plain.ends_with(" GMT")) { plain.remove_suffix(4); }
    time = parse_iso_time(plain);
  }
  return time ? to_iso_milliseconds(*time) : visible(trim(text));
}

}  // namespace keyvigil
