#include "alert/table.h"

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "alert/alert_words.h"
#include "alert/printable.h"
#include "catalogue/catalogue.h"

namespace keyvigil {
namespace {

constexpr std::size_t kNarrowest = 60;
constexpr std::size_t kLabelColumns = 11;  // two blanks, a word, blanks
constexpr std::size_t kShortIdBytes = 8;
constexpr std::size_t kReasonsShown = 2;
constexpr std::size_t kLinesOfAField = 6;
constexpr std::string_view kCut = "\u2026";

constexpr std::string_view kBold = "\x1b[1m";
constexpr std::string_view kDim = "\x1b[2m";
constexpr std::string_view kReset = "\x1b[0m";

std::string_view colour_of(Severity severity) {
  constexpr std::array<std::string_view, 4> kColours = {"\x1b[36m", "\x1b[33m", "\x1b[35m", "\x1b[31m"};
  return kColours[static_cast<std::size_t>(severity)];
}

std::size_t columns_of(const TableStyle& style) {
  return std::max(style.width_columns, kNarrowest);
}

// Broken between words, and inside those that are wider than a line.
std::vector<std::string> wrapped(std::string_view text, std::size_t columns) {
  std::vector<std::string> lines;
  while (!text.empty()) {
    std::size_t end = bytes_of_columns(text, columns);
    if (end < text.size() && text[end] != ' ') {
      const std::size_t blank = text.substr(0, end).find_last_of(' ');
      if (blank != std::string_view::npos && blank > 0) { end = blank; }
    }
    lines.emplace_back(text.substr(0, end));
    text.remove_prefix(end);
    text.remove_prefix(std::min(text.find_first_not_of(' '), text.size()));
  }
  return lines;
}

std::string dim(std::string_view text, const TableStyle& style) {
  return style.colour ? fmt::format("{}{}{}", kDim, text, kReset) : std::string(text);
}

// "  why    text", wrapped under its beginning; beyond kLinesOfAField it is cut.
std::string field(std::string_view label, std::string_view text, const TableStyle& style) {
  const std::size_t columns = columns_of(style) - kLabelColumns;
  std::vector<std::string> lines = wrapped(harmless(text), columns);
  if (lines.size() > kLinesOfAField) {
    lines.resize(kLinesOfAField);
    const bool has_room = count_columns(lines.back()) < columns;
    lines.back() = has_room ? lines.back() + std::string(kCut) : cut_columns(lines.back() + " ", columns);
  }
  std::string out;
  for (std::size_t i = 0; i < lines.size(); ++i) {
    const std::string left = fmt::format("  {:<{}}", i == 0 ? label : "", kLabelColumns - 2);
    out += dim(left, style) + lines[i] + "\n";
  }
  return out;
}

std::string time_of_day(EventTime time) {
  return to_iso_milliseconds(time).substr(11, 8);
}

std::string to_the_second(EventTime time) {
  return to_iso_milliseconds(time).substr(0, 10) + " " + time_of_day(time);
}

std::string head(const Alert& alert, const TableStyle& style) {
  const Severity severity = severity_of(alert);
  const std::string line =
      fmt::format("{}  {}  {}  {} UTC{}", to_string(severity), catalogue_row(alert.type).code,
                  alert.id.substr(0, kShortIdBytes), to_the_second(alert.start), alert.open ? "  still open" : "");
  return style.colour ? fmt::format("{}{}{}{}\n", kBold, colour_of(severity), line, kReset) : line + "\n";
}

std::string where(const Alert& alert) {
  std::string text = alert.vault_name;
  const std::size_t vaults = alert.vaults.items.size();
  if (vaults > 1) { text += fmt::format(" and {} more", vaults - 1); }
  if (alert.address.known) { text += ", from " + to_string(alert.address); }
  if (!alert.lists.empty()) { text += fmt::format(" (on {})", alert.lists.front().file); }
  const std::size_t addresses = alert.addresses.items.size();
  if (addresses > 1) { text += fmt::format(" and {} more", addresses - 1); }
  return text;
}

std::string when(const Alert& alert) {
  std::string begin = to_the_second(alert.first_event);
  const std::string end = to_the_second(alert.last_suspicious);
  if (begin == end) { return begin; }
  const bool same_day = alert.first_event.day() == alert.last_suspicious.day();
  return fmt::format("{} to {}", begin, same_day ? time_of_day(alert.last_suspicious) : end);
}

std::string what(const Alert& alert) {
  std::string text = outcomes_in_words(alert.suspicious_outcomes);
  if (!alert.objects_read.empty()) {
    const std::size_t count = distinct_objects(alert).size();
    text = fmt::format("{}{} object{} read; {}", count, alert.objects_cut ? " or more" : "", plural(count), text);
  }
  return fmt::format("{}; confidence {}", text, to_string(confidence(alert)));
}

std::string reasons(const Alert& alert, const TableStyle& style) {
  std::string out;
  for (std::size_t i = 0; i < std::min(alert.reasons.size(), kReasonsShown); ++i) {
    out += field(i == 0 ? "why" : "", reason_sentence(alert, alert.reasons[i]), style);
  }
  if (alert.reasons.size() > kReasonsShown) {
    const std::size_t more = alert.reasons.size() - kReasonsShown;
    out += field(
        "", fmt::format("{} more reason{}: keyvigil explain {}", more, plural(more), alert.id.substr(0, kShortIdBytes)),
        style);
  }
  return out;
}

// What was read must be replaced, whatever else is done.
std::string next_step(const Alert& alert) {
  const std::vector<std::string> steps = remediation_steps(alert);
  return alert.credential_reads > 0 ? steps.back() : steps.front();
}

}  // namespace

std::string table_block(const Alert& alert, const TableStyle& style) {
  std::string out = head(alert, style);
  out += field("", catalogue_row(alert.type).display_name, style);
  out += field("who", caller_in_words(alert), style);
  out += field("where", where(alert), style);
  out += field("when", when(alert), style);
  out += field("what", what(alert), style);
  out += reasons(alert, style);
  out += field("next", next_step(alert), style);
  return out + "\n";
}

// ---- totals ----

void TableTotals::Names::add(const std::string& name) {
  if (const auto known = counts.find(name); known != counts.end()) {
    ++known->second;
  } else if (counts.size() < kNamesLimit) {
    counts.emplace(name, 1);
  } else {
    ++others;
  }
}

// "kv-pay 5, kv-web 4 and 3 more", the most first.
std::string TableTotals::Names::most(std::size_t width_columns) const {
  std::vector<std::pair<std::string, std::uint64_t>> sorted(counts.begin(), counts.end());
  std::ranges::stable_sort(sorted, std::greater<>(), &std::pair<std::string, std::uint64_t>::second);
  constexpr std::size_t kNameColumns = 40;
  constexpr std::size_t kRoomForTheRest = 16;
  std::string text;
  std::size_t shown = 0;
  for (const auto& [name, count] : sorted) {
    const std::string one =
        fmt::format("{}{} {}", shown == 0 ? "" : ", ", cut_columns(harmless(name), kNameColumns), count);
    if (shown > 0 && count_columns(text) + count_columns(one) + kRoomForTheRest > width_columns) { break; }
    text += one;
    ++shown;
  }
  const std::size_t rest = sorted.size() - shown;
  if (rest > 0 || others > 0) { text += fmt::format(" and {}{} more", rest, others > 0 ? "+" : ""); }
  return text;
}

void TableTotals::add(const Alert& alert) {
  ++alerts_;
  ++severities_[severity_of(alert)];
  ++confidences_[confidence(alert)];
  vaults_.add(alert.vault_name);
  callers_.add(caller_in_words(alert));
  ++days_[alert.start.day()];
}

namespace {

// The most severe first.
std::string by_level(const std::map<Severity, std::uint64_t>& counts) {
  std::string text;
  for (auto level = counts.rbegin(); level != counts.rend(); ++level) {
    text += fmt::format("{}{} {}", text.empty() ? "" : ", ", level->second, to_string(level->first));
  }
  return text;
}

// One column a day, or several days where there are more than fit.
std::string sparkline(const std::map<std::int64_t, std::uint64_t>& days, std::size_t columns) {
  constexpr std::array<std::string_view, 9> kBars = {" ",      "\u2581", "\u2582", "\u2583", "\u2584",
                                                     "\u2585", "\u2586", "\u2587", "\u2588"};
  const std::int64_t first = days.begin()->first;
  const auto span = static_cast<std::size_t>(days.rbegin()->first - first) + 1;
  const std::size_t days_a_column = (span + columns - 1) / columns;
  std::vector<std::uint64_t> counts((span + days_a_column - 1) / days_a_column);
  for (const auto& [day, count] : days) { counts[static_cast<std::size_t>(day - first) / days_a_column] += count; }
  const std::uint64_t most = *std::ranges::max_element(counts);
  std::string text;
  for (const std::uint64_t count : counts) { text += kBars[(count * (kBars.size() - 1) + most - 1) / most]; }
  const std::string unit = days_a_column == 1 ? "day" : fmt::format("{} days", days_a_column);
  return fmt::format("|{}|  at most {} in a {}", text, most, unit);
}

std::string date_of(std::int64_t day) {
  return to_iso_milliseconds(EventTime{day * EventTime::kTicksPerDay}).substr(0, 10);
}

}  // namespace

std::string TableTotals::text(const TableStyle& style) const {
  if (alerts_ == 0) { return {}; }
  constexpr std::size_t kRoomForDates = 50;
  const std::size_t columns = columns_of(style);
  const std::int64_t first = days_.begin()->first;
  const std::int64_t last = days_.rbegin()->first;
  std::string out = fmt::format("{} alert{}: {}; confidence {}\n", alerts_, plural(alerts_), by_level(severities_),
                                by_level(confidences_));
  if (style.colour) { out = fmt::format("{}{}{}", kBold, out, kReset); }
  out += field("vaults", vaults_.most(columns - kLabelColumns), style);
  out += field("callers", callers_.most(columns - kLabelColumns), style);
  out += field("days", first == last ? date_of(first) : fmt::format("{} to {}", date_of(first), date_of(last)), style);
  if (first != last) {
    out += field("", sparkline(days_, std::max<std::size_t>(columns, kRoomForDates + 10) - kRoomForDates), style);
  }
  return out;
}

}  // namespace keyvigil
