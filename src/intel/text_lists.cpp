// Lists of lines. Shapes and their traps: Tor (check.torproject.org, CollecTor "tordnsel 1.0"), FireHOL
// blocklist-ipsets, stamparm/ipsum, Spamhaus drop.txt, abuse.ch Feodo Tracker.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>

#include "intel/column_table.h"
#include "intel/list_header.h"
#include "intel/list_readers.h"
#include "intel/text_lines.h"

namespace keyvigil {
namespace {

void check_promises(const ListHeader& header, ListBuilder& builder) {
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

// By the columns of a header, which may be a comment before the first row.
[[nodiscard]] std::optional<ListFormat> format_by_header(std::string_view text) {
  TextLines lines(text);
  TextLine line;
  while (lines.next(line)) {
    if (has_columns(line.text, {"ioc_value", "ioc_type"})) { return ListFormat::kThreatFox; }
    if (has_columns(line.text, {"dstip", "dstport"})) { return ListFormat::kSslblCsv; }
    if (line.text.empty() || is_comment(line.text)) { continue; }
    return sentinel_key_column(line.text).empty() ? std::nullopt : std::optional(ListFormat::kSentinel);
  }
  return std::nullopt;
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

}  // namespace

ListFormat guess_text_format(std::string_view text) {
  std::string_view line = first_data_line(text).text;
  constexpr std::array<std::string_view, 6> kExitKeys{"@type tordnsel", "ExitNode ",   "ExitAddress ",
                                                      "Published ",     "LastStatus ", "Downloaded "};
  const auto starts = [&](std::string_view key) { return line.starts_with(key); };
  if (std::any_of(kExitKeys.begin(), kExitKeys.end(), starts)) { return ListFormat::kTorExitAddresses; }
  if (line.find("dst_ip") != std::string_view::npos && line.find(',') != std::string_view::npos) {
    return ListFormat::kFeodoCsv;
  }
  if (const auto format = format_by_header(text)) { return *format; }
  if (is_dshield_row(line)) { return ListFormat::kDshieldBlock; }
  const std::size_t tab = line.find('\t');
  if (tab != std::string_view::npos && parse_list_address(line.substr(0, tab)) &&
      read_number<std::uint32_t>(trim(line.substr(tab)))) {
    return ListFormat::kIpsum;
  }
  return ListFormat::kPlain;
}

void read_plain_list(std::string_view text, ListBuilder& builder) {
  TextLines lines(text);
  TextLine line;
  ListHeader header;
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
  header.apply(builder);
  check_promises(header, builder);
}

void read_tor_exit_addresses(std::string_view text, ListBuilder& builder) {
  builder.list().name = "Tor exit addresses";
  TextLines lines(text);
  TextLine line;
  ExitListReader reader(builder);
  while (lines.next(line)) {
    if (!line.text.empty() && !is_comment(line.text)) { reader.read(line); }
  }
  reader.finish();
}

void read_ipsum(std::string_view text, ListBuilder& builder) {
  TextLines lines(text);
  TextLine line;
  ListHeader header;
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
  header.apply(builder);
}

}  // namespace keyvigil
