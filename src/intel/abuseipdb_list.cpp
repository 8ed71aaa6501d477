// AbuseIPDB, API v2: the blacklist ({"meta": {...}, "data": [{"ipAddress", "abuseConfidenceScore", ...}]}) and the
// answer about one address ({"data": {...}}).
#include <fmt/format.h>

#include "intel/json_feeds.h"
#include "intel/json_members.h"
#include "intel/list_readers.h"

namespace keyvigil {
namespace {

using Json = nlohmann::json;

void take_address(const Json& object, std::uint64_t ordinal, ListBuilder& builder) {
  const std::string_view address = text_of(object, "ipAddress");
  Candidate candidate{ordinal, address, {}};
  candidate.confidence = percent_of(object, "abuseConfidenceScore");
  const std::string label = candidate.confidence < 0 ? "" : fmt::format("abuse confidence {}", candidate.confidence);
  candidate.label = label;
  builder.take(address, candidate);
}

}  // namespace

bool read_abuseipdb(const Json& document, ListBuilder& builder) {
  const Json* data = member(document, "data");
  if (data == nullptr) { return false; }
  const Json* first = data->is_object() ? data : first_object(*data);
  const bool empty_blacklist = data->is_array() && data->empty() && member(document, "meta") != nullptr &&
                               !text_of(*member(document, "meta"), "generatedAt").empty();
  if (!empty_blacklist && (first == nullptr || text_of(*first, "ipAddress").empty())) { return false; }
  builder.list().format = ListFormat::kAbuseIpdb;
  builder.list().name = "AbuseIPDB";
  if (const Json* meta = member(document, "meta"); meta != nullptr) {
    builder.list().date = read_list_date(text_of(*meta, "generatedAt"));
  }
  if (data->is_object()) {
    take_address(*data, 1, builder);
    return true;
  }
  std::uint64_t ordinal = 0;
  for (const Json& object : *data) { take_address(object, ++ordinal, builder); }
  return true;
}

}  // namespace keyvigil
