// The raw counts in facts, as text: whatever was counted, without what is usual of a class and without how near things
// are to each other.
#pragma once

#include <fmt/format.h>

#include <optional>
#include <string>

#include "history/facts.h"

namespace keyvigil {

inline std::string raw_counts(std::string_view name, const std::optional<FirstTouch>& touch) {
  if (!touch) { return {}; }
  return fmt::format(" {}[dormant {} new-caller {} today {} days {} things {} callers {}]", name, touch->dormant,
                     touch->caller_is_new, touch->today, touch->caller_days, touch->caller_things,
                     touch->thing_callers);
}

inline std::string raw_counts(std::string_view name, const std::optional<EpisodeFacts>& episode) {
  if (!episode) { return {}; }
  const std::string fresh = episode->fresh ? fmt::format(" fresh {}", episode->fresh->count) : "";
  return fmt::format(" {}[opened {} reads {}{} today {} denied {} reverted {} principal {}{}]", name,
                     episode->opened_ticks, episode->reads, fresh, episode->openings_today, episode->denied_before,
                     episode->reverted, episode->by_principal, raw_counts("new", episode->new_vault));
}

inline std::string raw_counts(const Facts& facts) {
  if (!facts.behaviour_known) { return "nobody"; }
  std::string text =
      fmt::format("class {} first-today {}{} throttled {}", static_cast<int>(facts.caller_class),
                  facts.caller_first_today ? "caller " : "", facts.vault_first_today ? "vault" : "", facts.throttled);
  text += raw_counts("vault", facts.new_vault) + raw_counts("refused", facts.new_denied_vault);
  if (facts.new_vaults_day) { text += fmt::format(" vaults-of-day {}", facts.new_vaults_day->vaults); }
  if (facts.denied_vaults_day) { text += fmt::format(" refused-of-day {}", facts.denied_vaults_day->vaults); }
  text += raw_counts(facts.client_new_to_pair_only ? "pair" : "client", facts.new_client);
  for (const VolumeFact& fact : facts.volumes) {
    text += fmt::format(" volume[{} {} {} count {} largest {:.9g}]", fact.of_vault ? "vault" : "caller",
                        static_cast<int>(fact.measure), static_cast<int>(fact.window), fact.count, fact.largest);
  }
  if (facts.session) {
    text += fmt::format(" session[{}:", facts.session->events);
    for (const double count : facts.session->counts) { text += fmt::format(" {}", count); }
    text += "]";
  }
  if (facts.destruction) { text += fmt::format(" destruction {}", facts.destruction->count); }
  text += raw_counts("list", facts.list_episode) + raw_counts("policy", facts.policy_episode);
  if (facts.new_address) {
    text += fmt::format(" address[{} new-caller {} things {} callers {}]", facts.address_prefix,
                        facts.new_address->caller_is_new, facts.new_address->caller_things,
                        facts.new_address->thing_callers);
  }
  if (facts.network_visit) {
    const NetworkVisit& visit = *facts.network_visit;
    text += fmt::format(" visit[{} since {} first today {} of {} reads {} listed {} newcomer alone {}]",
                        facts.address_prefix, visit.since_ticks, visit.first_today_ticks, visit.networks_today,
                        visit.reads, visit.listed, visit.newcomers_per_day > 0);
  }
  return text;
}

}  // namespace keyvigil
