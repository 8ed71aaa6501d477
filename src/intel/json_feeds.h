// Readers of feeds that are one JSON document each. Shapes: abuse.ch (Feodo Tracker ipblocklist.json, ThreatFox export
// and API), AbuseIPDB blacklist and check, Tor Project Onionoo details, DShield intelfeed, rows of Microsoft Sentinel's
// ThreatIntelligenceIndicator and ThreatIntelIndicators, AlienVault OTX pulses.
//
// Each gives false, and does nothing, where the document is none of its own. What is no address is refused and counted.
#pragma once

#include <nlohmann/json.hpp>

#include "intel/list_builder.h"

namespace keyvigil {

[[nodiscard]] bool read_feodo_json(const nlohmann::json& document, ListBuilder& builder);
[[nodiscard]] bool read_threatfox_json(const nlohmann::json& document, ListBuilder& builder);
[[nodiscard]] bool read_abuseipdb(const nlohmann::json& document, ListBuilder& builder);
[[nodiscard]] bool read_onionoo(const nlohmann::json& document, ListBuilder& builder);
[[nodiscard]] bool read_dshield_feed(const nlohmann::json& document, ListBuilder& builder);
[[nodiscard]] bool read_sentinel_rows(const nlohmann::json& document, ListBuilder& builder);
[[nodiscard]] bool read_otx_pulses(const nlohmann::json& document, ListBuilder& builder);

// Any of these.
[[nodiscard]] bool read_json_feed(const nlohmann::json& document, ListBuilder& builder);

// The first object of an array that is not empty; null where there is none.
[[nodiscard]] const nlohmann::json* first_object(const nlohmann::json& array);

}  // namespace keyvigil
