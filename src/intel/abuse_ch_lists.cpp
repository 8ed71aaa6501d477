// abuse.ch in JSON: Feodo Tracker ipblocklist.json; ThreatFox "export/json/recent" (an object of indicators by id) and
// the answer of its API ({"query_status": "ok", "data": [...]}).
#include <fmt/format.h>

#include <algorithm>

#include "intel/json_feeds.h"
#include "intel/json_members.h"
#include "intel/list_readers.h"

namespace keyvigil {
namespace {

using Json = nlohmann::json;

// An indicator of ThreatFox; its names differ between export and API.
bool is_threatfox(const Json& object) {
  return member(object, "ioc_type") != nullptr &&
         (member(object, "ioc_value") != nullptr || member(object, "ioc") != nullptr);
}

std::string_view first_text(const Json& object, std::initializer_list<const char*> keys) {
  for (const char* key : keys) {
    if (const std::string_view text = text_of(object, key); !text.empty()) { return text; }
  }
  return {};
}

class ThreatfoxReader {
 public:
  explicit ThreatfoxReader(ListBuilder& builder) : builder_(builder) {
    builder.list().format = ListFormat::kThreatFox;
    builder.list().name = "ThreatFox";
  }

  void read(const Json& object) {
    const std::uint64_t ordinal = ++ordinal_;
    const std::string_view value = first_text(object, {"ioc_value", "ioc"});
    newest_ = std::max(newest_, first_text(object, {"first_seen_utc", "first_seen"}));
    if (text_of(object, "ioc_type") != "ip:port") {
      return builder_.refuse(ordinal, ListRefusal::kNotAnAddress, value);
    }
    Candidate candidate{ordinal, value, first_text(object, {"malware_printable", "malware", "threat_type"})};
    candidate.confidence = percent_of(object, "confidence_level");
    builder_.take(value, candidate);
  }

  void finish() {
    if (!newest_.empty()) { builder_.list().date = read_list_date(newest_); }
  }

 private:
  ListBuilder& builder_;
  std::uint64_t ordinal_ = 0;
  std::string_view newest_;  // as written: these times sort as texts
};

}  // namespace

bool read_feodo_json(const Json& document, ListBuilder& builder) {
  const Json* first = first_object(document);
  if (first == nullptr || text_of(*first, "ip_address").empty() || member(*first, "malware") == nullptr) {
    return false;
  }
  builder.list().format = ListFormat::kFeodoJson;
  builder.list().name = "Feodo Tracker";
  std::uint64_t ordinal = 0;
  std::uint64_t offline = 0;
  std::string_view newest;
  for (const Json& row : document) {
    const std::string_view address = text_of(row, "ip_address");
    offline += text_of(row, "status") == "offline" ? 1U : 0U;
    newest = std::max({newest, text_of(row, "last_online"), text_of(row, "first_seen")});
    builder.take(address, Candidate{++ordinal, address, text_of(row, "malware")});
  }
  if (!newest.empty()) { builder.list().date = read_list_date(newest); }
  if (offline > 0) {
    builder.warn(fmt::format("{} of {} servers are marked offline; they are used all the same", grouped(offline),
                             grouped(ordinal)));
  }
  return true;
}

bool read_threatfox_json(const Json& document, ListBuilder& builder) {
  if (!document.is_object()) { return false; }
  if (const Json* first = first_object(array_of(document, "data")); first != nullptr && is_threatfox(*first)) {
    ThreatfoxReader reader(builder);
    for (const Json& object : array_of(document, "data")) { reader.read(object); }
    reader.finish();
    return true;
  }
  const Json* first = document.empty() ? nullptr : first_object(document.front());
  if (first == nullptr || !is_threatfox(*first)) { return false; }
  ThreatfoxReader reader(builder);
  for (const auto& [id, indicators] : document.items()) {
    if (!indicators.is_array()) {
      builder.refuse(0, ListRefusal::kOther, id);
      continue;
    }
    for (const Json& object : indicators) { reader.read(object); }
  }
  reader.finish();
  return true;
}

}  // namespace keyvigil
