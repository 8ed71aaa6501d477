#include "serve/live_answers.h"

#include <algorithm>

#include "estate/bounds_met.h"
#include "serve/entity_profiles.h"
#include "source/followed_input.h"

namespace keyvigil {
namespace {

std::optional<EventTime> if_known(std::int64_t ticks) {
  return ticks == INT64_MIN ? std::nullopt : std::optional(EventTime{ticks});
}

void add_silent_vaults(const LiveEstate& estate, LiveFigures& out) {
  out.vaults_not_watched += estate.rhythm().left_out();
  std::vector<VaultRhythm::Silence> silent = estate.rhythm().silent();
  if (silent.empty()) { return; }
  out.silent_vaults_total += silent.size();
  silent.resize(std::min(silent.size(), LiveFigures::kSilentVaults - out.silent_vaults.size()));
  const SettledTable& vaults = estate.engine().history().vaults();
  std::map<std::uint64_t, std::string> names;
  for (const VaultRhythm::Silence& one : silent) { names[one.vault]; }
  for (std::uint32_t slot = 0; slot < vaults.slot_count(); ++slot) {
    if (!vaults.is_in_use(slot)) { continue; }
    if (const auto name = names.find(vaults.key_hash(slot)); name != names.end()) { name->second = vaults.key(slot); }
  }
  // One whose name was forgotten is in the total.
  for (const VaultRhythm::Silence& one : silent) {
    if (names[one.vault].empty()) { continue; }
    out.silent_vaults.push_back({names[one.vault], one.last, one.pause_ticks, one.longest_ticks});
  }
}

void add_inputs(const LiveEstates& live, const InputReports& inputs, LiveFigures& out) {
  const std::map<std::string, bool> idle = live.idle_inputs();
  for (const auto& [name, report] : inputs.reports) {
    if (!live.tallies().contains(name)) {
      InputHealth health;
      health.name = name;
      health.report = report;
      out.inputs.push_back(std::move(health));
    }
  }
  for (const auto& [name, tally] : live.tallies()) {
    InputHealth health;
    health.name = name;
    health.removed = is_followed_input(name) && !inputs.followed.contains(name);
    health.records = tally.records;
    health.skipped = tally.skipped;
    health.unreadable_addresses = tally.unreadable_addresses;
    for (std::size_t cause = 0; cause < tally.refused.size(); ++cause) {
      health.refused += tally.refused[cause];
      if (tally.refused[cause] == 0) { continue; }
      health.refused_by_cause[std::string(to_string(static_cast<RefusalCause>(cause)))] = tally.refused[cause];
    }
    out.future_refused += tally.refused[static_cast<std::size_t>(RefusalCause::kFuture)];
    health.newest_event = if_known(tally.newest_event_ticks);
    health.last_received = if_known(tally.received_ticks);
    const auto known = idle.find(name);
    health.idle = known == idle.end() || known->second;
    if (const auto report = inputs.reports.find(name); report != inputs.reports.end()) {
      health.report = report->second;
    }
    out.inputs.push_back(std::move(health));
  }
}

void add_estate(const LiveEstate& estate, LiveFigures& out) {
  const EstateCounts& counts = estate.counts();
  out.events_decided += counts.decided;
  out.duplicates += estate.order().counts().duplicates;
  out.decided_before += estate.order().counts().decided_before;
  out.too_old += estate.order().counts().too_old;
  if (const std::int64_t from = estate.order().decided_events().known_from(); from != DecidedEvents::kAll) {
    out.decided_known_from = std::max(out.decided_known_from, std::optional(EventTime::from_milliseconds(from)));
  }
  add_bounds(bounds_met(estate.engine(), estate.order(), estate.repeats()), out.bounds);
  out.late += estate.order().counts().late;
  out.held += estate.order().held();
  out.evicted_callers += estate.engine().history().callers().evictions();
  out.evicted_vaults += estate.engine().history().vaults().evictions();
  for (std::size_t kind = 0; kind < EstateHistory::kTouchKinds; ++kind) {
    const AccessGraphStatistics& edges = estate.engine().history().touches(kind).graph().statistics();
    out.evicted_edges += edges.edges_replaced + edges.edges_left_out;
  }
  out.forgotten_objects += estate.engine().history().known_objects().forgotten;
  const RepeatsStatistics& repeats = estate.repeats().statistics();
  out.alerts_closed_early += repeats.closed_early;
  out.evidence_left_out += repeats.records_left_out + repeats.objects_left_out;
  out.spilled += estate.order().counts().spilled;
  const auto& detector_seconds = estate.detector_times().seconds();
  for (std::size_t type = 0; type < detector_seconds.size(); ++type) {
    out.detector_seconds[static_cast<AlertType>(type)] += detector_seconds[type];
  }
  for (std::size_t type = 0; type < counts.raised.size(); ++type) {
    if (counts.raised[type] > 0) { out.alerts_raised[static_cast<AlertType>(type)] += counts.raised[type]; }
  }
  add_silent_vaults(estate, out);
}

}  // namespace

LiveFigures live_figures(const LiveEstates& live, const InputReports& inputs) {
  LiveFigures out;
  add_inputs(live, inputs, out);
  std::int64_t decided_to = INT64_MIN;
  for (const auto& estate : live.estates()) {
    add_estate(*estate, out);
    decided_to = std::max(decided_to, estate->counts().decided_to_ticks);
  }
  out.decided_to = if_known(decided_to);
  out.learned_at = live.estates().front()->engine().learned_at();
  out.list_version = live.book().version();
  out.lists_in_force = live.lists_in_force();
  return out;
}

std::optional<EntityProfile> profile(const LiveEstates& live, const std::string& kind, const std::string& key) {
  for (const auto& estate : live.estates()) {
    const EventTime now{estate->counts().decided_to_ticks};
    if (auto profile = entity_profile(estate->engine().history(), kind, key, now)) { return profile; }
  }
  return std::nullopt;
}

std::vector<Alert> open_alerts(const LiveEstates& live, const std::vector<OpenAlertKey>& keys) {
  std::vector<Alert> open;
  for (const OpenAlertKey& key : keys) {
    for (const auto& estate : live.estates()) {
      if (const Alert* alert = estate->repeats().find_open(key.generated, key.id)) { open.push_back(*alert); }
    }
  }
  return open;
}

std::vector<VaultReadiness> readiness(const LiveEstates& live, std::size_t limit) {
  std::vector<VaultReadiness> out;
  for (const auto& estate : live.estates()) {
    const SettledTable& vaults = estate->engine().history().vaults();
    const auto learned_at = estate->engine().learned_at();
    const bool learning = learned_at && estate->counts().decided_to_ticks < learned_at->ticks;
    for (std::uint32_t slot = 0; slot < vaults.slot_count() && out.size() < limit; ++slot) {
      if (!vaults.is_in_use(slot)) { continue; }
      VaultReadiness vault;
      vault.vault_id = vaults.key(slot);
      for (const CatalogueRow& row : catalogue()) {
        VaultReadiness::Detector detector;
        detector.type = row.type;
        if (row.type == AlertType::kTORAccess && !live.book().has_role(ListRole::kTor)) {
          detector.because = "no list of Tor exits";
        } else if (!row.learned() && row.type != AlertType::kTORAccess &&
                   !live.book().has_role(ListRole::kSuspicious)) {
          detector.because = "no list of suspicious addresses";
        } else if (row.learned() && learning) {
          detector.because = "learning";
          detector.until = learned_at;
        }
        detector.ready = detector.because.empty();
        vault.detectors.push_back(std::move(detector));
      }
      out.push_back(std::move(vault));
    }
  }
  std::ranges::sort(out, {}, &VaultReadiness::vault_id);
  return out;
}

}  // namespace keyvigil
