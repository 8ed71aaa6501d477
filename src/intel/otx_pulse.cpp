// AlienVault OTX: one pulse, or a page of them ({"results": [...]}), with indicators of any kind.
#include "intel/json_feeds.h"
#include "intel/json_members.h"
#include "intel/list_readers.h"

namespace keyvigil {
namespace {

using Json = nlohmann::json;

bool is_pulse(const Json& pulse) {
  const Json* first = first_object(array_of(pulse, "indicators"));
  return first != nullptr && !text_of(*first, "indicator").empty() && !text_of(*first, "type").empty();
}

bool is_address_type(std::string_view type) {
  return type == "IPv4" || type == "IPv6" || type == "CIDR";
}

// The malware that the pulse is about, else what it is called.
std::string label_of(const Json& pulse) {
  if (const Json* family = first_object(array_of(pulse, "malware_families")); family != nullptr) {
    if (const std::string_view name = text_of(*family, "display_name"); !name.empty()) { return std::string(name); }
  }
  for (const Json& family : array_of(pulse, "malware_families")) {
    if (family.is_string()) { return family.get<std::string>(); }
  }
  return std::string(text_of(pulse, "name"));
}

class OtxReader {
 public:
  explicit OtxReader(ListBuilder& builder) : builder_(builder) {
    builder.list().format = ListFormat::kOtxPulse;
    builder.list().name = "OTX pulses";
  }

  void read(const Json& pulse) {
    const std::string label = label_of(pulse);
    newest_ = std::max({newest_, text_of(pulse, "modified"), text_of(pulse, "created")});
    for (const Json& indicator : array_of(pulse, "indicators")) { read_indicator(indicator, label); }
  }

  void finish(const Json& document) {
    if (const std::string_view name = text_of(document, "name"); !name.empty()) {
      builder_.list().name = visible(name);
    }
    if (!newest_.empty()) { builder_.list().date = read_list_date(newest_); }
  }

 private:
  void read_indicator(const Json& indicator, std::string_view label) {
    const std::uint64_t ordinal = ++ordinal_;
    const std::string_view value = text_of(indicator, "indicator");
    if (!is_address_type(text_of(indicator, "type"))) {
      return builder_.refuse(ordinal, ListRefusal::kNotAnAddress, value);
    }
    if (!truth_of(indicator, "is_active", true)) {
      return builder_.refuse(ordinal, ListRefusal::kExpiredOrRevoked, value);
    }
    Candidate candidate{ordinal, value, label};
    if (const auto until = parse_iso_time(text_of(indicator, "expiration"))) { candidate.valid_until = *until; }
    builder_.take(value, candidate);
  }

  ListBuilder& builder_;
  std::uint64_t ordinal_ = 0;
  std::string_view newest_;  // as written: these times sort as texts
};

}  // namespace

bool read_otx_pulses(const Json& document, ListBuilder& builder) {
  const Json& results = document.is_array() ? document : array_of(document, "results");
  const Json* first = first_object(results);
  const bool one = is_pulse(document);
  if (!one && (first == nullptr || !is_pulse(*first))) { return false; }
  OtxReader reader(builder);
  if (one) { reader.read(document); }
  if (!one) {
    for (const Json& pulse : results) { reader.read(pulse); }
  }
  reader.finish(document);
  return true;
}

}  // namespace keyvigil
