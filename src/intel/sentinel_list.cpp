// Microsoft Sentinel: rows of the tables ThreatIntelligenceIndicator and ThreatIntelIndicators, as CSV from the portal,
// as JSON lines, as an array of objects (az), or as the answer of the query API ({"tables": [...]}).
//
// A row is one state of an indicator: of several with one id the newest counts, and it may take the indicator back.
#include <fmt/format.h>

#include <array>
#include <charconv>
#include <functional>
#include <map>

#include "base/ascii.h"
#include "intel/column_table.h"
#include "intel/json_feeds.h"
#include "intel/json_members.h"
#include "intel/list_readers.h"
#include "intel/stix_pattern.h"

namespace keyvigil {
namespace {

using Json = nlohmann::json;

// A cell by the name of its column, as Sentinel spells it; empty where there is none.
using Cell = std::function<std::string(const char* column)>;

struct Indicator {
  std::uint64_t ordinal = 0;
  std::string id;
  EventTime written{INT64_MIN};
  bool withdrawn = false;
  std::vector<std::string> addresses;
  std::string label;
  std::string found;
  int confidence = -1;
  EventTime valid_from{INT64_MIN};
  EventTime valid_until{INT64_MAX};
};

bool is_no(const std::string& text) {
  return lower_case(text) == "false" || text == "0";
}

bool is_yes(const std::string& text) {
  return lower_case(text) == "true" || text == "1";
}

int percent(const std::string& text) {
  double number = -1;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  const bool whole = error == std::errc{} && end == text.data() + text.size();
  return whole && number >= 0 && number <= 100 ? static_cast<int>(number) : -1;
}

std::string first_of(const Cell& cell, std::initializer_list<const char*> columns) {
  for (const char* column : columns) {
    if (std::string text = cell(column); !text.empty()) { return text; }
  }
  return {};
}

std::vector<std::string> addresses_of(const Cell& cell) {
  std::vector<std::string> addresses;
  const auto add = [&](std::string text) {
    if (!text.empty() && std::find(addresses.begin(), addresses.end(), text) == addresses.end()) {
      addresses.push_back(std::move(text));
    }
  };
  for (const char* column : {"NetworkIP", "NetworkSourceIP", "NetworkDestinationIP", "NetworkCidrBlock"}) {
    add(cell(column));
  }
  const std::string key = cell("ObservableKey");
  if (key.starts_with("ipv4-addr") || key.starts_with("ipv6-addr") || key.starts_with("network-traffic")) {
    add(cell("ObservableValue"));
  } else if (const auto pattern = parse_stix_addresses(cell("Pattern"))) {
    for (const StixAddress& address : *pattern) { add(address.text); }
  }
  return addresses;
}

class SentinelReader {
 public:
  explicit SentinelReader(ListBuilder& builder) : builder_(builder) {
    builder.list().format = ListFormat::kSentinel;
    builder.list().name = "Sentinel indicators";
  }

  void add(std::uint64_t ordinal, const Cell& cell) {
    Indicator one;
    one.ordinal = ordinal;
    one.id = first_of(cell, {"IndicatorId", "Id"});
    one.written = time_of(cell, {"TimeGenerated", "LastUpdatedTimeUtc", "Modified"}).value_or(EventTime{INT64_MIN});
    one.withdrawn = is_no(first_of(cell, {"Active", "IsActive"})) || is_yes(cell("IsDeleted")) ||
                    is_yes(cell("Revoked")) || lower_case(cell("Action")) == "delete";
    one.addresses = addresses_of(cell);
    one.label = first_of(cell, {"ThreatType", "Description", "Tags", "IndicatorId", "Id"});
    one.found = one.addresses.empty() ? first_of(cell, {"ObservableValue", "Pattern", "IndicatorId", "Id"})
                                      : one.addresses.front();
    one.confidence = percent(first_of(cell, {"ConfidenceScore", "Confidence"}));
    one.valid_from = time_of(cell, {"ValidFrom"}).value_or(one.valid_from);
    one.valid_until = time_of(cell, {"ExpirationDateTime", "ValidUntil"}).value_or(one.valid_until);
    newest_ = std::max(newest_, one.written);
    const std::size_t place = indicators_.size();
    indicators_.push_back(std::move(one));
    const auto [at, first] = current_.try_emplace(indicators_[place].id, place);
    const Indicator& known = indicators_[at->second];
    const Indicator& fresh = indicators_[place];
    if (!first && std::pair(known.written, known.withdrawn) < std::pair(fresh.written, fresh.withdrawn)) {
      at->second = place;
    }
  }

  void finish() {
    for (std::size_t i = 0; i < indicators_.size(); ++i) { take(i); }
    if (newest_.ticks > INT64_MIN) { builder_.list().date = to_iso_milliseconds(newest_); }
    if (unread_times_ > 0) {
      builder_.warn(fmt::format("{} times are not written as ISO 8601 and were left out: such entries hold at any time",
                                grouped(unread_times_)));
    }
  }

 private:
  std::optional<EventTime> time_of(const Cell& cell, std::initializer_list<const char*> columns) {
    const std::string text = first_of(cell, columns);
    if (text.empty()) { return std::nullopt; }
    const auto time = parse_iso_time(text);
    unread_times_ += time ? 0U : 1U;
    return time;
  }

  void take(std::size_t place) {
    const Indicator& one = indicators_[place];
    const bool replaced = !one.id.empty() && current_.at(one.id) != place;
    if (replaced || one.withdrawn) {
      return builder_.refuse(one.ordinal, ListRefusal::kExpiredOrRevoked, one.id.empty() ? one.found : one.id);
    }
    if (one.addresses.empty()) { return builder_.refuse(one.ordinal, ListRefusal::kNotAnAddress, one.found); }
    Candidate candidate{one.ordinal, one.found, one.label, one.confidence, one.valid_from, one.valid_until};
    for (const std::string& address : one.addresses) {
      candidate.found = address;
      builder_.take(address, candidate);
    }
  }

  ListBuilder& builder_;
  std::vector<Indicator> indicators_;
  std::map<std::string, std::size_t> current_;  // by id
  EventTime newest_{INT64_MIN};
  std::uint64_t unread_times_ = 0;
};

std::string plain_text(const Json* value) {
  if (value == nullptr) { return {}; }
  if (value->is_string()) { return value->get<std::string>(); }
  return value->is_number() || value->is_boolean() ? value->dump() : std::string{};
}

bool is_row(const Json& row) {
  return (member(row, "IndicatorId") != nullptr && member(row, "ThreatType") != nullptr) ||
         member(row, "NetworkIP") != nullptr ||
         (member(row, "ObservableKey") != nullptr && member(row, "ObservableValue") != nullptr);
}

void add_row(const Json& row, std::uint64_t ordinal, SentinelReader& reader) {
  reader.add(ordinal, [&row](const char* column) { return plain_text(member(row, column)); });
}

// The first table of an answer of the query API; nothing where its columns are others.
std::optional<std::vector<std::string>> columns_of(const Json& table) {
  std::vector<std::string> names;
  Json row = Json::object();
  for (const Json& column : array_of(table, "columns")) {
    names.emplace_back(text_of(column, "name"));
    row[names.back()] = "";
  }
  return is_row(row) ? std::optional(names) : std::nullopt;
}

bool read_table(const Json& table, ListBuilder& builder) {
  const auto columns = columns_of(table);
  if (!columns) { return false; }
  SentinelReader reader(builder);
  std::uint64_t ordinal = 0;
  for (const Json& row : array_of(table, "rows")) {
    reader.add(++ordinal, [&](const char* column) {
      const auto at = std::find(columns->begin(), columns->end(), column);
      const auto place = static_cast<std::size_t>(at - columns->begin());
      return at == columns->end() || !row.is_array() || place >= row.size() ? "" : plain_text(&row[place]);
    });
  }
  reader.finish();
  return true;
}

}  // namespace

bool read_sentinel_rows(const Json& document, ListBuilder& builder) {
  if (const Json* table = first_object(array_of(document, "tables")); table != nullptr) {
    return read_table(*table, builder);
  }
  const Json& rows = document.is_array() ? document : array_of(document, "value");
  const Json* first = first_object(rows);
  const bool one = document.is_object() && is_row(document);
  if (!one && (first == nullptr || !is_row(*first))) { return false; }
  SentinelReader reader(builder);
  std::uint64_t ordinal = 0;
  if (one) { add_row(document, 1, reader); }
  if (!one) {
    for (const Json& row : rows) { add_row(row, ++ordinal, reader); }
  }
  reader.finish();
  return true;
}

bool looks_like_sentinel_lines(std::string_view text) {
  constexpr std::size_t kRowBytes = 256 * 1024;
  const std::string_view line = first_line(text);
  if (line.size() > kRowBytes || !line.starts_with('{') || !line.ends_with('}')) { return false; }
  std::string why;
  return is_row(parse_json(line, why));
}

void read_sentinel_lines(std::string_view text, ListBuilder& builder) {
  SentinelReader reader(builder);
  TextLines lines(text);
  TextLine line;
  while (lines.next(line)) {
    if (line.text.empty()) { continue; }
    std::string why;
    const Json row = parse_json(line.text, why);
    if (!row.is_object()) {
      builder.refuse(line.number, ListRefusal::kOther, line.text);
      continue;
    }
    add_row(row, line.number, reader);
  }
  reader.finish();
}

std::string_view sentinel_key_column(std::string_view header) {
  if (has_columns(header, {"networkip"})) { return "networkip"; }
  if (has_columns(header, {"observablekey", "observablevalue"})) { return "observablevalue"; }
  return has_columns(header, {"indicatorid", "threattype"}) ? "indicatorid" : std::string_view{};
}

void read_sentinel_csv(std::string_view text, std::string_view key, ListBuilder& builder) {
  SentinelReader reader(builder);
  ColumnTable table(text, key);
  while (table.next()) {
    if (!table.is_readable()) {
      builder.refuse(table.number(), ListRefusal::kOther, table.text());
      continue;
    }
    reader.add(table.number(), [&](const char* column) { return std::string(table.cell(lower_case(column))); });
  }
  reader.finish();
}

}  // namespace keyvigil
