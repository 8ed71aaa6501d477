// ServeConfig: the section `serve` of the configuration file. Every key is optional.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "api/tls.h"
#include "config/access_config.h"
#include "config/config_reader.h"
#include "config/input_config.h"

namespace keyvigil {

struct ServeConfig {
  std::string store = "keyvigil.db";
  std::string listen = "127.0.0.1:8443";            // address:port; [::1]:8443 for IPv6
  std::int64_t idle_seconds = 300;                  // 1..86400; an input without events stops holding others back
  std::int64_t checkpoint_seconds = 5;              // 1..300
  std::int64_t journal_limit_mebibytes = 4096;      // 64..1048576
  std::int64_t body_limit_mebibytes = 16;           // 1..1024; one request to /v1/logs, as sent
  std::int64_t decompressed_limit_mebibytes = 256;  // 1..4096; the same, decompressed
  std::int64_t alert_retention_days = 365;          // 0: for ever
  std::int64_t silent_minutes = 60;                 // 1..100000; an input that brings nothing for so long is a problem
  std::int64_t lag_seconds = 120;                   // 10..86400; so is a journal that is decided so late
  std::optional<TlsFiles> tls;                      // without it: plain HTTP on loopback, or --dev
  std::string public_url;                           // "https://host:port" in links of answers
  AccessConfig access;
  std::vector<InputConfig> inputs;
  std::int64_t audit_retention_days = 365;      // 0: for ever
  std::int64_t event_retention_days = 7;        // 0..3650; decided events, for timelines; 0: none
  std::int64_t event_limit_mebibytes = 10'240;  // 1..1048576; the same, compressed; the oldest go first
};

void read_serve_config(ConfigReader& reader, const YAML::Node& node, ServeConfig& out);

}  // namespace keyvigil
