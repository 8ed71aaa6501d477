#include "intel/json_feeds.h"

#include <algorithm>
#include <array>

namespace keyvigil {

const nlohmann::json* first_object(const nlohmann::json& array) {
  return array.is_array() && !array.empty() && array.front().is_object() ? &array.front() : nullptr;
}

bool read_json_feed(const nlohmann::json& document, ListBuilder& builder) {
  constexpr std::array kReaders = {read_feodo_json,    read_threatfox_json, read_abuseipdb,   read_onionoo,
                                   read_sentinel_rows, read_otx_pulses,     read_dshield_feed};
  return std::any_of(kReaders.begin(), kReaders.end(), [&](const auto& read) { return read(document, builder); });
}

}  // namespace keyvigil
