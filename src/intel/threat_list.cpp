#include "intel/threat_list.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "intel/list_builder.h"
#include "intel/list_losses.h"
#include "intel/list_readers.h"

namespace keyvigil {
namespace {

constexpr std::string_view kExpected =
    "expected a Tor exit list, FireHOL netset or ipset, ipsum, Spamhaus DROP, Feodo, ThreatFox, SSLBL, AbuseIPDB, "
    "DShield, MISP event or warninglist, STIX 2.1 bundle, OTX pulse, Sentinel indicators, Azure service tags file, or "
    "one "
    "address or CIDR a line";

[[nodiscard]] tl::unexpected<Error> not_a_list(std::string_view file, std::uint64_t line, std::string_view found,
                                               std::string_view advice) {
  const std::string place = line == 0 ? std::string(file) : fmt::format("{}:{}", file, line);
  return fail(ErrorKind::kInput, fmt::format("{}: {}; found {}; {}", place, kExpected, found, advice));
}

[[nodiscard]] bool has_bytes(std::string_view content, std::string_view start) {
  return content.starts_with(start);
}

// Forms that are no text at all; nothing where the content may be text.
[[nodiscard]] std::string_view binary_form(std::string_view content) {
  constexpr std::size_t kProbeBytes = 4096;
  if (has_bytes(content, "\x1f\x8b")) { return "gzip data"; }
  if (has_bytes(content, "\x28\xb5\x2f\xfd")) { return "zstd data"; }
  if (has_bytes(content, "\xff\xfe") || has_bytes(content, "\xfe\xff")) { return "UTF-16 text"; }
  if (content.substr(0, kProbeBytes).find('\0') != std::string_view::npos) { return "binary data"; }
  return {};
}

[[nodiscard]] Result<void> read_text(std::string_view text, ListBuilder& builder) {
  builder.list().format = guess_text_format(text);
  switch (builder.list().format) {
    case ListFormat::kTorExitAddresses:
      read_tor_exit_addresses(text, builder);
      return {};
    case ListFormat::kIpsum:
      read_ipsum(text, builder);
      return {};
    case ListFormat::kFeodoCsv:
      return read_feodo_csv(text, builder);
    case ListFormat::kThreatFox:
      read_threatfox_csv(text, builder);
      return {};
    case ListFormat::kSslblCsv:
      read_sslbl_csv(text, builder);
      return {};
    case ListFormat::kDshieldBlock:
      read_dshield_block(text, builder);
      return {};
    case ListFormat::kSentinel:
      read_sentinel_csv(text, sentinel_key_column(first_data_line(text).text), builder);
      return {};
    default:
      read_plain_list(text, builder);
  }
  const TextLine first = first_data_line(text);
  if (first.number > 0 && builder.addresses_seen() == 0) {
    return not_a_list(builder.list().file, first.number, fmt::format("\"{}\"", visible(first.text)),
                      "no line of it is an address");
  }
  return {};
}

}  // namespace

std::string_view to_string(ListRole role) {
  constexpr std::array<std::string_view, 3> kNames = {"tor", "suspicious", "service_tags"};
  return kNames.at(static_cast<std::size_t>(role));
}

std::string_view to_string(ListFormat format) {
  switch (format) {
    case ListFormat::kPlain:
      return "addresses and CIDRs, one a line";
    case ListFormat::kTorExitAddresses:
      return "Tor exit-addresses";
    case ListFormat::kIpsum:
      return "ipsum";
    case ListFormat::kSpamhausDropJson:
      return "Spamhaus DROP JSON lines";
    case ListFormat::kFeodoCsv:
      return "Feodo Tracker CSV";
    case ListFormat::kMispEvent:
      return "MISP event";
    case ListFormat::kMispWarninglist:
      return "MISP warninglist";
    case ListFormat::kStixBundle:
      return "STIX 2.1";
    case ListFormat::kServiceTags:
      return "Azure service tags";
    case ListFormat::kFeodoJson:
      return "Feodo Tracker JSON";
    case ListFormat::kThreatFox:
      return "ThreatFox";
    case ListFormat::kSslblCsv:
      return "SSLBL CSV";
    case ListFormat::kAbuseIpdb:
      return "AbuseIPDB";
    case ListFormat::kOnionoo:
      return "Onionoo details";
    case ListFormat::kDshieldBlock:
      return "DShield block list";
    case ListFormat::kDshieldFeed:
      return "DShield JSON";
    case ListFormat::kSentinel:
      return "Microsoft Sentinel indicators";
    case ListFormat::kOtxPulse:
      return "OTX pulses";
  }
  return "unknown";
}

std::string_view to_string(ListRefusal cause) {
  switch (cause) {
    case ListRefusal::kNotAnAddress:
      return "not an address";
    case ListRefusal::kNotGlobal:
      return "not global address space";
    case ListRefusal::kExpiredOrRevoked:
      return "revoked, deleted or replaced";
    case ListRefusal::kLowConfidence:
      return "confidence too low";
    case ListRefusal::kUnsupportedPattern:
      return "pattern is not a pure address list";
    case ListRefusal::kNotForDetection:
      return "not meant for detection";
    case ListRefusal::kOther:
      return "does not fit the format";
    case ListRefusal::kCount:
      break;
  }
  return "unknown";
}

Result<ThreatList> parse_threat_list(std::string_view file, std::string_view content, const ListOptions& options) {
  constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";
  if (const std::string_view form = binary_form(content); !form.empty()) {
    return not_a_list(file, 0, form, "decompress it or save it as UTF-8 text first");
  }
  std::string_view text = content;
  if (text.starts_with(kByteOrderMark)) { text.remove_prefix(kByteOrderMark.size()); }
  if (trim(text).empty()) { return not_a_list(file, 0, "an empty file", "load the list again"); }

  ListBuilder builder(file, content, options);
  const Result<void> read = looks_like_json(text) ? read_json_list(text, builder) : read_text(text, builder);
  if (!read) { return tl::unexpected<Error>(read.error()); }
  if (builder.over_limit()) {
    return fail(ErrorKind::kLimit, fmt::format("{}: more than {} entries; split the list or raise the limit", file,
                                               grouped(options.entries_limit)));
  }
  ThreatList list = std::move(builder.list());
  if (list.entries.empty()) {
    list.warnings.emplace_back(refused_total(list) == 0 ? "the list is empty" : "no entry was taken: all were refused");
  }
  return list;
}

}  // namespace keyvigil
