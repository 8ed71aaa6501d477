// Threat lists as files: every common format, found by content.
//
// A loader never guesses silently: whatever it does not take is counted with a cause and sampled with its line.
// Threads: free functions over values.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/event_time.h"
#include "base/ip_address.h"
#include "base/result.h"

namespace keyvigil {

enum class ListFormat : std::uint8_t {
  kPlain,  // addresses and CIDRs, one a line, # or ; comments (FireHOL netset/ipset, Tor bulk list, DROP text)
  kTorExitAddresses,
  kIpsum,  // address TAB count
  kSpamhausDropJson,
  kFeodoCsv,
  kMispEvent,
  kMispWarninglist,
  kStixBundle,
  kServiceTags,
  kFeodoJson,
  kThreatFox,
  kSslblCsv,
  kAbuseIpdb,
  kOnionoo,
  kDshieldBlock,
  kDshieldFeed,
  kSentinel,
  kOtxPulse,
};
[[nodiscard]] std::string_view to_string(ListFormat format);

// What the person who named the list on the command line said that it is.
enum class ListRole : std::uint8_t { kTor, kSuspicious, kServiceTags };
// As configurations name it: tor, suspicious, service_tags.
[[nodiscard]] std::string_view to_string(ListRole role);

struct ListEntry {
  IpPrefix prefix;
  std::uint64_t line = 0;  // 1-based, of the source file; 0 where the format has no lines (JSON objects: ordinal)
  std::uint32_t label =
      0;  // index into ThreatList::labels: tag name, malware family, indicator id, SBL number; 0 = none
  std::int16_t confidence = -1;      // 0..100 as the list says, -1 = not said
  EventTime valid_from{INT64_MIN};   // inclusive
  EventTime valid_until{INT64_MAX};  // exclusive
};

enum class ListRefusal : std::uint8_t {
  kNotAnAddress,
  kNotGlobal,
  kExpiredOrRevoked,
  kLowConfidence,
  kUnsupportedPattern,
  kNotForDetection,
  kOther,
  kCount,
};
[[nodiscard]] std::string_view to_string(ListRefusal cause);

struct RefusedLine {
  std::uint64_t line = 0;
  ListRefusal cause = ListRefusal::kOther;
  std::string found;  // at most 80 bytes, control characters made visible
};

struct ThreatList {
  std::string file;    // as named by the user
  std::string name;    // the list's own name, else the file's base name
  std::string date;    // as the list says, ISO where it can be read; empty if it does not say
  std::string digest;  // 32 hex digits of the content: the list's version
  ListFormat format = ListFormat::kPlain;
  ListRole role = ListRole::kSuspicious;
  std::vector<ListEntry> entries;
  std::vector<std::string> labels;  // labels[0] is ""
  std::array<std::uint64_t, static_cast<std::size_t>(ListRefusal::kCount)> refused{};
  std::vector<RefusedLine> samples;   // at most 20
  std::vector<std::string> warnings;  // e.g. header promises 6,273 entries, file has 40
};

struct ListOptions {
  ListRole role = ListRole::kSuspicious;
  bool allow_non_global = false;  // private space is refused unless forced
  int minimum_confidence = 0;     // STIX, MISP, ipsum; entries that say less are refused and counted
  std::size_t entries_limit = 20'000'000;
  std::size_t json_tree_bytes = std::size_t{4} << 30;  // of memory while JSON is read; what takes more is refused
};

// `file` is only a name for messages; `content` is the whole decompressed file.
[[nodiscard]] Result<ThreatList> parse_threat_list(std::string_view file, std::string_view content,
                                                   const ListOptions& options);

// True where the entry holds at that instant of event time.
[[nodiscard]] inline bool is_valid_at(const ListEntry& entry, EventTime at) {
  return entry.valid_from <= at && at < entry.valid_until;
}

// How much address space a set of prefixes covers, overlaps counted once.
struct ListCoverage {
  std::uint64_t v4_prefixes = 0;
  std::uint64_t v6_prefixes = 0;
  std::uint64_t v4_addresses = 0;
  std::uint64_t v6_networks = 0;  // /64 networks touched
};
[[nodiscard]] ListCoverage coverage_of(std::vector<IpPrefix> prefixes);

}  // namespace keyvigil
