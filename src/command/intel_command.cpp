#include "command/intel_command.h"

#include <fmt/format.h>

#include <algorithm>

#include "alert/printable.h"
#include "intel/address_book.h"
#include "intel/list_builder.h"

namespace keyvigil {
namespace {

constexpr std::size_t kOverlapsShown = 5;
constexpr std::size_t kRowBytes = 4096;
constexpr int kExitNothingUnderstood = 2;
constexpr int kExitSomeUnreadable = 3;

[[nodiscard]] std::string_view role_name(ListRole role) {
  switch (role) {
    case ListRole::kTor:
      return "Tor exits";
    case ListRole::kSuspicious:
      return "suspicious addresses";
    case ListRole::kServiceTags:
      return "Microsoft's address ranges";
  }
  return "unknown";
}

void print_row(std::ostream& out, std::string_view name, std::string_view value) {
  out << fmt::format("  {:<12}{}\n", name, harmless(bounded_utf8(value, kRowBytes)));
}

[[nodiscard]] Result<ThreatList> read_list(const NamedContent& file, ListOptions options) {
  options.role = file.role.value_or(ListRole::kSuspicious);
  if (file.role) { return parse_threat_list(file.file, file.content, options); }
  Result<ThreatList> list = parse_threat_list(file.file, file.content, options);
  if (!list) { return list; }
  // The form says the role only for three; the reader's remark that the role was changed is of no use to a guess.
  if (list->format == ListFormat::kTorExitAddresses || list->format == ListFormat::kOnionoo) {
    options.role = ListRole::kTor;
  }
  if (list->format == ListFormat::kServiceTags) { options.role = ListRole::kServiceTags; }
  return options.role == ListRole::kSuspicious ? list : parse_threat_list(file.file, file.content, options);
}

[[nodiscard]] std::string entries_text(const ThreatList& list) {
  std::vector<IpPrefix> prefixes;
  prefixes.reserve(list.entries.size());
  for (const ListEntry& entry : list.entries) { prefixes.push_back(entry.prefix); }
  const ListCoverage coverage = coverage_of(std::move(prefixes));
  std::string text =
      fmt::format("{} IPv4 covering {} addresses", grouped(coverage.v4_prefixes), grouped(coverage.v4_addresses));
  if (coverage.v6_prefixes > 0) {
    text += fmt::format(", {} IPv6 in {} /64 networks", grouped(coverage.v6_prefixes), grouped(coverage.v6_networks));
  }
  return fmt::format("{} ({})", grouped(list.entries.size()), text);
}

[[nodiscard]] std::string validity_text(const ThreatList& list) {
  const auto timed = std::count_if(list.entries.begin(), list.entries.end(), [](const ListEntry& entry) {
    return entry.valid_from.ticks != INT64_MIN || entry.valid_until.ticks != INT64_MAX;
  });
  return fmt::format("{} entries hold only for a time", grouped(static_cast<std::uint64_t>(timed)));
}

void print_refusals(const ThreatList& list, std::ostream& out) {
  bool any = false;
  for (std::size_t cause = 0; cause < list.refused.size(); ++cause) {
    if (list.refused[cause] == 0) { continue; }
    any = true;
    print_row(out, "refused",
              fmt::format("{} {}", grouped(list.refused[cause]), to_string(static_cast<ListRefusal>(cause))));
    for (const RefusedLine& sample : list.samples) {
      if (static_cast<std::size_t>(sample.cause) != cause) { continue; }
      out << fmt::format("    {:>10}  {}\n", sample.line, sample.found);
    }
  }
  if (!any) { print_row(out, "refused", "0"); }
}

// Entries that lie inside Microsoft's ranges accuse Azure itself, unless they name single bad tenants.
void print_overlap(const ThreatList& list, const AddressBook& microsoft, std::ostream& out) {
  std::uint64_t inside = 0;
  std::vector<std::string> shown;
  for (const ListEntry& entry : list.entries) {
    const AddressFacts facts = microsoft.look_up(entry.prefix.base, EventTime{});
    if (!facts.microsoft) { continue; }
    ++inside;
    if (shown.size() >= kOverlapsShown) { continue; }
    const ListMatch match = microsoft.match(facts.entries.front());
    shown.push_back(fmt::format("    {:>10}  {} in {}, {}", entry.line, to_string(entry.prefix),
                                to_string(match.entry->prefix), match.list->labels[match.entry->label]));
  }
  if (list.entries.empty()) { return; }
  const double share = 100.0 * static_cast<double>(inside) / static_cast<double>(list.entries.size());
  print_row(out, "overlap",
            fmt::format("{} of {} entries begin inside Microsoft's ranges ({:.1f} %)", grouped(inside),
                        grouped(list.entries.size()), share));
  for (const std::string& line : shown) { out << line << '\n'; }
  if (inside > shown.size()) { out << fmt::format("    {:>10}  and {} more\n", "", grouped(inside - shown.size())); }
}

void print_list(const ThreatList& list, const AddressBook& microsoft, std::ostream& out) {
  out << harmless(bounded_utf8(list.file, kRowBytes)) << '\n';
  print_row(out, "format", to_string(list.format));
  print_row(out, "used as", role_name(list.role));
  print_row(out, "name", list.name);
  print_row(out, "date", list.date.empty() ? "not said" : list.date);
  print_row(out, "version", list.digest);
  print_row(out, "entries", entries_text(list));
  if (const std::string validity = validity_text(list); !validity.starts_with("0 ")) {
    print_row(out, "validity", validity);
  }
  print_refusals(list, out);
  if (list.role != ListRole::kServiceTags && microsoft.has_role(ListRole::kServiceTags)) {
    print_overlap(list, microsoft, out);
  }
  for (const std::string& warning : list.warnings) { print_row(out, "warning", warning); }
  out << '\n';
}

}  // namespace

int run_intel_check(const std::vector<NamedContent>& files, const ListOptions& options, std::ostream& out,
                    std::ostream& err) {
  std::vector<ThreatList> lists;
  std::vector<ThreatList> microsoft_lists;
  for (const NamedContent& file : files) {
    Result<ThreatList> list = read_list(file, options);
    if (!list) {
      err << "keyvigil: " << harmless(bounded_utf8(list.error().message, kRowBytes)) << '\n';
      continue;
    }
    if (list->role == ListRole::kServiceTags) { microsoft_lists.push_back(*list); }
    lists.push_back(std::move(*list));
  }
  const AddressBook microsoft(std::move(microsoft_lists));
  for (const ThreatList& list : lists) { print_list(list, microsoft, out); }
  out << fmt::format("{} of {} files understood\n", lists.size(), files.size());
  if (lists.empty()) { return kExitNothingUnderstood; }
  return lists.size() == files.size() ? 0 : kExitSomeUnreadable;
}

}  // namespace keyvigil
