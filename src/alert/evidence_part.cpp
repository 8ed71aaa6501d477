#include "alert/evidence_part.h"

#include <algorithm>
#include <utility>

#include "base/hash.h"
#include "base/ip_address.h"
#include "detect/reasons.h"
#include "event/access_scope.h"

namespace keyvigil {
namespace {

constexpr std::int64_t kSessionGapTicks = 15 * EventTime::kTicksPerMinute;
constexpr std::int64_t kReadsAfterListTicks = EventTime::kTicksPerHour;

bool is_list(const AccessEvent& event) {
  return event.outcome == Outcome::kSuccess && event.operation_kind == OperationKind::kList;
}

bool follows_within(EventTime time, EventTime cause, std::int64_t span_ticks) {
  return time >= cause && time.ticks - cause.ticks <= span_ticks;
}

std::optional<Part> context_while(bool belongs) {
  return belongs ? std::optional(Part::kContext) : std::nullopt;
}

bool is_of_day(const Alert& alert, EventTime time) {
  return time.is_within(kJoinTicks + 1, alert.last_suspicious.ticks);
}

std::optional<Part> part_of_list_get(const Alert& alert, const AccessEvent& event) {
  if (is_list(event)) { return Part::kCause; }
  const bool follows = follows_within(event.time, alert.rule.last_cause, kReadsAfterListTicks);
  if (is_credential_read(event) && follows) { return Part::kSuspicious; }
  return context_while(is_of_day(alert, event.time));
}

std::optional<Part> part_of_put_get(const Alert& alert, const AccessEvent& event, const EventMarks& marks) {
  const bool own = event.caller_key() == alert.caller.key;
  if (marks.policy_change) {
    // A piece that was joined may have begun after the change that it speaks of.
    const bool counted = alert.rule.piece_ticks.contains(event.time.ticks);
    // Where a role is assigned the answer need not say for whom: its time is that of the change that was counted.
    const bool for_caller =
        (counted && is_of_activity_log(event)) ||
        (!alert.caller.object_id.empty() && event.get(TextField::kPolicyPrincipal) == alert.caller.object_id);
    return (own || for_caller) && (counted || event.time >= alert.rule.began) ? std::optional(Part::kCause)
                                                                              : std::nullopt;
  }
  const bool refused = own && event.outcome == Outcome::kDenied && event.time <= alert.rule.last_cause;
  if (alert.rule.refused_before && refused) { return Part::kCause; }
  if (event.time < alert.rule.began) { return std::nullopt; }
  if (!own) { return std::nullopt; }
  const bool follows = follows_within(event.time, alert.rule.last_cause, kJoinTicks);
  if (follows && (is_credential_read(event) || is_list(event))) { return Part::kSuspicious; }
  return context_while(is_of_day(alert, event.time));
}

// A first use or refusal makes the alert; what the caller does there within the day belongs to it.
std::optional<Part> part_of_touch(const Alert& alert, const AccessEvent& event, bool touches) {
  if (touches) { return Part::kCause; }
  return follows_within(event.time, alert.rule.began, kJoinTicks) ? Part::kSuspicious
                                                                  : context_while(is_of_day(alert, event.time));
}

std::optional<Part> part_of_client(const Alert& alert, const AccessEvent& event) {
  const bool through = event.app_id() == alert.rule.client;
  if (through && event.time == alert.rule.began) { return Part::kCause; }
  if (through && follows_within(event.time, alert.rule.began, kJoinTicks)) { return Part::kSuspicious; }
  return context_while(is_of_day(alert, event.time));
}

std::optional<Part> part_of_many_vaults(const Alert& alert, const AccessEvent& event, bool touches) {
  if (touches) { return Part::kCause; }
  const bool there = alert.rule.vaults.contains(vault_hash(event));
  if (there && event.time.is_within(kJoinTicks + 1, alert.start.ticks)) { return Part::kSuspicious; }
  return context_while(is_of_day(alert, event.time));
}

std::optional<Part> part_of_pattern(const Alert& alert, const AccessEvent& event, const EventMarks& marks) {
  if (alert.rule.classes.contains(marks.operation_class)) { return Part::kCause; }
  if (is_in(alert.rule.sessions, event.time.ticks)) { return Part::kSuspicious; }
  return context_while(is_of_day(alert, event.time));
}

std::optional<Part> part_of_network(const Alert& alert, const AccessEvent& event) {
  if (event.address.known && to_string(network_of(event.address)) == alert.rule.network) { return Part::kSuspicious; }
  return context_while(is_of_day(alert, event.time));
}

bool is_counted(const CountedTouches& touches, const AccessEvent& event, bool touched) {
  return touched && event.time.ticks >= touches.since_ticks &&
         (touches.anywhere || touches.vaults.contains(vault_hash(event)));
}

// What any reason counted, also one that was joined from another family of evidence.
bool is_counted(const EvidenceRule& rule, const AccessEvent& event, const EventMarks& marks) {
  return rule.piece_ticks.contains(event.time.ticks) || is_counted(rule.touches, event, marks.first_touch) ||
         is_counted(rule.refusals, event, marks.first_refusal) || is_in(rule.volumes, event.time.ticks);
}

bool is_elsewhere(const Alert& alert, const AccessEvent& event) {
  const bool about_vault =
      catalogue_row(alert.type).scope != AlertScope::kCaller || alert.subject == SubjectKind::kVault;
  if (alert.type == AlertType::kPutGetAnomaly && is_of_activity_log(event)) {
    return !covers(event.vault_id(), alert.vault_id);
  }
  return about_vault && event.vault_id() != alert.vault_id;
}

}  // namespace

bool is_credential_read(const AccessEvent& event) {
  return event.outcome == Outcome::kSuccess && event.operation != kUnknownOperation &&
         operation_row(event.operation).credential_read;
}

bool is_in(const std::vector<Span>& spans, std::int64_t ticks) {
  return std::ranges::any_of(spans,
                             [ticks](const Span& span) { return ticks >= span.begin_ticks && ticks < span.end_ticks; });
}

std::optional<Part> part_of(const Alert& alert, const AccessEvent& event, const EventMarks& marks) {
  const bool by_caller = alert.subject == SubjectKind::kVault || event.caller_key() == alert.caller.key;
  const bool about_vault = alert.subject == SubjectKind::kVault;
  if (about_vault && event.vault_id() != alert.vault_id) { return std::nullopt; }
  if (by_caller && is_counted(alert.rule, event, marks)) { return Part::kCause; }
  const bool of_session =
      alert.type != AlertType::kOperationPatternAnomaly && is_in(alert.rule.sessions, event.time.ticks);
  if (by_caller && of_session) { return Part::kSuspicious; }
  if (is_elsewhere(alert, event)) { return std::nullopt; }
  const bool before = event.time < alert.rule.began;
  if (before && alert.type != AlertType::kPutGetAnomaly) { return std::nullopt; }
  switch (alert.type) {
    case AlertType::kSuspiciousIPAccess:
    case AlertType::kTORAccess:
    case AlertType::kSuspiciousIPAccessDenied:
      return context_while(event.time >= alert.start && is_of_day(alert, event.time));
    case AlertType::kOperationVolumeAnomaly:
      return std::nullopt;  // what was counted, and nothing else
    case AlertType::kPutGetAnomaly:
      return part_of_put_get(alert, event, marks);
    case AlertType::kListGetAnomaly:
      return part_of_list_get(alert, event);
    case AlertType::kAppAnomaly:
    case AlertType::kUserAnomaly:
      return part_of_touch(alert, event, marks.first_touch);
    case AlertType::kUserAccessDeniedAnomaly:
      return part_of_touch(alert, event, marks.first_refusal);
    case AlertType::kUserAppAnomaly:
      return part_of_client(alert, event);
    case AlertType::kAccountVolumeAnomaly:
      return part_of_many_vaults(alert, event, marks.first_touch);
    case AlertType::kAccountVolumeAccessDeniedAnomaly:
      return part_of_many_vaults(alert, event, marks.first_refusal);
    case AlertType::kOperationPatternAnomaly:
      return part_of_pattern(alert, event, marks);
    case AlertType::kUnusualAccessSuspiciousIP:
      return part_of_network(alert, event);
  }
  return std::nullopt;
}

namespace {

// The window that a volume was counted in; of a minute one tick more, so that it holds the event that ends it.
Span span_of(const Reason& reason) {
  const auto seconds = static_cast<std::int64_t>(reason.of(Quantity::kWindowSeconds));
  const std::int64_t more = reason.code == ReasonCode::kPaceOfUser ? 1 : 0;
  return {reason.since.ticks, reason.since.ticks + seconds * EventTime::kTicksPerSecond + more};
}

// False: it lies in one of them.
bool add_span(std::vector<Span>& spans, Span added) {
  for (const Span& span : spans) {
    if (span.begin_ticks <= added.begin_ticks && added.end_ticks <= span.end_ticks) { return false; }
  }
  std::erase_if(spans, [&added](const Span& span) {
    const bool joined = span.begin_ticks <= added.end_ticks && added.begin_ticks <= span.end_ticks;
    if (joined) { added = {std::min(span.begin_ticks, added.begin_ticks), std::max(span.end_ticks, added.end_ticks)}; }
    return joined;
  });
  spans.insert(std::ranges::upper_bound(spans, added.begin_ticks, {}, &Span::begin_ticks), added);
  return true;
}

}  // namespace

namespace {

bool add_touch(CountedTouches& touches, std::int64_t since_ticks, const Reason& reason) {
  const bool anywhere = !reason_row(reason.code).about_vault;
  const bool widened = since_ticks < touches.since_ticks || (anywhere && !touches.anywhere);
  touches.since_ticks = std::min(touches.since_ticks, since_ticks);
  touches.anywhere = touches.anywhere || anywhere;
  return (!anywhere && touches.vaults.insert(hash64(reason.vault)).second) || widened;
}

// Of what was joined from another family of evidence; else `at`.
EventTime earliest_piece(const Finding& finding, EventTime at) {
  for (const EventTime piece : finding.pieces) { at = std::min(at, piece); }
  for (const Reason& reason : finding.suspicion.reasons) {
    if (reason.code == ReasonCode::kUnusualAccess) { at = std::min(at, reason.since); }
  }
  return at;
}

// What one reason speaks of. A first use is spoken of for a day, from the `earliest` piece on.
bool widen(EvidenceRule& rule, const Reason& reason, EventTime earliest, EventTime at) {
  const std::int64_t day_before = earliest.ticks - kJoinTicks;
  switch (reason.code) {
    case ReasonCode::kFirstTouchOfVault:
    case ReasonCode::kFirstTouchByNewCaller:
    case ReasonCode::kReturnAfterDormancy:
      return add_touch(rule.touches, day_before, reason);
    case ReasonCode::kManyNewVaults:
    case ReasonCode::kManyVaultsOfNewCaller:
      return add_touch(rule.touches, reason.since.ticks, reason);
    case ReasonCode::kFirstRefusal:
      return add_touch(rule.refusals, day_before, reason);
    case ReasonCode::kManyRefusedVaults:
      return add_touch(rule.refusals, reason.since.ticks, reason);
    case ReasonCode::kVolumeOfCaller:
    case ReasonCode::kVolumeOfVault:
    case ReasonCode::kPaceOfUser:
      return add_span(rule.volumes, span_of(reason));
    case ReasonCode::kOperationsUnlikeHabit:
      return add_span(rule.sessions, {reason.since.ticks, at.ticks + kSessionGapTicks});
    case ReasonCode::kReadsAfterList:
    case ReasonCode::kReadsAfterPolicyChange:
    case ReasonCode::kUnusualAccess:
    case ReasonCode::kManyNewNetworks:
      return rule.piece_ticks.insert(reason.since.ticks).second;
    case ReasonCode::kRefusedBeforePolicyChange:
      return !std::exchange(rule.refused_before, true);
    case ReasonCode::kNewAddress:
    case ReasonCode::kReadsFromNewNetwork:
    case ReasonCode::kNewCallerAtUnusedNetwork:
    case ReasonCode::kFirstTimeOutsideAzure:
      rule.network = reason.about;
      return rule.piece_ticks.insert(reason.since.ticks).second;
    case ReasonCode::kNewClientOfUser:
    case ReasonCode::kNewClientOnVault:
      rule.client = reason.about;
      return false;
    default:
      return false;  // speaks of nothing that another one does not
  }
}

}  // namespace

bool widen(EvidenceRule& rule, const Finding& finding, EventTime at) {
  const EventTime began = finding.suspicion.began.value_or(at);
  bool widened = began < rule.began;
  rule.began = std::min(rule.began, began);
  rule.reach = std::min(rule.reach, began);
  for (const EventTime piece : finding.pieces) { widened = rule.piece_ticks.insert(piece.ticks).second || widened; }
  const EventTime earliest = earliest_piece(finding, at);
  rule.reach = std::min(rule.reach, earliest);
  for (const std::uint8_t operation : finding.suspicion.operation_classes) {
    widened = rule.classes.insert(operation).second || widened;
  }
  for (const Reason& reason : finding.suspicion.reasons) {
    widened = widen(rule, reason, earliest, at) || widened;
    if (reason.since.ticks != 0) { rule.reach = std::min(rule.reach, reason.since); }
    if (reason.code == ReasonCode::kRefusedBeforePolicyChange) {
      rule.reach = std::min(rule.reach, EventTime{rule.began.ticks - EventTime::kTicksPerHour});
    }
  }
  rule.reach = std::min({rule.reach, EventTime{rule.touches.since_ticks}, EventTime{rule.refusals.since_ticks}});
  return widened;
}

void widen(EvidenceRule& rule, const AccessEvent& event, const EventMarks& marks, Part part) {
  if (part == Part::kContext) { return; }
  if (marks.first_touch || marks.first_refusal) { rule.vaults.insert(vault_hash(event)); }
  const bool opens = is_list(event) || marks.policy_change;
  if (part == Part::kCause && opens) { rule.last_cause = std::max(rule.last_cause, event.time); }
  // A session goes on for as long as it pauses less than its gap.
  for (Span& session : rule.sessions) {
    if (event.time.ticks < session.begin_ticks || event.time.ticks >= session.end_ticks) { continue; }
    session.end_ticks = std::max(session.end_ticks, event.time.ticks + kSessionGapTicks);
  }
}

}  // namespace keyvigil
