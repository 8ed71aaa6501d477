#include "intel/list_builder.h"

#include <algorithm>

#include "base/hash.h"

namespace keyvigil {
namespace {

constexpr std::size_t kSampleLimit = 20;
constexpr std::size_t kLabelBytes = 120;

[[nodiscard]] std::string_view base_name(std::string_view file) {
  const std::size_t slash = file.find_last_of("/\\");
  return slash == std::string_view::npos ? file : file.substr(slash + 1);
}

}  // namespace

ListBuilder::ListBuilder(std::string_view file, std::string_view content, const ListOptions& options)
    : options_(options) {
  list_.file = file;
  list_.name = base_name(file);
  list_.digest = to_hex(hash128(content));
  list_.role = options.role;
  list_.labels.emplace_back();
}

void ListBuilder::take(std::string_view address_or_cidr, const Candidate& candidate) {
  const std::optional<IpPrefix> prefix = parse_list_address(address_or_cidr);
  if (!prefix) { return refuse(candidate.line, ListRefusal::kNotAnAddress, candidate.found); }
  take(*prefix, candidate);
}

void ListBuilder::take(const IpPrefix& prefix, const Candidate& candidate) {
  ++addresses_seen_;
  if (candidate.confidence >= 0 && candidate.confidence < options_.minimum_confidence) {
    return refuse(candidate.line, ListRefusal::kLowConfidence, candidate.found);
  }
  if (candidate.valid_from >= candidate.valid_until) {
    return refuse(candidate.line, ListRefusal::kOther, candidate.found);
  }
  if (!options_.allow_non_global && !is_global(prefix)) {
    if (non_global_.size() < options_.entries_limit) { non_global_.push_back(prefix); }
    return refuse(candidate.line, ListRefusal::kNotGlobal, candidate.found);
  }
  if (list_.entries.size() >= options_.entries_limit) {
    over_limit_ = true;
    return;
  }
  ListEntry entry;
  entry.prefix = prefix;
  entry.line = candidate.line;
  entry.label = label_index(candidate.label);
  entry.confidence = static_cast<std::int16_t>(std::clamp(candidate.confidence, -1, 100));
  entry.valid_from = candidate.valid_from;
  entry.valid_until = candidate.valid_until;
  list_.entries.push_back(entry);
}

void ListBuilder::refuse(std::uint64_t line, ListRefusal cause, std::string_view found) {
  ++list_.refused[static_cast<std::size_t>(cause)];
  if (list_.samples.size() < kSampleLimit) { list_.samples.push_back({line, cause, visible(found)}); }
}

std::uint32_t ListBuilder::label_index(std::string_view label) {
  const std::string_view text = trim(label);
  if (text.empty()) { return 0; }
  const std::string shown = visible(text, kLabelBytes);
  const auto next = static_cast<std::uint32_t>(list_.labels.size());
  const auto [at, added] = label_indexes_.try_emplace(shown, next);
  if (added) { list_.labels.push_back(shown); }
  return at->second;
}

std::optional<IpPrefix> parse_list_address(std::string_view text) {
  if (const std::optional<IpPrefix> prefix = parse_ip_prefix(text)) { return prefix; }
  const std::optional<IpAddress> address = parse_ip_address(text);
  return address ? std::optional(IpPrefix{*address, 128}) : std::nullopt;
}

std::string visible(std::string_view text, std::size_t limit_bytes) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  constexpr std::string_view kCut = "...";
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    const bool plain = byte >= 0x20 && byte < 0x7F;
    if (out.size() + (plain ? 1 : 4) + kCut.size() > limit_bytes) { return out.append(kCut); }
    if (plain) {
      out += c;
    } else {
      out.append("\\x").append(1, kDigits[byte >> 4]).append(1, kDigits[byte & 0xF]);
    }
  }
  return out;
}

std::string grouped(std::uint64_t number) {
  std::string out = std::to_string(number);
  for (std::size_t from_end = 3; from_end < out.size(); from_end += 4) { out.insert(out.size() - from_end, 1, ','); }
  return out;
}

std::string_view trim(std::string_view text) {
  constexpr std::string_view kBlank = " \t\r\n\v\f";
  const std::size_t first = text.find_first_not_of(kBlank);
  if (first == std::string_view::npos) { return {}; }
  return text.substr(first, text.find_last_not_of(kBlank) - first + 1);
}

ListCoverage coverage_of(std::vector<IpPrefix> prefixes) {
  std::sort(prefixes.begin(), prefixes.end());
  ListCoverage coverage;
  const IpPrefix* widest = nullptr;
  const IpAddress* last_network = nullptr;
  for (const IpPrefix& prefix : prefixes) {
    const bool v4 = prefix.base.is_v4() && prefix.length_bits >= 96;
    ++(v4 ? coverage.v4_prefixes : coverage.v6_prefixes);
    if (widest != nullptr && prefix.length_bits >= widest->length_bits && contains(*widest, prefix.base)) { continue; }
    widest = &prefix;
    if (v4) {
      coverage.v4_addresses += std::uint64_t{1} << (128 - prefix.length_bits);
    } else if (prefix.length_bits <= 64) {
      const std::uint64_t added = prefix.length_bits == 0 ? UINT64_MAX : std::uint64_t{1} << (64 - prefix.length_bits);
      coverage.v6_networks += std::min(added, UINT64_MAX - coverage.v6_networks);
    } else if (last_network == nullptr || last_network->high != prefix.base.high) {
      ++coverage.v6_networks;
      last_network = &prefix.base;
    }
  }
  return coverage;
}

}  // namespace keyvigil
