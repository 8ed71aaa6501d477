// Lists of lines. Shapes and their traps: Tor (check.torproject.org, CollecTor "tordnsel 1.0"), FireHOL
// blocklist-ipsets, stamparm/ipsum, Spamhaus drop.txt, abuse.ch Feodo Tracker.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <map>
#include <optional>

#include "event/csv.h"
#include "intel/list_readers.h"

namespace keyvigil {
namespace {

class Lines {
 public:
  explicit Lines(std::string_view text) : rest_(text) {}

  [[nodiscard]] bool next(TextLine& line) {
    if (rest_.empty()) { return false; }
    const std::size_t end = std::min(rest_.find('\n'), rest_.size());
    line = TextLine{++number_, trim(rest_.substr(0, end))};
    rest_.remove_prefix(std::min(end + 1, rest_.size()));
    return true;
  }

 private:
  std::string_view rest_;
  std::uint64_t number_ = 0;
};

[[nodiscard]] bool is_comment(std::string_view line) {
  return line.starts_with('#') || line.starts_with(';');
}

[[nodiscard]] std::string_view strip_comment_marks(std::string_view line) {
  const std::size_t first = line.find_first_not_of("#; \t");
  const std::size_t last = line.find_last_not_of("# \t");
  return first == std::string_view::npos || last < first ? std::string_view{} : line.substr(first, last - first + 1);
}

// The first word, which is cut off the front of `text`.
[[nodiscard]] std::string_view take_word(std::string_view& text) {
  text = trim(text);
  const std::size_t end = std::min(text.find_first_of(" \t"), text.size());
  const std::string_view word = text.substr(0, end);
  text = trim(text.substr(end));
  return word;
}

template <typename Number>
[[nodiscard]] std::optional<Number> read_number(std::string_view text) {
  Number number{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size()) { return std::nullopt; }
  return number;
}

// What the comments of a list say about the list.
struct Header {
  std::string name;
  std::string date;
  std::optional<std::uint64_t> lines_promised;
  std::optional<std::uint64_t> addresses_promised;

  void read(std::string_view comment);
  void set_name(std::string_view text) {
    if (name.empty()) { name = visible(text); }
  }

 private:
  void read_entries(std::string_view promise);
};

// "6273 subnets, 680864624 unique IPs" or "1200 unique IPs".
void Header::read_entries(std::string_view promise) {
  while (!promise.empty()) {
    const std::size_t comma = std::min(promise.find(','), promise.size());
    std::string_view part = promise.substr(0, comma);
    promise.remove_prefix(std::min(comma + 1, promise.size()));
    const std::optional<std::uint64_t> count = read_number<std::uint64_t>(take_word(part));
    if (count && part == "subnets") { lines_promised = count; }
    if (count && part == "unique IPs") { addresses_promised = count; }
  }
}

void Header::read(std::string_view comment) {
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

void apply_header(const Header& header, ListBuilder& builder) {
  if (!header.name.empty()) { builder.list().name = header.name; }
  if (!header.date.empty()) { builder.list().date = header.date; }
}

void check_promises(const Header& header, ListBuilder& builder) {
  const std::uint64_t found = builder.addresses_seen();
  if (header.lines_promised && *header.lines_promised != found) {
    builder.warn(fmt::format("header promises {} entries, file has {}: it may be cut off",
                             grouped(*header.lines_promised), grouped(found)));
  }
  if (!header.addresses_promised) { return; }
  std::vector<IpPrefix> prefixes = builder.non_global();
  for (const ListEntry& entry : builder.list().entries) { prefixes.push_back(entry.prefix); }
  const std::uint64_t covered = coverage_of(std::move(prefixes)).v4_addresses;
  if (covered != *header.addresses_promised) {
    builder.warn(fmt::format("header promises {} addresses, file has {}: it may be cut off",
                             grouped(*header.addresses_promised), grouped(covered)));
  }
}

// FireHOL names a list in its first comment; other lists only where the wording leaves no doubt.
[[nodiscard]] bool is_known_heading(std::string_view comments_name, bool firehol) {
  return firehol || comments_name.find("Spamhaus") != std::string_view::npos ||
         comments_name.find("abuse.ch") != std::string_view::npos ||
         comments_name.find("IPsum") != std::string_view::npos;
}

void read_plain_line(const TextLine& line, ListBuilder& builder) {
  const std::size_t mark = line.text.find_first_of("#;");
  Candidate candidate{line.number, line.text, {}};
  // "1.10.16.0/20 ; SBL256894": the remark is the label.
  if (mark != std::string_view::npos) { candidate.label = strip_comment_marks(line.text.substr(mark)); }
  builder.take(trim(line.text.substr(0, mark)), candidate);
}

// One ExitAddress line of an archive: the relay was an exit at that time.
struct ExitSighting {
  IpPrefix prefix;
  std::uint64_t line = 0;
  EventTime seen;
  EventTime downloaded;
  std::string node;
  std::string_view found;
};

// Several snapshots in one file are a history: each entry holds from a day before the exit was seen to a day after the
// snapshot in which it was listed. Spans of one address that touch are one entry.
void take_history(std::vector<ExitSighting> sightings, ListBuilder& builder) {
  constexpr std::int64_t kMarginTicks = EventTime::kTicksPerDay;
  std::stable_sort(sightings.begin(), sightings.end(), [](const ExitSighting& a, const ExitSighting& b) {
    return std::pair(a.prefix, a.seen) < std::pair(b.prefix, b.seen);
  });
  for (std::size_t first = 0; first < sightings.size();) {
    const ExitSighting& sighting = sightings[first];
    Candidate candidate{sighting.line, sighting.found, sighting.node};
    candidate.valid_from = EventTime{sighting.seen.ticks - kMarginTicks};
    candidate.valid_until = candidate.valid_from;
    std::size_t end = first;
    for (; end < sightings.size() && sightings[end].prefix == sighting.prefix; ++end) {
      if (end > first && sightings[end].seen.ticks - kMarginTicks > candidate.valid_until.ticks) { break; }
      const EventTime latest = std::max(sightings[end].seen, sightings[end].downloaded);
      candidate.valid_until = std::max(candidate.valid_until, EventTime{latest.ticks + kMarginTicks});
    }
    builder.take(sighting.prefix, candidate);
    first = end;
  }
}

void take_snapshot(const std::vector<ExitSighting>& sightings, ListBuilder& builder) {
  for (const ExitSighting& sighting : sightings) {
    builder.take(sighting.prefix, Candidate{sighting.line, sighting.found, sighting.node});
  }
}

[[nodiscard]] bool is_fingerprint(std::string_view text) {
  return text.size() == 40 && text.find_first_not_of("0123456789abcdefABCDEF") == std::string_view::npos;
}

// Reads the blocks of an exit list; a line that fits nowhere is refused.
class ExitListReader {
 public:
  explicit ExitListReader(ListBuilder& builder) : builder_(builder) {}

  void read(const TextLine& line) {
    std::string_view rest = line.text;
    const std::string_view key = take_word(rest);
    if (key == "@type" || key == "Published" || key == "LastStatus") { return; }
    if (key == "ExitAddress") { return read_address(line, rest); }
    if (key == "ExitNode" && is_fingerprint(rest)) {
      node_ = rest;
      return;
    }
    const std::optional<EventTime> time = key == "Downloaded" ? parse_iso_time(rest) : std::nullopt;
    if (!time) { return builder_.refuse(line.number, ListRefusal::kOther, line.text); }
    downloaded_ = *time;
    ++snapshots_;
  }

  void finish() {
    const EventTime newest = std::max(newest_, downloaded_);
    if (newest.ticks > INT64_MIN) { builder_.list().date = to_iso_milliseconds(newest); }
    if (snapshots_ > 1) {
      builder_.warn(fmt::format("{} snapshots: entries hold only around the times at which they were exits",
                                grouped(snapshots_)));
      take_history(std::move(sightings_), builder_);
    } else {
      take_snapshot(sightings_, builder_);
    }
  }

 private:
  void read_address(const TextLine& line, std::string_view rest) {
    const std::optional<IpPrefix> prefix = parse_list_address(take_word(rest));
    if (!prefix) { return builder_.refuse(line.number, ListRefusal::kNotAnAddress, line.text); }
    const std::optional<EventTime> seen = parse_iso_time(rest);
    if (!seen) { return builder_.refuse(line.number, ListRefusal::kOther, line.text); }
    newest_ = std::max(newest_, *seen);
    sightings_.push_back({*prefix, line.number, *seen, downloaded_, node_, line.text});
  }

  ListBuilder& builder_;
  std::string node_;
  std::vector<ExitSighting> sightings_;
  EventTime downloaded_{INT64_MIN};
  EventTime newest_{INT64_MIN};
  std::uint64_t snapshots_ = 0;
};

struct FeodoColumns {
  std::size_t address = 0;
  std::size_t status = SIZE_MAX;
  std::size_t malware = SIZE_MAX;
};

[[nodiscard]] std::optional<FeodoColumns> read_feodo_header(const std::vector<std::string_view>& cells) {
  FeodoColumns columns;
  bool has_address = false;
  for (std::size_t i = 0; i < cells.size(); ++i) {
    if (cells[i] == "dst_ip") {
      columns.address = i;
      has_address = true;
    }
    if (cells[i] == "c2_status") { columns.status = i; }
    if (cells[i] == "malware") { columns.malware = i; }
  }
  return has_address ? std::optional(columns) : std::nullopt;
}

// "# END 28 entries"
[[nodiscard]] std::optional<std::uint64_t> read_feodo_footer(std::string_view line) {
  std::string_view rest = strip_comment_marks(line);
  if (take_word(rest) != "END") { return std::nullopt; }
  return read_number<std::uint64_t>(take_word(rest));
}

[[nodiscard]] std::string_view cell_at(const std::vector<std::string_view>& cells, std::size_t column) {
  return column < cells.size() ? cells[column] : std::string_view{};
}

}  // namespace

TextLine first_data_line(std::string_view text) {
  Lines lines(text);
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

ListFormat guess_text_format(std::string_view text) {
  std::string_view line = first_data_line(text).text;
  constexpr std::array<std::string_view, 6> kExitKeys{"@type tordnsel", "ExitNode ",   "ExitAddress ",
                                                      "Published ",     "LastStatus ", "Downloaded "};
  const auto starts = [&](std::string_view key) { return line.starts_with(key); };
  if (std::any_of(kExitKeys.begin(), kExitKeys.end(), starts)) { return ListFormat::kTorExitAddresses; }
  if (line.find("dst_ip") != std::string_view::npos && line.find(',') != std::string_view::npos) {
    return ListFormat::kFeodoCsv;
  }
  const std::size_t tab = line.find('\t');
  if (tab != std::string_view::npos && parse_list_address(line.substr(0, tab)) &&
      read_number<std::uint32_t>(trim(line.substr(tab)))) {
    return ListFormat::kIpsum;
  }
  return ListFormat::kPlain;
}

void read_plain_list(std::string_view text, ListBuilder& builder) {
  Lines lines(text);
  TextLine line;
  Header header;
  bool firehol = false;
  while (lines.next(line)) {
    if (line.text.empty()) { continue; }
    if (!is_comment(line.text)) {
      read_plain_line(line, builder);
      continue;
    }
    firehol = firehol || line.text.find(" ipset") != std::string_view::npos;
    header.read(line.text);
  }
  if (!is_known_heading(header.name, firehol)) { header.name.clear(); }
  apply_header(header, builder);
  check_promises(header, builder);
}

void read_tor_exit_addresses(std::string_view text, ListBuilder& builder) {
  builder.list().name = "Tor exit addresses";
  Lines lines(text);
  TextLine line;
  ExitListReader reader(builder);
  while (lines.next(line)) {
    if (!line.text.empty() && !is_comment(line.text)) { reader.read(line); }
  }
  reader.finish();
}

void read_ipsum(std::string_view text, ListBuilder& builder) {
  Lines lines(text);
  TextLine line;
  Header header;
  while (lines.next(line)) {
    if (line.text.empty()) { continue; }
    if (is_comment(line.text)) {
      header.read(line.text);
      continue;
    }
    const std::size_t tab = line.text.find('\t');
    const std::string_view count_text =
        tab == std::string_view::npos ? std::string_view{} : trim(line.text.substr(tab));
    const std::optional<std::uint32_t> count = read_number<std::uint32_t>(count_text);
    if (!count) {
      builder.refuse(line.number, ListRefusal::kOther, line.text);
      continue;
    }
    const std::string label = fmt::format("on {} lists", *count);
    Candidate candidate{line.number, line.text, label};
    // Ten points a list: ipsum's own scale ends near ten, and its advice starts at three.
    candidate.confidence = static_cast<int>(std::min<std::uint32_t>(*count, 10)) * 10;
    builder.take(trim(line.text.substr(0, tab)), candidate);
  }
  apply_header(header, builder);
}

Result<void> read_feodo_csv(std::string_view text, ListBuilder& builder) {
  Lines lines(text);
  TextLine line;
  Header header;
  std::optional<FeodoColumns> columns;
  std::optional<std::uint64_t> promised;
  std::vector<std::string_view> cells;
  std::string scratch;
  std::uint64_t rows = 0;
  std::uint64_t offline = 0;
  while (lines.next(line)) {
    if (line.text.empty()) { continue; }
    if (is_comment(line.text)) {
      if (const std::optional<std::uint64_t> footer = read_feodo_footer(line.text)) { promised = footer; }
      if (!columns) { header.read(line.text); }
      continue;
    }
    cells.clear();
    const bool readable = split_csv_row(line.text, scratch, cells);
    if (!columns) {
      columns = readable ? read_feodo_header(cells) : std::nullopt;
      if (!columns) {
        return fail(ErrorKind::kInput, fmt::format("{}:{}: expected a CSV header with the column dst_ip, found \"{}\"",
                                                   builder.list().file, line.number, visible(line.text)));
      }
      continue;
    }
    ++rows;
    if (!readable) {
      builder.refuse(line.number, ListRefusal::kOther, line.text);
      continue;
    }
    if (cell_at(cells, columns->status) == "offline") { ++offline; }
    builder.take(cell_at(cells, columns->address), Candidate{line.number, line.text, cell_at(cells, columns->malware)});
  }
  apply_header(header, builder);
  if (promised && *promised != rows) {
    builder.warn(fmt::format("footer promises {} entries, file has {}", grouped(*promised), grouped(rows)));
  }
  if (!promised) { builder.warn("the footer \"# END n entries\" is missing: the file may be cut off"); }
  if (offline > 0) {
    builder.warn(fmt::format("{} of {} servers are marked offline; they are used all the same", grouped(offline),
                             grouped(rows)));
  }
  return {};
}

}  // namespace keyvigil
