// Lists in JSON: which one it is, and Spamhaus DROP (JSON lines), MISP events and warninglists, STIX 2.1 bundles, Azure
// service tags; the others have files of their own (json_feeds.h).
#include <fmt/format.h>

#include <algorithm>
#include <initializer_list>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>

#include "intel/json_feeds.h"
#include "intel/json_members.h"
#include "intel/list_readers.h"
#include "intel/stix_pattern.h"

namespace keyvigil {
namespace {

using Json = nlohmann::json;

constexpr std::size_t kBytesLimit = std::size_t{512} << 20;

// ---- Spamhaus DROP -------------------------------------------------------------------------------------------------

[[nodiscard]] bool is_drop_row(const Json& row) {
  return !text_of(row, "cidr").empty() || (text_of(row, "type") == "metadata" && member(row, "records") != nullptr);
}

[[nodiscard]] bool looks_like_drop(std::string_view text) {
  constexpr std::size_t kRowBytes = 4096;  // no row of these lists comes near
  const std::string_view line = first_line(text);
  std::string why;
  return line.size() <= kRowBytes && line.starts_with('{') && line.ends_with('}') && is_drop_row(parse_json(line, why));
}

void read_drop_metadata(const Json& row, std::uint64_t rows, ListBuilder& builder) {
  const Json* timestamp = member(row, "timestamp");
  constexpr std::int64_t kLatestSeconds = 253'402'300'799;  // end of year 9999
  if (timestamp != nullptr && timestamp->is_number_unsigned() && timestamp->get<std::uint64_t>() <= kLatestSeconds) {
    builder.list().date =
        to_iso_milliseconds(EventTime::from_milliseconds(timestamp->get<std::int64_t>() * std::int64_t{1000}));
  }
  const Json* records = member(row, "records");
  if (records != nullptr && records->is_number_unsigned() && records->get<std::uint64_t>() != rows) {
    builder.warn(fmt::format("metadata promises {} records, file has {}: it may be cut off",
                             grouped(records->get<std::uint64_t>()), grouped(rows)));
  }
}

void read_drop(std::string_view text, ListBuilder& builder) {
  builder.list().format = ListFormat::kSpamhausDropJson;
  builder.list().name = "Spamhaus DROP";
  std::uint64_t number = 0;
  std::uint64_t rows = 0;
  Json metadata;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = trim(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
    ++number;
    if (line.empty()) { continue; }
    std::string why;
    const Json row = parse_json(line, why);
    if (text_of(row, "type") == "metadata") {
      metadata = row;
      continue;
    }
    if (text_of(row, "cidr").empty()) {
      builder.refuse(number, ListRefusal::kOther, line);
      continue;
    }
    ++rows;
    builder.take(text_of(row, "cidr"), Candidate{number, line, text_of(row, "sblid")});
  }
  if (metadata.is_null()) { return builder.warn("the metadata row is missing: the file may be cut off"); }
  read_drop_metadata(metadata, rows, builder);
}

// ---- MISP ----------------------------------------------------------------------------------------------------------

// Taxonomy "misp:confidence-level", numerical values as published there. -1: no such tag.
[[nodiscard]] int misp_confidence(const Json& tagged) {
  constexpr std::string_view kPrefix = "misp:confidence-level=\"";
  for (const Json& tag : array_of(tagged, "Tag")) {
    const std::string_view name = text_of(tag, "name");
    if (!name.starts_with(kPrefix)) { continue; }
    const std::string_view level = name.substr(kPrefix.size());
    if (level == "completely-confident\"") { return 100; }
    if (level == "usually-confident\"") { return 75; }
    if (level == "fairly-confident\"") { return 50; }
    if (level == "rarely-confident\"") { return 25; }
    if (level == "unconfident\"") { return 0; }
  }
  return -1;
}

// The address within an attribute's value; nothing where the type holds none.
[[nodiscard]] std::optional<std::string_view> misp_address(std::string_view type, std::string_view value) {
  const std::size_t bar = value.find('|');
  if (type == "ip-src" || type == "ip-dst") { return value; }
  if (type == "ip-src|port" || type == "ip-dst|port") { return value.substr(0, bar); }
  if (type == "domain|ip") { return bar == std::string_view::npos ? std::string_view{} : value.substr(bar + 1); }
  return std::nullopt;
}

class MispReader {
 public:
  explicit MispReader(ListBuilder& builder) : builder_(builder) {}

  void read_event(const Json& event) {
    ++events_;
    event_confidence_ = misp_confidence(event);
    if (events_ == 1) {
      if (const std::string_view info = text_of(event, "info"); !info.empty()) { builder_.list().name = visible(info); }
      builder_.list().date = visible(text_of(event, "date"));
    }
    read_attributes(event, false);
    for (const Json& object : array_of(event, "Object")) {
      read_attributes(object, truth_of(object, "deleted", false));
    }
  }

  void read_attributes(const Json& holder, bool deleted) {
    for (const Json& attribute : array_of(holder, "Attribute")) { read_attribute(attribute, deleted); }
  }

 private:
  void read_attribute(const Json& attribute, bool deleted) {
    const std::string_view type = text_of(attribute, "type");
    const std::string_view value = text_of(attribute, "value");
    const std::string found = fmt::format("{}: {}", type, value);
    const std::uint64_t ordinal = ++ordinal_;
    const std::optional<std::string_view> address = misp_address(type, value);
    if (!address) { return builder_.refuse(ordinal, ListRefusal::kNotAnAddress, found); }
    if (deleted || truth_of(attribute, "deleted", false)) {
      return builder_.refuse(ordinal, ListRefusal::kExpiredOrRevoked, found);
    }
    if (!truth_of(attribute, "to_ids", false)) {
      return builder_.refuse(ordinal, ListRefusal::kNotForDetection, found);
    }
    Candidate candidate{ordinal, found, text_of(attribute, "uuid")};
    const int own_confidence = misp_confidence(attribute);
    candidate.confidence = own_confidence >= 0 ? own_confidence : event_confidence_;
    builder_.take(trim(*address), candidate);
  }

  ListBuilder& builder_;
  std::uint64_t ordinal_ = 0;
  std::uint64_t events_ = 0;
  int event_confidence_ = -1;
};

[[nodiscard]] bool is_misp_event(const Json& value) {
  return member(value, "Attribute") != nullptr || member(value, "Object") != nullptr;
}

// An event, {"Event": ...}, or what a search returns: {"response": [{"Event": ...}] or {"Attribute": [...]}}.
[[nodiscard]] bool read_misp(const Json& document, MispReader& reader) {
  if (const Json* event = member(document, "Event"); event != nullptr && event->is_object()) {
    reader.read_event(*event);
    return true;
  }
  if (is_misp_event(document)) {
    reader.read_event(document);
    return true;
  }
  const Json* response = document.is_array() ? &document : member(document, "response");
  if (response == nullptr) { return false; }
  if (response->is_object() && member(*response, "Attribute") != nullptr) {
    reader.read_attributes(*response, false);
    return true;
  }
  bool any = false;
  if (response->is_array()) {
    for (const Json& item : *response) {
      const Json* event = member(item, "Event");
      if (event == nullptr || !event->is_object()) { continue; }
      reader.read_event(*event);
      any = true;
    }
  }
  return any;
}

[[nodiscard]] bool is_warninglist(const Json& document) {
  const Json* list = member(document, "list");
  return list != nullptr && list->is_array() && !text_of(document, "type").empty() &&
         member(document, "name") != nullptr;
}

void read_warninglist(const Json& document, ListBuilder& builder) {
  builder.list().format = ListFormat::kMispWarninglist;
  if (const std::string_view name = text_of(document, "name"); !name.empty()) { builder.list().name = visible(name); }
  const std::string version = scalar_text(member(document, "version"));
  if (!version.empty()) { builder.list().name += fmt::format(", version {}", version); }
  const std::string_view type = text_of(document, "type");
  const bool cidr = type == "cidr";
  if (!cidr) {
    builder.warn(fmt::format("a warninglist of type {}: only type cidr holds address ranges", visible(type)));
  }
  if (builder.options().role != ListRole::kServiceTags) {
    builder.warn("a MISP warninglist names what is usually harmless; used as a threat list it accuses it");
  }
  std::uint64_t ordinal = 0;
  for (const Json& item : array_of(document, "list")) {
    ++ordinal;
    if (!item.is_string()) {
      builder.refuse(ordinal, ListRefusal::kOther, item.type_name());
      continue;
    }
    const std::string& text = item.get_ref<const std::string&>();
    if (cidr) {
      builder.take(trim(text), Candidate{ordinal, text, {}});
    } else {
      builder.refuse(ordinal, ListRefusal::kUnsupportedPattern, text);
    }
  }
}

// ---- STIX ----------------------------------------------------------------------------------------------------------

struct Indicator {
  const Json* object = nullptr;
  std::uint64_t ordinal = 0;
  EventTime modified{INT64_MIN};
  bool revoked = false;
};

[[nodiscard]] EventTime modified_of(const Json& object) {
  std::optional<EventTime> time = parse_iso_time(text_of(object, "modified"));
  if (!time) { time = parse_iso_time(text_of(object, "created")); }
  return time.value_or(EventTime{INT64_MIN});
}

// STIX 2.1 has indicator_types, 2.0 had labels; "benign" marks what is explicitly not a threat.
[[nodiscard]] bool is_benign(const Json& object) {
  for (const char* key : {"indicator_types", "labels"}) {
    for (const Json& type : array_of(object, key)) {
      if (type.is_string() && type.get_ref<const std::string&>() == "benign") { return true; }
    }
  }
  return false;
}

// False where the member is there but is no time.
[[nodiscard]] bool read_bound(const Json& object, const char* key, EventTime& bound) {
  const Json* value = member(object, key);
  if (value == nullptr || value->is_null()) { return true; }
  const std::optional<EventTime> time = parse_iso_time(text_of(object, key));
  if (time) { bound = *time; }
  return time.has_value();
}

[[nodiscard]] bool read_confidence(const Json& object, int& confidence) {
  const Json* value = member(object, "confidence");
  if (value == nullptr || value->is_null()) { return true; }
  if (!value->is_number_unsigned() || value->get<std::uint64_t>() > 100) { return false; }
  confidence = value->get<int>();
  return true;
}

void take_indicator(const Indicator& indicator, ListBuilder& builder) {
  const Json& object = *indicator.object;
  const std::string_view pattern = text_of(object, "pattern");
  const std::uint64_t ordinal = indicator.ordinal;
  if (indicator.revoked) { return builder.refuse(ordinal, ListRefusal::kExpiredOrRevoked, text_of(object, "id")); }
  if (is_benign(object)) { return builder.refuse(ordinal, ListRefusal::kNotForDetection, pattern); }
  const std::string_view language = text_of(object, "pattern_type");
  const auto addresses = language.empty() || language == "stix" ? parse_stix_addresses(pattern) : std::nullopt;
  if (!addresses) { return builder.refuse(ordinal, ListRefusal::kUnsupportedPattern, pattern); }

  Candidate candidate{ordinal, pattern, text_of(object, "id")};
  if (!read_bound(object, "valid_from", candidate.valid_from) ||
      !read_bound(object, "valid_until", candidate.valid_until) || !read_confidence(object, candidate.confidence)) {
    return builder.refuse(ordinal, ListRefusal::kOther, pattern);
  }
  for (const StixAddress& address : *addresses) {
    candidate.found = address.text;
    const std::optional<IpPrefix> prefix = parse_ip_prefix(address.text);
    const bool v6_text = address.text.find(':') != std::string::npos;
    if (!prefix || v6_text != address.v6) {
      builder.refuse(ordinal, ListRefusal::kNotAnAddress, address.text);
    } else {
      builder.take(*prefix, candidate);
    }
  }
}

// A newer version of an indicator replaces the older one, and may be its revocation.
void read_stix(const Json& objects, ListBuilder& builder) {
  builder.list().format = ListFormat::kStixBundle;
  std::vector<Indicator> indicators;
  std::map<std::string_view, std::size_t> newest;  // by id, index into indicators
  std::uint64_t ordinal = 0;
  for (const Json& object : objects) {
    ++ordinal;
    if (text_of(object, "type") != "indicator") { continue; }
    const Indicator indicator{&object, ordinal, modified_of(object), truth_of(object, "revoked", false)};
    indicators.push_back(indicator);
    const std::size_t index = indicators.size() - 1;
    const auto [at, first] = newest.try_emplace(text_of(object, "id"), index);
    const Indicator& known = indicators[at->second];
    if (!first && std::pair(known.modified, known.revoked) < std::pair(indicator.modified, indicator.revoked)) {
      at->second = index;
    }
  }
  EventTime date{INT64_MIN};
  for (std::size_t i = 0; i < indicators.size(); ++i) {
    const std::string_view id = text_of(*indicators[i].object, "id");
    date = std::max(date, indicators[i].modified);
    if (!id.empty() && newest.at(id) != i) {
      builder.refuse(indicators[i].ordinal, ListRefusal::kExpiredOrRevoked, id);
    } else {
      take_indicator(indicators[i], builder);
    }
  }
  if (date.ticks > INT64_MIN) { builder.list().date = to_iso_milliseconds(date); }
}

[[nodiscard]] bool has_stix_object(const Json& objects) {
  return std::any_of(objects.begin(), objects.end(), [](const Json& object) {
    return !text_of(object, "type").empty() && text_of(object, "id").find("--") != std::string_view::npos;
  });
}

// A bundle, a TAXII envelope, a bare array of objects, or a single indicator.
[[nodiscard]] bool read_any_stix(const Json& document, ListBuilder& builder) {
  if (text_of(document, "type") == "indicator") {
    read_stix(Json::array({document}), builder);
    return true;
  }
  const Json* objects = document.is_array() ? &document : member(document, "objects");
  const bool bundle = text_of(document, "type") == "bundle";
  if (!bundle && (objects == nullptr || !objects->is_array() || !has_stix_object(*objects))) { return false; }
  read_stix(document.is_array() ? document : array_of(document, "objects"), builder);
  return true;
}

// ---- Azure service tags --------------------------------------------------------------------------------------------

[[nodiscard]] bool is_service_tags(const Json& document) {
  const Json& values = array_of(document, "values");
  return std::any_of(values.begin(), values.end(), [](const Json& value) {
    const Json* properties = member(value, "properties");
    return properties != nullptr && member(*properties, "addressPrefixes") != nullptr;
  });
}

void read_service_tags(const Json& document, ListBuilder& builder) {
  ThreatList& list = builder.list();
  list.format = ListFormat::kServiceTags;
  const std::string cloud = scalar_text(member(document, "cloud"));
  const std::string change = scalar_text(member(document, "changeNumber"));
  list.name = fmt::format("Azure service tags {}, change {}", cloud.empty() ? "(cloud not said)" : cloud,
                          change.empty() ? "not said" : change);
  if (list.role != ListRole::kServiceTags) {
    builder.warn("an Azure service tags file: used as Microsoft's address ranges, not as a list of threats");
    list.role = ListRole::kServiceTags;
  }
  std::uint64_t ordinal = 0;
  for (const Json& value : array_of(document, "values")) {
    ++ordinal;
    const Json* properties = member(value, "properties");
    if (properties == nullptr) {
      builder.refuse(ordinal, ListRefusal::kOther, "a tag without properties");
      continue;
    }
    for (const Json& item : array_of(*properties, "addressPrefixes")) {
      const std::string_view text =
          item.is_string() ? std::string_view(item.get_ref<const std::string&>()) : std::string_view{};
      builder.take(text, Candidate{ordinal, text, text_of(value, "name")});
    }
  }
}

// ---- any of them ---------------------------------------------------------------------------------------------------

[[nodiscard]] std::string describe(const Json& document) {
  if (!document.is_object()) { return fmt::format("a JSON {}", document.type_name()); }
  constexpr std::size_t kKeysShown = 8;
  std::string keys;
  std::size_t shown = 0;
  for (const auto& [key, value] : document.items()) {
    if (shown++ == kKeysShown) {
      keys += ", ...";
      break;
    }
    if (!keys.empty()) { keys += ", "; }
    keys += visible(key, 40);
  }
  return fmt::format("a JSON object with the keys {}", keys.empty() ? "(none)" : keys);
}

[[nodiscard]] tl::unexpected<Error> refuse_document(std::string_view file, std::string_view found) {
  return fail(ErrorKind::kInput,
              fmt::format("{}: expected a threat list in JSON (Spamhaus DROP lines, MISP event or warninglist of type "
                          "cidr, STIX 2.1 bundle or indicator, Azure service tags, Feodo Tracker, ThreatFox, "
                          "AbuseIPDB, Onionoo, DShield, Sentinel indicators, OTX pulse); found {}; load one of these "
                          "forms",
                          file, found));
}

}  // namespace

bool looks_like_json(std::string_view text) {
  const std::string_view rest = trim(text);
  if (rest.starts_with('{')) { return true; }
  if (!rest.starts_with('[')) { return false; }
  // "[2001:db8::1]:443" starts a list of lines, not an array.
  const std::string_view inside = trim(rest.substr(1));
  constexpr std::string_view kArrayStarts = "{[\"]";
  return inside.empty() || kArrayStarts.find(inside[0]) != std::string_view::npos;
}

Result<void> read_json_list(std::string_view text, ListBuilder& builder) {
  const std::string file = builder.list().file;
  if (text.size() > kBytesLimit) {
    return fail(ErrorKind::kLimit, fmt::format("{}: JSON lists are read up to {} MiB; this one has {} bytes: split it",
                                               file, kBytesLimit >> 20, grouped(text.size())));
  }
  if (looks_like_drop(text)) {
    read_drop(text, builder);
    return {};
  }
  if (looks_like_sentinel_lines(text)) {
    read_sentinel_lines(text, builder);
    return {};
  }
  std::string why;
  const Json document = parse_json(text, why, {.tree_bytes = builder.options().json_tree_bytes});
  if (document.is_discarded()) { return refuse_document(file, why); }
  if (is_service_tags(document)) {
    read_service_tags(document, builder);
    return {};
  }
  if (is_warninglist(document)) {
    read_warninglist(document, builder);
    return {};
  }
  if (read_any_stix(document, builder) || read_json_feed(document, builder)) { return {}; }
  builder.list().format = ListFormat::kMispEvent;
  MispReader reader(builder);
  if (read_misp(document, reader)) { return {}; }
  return refuse_document(file, describe(document));
}

}  // namespace keyvigil
