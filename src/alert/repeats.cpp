#include "alert/repeats.h"

#include <algorithm>
#include <bit>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "alert/printable.h"
#include "base/check.h"
#include "base/hash.h"
#include "event/access_scope.h"

namespace keyvigil {
namespace {

constexpr std::int64_t kLateTicks = 48 * EventTime::kTicksPerHour;
constexpr std::size_t kNameBytes = 128;
constexpr std::size_t kTextBytes = 512;
constexpr std::size_t kTakenLimit = 5000;  // of one alert, by which events that are in it already are known
constexpr std::string_view kOtherOperations = "other";

// ---- under which keys an open alert is found; the first byte keeps the kinds apart ----

std::string caller_on_vault_key(std::string_view caller_key, std::string_view vault_id) {
  std::string key(1, 'c');
  key.append(caller_key).append(1, '\0').append(vault_id);
  return key;
}

std::string caller_anywhere_key(std::string_view caller_key) {
  return std::string(1, 'w').append(caller_key);
}

std::string vault_key(std::string_view vault_id) {
  return std::string(1, 'v').append(vault_id);
}

std::string address_on_vault_key(const IpAddress& address, std::string_view vault_id) {
  std::string key(1, 'a');
  for (const std::uint64_t half : {address.high, address.low}) {
    for (unsigned shift = 0; shift < 64; shift += 8) { key += static_cast<char>((half >> shift) & 0xFFU); }
  }
  key.append(1, '\0').append(vault_id);
  return key;
}

std::vector<std::string> keys_of(const Alert& alert) {
  if (alert.subject == SubjectKind::kVault) { return {vault_key(alert.vault_id)}; }
  std::vector<std::string> keys;
  const AlertScope scope = catalogue_row(alert.type).scope;
  if (!alert.caller.key.empty()) {
    keys.push_back(scope == AlertScope::kCaller ? caller_anywhere_key(alert.caller.key)
                                                : caller_on_vault_key(alert.caller.key, alert.vault_id));
  }
  // Requests that name nobody belong to whoever came from that address.
  if (scope == AlertScope::kDay) { keys.push_back(address_on_vault_key(alert.address, alert.vault_id)); }
  return keys;
}

// Events of which subjects may belong to it.
std::vector<std::uint64_t> subject_hashes(const Alert& alert) {
  if (alert.subject == SubjectKind::kVault) { return {hash64(alert.vault_id)}; }
  std::vector<std::uint64_t> hashes = {hash64(alert.caller.key)};
  const bool and_of_nobody = catalogue_row(alert.type).scope == AlertScope::kDay && !alert.caller.key.empty();
  if (and_of_nobody) { hashes.push_back(hash64({})); }
  return hashes;
}

// Which open alert about behaviour a finding belongs to.
std::string behaviour_key(AlertType type, SubjectKind subject, std::string_view caller, std::string_view vault) {
  std::string key;
  key += static_cast<char>(type);
  key += static_cast<char>(subject);
  if (subject == SubjectKind::kCaller) { key += caller; }
  key += '\0';
  if (subject == SubjectKind::kVault || catalogue_row(type).scope == AlertScope::kCallerOnVault) { key += vault; }
  return key;
}

std::string behaviour_key(const Alert& alert) {
  return behaviour_key(alert.type, alert.subject, alert.caller.key, alert.vault_id);
}

std::string_view vault_of(const AccessEvent& event, const Finding& finding) {
  return finding.vault_id.empty() ? event.vault_id() : std::string_view(finding.vault_id);
}

std::string alert_id(const AccessEvent& event, const Finding& finding) {
  if (catalogue_row(finding.type).learned()) {
    HashInput input;
    input.add(static_cast<std::uint64_t>(finding.type));
    input.add(static_cast<std::uint64_t>(finding.suspicion.subject));
    input.add(static_cast<std::uint64_t>(event.time.milliseconds()));
    input.add(canonical_hash(event));
    return to_guid(hash128(input.bytes()));
  }
  const bool by_caller = finding.suspicion.subject == SubjectKind::kCaller;
  HashInput input;
  input.add(static_cast<std::uint64_t>(finding.type));
  input.add(static_cast<std::uint64_t>(finding.suspicion.subject));
  input.add(by_caller ? event.caller_key() : std::string_view(to_string(event.address)));
  input.add(event.vault_id());
  input.add(static_cast<std::uint64_t>(event.time.day()));
  return to_guid(hash128(input.bytes()));
}

void add_count(OperationCounts& counts, std::string_view name, std::uint64_t count) {
  std::string key = bounded_utf8(name, kNameBytes);
  const bool fits = counts.size() < kOperationNameLimit || counts.contains(key);
  counts[fits ? std::move(key) : std::string(kOtherOperations)] += count;
}

void add_text(TextList& list, std::string_view text, std::size_t limit) {
  if (text.empty()) { return; }
  std::string kept = bounded_utf8(text, kTextBytes);
  if (std::find(list.items.begin(), list.items.end(), kept) != list.items.end()) { return; }
  if (list.items.size() < limit) {
    list.items.push_back(std::move(kept));
  } else {
    ++list.left_out;
  }
}

Reason bounded(Reason reason) {
  reason.about = bounded_utf8(reason.about, kTextBytes);
  reason.nearest = bounded_utf8(reason.nearest, kTextBytes);
  return reason;
}

// The newest numbers of a statement about one thing; false: it was said already.
bool add_reason(std::vector<Reason>& reasons, const Reason& reason) {
  const auto known = std::ranges::find_if(
      reasons, [&reason](const Reason& other) { return other.code == reason.code && other.vault == reason.vault; });
  if (known != reasons.end()) {
    *known = bounded(reason);
    return false;
  }
  if (reasons.size() >= kReasonLimit) { return false; }
  reasons.push_back(bounded(reason));
  return true;
}

// Azure's own word where the record has one, the status code's otherwise.
std::string result_signature(const AccessEvent& event) {
  if (!event.result_signature().empty()) { return bounded_utf8(event.result_signature(), kNameBytes); }
  switch (event.http_status) {
    case 0:
      return {};
    case 200:
      return "OK";
    case 401:
      return "Unauthorized";
    case 403:
      return "Forbidden";
    case 404:
      return "Not Found";
    default:
      return fmt::format("{}", event.http_status);
  }
}

bool day_is_over(std::int64_t generated_ticks, std::int64_t now_ticks) {
  const std::int64_t end = (EventTime{generated_ticks}.day() + 1) * EventTime::kTicksPerDay;
  return now_ticks >= end + kLateTicks;
}

// At 2, 4, 8, ... pieces of evidence, so that a flood costs its logarithm.
bool is_due_for_revision(const Alert& alert) {
  return alert.evidence() > 1 && std::has_single_bit(alert.evidence());
}

void revise(Alert& alert) {
  ++alert.revision;
  alert.revised_at = alert.evidence();
}

void add_lists(Alert& alert, const AddressFacts& address, EventTime at, const AddressBook& book, std::size_t limit) {
  for (const std::uint32_t number : address.entries) {
    const ListMatch match = book.match(number);
    const bool valid = at >= match.entry->valid_from && at < match.entry->valid_until;
    if (!valid || match.list->role == ListRole::kServiceTags) { continue; }
    const std::size_t label = match.entry->label;
    ListEvidence evidence{.list_name = bounded_utf8(match.list->name, kNameBytes),
                          .file = bounded_utf8(match.list->file, kTextBytes),
                          .line = match.entry->line,
                          .prefix = to_string(match.entry->prefix),
                          .label = label < match.list->labels.size()
                                       ? bounded_utf8(match.list->labels[label], kNameBytes)
                                       : std::string(),
                          .list_date = bounded_utf8(match.list->date, kNameBytes),
                          .list_digest = match.list->digest,
                          .role = match.list->role,
                          .confidence = match.entry->confidence};
    if (std::find(alert.lists.begin(), alert.lists.end(), evidence) != alert.lists.end()) { continue; }
    if (alert.lists.size() < limit) {
      alert.lists.push_back(std::move(evidence));
    } else {
      ++alert.lists_left_out;
    }
  }
}

// An alert whose numbers could not have been written by save().
bool is_damaged(const Alert& alert) {
  const auto beyond = [](auto value, auto last) { return value > last; };
  bool damaged = static_cast<std::size_t>(alert.type) >= kAlertTypeCount ||
                 beyond(alert.subject, SubjectKind::kAddress) || beyond(alert.caller.kind, CallerKind::kFirstParty);
  for (const Reason& reason : alert.reasons) { damaged = damaged || !is_sound(reason); }
  for (const ListEvidence& list : alert.lists) { damaged = damaged || beyond(list.role, ListRole::kServiceTags); }
  for (const RecordReference& record : alert.records) {
    damaged = damaged || beyond(record.outcome, Outcome::kOther) || beyond(record.part, Part::kContext);
  }
  for (const auto& [key, contributor] : alert.contributors) {
    damaged = damaged || beyond(contributor.who.kind, CallerKind::kFirstParty);
  }
  return damaged;
}

EventTime whole_milliseconds(EventTime time) {
  return EventTime::from_milliseconds(time.milliseconds());
}

// Only its vault is known.
AccessEvent event_on(std::string_view vault_id) {
  AccessEvent event;
  event.text = vault_id;
  event.slices[static_cast<std::size_t>(TextField::kVaultId)] = {0, static_cast<std::uint16_t>(vault_id.size())};
  return event;
}

void name_vault(Alert& alert, const AccessEvent& event) {
  alert.vault_id = event.vault_id();  // verbatim: the index is keyed by it
  alert.vault_name = bounded_utf8(event.vault_name(), kNameBytes);
  alert.subscription_id = bounded_utf8(event.subscription_id(), kNameBytes);
  alert.resource_group = bounded_utf8(event.resource_group(), kNameBytes);
}

// Whoever did at least half of it is named; nobody else is.
void attribute(Alert& alert, const Contributor& contributor) {
  const auto did_half = [&alert](const Contributor& one) { return 2 * one.events >= alert.suspicious_events; };
  const auto named = alert.contributors.find(alert.caller.key);
  if (named != alert.contributors.end() && &named->second != &contributor && did_half(named->second)) { return; }
  const Contributor nobody;
  const Contributor& who = did_half(contributor) ? contributor : nobody;
  alert.caller = who.who;
  alert.address = who.address;
  alert.addresses = who.addresses;
  alert.client_infos = who.client_infos;
}

void add_contribution(Alert& alert, const AccessEvent& event) {
  constexpr std::size_t kTexts = 8;
  const std::string key(event.caller_key());
  const bool fits = alert.contributors.size() < kContributorLimit || alert.contributors.contains(key);
  if (!fits) {
    ++alert.contributors_left_out;
    return;
  }
  Contributor& contributor = alert.contributors[key];
  if (contributor.events == 0) { contributor.who = identity_of(event); }
  ++contributor.events;
  contributor.address = event.address;
  add_text(contributor.addresses, to_string(event.address), kTexts);
  add_text(contributor.client_infos, event.client_info(), kTexts);
  attribute(alert, contributor);
}

}  // namespace

Repeats::Repeats(const RepeatsLimits& limits, InputNames input_names)
    : limits_(limits), input_names_(std::move(input_names)), recent_(limits.recent) {
  CHECK(limits_.open_alerts > 0);
}

void Repeats::advance(EventTime now, std::vector<Alert>& closed) {
  now_ticks_ = std::max(now_ticks_, now.ticks);
  if (!closed_early_.empty()) {
    std::move(closed_early_.begin(), closed_early_.end(), std::back_inserter(closed));
    closed_early_.clear();
  }
  while (!open_.empty() && day_is_over(open_.begin()->first.first, now_ticks_)) {
    closed.push_back(close(open_.begin(), false));
  }
}

void Repeats::finish(std::vector<Alert>& closed) {
  std::move(closed_early_.begin(), closed_early_.end(), std::back_inserter(closed));
  closed_early_.clear();
  while (!open_.empty()) { closed.push_back(close(open_.begin(), false)); }
}

const Alert* Repeats::find_open(EventTime generated, const std::string& id) const {
  const auto found = open_.find({generated.ticks, id});
  return found == open_.end() ? nullptr : &found->second;
}

std::vector<Alert> Repeats::open_alerts() const {
  std::vector<Alert> alerts;
  alerts.reserve(open_.size());
  for (const auto& [key, alert] : open_) { alerts.push_back(alert); }
  return alerts;
}

void Repeats::remember(const AccessEvent& event, const Decision& decision) {
  if (!decision.behaviour_known) { return; }
  if (decision.caller_suspected) { recent_.watch(event); }
  recent_.add(event, decision.marks);
  statistics_.events_forgotten = recent_.forgotten();
}

void Repeats::observe(const AccessEvent& event, const Decision& decision, const AddressBook& book,
                      std::vector<Alert>* revised) {
  opened_types_.clear();
  const bool nobody_open =
      open_.empty() || (open_of_subject(caller_hash(event)) == 0 && open_of_subject(vault_hash(event)) == 0);
  if (!decision.findings.empty() || !nobody_open) {
    raised_.clear();
    revised_.clear();
    for (const Finding& finding : decision.findings) {
      join_finding(find_or_open(event, finding), event, finding, decision, book);
    }
    join_others(event, decision);
    for (Alert* alert : revised_) { alert->revised_at = alert->evidence(); }
    if (revised != nullptr) {
      for (auto alert = revised_.begin(); alert != revised_.end(); ++alert) {
        if (std::find(revised_.begin(), alert, *alert) == alert) { revised->push_back(**alert); }
      }
    }
  }
  remember(event, decision);
}

void Repeats::revise_open(Alert& alert) {
  revise(alert);
  revised_.push_back(&alert);
}

Alert& Repeats::find_or_open(const AccessEvent& event, const Finding& finding) {
  const bool learned = catalogue_row(finding.type).learned();
  Alert* known = learned ? find_behavioural(event, finding) : find_of_list(event, finding);
  return known != nullptr ? *known : open(event, finding, alert_id(event, finding));
}

Alert* Repeats::find_of_list(const AccessEvent& event, const Finding& finding) {
  const auto look = [&](const std::string& key, bool of_nobody) -> const OpenAlerts::iterator* {
    const auto found = by_key_.find(key);
    if (found == by_key_.end()) { return nullptr; }
    for (const OpenAlerts::iterator& place : found->second) {
      const Alert& alert = place->second;
      const bool same = alert.type == finding.type && alert.generated.day() == event.time.day();
      if (same && (!of_nobody || alert.caller.key.empty())) { return &place; }
    }
    return nullptr;
  };
  const std::string address = address_on_vault_key(event.address, event.vault_id());
  if (event.caller_key().empty()) {
    const auto* place = look(address, false);
    return place == nullptr ? nullptr : &(*place)->second;
  }
  if (const auto* place = look(caller_on_vault_key(event.caller_key(), event.vault_id()), false)) {
    return &(*place)->second;
  }
  const auto* unnamed = look(address, true);
  if (unnamed == nullptr) { return nullptr; }
  const OpenAlerts::iterator place = *unnamed;
  take_over(place, event);
  return &place->second;
}

void Repeats::take_over(OpenAlerts::iterator place, const AccessEvent& event) {
  leave_index(place);
  place->second.caller = identity_of(event);
  place->second.subject = SubjectKind::kCaller;
  index(place);
}

Alert* Repeats::find_by_key(const std::string& key, EventTime at) {
  const auto found = by_behaviour_.find(key);
  if (found == by_behaviour_.end()) { return nullptr; }
  Alert& alert = found->second->second;
  return at.is_within(kJoinTicks + 1, alert.last_suspicious.ticks) ? &alert : nullptr;
}

// The open alert that the finding adds to: a wider one of the caller, its own, or one about the same burst of a vault.
Alert* Repeats::find_behavioural(const AccessEvent& event, const Finding& finding) {
  const std::string_view vault = vault_of(event, finding);
  const auto look = [&](AlertType type, SubjectKind subject) {
    return find_by_key(behaviour_key(type, subject, event.caller_key(), vault), event.time);
  };
  if (finding.suspicion.subject == SubjectKind::kVault) {
    Alert* known = look(finding.type, SubjectKind::kVault);
    return known != nullptr ? known : find_of_contributor(event, finding);
  }
  if (const auto wider = catalogue_row(finding.type).wider) {
    if (Alert* alert = look(*wider, SubjectKind::kCaller); alert != nullptr) { return alert; }
  }
  if (Alert* alert = look(finding.type, SubjectKind::kCaller); alert != nullptr) { return alert; }
  Alert* of_vault = look(finding.type, SubjectKind::kVault);
  return of_vault != nullptr && of_vault->caller.key == event.caller_key() ? of_vault : nullptr;
}

Alert* Repeats::find_of_contributor(const AccessEvent& event, const Finding& finding) {
  std::map<std::string, std::uint64_t> counts;
  std::uint64_t all = 1;
  ++counts[std::string(event.caller_key())];
  recent_.each_of_vault(vault_hash(event), finding.suspicion.began.value_or(event.time),
                        [&](const AccessEvent& past, const EventMarks&) {
                          ++counts[std::string(past.caller_key())];
                          ++all;
                        });
  for (const auto& [caller, count] : counts) {
    if (2 * count < all) { continue; }
    const auto key = behaviour_key(finding.type, SubjectKind::kCaller, caller, event.vault_id());
    if (Alert* alert = find_by_key(key, event.time); alert != nullptr) { return alert; }
  }
  return nullptr;
}

Alert& Repeats::open(const AccessEvent& event, const Finding& finding, std::string id) {
  if (open_.size() >= limits_.open_alerts) {
    std::erase(revised_, &open_.begin()->second);
    std::erase(raised_, &open_.begin()->second);
    closed_early_.push_back(close(open_.begin(), true));
  }

  Alert alert;
  alert.type = finding.type;
  alert.subject = finding.suspicion.subject;
  alert.learning = finding.learning;
  alert.id = std::move(id);
  alert.start = whole_milliseconds(event.time);
  alert.generated = alert.start;
  if (const auto before = closed_memory_.find(alert.id); before != closed_memory_.end()) {
    alert.start = EventTime{before->second.start_ticks};
    alert.generated = EventTime{before->second.generated_ticks};
    alert.revision = before->second.revision + 1;
    alert.continued = true;
    ++statistics_.reopened;
  } else {
    opened_types_.push_back(alert.type);
  }
  alert.first_event = whole_milliseconds(event.time);
  alert.last_event = alert.first_event;
  alert.last_suspicious = alert.first_event;
  alert.rule.began = event.time;
  alert.rule.reach = event.time;
  name_vault(alert, finding.vault_id.empty() ? event : event_on(finding.vault_id));
  if (alert.subject == SubjectKind::kCaller) { alert.caller = identity_of(event); }
  if (alert.subject != SubjectKind::kVault) { alert.address = event.address; }

  ++statistics_.opened;
  const OpenKey key{alert.generated.ticks, alert.id};
  const auto [place, inserted] = open_.emplace(key, std::move(alert));
  CHECK(inserted);
  index(place);
  revised_.push_back(&place->second);
  return place->second;
}

void Repeats::join_finding(Alert& alert, const AccessEvent& event, const Finding& finding, const Decision& decision,
                           const AddressBook& book) {
  const bool first = alert.evidence() == 0;
  const bool is_new = std::ranges::find(raised_, &alert) == raised_.end();
  // What a caller did wherever it went is no statement about a vault: it joins as events only.
  const bool of_another = alert.subject == SubjectKind::kVault && finding.suspicion.subject != SubjectKind::kVault;
  const bool widened = !of_another && widen(alert.rule, finding, event.time);
  bool new_reason = false;
  for (const Reason& reason : finding.suspicion.reasons) {
    if (of_another) { break; }
    const bool added = add_reason(alert.reasons, reason);
    new_reason = new_reason || (added && !first);
  }
  if (first || finding.verdict.calibrated_p < alert.verdict.calibrated_p) { alert.verdict = finding.verdict; }
  if (vault_of(event, finding) == alert.vault_id) {
    alert.vault_operations.clear();
    for (const auto& [name, count] : finding.vault_operations) { add_count(alert.vault_operations, name, count); }
  }
  add_lists(alert, decision.address, event.time, book, limits_.lists);
  alert.list_version = book.version();
  if (catalogue_row(alert.type).learned() && (first || widened)) { look_back(alert, event); }
  ++statistics_.suspicious_joined;
  if (is_new) {
    raised_.push_back(&alert);
    const bool joined_from_elsewhere = finding.suspicion.subject == SubjectKind::kVault || !finding.pieces.empty();
    auto part = part_of(alert, event, decision.marks);
    const bool by_subject =
        alert.subject != SubjectKind::kCaller || event.caller_key().empty() || event.caller_key() == alert.caller.key;
    if (!joined_from_elsewhere && part.value_or(Part::kContext) == Part::kContext) { part = Part::kSuspicious; }
    if (part && by_subject) { add_event(alert, event, decision.marks, *part); }
  }
  // Whatever raised it is in it, also where what came before is no longer at hand.
  if (alert.suspicious_events == 0) {
    alert.evidence_cut = true;
    if (alert.related_events == 0) { add_event(alert, event, decision.marks, Part::kSuspicious); }
  }
  if (new_reason || is_due_for_revision(alert)) { revise_open(alert); }
}

void Repeats::join_others(const AccessEvent& event, const Decision& decision) {
  if (open_of_subject(vault_hash(event)) > 0) { join_others(vault_key(event.vault_id()), event, decision); }
  if (event.caller_key().empty()) {
    join_others(address_on_vault_key(event.address, event.vault_id()), event, decision);
  } else if (open_of_subject(caller_hash(event)) > 0) {
    join_others(caller_on_vault_key(event.caller_key(), event.vault_id()), event, decision);
    join_others(caller_anywhere_key(event.caller_key()), event, decision);
  }
}

void Repeats::join_others(const std::string& key, const AccessEvent& event, const Decision& decision) {
  const auto found = by_key_.find(key);
  if (found == by_key_.end()) { return; }
  for (const OpenAlerts::iterator place : found->second) {
    Alert& alert = place->second;
    if (std::ranges::find(raised_, &alert) != raised_.end()) { continue; }
    // What histories do not compare is no evidence about behaviour.
    if (catalogue_row(alert.type).learned() && !decision.behaviour_known) { continue; }
    const auto part = part_of(alert, event, decision.marks);
    if (!part) { continue; }
    ++statistics_.related_joined;
    if (*part == Part::kContext) {
      alert.related_unlisted += decision.address.tor || decision.address.suspicious ? 0 : 1;
    }
    add_event(alert, event, decision.marks, *part);
    if (is_due_for_revision(alert)) { revise_open(alert); }
  }
}

void Repeats::look_back(Alert& alert, const AccessEvent& event) {
  const EventTime kept_since{event.time.ticks - RecentEvents::kKeptTicks};
  const EventTime since = std::max(alert.rule.reach, kept_since);
  alert.evidence_cut = alert.evidence_cut || alert.rule.reach < kept_since;
  if (alert.rule.taken.size() >= kTakenLimit) {
    alert.evidence_cut = true;
    return;
  }
  const auto take = [&](const AccessEvent& past, const EventMarks& marks) {
    const auto part = part_of(alert, past, marks);
    if (!part) { return; }
    if (!alert.rule.taken.contains(canonical_hash(past))) {
      add_event(alert, past, marks, *part);
    } else if (*part == Part::kCause) {
      make_cause(alert, past);
    }
  };
  const bool of_vault = alert.subject == SubjectKind::kVault || alert.type == AlertType::kPutGetAnomaly;
  if (of_vault) {
    recent_.each_of_vault(hash64(alert.vault_id), since, take);
    alert.evidence_cut = alert.evidence_cut || !recent_.is_complete_for_vault(since);
  }
  if (alert.type == AlertType::kPutGetAnomaly) { recent_.each_policy_change(since, take); }
  if (alert.subject == SubjectKind::kCaller) {
    const std::uint64_t caller = hash64(alert.caller.key);
    recent_.each_of_caller(caller, since, take);
    alert.evidence_cut = alert.evidence_cut || !recent_.is_complete_for_caller(caller, since);
  }
}

void Repeats::make_cause(Alert& alert, const AccessEvent& event) {
  const EventTime time = whole_milliseconds(event.time);
  for (RecordReference& record : alert.records) {
    const bool same = record.time == time && record.part == Part::kSuspicious &&
                      record.operation == event.operation_name() && record.correlation_id == event.correlation_id();
    if (!same) { continue; }
    record.part = Part::kCause;
    ++alert.cause_events;
    return;
  }
}

void Repeats::add_event(Alert& alert, const AccessEvent& event, const EventMarks& marks, Part part) {
  if (catalogue_row(alert.type).learned() && alert.rule.taken.size() < kTakenLimit) {
    alert.rule.taken.insert(canonical_hash(event));
  }
  add_record(alert, event, part);
  alert.last_event = std::max(alert.last_event, whole_milliseconds(event.time));
  const bool read = is_credential_read(event);
  if (read) { add_object(alert, event, part); }
  if (part != Part::kContext) {
    alert.credential_reads += read ? 1U : 0U;
    add_suspicious(alert, event, marks, part);
    return;
  }
  ++alert.related_events;
  alert.related_reads += read ? 1U : 0U;
  ++alert.related_outcomes[static_cast<std::size_t>(event.outcome)];
}

void Repeats::add_suspicious(Alert& alert, const AccessEvent& event, const EventMarks& marks, Part part) {
  const EventTime time = whole_milliseconds(event.time);
  alert.first_event = alert.suspicious_events == 0 ? time : std::min(alert.first_event, time);
  alert.last_suspicious = alert.suspicious_events == 0 ? time : std::max(alert.last_suspicious, time);
  ++alert.suspicious_events;
  alert.cause_events += part == Part::kCause ? 1U : 0U;
  alert.late_events += marks.late ? 1U : 0U;
  ++alert.suspicious_outcomes[static_cast<std::size_t>(event.outcome)];
  add_count(alert.suspicious_operations, event.operation_name(), 1);
  if (std::string result = result_signature(event);
      !result.empty() && alert.result_signatures.size() < kResultSignatureLimit) {
    alert.result_signatures.insert(std::move(result));
  }
  if (!is_of_activity_log(event)) { add_text(alert.vaults, event.vault_id(), kVaultLimit); }
  add_text(alert.targets, event.uri(), kTargetLimit);
  widen(alert.rule, event, marks, part);
  if (alert.rule.vaults.size() > kRuleVaultLimit) { alert.rule.vaults.erase(std::prev(alert.rule.vaults.end())); }
  if (alert.subject == SubjectKind::kVault) {
    add_contribution(alert, event);
    return;
  }
  add_text(alert.client_infos, event.client_info(), kClientInfoLimit);
  add_text(alert.addresses, to_string(event.address), kAddressLimit);
}

void Repeats::add_record(Alert& alert, const AccessEvent& event, Part part) {
  ++alert.records_total;
  const auto of_context =
      static_cast<std::size_t>(std::ranges::count(alert.records, Part::kContext, &RecordReference::part));
  const std::size_t of_suspicious = alert.records.size() - of_context;
  // What came before may not leave without a place what raised the alert.
  const bool before = whole_milliseconds(event.time) < alert.start;
  const std::size_t room = before ? limits_.records - limits_.records / 5 : limits_.records;
  const bool fits = part == Part::kContext ? of_context < limits_.context_records : of_suspicious < room;
  if (!fits || records_held_ >= limits_.records_in_all) {
    statistics_.records_left_out += part == Part::kContext ? 0U : 1U;
    return;
  }
  RecordReference record{.correlation_id = bounded_utf8(event.correlation_id(), kNameBytes),
                         .time = whole_milliseconds(event.time),
                         .file = {},
                         .line = 0,
                         .operation = bounded_utf8(event.operation_name(), kNameBytes),
                         .address = to_string(event.address),
                         .target = bounded_utf8(event.uri(), kTextBytes),
                         .http_status = event.http_status,
                         .outcome = event.outcome,
                         .part = part,
                         .vault = bounded_utf8(event.vault_name(), kNameBytes),
                         .object = bounded_utf8(event.object(), kTextBytes),
                         .version = bounded_utf8(event.object_version(), kNameBytes),
                         .caller = bounded_utf8(event.caller_key(), kNameBytes),
                         .for_whom = bounded_utf8(event.get(TextField::kPolicyPrincipal), kNameBytes)};
  if (input_names_ && event.place.line > 0) {
    record.file = bounded_utf8(input_names_(event.place.input), kTextBytes);
    record.line = event.place.line;
  }
  ++records_held_;
  alert.records.push_back(std::move(record));
}

void Repeats::add_object(Alert& alert, const AccessEvent& event, Part part) {
  if (event.object().empty()) { return; }
  ObjectRead read{.vault = bounded_utf8(event.vault_name(), kNameBytes),
                  .object = bounded_utf8(event.object(), kTextBytes),
                  .version = bounded_utf8(event.object_version(), kNameBytes)};
  const bool suspicious = part != Part::kContext;
  if (alert.objects_read.contains(read) || (!suspicious && alert.also_read.contains(read))) { return; }
  if (suspicious) { objects_held_ -= alert.also_read.erase(read); }
  std::set<ObjectRead>& objects = suspicious ? alert.objects_read : alert.also_read;
  if (objects.size() >= limits_.objects || objects_held_ >= limits_.objects_in_all) {
    (suspicious ? alert.objects_cut : alert.also_read_cut) = true;
    ++statistics_.objects_left_out;
    return;
  }
  ++objects_held_;
  objects.insert(std::move(read));
}

Alert Repeats::close(OpenAlerts::iterator place, bool early) {
  leave_index(place);
  Alert alert = std::move(place->second);
  open_.erase(place);
  records_held_ -= alert.records.size();
  objects_held_ -= alert.objects_read.size() + alert.also_read.size();

  alert.open = false;
  alert.closed_early = early;
  // The last revision says everything: it is a new one where evidence came after the one before.
  if (alert.evidence() != alert.revised_at) { revise(alert); }
  ++statistics_.closed;
  statistics_.closed_early += early ? 1U : 0U;
  remember(alert);
  return alert;
}

void Repeats::remember(const Alert& alert) {
  const ClosedAlert closed{alert.start.ticks, alert.generated.ticks, alert.revision};
  const bool known = !closed_memory_.insert_or_assign(alert.id, closed).second;
  if (known) { return; }
  closed_order_.push_back(alert.id);
  if (closed_order_.size() > limits_.closed_remembered) {
    closed_memory_.erase(closed_order_.front());
    closed_order_.pop_front();
  }
}

void Repeats::save(SnapshotWriter& writer) const {
  // fields() is written once, for reading too; writing does not change what it ties.
  std::apply([&](const auto&... member) { (writer.write(member), ...); }, const_cast<Repeats*>(this)->fields());
  recent_.save(writer);
}

bool Repeats::load(SnapshotReader& reader) {
  clear();
  const bool complete = std::apply([&](auto&... member) { return (reader.read(member) && ...); }, fields()) &&
                        recent_.load(reader) && rebuild();
  if (!complete) { clear(); }
  return complete;
}

void Repeats::index(OpenAlerts::iterator place) {
  const Alert& alert = place->second;
  // By age and not as they came: a saved memory knows no other order.
  const auto is_older = [](OpenAlerts::iterator one, OpenAlerts::iterator other) { return one->first < other->first; };
  for (const std::string& key : keys_of(alert)) {
    Places& places = by_key_[key];
    places.insert(std::upper_bound(places.begin(), places.end(), place, is_older), place);
  }
  for (const std::uint64_t hash : subject_hashes(alert)) { ++open_of_subject(hash); }
  if (!catalogue_row(alert.type).learned()) { return; }
  const auto [known, is_new] = by_behaviour_.try_emplace(behaviour_key(alert), place);
  if (!is_new && is_older(known->second, place)) { known->second = place; }
}

void Repeats::leave_index(OpenAlerts::iterator place) {
  const Alert& alert = place->second;
  for (const std::string& key : keys_of(alert)) {
    const auto found = by_key_.find(key);
    CHECK(found != by_key_.end());
    std::erase(found->second, place);
    if (found->second.empty()) { by_key_.erase(found); }
  }
  for (const std::uint64_t hash : subject_hashes(alert)) { --open_of_subject(hash); }
  const auto of_behaviour = by_behaviour_.find(behaviour_key(alert));
  if (of_behaviour != by_behaviour_.end() && of_behaviour->second == place) { by_behaviour_.erase(of_behaviour); }
}

bool Repeats::rebuild() {
  if (open_.size() > limits_.open_alerts || closed_memory_.size() != closed_order_.size()) { return false; }
  for (const std::string& id : closed_order_) {
    if (!closed_memory_.contains(id)) { return false; }
  }
  if (std::any_of(closed_early_.begin(), closed_early_.end(), is_damaged)) { return false; }
  for (auto place = open_.begin(); place != open_.end(); ++place) {
    const Alert& alert = place->second;
    if (is_damaged(alert) || place->first != OpenKey{alert.generated.ticks, alert.id}) { return false; }
    index(place);
    records_held_ += alert.records.size();
    objects_held_ += alert.objects_read.size() + alert.also_read.size();
  }
  return true;
}

void Repeats::clear() {
  open_.clear();
  closed_early_.clear();
  closed_memory_.clear();
  closed_order_.clear();
  now_ticks_ = INT64_MIN;
  statistics_ = {};
  recent_ = RecentEvents(limits_.recent);
  by_key_.clear();
  open_of_subjects_.fill(0);
  by_behaviour_.clear();
  records_held_ = 0;
  objects_held_ = 0;
}

}  // namespace keyvigil
