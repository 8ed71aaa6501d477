// keyvigil simulate: writes the logs of an estate that does not exist, with planted attacks, for demonstrations and
// benches.
#pragma once

#include <cstdint>
#include <iosfwd>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include "base/result.h"

namespace keyvigil {

struct SimulateOptions {
  std::string size = "small";
  std::uint64_t seed = 1;
  int days = 0;  // 0 = as the size says; the same for the next five
  std::uint32_t vaults = 0;
  std::uint32_t apps = 0;
  std::uint32_t users = 0;
  std::uint64_t events = 0;
  std::string bytes;  // "1GB"; instead of events
  std::string start;  // ISO time; empty = 2026-09-01
  std::string form = "raw";
  bool gzip = false;
  bool zstd = false;
  std::string output = "-";  // "-" = standard output; a folder takes the blob layout
  std::vector<std::string> attacks;
  std::string strength = "human";  // or loud, slow, all
  bool twins = false;
  std::string drift = "none";
  double attack_share = 0.0005;
  double disorder_share = 0;
  double duplicate_share = 0;
  std::string tor_list;
  std::string suspicious_list;
  std::string service_tags;
  std::string labels;
};

// Registers the sub-command; the returned pointer belongs to `app`. The caller runs run_simulate when it was parsed.
CLI::App* add_simulate_command(CLI::App& app, SimulateOptions& options);

// Exit code: 0 done, 2 usage, 3 output failed. Sentences and the closing figures go to `err`.
[[nodiscard]] int run_simulate(const SimulateOptions& options, std::ostream& err);

// "1GB", "500 MB", "64KiB", "1000": decimal units are powers of 1000, the -iB ones of 1024.
[[nodiscard]] Result<std::uint64_t> parse_byte_count(std::string_view text);

}  // namespace keyvigil
