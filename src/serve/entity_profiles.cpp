#include "serve/entity_profiles.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>
#include <vector>

#include "history/operation_class.h"

namespace keyvigil {
namespace {

constexpr std::array<std::string_view, kVolumeMeasureCount> kMeasures = {"operations", "credential_reads",
                                                                         "distinct_objects"};
constexpr std::array<std::string_view, kTumblingWindowCount> kWindows = {"active_hour", "active_day"};

void add_links(EntityProfile& profile, const std::string& group, const std::vector<GraphLink>& links) {
  if (links.empty()) { return; }
  EntityLinks& out = profile.related[group];
  out.total = links.size();
  for (const GraphLink& link : links) {
    if (out.links.size() == EntityLinks::kMost) { break; }
    out.links.push_back({std::string(link.key), link.first, link.last, link.visit_days, link.confirmed});
  }
}

void add_usual(EntityProfile& profile, const UsualActivity& usual) {
  for (std::size_t measure = 0; measure < kMeasures.size(); ++measure) {
    for (std::size_t window = 0; window < kWindows.size(); ++window) {
      const UsualCount& count = usual.counts[measure][window];
      if (count.windows <= 0) { continue; }
      profile.usual[fmt::format("{}_per_{}", kMeasures[measure], kWindows[window])] = count.mean;
      profile.usual[fmt::format("most_{}_per_{}", kMeasures[measure], kWindows[window])] = count.largest;
    }
  }
  for (std::size_t i = 0; i < usual.operations.size(); ++i) {
    if (usual.operations[i] <= 0) { continue; }
    std::string name = fmt::format("share_of_{}", in_words(static_cast<OperationClass>(i)));
    std::ranges::replace(name, ' ', '_');
    profile.usual[std::move(name)] = usual.operations[i];
  }
}

void add_standing(EntityProfile& profile, const SettledTable& table, std::uint32_t slot) {
  profile.first_seen = EventTime{table.first_day(slot) * EventTime::kTicksPerDay};
  profile.days_seen = table.days_seen(slot);
}

bool add_caller(EntityProfile& profile, const EstateHistory& history, EventTime now) {
  const TableKey key(profile.key);
  const auto slot = history.callers().find(key);
  if (!slot) { return false; }
  add_standing(profile, history.callers(), *slot);
  if (const auto usual = history.usual_of_caller(key)) {
    profile.kind = usual->caller_class == CallerClass::kUser ? "user" : "app";
    add_usual(profile, *usual);
  }
  const auto links = [&](EstateHistory::TouchKind kind) {
    return history.touches(kind).graph().links_of_caller(key, now);
  };
  add_links(profile, "vaults", links(EstateHistory::kVaultTouch));
  add_links(profile, "refusedVaults", links(EstateHistory::kDeniedTouch));
  add_links(profile, "applications", links(EstateHistory::kClientTouch));
  add_links(profile, "addresses", links(EstateHistory::kAddressTouch));
  return true;
}

bool add_vault(EntityProfile& profile, const EstateHistory& history) {
  const TableKey key(profile.key);
  const auto slot = history.vaults().find(key);
  if (!slot) { return false; }
  add_standing(profile, history.vaults(), *slot);
  if (const auto usual = history.usual_of_vault(key)) { add_usual(profile, *usual); }
  add_links(profile, "callers", history.touches(EstateHistory::kVaultTouch).graph().links_of_vault(key));
  add_links(profile, "refusedCallers", history.touches(EstateHistory::kDeniedTouch).graph().links_of_vault(key));
  return true;
}

bool add_users(EntityProfile& profile, const EstateHistory& history, EstateHistory::TouchKind kind,
               const std::string& thing) {
  const AccessGraph& graph = history.touches(kind).graph();
  const auto slot = graph.vaults().find(thing);
  if (!slot) { return false; }
  if (profile.days_seen == 0) { add_standing(profile, graph.vaults(), *slot); }
  add_links(profile, "callers", graph.links_of_vault(thing));
  return true;
}

}  // namespace

std::optional<EntityProfile> entity_profile(const EstateHistory& history, const std::string& kind,
                                            const std::string& key, EventTime now) {
  EntityProfile profile;
  profile.kind = kind;
  profile.key = key;
  bool known = false;
  if (kind == "vault") {
    known = add_vault(profile, history);
  } else if (kind == "address") {
    const auto address = parse_ip_address(key);
    known =
        address && add_users(profile, history, EstateHistory::kAddressTouch, EstateHistory::address_thing(*address));
  } else {
    known = add_caller(profile, history, now);
    if (kind == "app") { known = add_users(profile, history, EstateHistory::kClientTouch, key) || known; }
  }
  if (!known) { return std::nullopt; }
  return profile;
}

}  // namespace keyvigil
