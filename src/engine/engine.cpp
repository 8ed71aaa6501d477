#include "engine/engine.h"

#include <algorithm>

#include "base/prefetch.h"
#include "base/snapshot.h"
#include "catalogue/catalogue.h"
#include "detect/detectors.h"
#include "detect/reasons.h"
#include "event/access_scope.h"

namespace keyvigil {
namespace {

Subject caller_of(const AccessEvent& event, CallerClass caller_class) {
  return {caller_hash(event), caller_class == CallerClass::kUser ? SubjectClass::kUser : SubjectClass::kApp};
}

Subject vault_of(const AccessEvent& event) {
  return {vault_hash(event), SubjectClass::kVault};
}

}  // namespace

bool EngineOptions::keeps_histories() const {
  return (types & ~types_without_history()).any();
}

Engine::Engine(const AddressBook& book, const EngineOptions& options)
    : book_(&book),
      options_(options),
      keeps_histories_(options.keeps_histories()),
      service_tags_known_(book.has_role(ListRole::kServiceTags)),
      history_(options.limits, Teams(options.teams), FirstPartyApps(options.first_party_apps)),
      judge_(options.alerts_per_thousand_vault_days) {}

std::optional<EventTime> Engine::learned_at() const {
  if (first_event_ticks_ == INT64_MAX) { return std::nullopt; }
  return EventTime{first_event_ticks_ + options_.learning_days * EventTime::kTicksPerDay};
}

void Engine::prefetch_far(const AccessEvent& event) const {
  prefetch_bytes(event.vault_id().data(), event.vault_id().size());
  prefetch_bytes(event.caller_key().data(), event.caller_key().size());
  if (keeps_histories_) { history_.prefetch_profiles(event); }
  recent_operations_.prefetch(event);
}

void Engine::prefetch_near(const AccessEvent& event) const {
  if (keeps_histories_) { history_.prefetch_edges(event); }
  recent_operations_.prefetch_cells(event);
}

void Engine::decide(const AccessEvent& event, Timeliness timeliness, Decision& out) {
  out.address = book_->look_up(event.address, event.time);
  out.findings.clear();
  out.marks = {.late = timeliness != Timeliness::kInTime};
  out.behaviour_known = false;
  out.caller_suspected = false;
  if (timeliness == Timeliness::kBeyondHorizon) {
    facts_.clear();
    decide_by_lists({event, out.address, facts_}, out);
  } else if (!keeps_histories_) {
    facts_.clear();
    decide_by_lists({event, out.address, facts_}, out);
    learn_operation(event);
  } else {
    if (first_event_ticks_ == INT64_MAX) { first_event_ticks_ = event.time.ticks; }
    if (history_.advance(event.time)) { judge_.close_hour(event.time.hour(), history_.vaults_seen_lately()); }
    history_.observe(event, facts_, is_from_elsewhere(event, out.address));
    Observation seen{event, out.address, facts_, service_tags_known_};
    decide_by_lists(seen, out);
    out.behaviour_known = facts_.behaviour_known;
    if (facts_.behaviour_known) { decide_by_behaviour(seen, event.time < *learned_at(), out); }
    history_.learn(event, facts_, guard(out));
    learn_operation(event);
  }
  for (Finding& finding : out.findings) {
    const std::string_view vault = finding.vault_id.empty() ? event.vault_id() : std::string_view(finding.vault_id);
    finding.vault_operations = recent_operations_.of_vault(vault, event.time);
  }
}

// What the Activity Log says, the vault's own log says too, or it is no vault's.
void Engine::learn_operation(const AccessEvent& event) {
  if (!is_of_activity_log(event)) { recent_operations_.learn(event); }
}

bool Engine::is_from_elsewhere(const AccessEvent& event, const AddressFacts& address) const {
  return service_tags_known_ && event.address.known && is_global(event.address) && !address.microsoft;
}

void Engine::decide_by_lists(const Observation& seen, Decision& out) const {
  if (!seen.address.tor && !seen.address.suspicious) { return; }
  if (is_of_activity_log(seen.event)) { return; }  // no access of a vault
  for (const DetectorRow& row : kDetectors) {
    if (catalogue_row(row.type).learned()) { continue; }
    for (const Suspicion& suspicion : row.decide(seen)) { out.findings.push_back({row.type, suspicion, {}, false}); }
  }
}

void Engine::decide_by_behaviour(Observation& seen, bool learning, Decision& out) {
  const Subject caller = caller_of(seen.event, facts_.caller_class);
  if (facts_.caller_first_today) { judge_.see(caller); }
  if (facts_.vault_first_today) { judge_.see(vault_of(seen.event)); }
  out.marks.first_touch = facts_.first_touch;
  out.marks.first_refusal = facts_.first_refusal;
  out.marks.policy_change = facts_.policy_change;
  out.marks.operation_class = static_cast<std::uint8_t>(facts_.operation_class);
  out.caller_suspected = facts_.opens_episode;
  if (!has_something_to_say(facts_)) { return; }
  for (const DetectorRow& row : kDetectors) {
    if (!catalogue_row(row.type).learned()) { continue; }
    if (facts_.new_address && catalogue_row(row.type).family == Family::kAddress) {
      seen.unusual_access = judge_.unusual_access(caller, seen.event.time);
    }
    seen.explained_up_to = judge_.matters_up_to(row.type);
    for (Suspicion& suspicion : row.decide(seen)) {
      for (Reason& reason : suspicion.reasons) {
        if (reason_row(reason.code).about_vault && reason.vault.empty()) { reason.vault = seen.event.vault_id(); }
      }
      const Subject subject = suspicion.subject == SubjectKind::kVault ? vault_of(seen.event) : caller;
      const Verdict verdict =
          judge_.judge(row.type, subject, suspicion, seen.event.vault_id(), seen.event.time, !learning);
      out.caller_suspected = out.caller_suspected || (subject.subject_class != SubjectClass::kVault &&
                                                      verdict.calibrated_p <= judge_.matters_up_to(row.type));
      const bool held_back = learning && verdict.calibrated_p <= verdict.threshold;
      statistics_.held_back += held_back ? 1U : 0U;
      if (verdict.passed || (held_back && options_.show_learning)) {
        out.findings.push_back({row.type, std::move(suspicion), verdict, held_back});
      }
    }
  }
  if (auto fusion = judge_.fuse(caller, seen.event.time, !learning)) {
    const EventTime began = *std::ranges::min_element(fusion->pieces);
    out.findings.push_back(
        {.type = fusion->type,
         .suspicion = {SubjectKind::kCaller, fusion->verdict.model_p, std::move(fusion->reasons), began},
         .verdict = fusion->verdict,
         .vault_id = std::move(fusion->vault_id),
         .pieces = std::move(fusion->pieces)});
  }
}

// What raised an alert does not teach as normal.
LearningGuard Engine::guard(const Decision& decision) const {
  LearningGuard guard;
  guard.first_touch_alerted = decision.address.tor || decision.address.suspicious;
  guard.caller_alerted = guard.first_touch_alerted;
  for (const Finding& finding : decision.findings) {
    if (finding.learning) { continue; }
    guard.caller_alerted = true;
    switch (catalogue_row(finding.type).withheld) {
      case Withheld::kFirstTouch:
        guard.first_touch_alerted = true;
        break;
      case Withheld::kSession:
        guard.session_alerted = true;
        break;
      case Withheld::kEpisode:
        guard.episode_alerted = true;
        break;
      case Withheld::kNothing:
        break;
    }
  }
  return guard;
}

void Engine::save(SnapshotWriter& writer) const {
  writer.write_nested([this](SnapshotWriter& nested) { recent_operations_.save(nested); });
  writer.write_nested([this](SnapshotWriter& nested) { history_.save(nested); });
  writer.write(judge_.save());
  writer.write(first_event_ticks_);
  writer.write(statistics_);
}

Result<void> Engine::load(std::string_view bytes) {
  std::string_view operations;
  std::string_view history;
  std::string_view judge;
  SnapshotReader reader(bytes);
  const bool whole = reader.read_nested(operations) && reader.read_nested(history) && reader.read_nested(judge) &&
                     reader.read(first_event_ticks_) && reader.read(statistics_) && reader.at_end();
  if (!whole) {
    return fail(ErrorKind::kInput,
                "state of the engine: expected operations, histories and judge, found damaged bytes; start without "
                "--state or from an older copy of the file");
  }
  constexpr std::int64_t kAnyDate = std::int64_t{1} << 60;
  if (first_event_ticks_ != INT64_MAX) { first_event_ticks_ = std::clamp(first_event_ticks_, -kAnyDate, kAnyDate); }
  if (auto loaded = recent_operations_.load(operations); !loaded) { return loaded; }
  if (auto loaded = history_.load(history); !loaded) { return loaded; }
  return judge_.load(judge);
}

}  // namespace keyvigil
