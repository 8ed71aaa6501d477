#include "alert/repeats.h"

#include <algorithm>
#include <bit>
#include <optional>

#include <fmt/format.h>

#include "alert/printable.h"
#include "base/check.h"
#include "base/hash.h"

namespace keyvigil {
namespace {

constexpr std::int64_t kLateTicks = 48 * EventTime::kTicksPerHour;
constexpr std::int64_t kJoinTicks = 24 * EventTime::kTicksPerHour;
constexpr std::size_t kNameBytes = 128;
constexpr std::size_t kTextBytes = 512;
constexpr std::string_view kOtherOperations = "other";

// The index key of an event or an alert: caller or else address, and vault. The first byte keeps the two apart.
void append_subject(std::string& out, std::string_view caller_key, const IpAddress& address,
                    std::string_view vault_id) {
  out.clear();
  if (!caller_key.empty()) {
    out += 'c';
    out += caller_key;
  } else {
    out += 'a';
    for (const std::uint64_t half : {address.high, address.low}) {
      for (int shift = 0; shift < 64; shift += 8) { out += static_cast<char>((half >> shift) & 0xFF); }
    }
  }
  out += '\0';
  out += vault_id;
}

void append_subject(std::string& out, const Alert& alert) {
  if (alert.subject == SubjectKind::kVault) {
    out.assign(1, 'v').append(alert.vault_id);
    return;
  }
  const bool by_caller = alert.subject == SubjectKind::kCaller;
  append_subject(out, by_caller ? std::string_view(alert.caller_key) : std::string_view(), alert.address,
                 alert.vault_id);
}

// Of the caller in append_subject(); of nobody where there is none.
std::uint64_t subject_caller_hash(const Alert& alert) {
  return hash64(alert.subject == SubjectKind::kCaller ? std::string_view(alert.caller_key) : std::string_view());
}

// Alerts about one caller on one vault; the others are about a caller, wherever it went, or about a vault.
bool is_about_one_vault(AlertType type) {
  return type == AlertType::kUserAnomaly || type == AlertType::kAppAnomaly || type == AlertType::kUserAppAnomaly ||
         type == AlertType::kUserAccessDeniedAnomaly || type == AlertType::kListGetAnomaly ||
         type == AlertType::kPutGetAnomaly;
}

// About a caller, on whatever vaults.
bool is_about_caller(const Alert& alert) {
  return alert.subject == SubjectKind::kCaller && !is_list_alert(alert.type) && !is_about_one_vault(alert.type);
}

// Which open alert about behaviour a finding belongs to.
std::string behaviour_key(AlertType type, SubjectKind subject, std::string_view caller, std::string_view vault) {
  std::string key;
  key += static_cast<char>(type);
  key += static_cast<char>(subject);
  if (subject == SubjectKind::kCaller) { key += caller; }
  key += '\0';
  if (subject == SubjectKind::kVault || is_about_one_vault(type)) { key += vault; }
  return key;
}

std::string behaviour_key(const Alert& alert) {
  return behaviour_key(alert.type, alert.subject, alert.caller_key, alert.vault_id);
}

// The wider alert that, while it is open, takes a finding as further evidence (design section 4 point 3).
std::optional<AlertType> wider_alert(AlertType type) {
  switch (type) {
    case AlertType::kUserAnomaly:
    case AlertType::kAppAnomaly:
    case AlertType::kListGetAnomaly:
      return AlertType::kAccountVolumeAnomaly;
    case AlertType::kUserAccessDeniedAnomaly:
      return AlertType::kAccountVolumeAccessDeniedAnomaly;
    default:
      return std::nullopt;
  }
}

std::string alert_id(const AccessEvent& event, const Finding& finding) {
  if (!is_list_alert(finding.type)) {
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

Reason bounded(const Reason& reason) {
  Reason kept = reason;
  kept.about = bounded_utf8(reason.about, kTextBytes);
  kept.nearest = bounded_utf8(reason.nearest, kTextBytes);
  return kept;
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

bool is_credential_read(const AccessEvent& event) {
  return event.outcome == Outcome::kSuccess && event.operation != kUnknownOperation &&
         operation_row(event.operation).credential_read;
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
                 beyond(alert.subject, SubjectKind::kAddress) || beyond(alert.caller_kind, CallerKind::kFirstParty);
  for (const auto& [code, reason] : alert.reasons) {
    damaged = damaged || static_cast<std::size_t>(code) >= kReasonCodeCount || reason.code != code;
  }
  for (const ListEvidence& list : alert.lists) { damaged = damaged || beyond(list.role, ListRole::kServiceTags); }
  for (const RecordReference& record : alert.records) { damaged = damaged || beyond(record.outcome, Outcome::kOther); }
  return damaged;
}

}  // namespace

Repeats::Repeats(const RepeatsLimits& limits, InputNames input_names)
    : limits_(limits), input_names_(std::move(input_names)) {
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

std::vector<Alert> Repeats::open_alerts() const {
  std::vector<Alert> alerts;
  alerts.reserve(open_.size());
  for (const auto& [key, alert] : open_) { alerts.push_back(alert); }
  return alerts;
}

void Repeats::observe(const AccessEvent& event, const Decision& decision, const AddressBook& book,
                      std::vector<Alert>* revised) {
  watch(event, decision);
  if (decision.findings.empty() && open_of_caller(caller_hash(event)) == 0) { return; }
  raised_.clear();
  revised_.clear();
  for (const Finding& finding : decision.findings) {
    Alert& alert = find_or_open(event, finding);
    raised_.push_back(&alert);
    join_suspicious(alert, event, finding, decision, book);
  }
  append_subject(subject_scratch_, event.caller_key(), event.address, event.vault_id());
  if (const auto found = by_subject_.find(subject_scratch_); found != by_subject_.end()) {
    for (const OpenAlerts::iterator place : found->second) {
      Alert& alert = place->second;
      if (std::find(raised_.begin(), raised_.end(), &alert) == raised_.end()) { join_related(alert, event, decision); }
    }
  }
  if (revised == nullptr) { return; }
  for (auto alert = revised_.begin(); alert != revised_.end(); ++alert) {
    if (std::find(revised_.begin(), alert, *alert) == alert) { revised->push_back(**alert); }
  }
}

void Repeats::watch(const AccessEvent& event, const Decision& decision) {
  if (decision.caller_suspected) { watched_.suspect(event); }
  if (!is_credential_read(event) || !watched_.add(event)) { return; }
  if (!open_.empty()) { add_read_elsewhere(event); }
}

void Repeats::revise_open(Alert& alert) {
  revise(alert);
  revised_.push_back(&alert);
}

Alert& Repeats::find_or_open(const AccessEvent& event, const Finding& finding) {
  if (!is_list_alert(finding.type)) {
    if (Alert* known = find_behavioural(event, finding); known != nullptr) { return *known; }
    return open(event, finding, alert_id(event, finding));
  }
  const bool by_caller = finding.suspicion.subject == SubjectKind::kCaller;
  append_subject(subject_scratch_, by_caller ? event.caller_key() : std::string_view(), event.address,
                 event.vault_id());
  const auto found = by_subject_.find(subject_scratch_);
  if (found != by_subject_.end()) {
    for (const OpenAlerts::iterator place : found->second) {
      Alert& alert = place->second;
      if (alert.type == finding.type && alert.generated.day() == event.time.day()) { return alert; }
    }
  }
  return open(event, finding, alert_id(event, finding));
}

// The open alert that the finding adds to: a wider one of the caller, its own, or for a vault the caller's.
Alert* Repeats::find_behavioural(const AccessEvent& event, const Finding& finding) {
  const auto look = [&](AlertType type, SubjectKind subject) -> Alert* {
    const auto found = by_behaviour_.find(behaviour_key(type, subject, event.caller_key(), event.vault_id()));
    if (found == by_behaviour_.end()) { return nullptr; }
    Alert& alert = found->second->second;
    return event.time.is_within(kJoinTicks + 1, alert.last_suspicious.ticks) ? &alert : nullptr;
  };
  if (const auto wider = wider_alert(finding.type)) {
    if (Alert* alert = look(*wider, SubjectKind::kCaller); alert != nullptr) { return alert; }
  }
  if (Alert* alert = look(finding.type, SubjectKind::kCaller); alert != nullptr) { return alert; }
  return finding.suspicion.subject == SubjectKind::kVault ? look(finding.type, SubjectKind::kVault) : nullptr;
}

Alert& Repeats::open(const AccessEvent& event, const Finding& finding, std::string id) {
  if (open_.size() >= limits_.open_alerts) {
    std::erase(revised_, &open_.begin()->second);
    closed_early_.push_back(close(open_.begin(), true));
  }

  Alert alert;
  alert.type = finding.type;
  alert.subject = finding.suspicion.subject;
  alert.learning = finding.learning;
  alert.id = std::move(id);
  alert.start = EventTime::from_milliseconds(event.time.milliseconds());
  alert.generated = alert.start;
  if (const auto before = closed_memory_.find(alert.id); before != closed_memory_.end()) {
    alert.start = EventTime{before->second.start_ticks};
    alert.generated = EventTime{before->second.generated_ticks};
    alert.revision = before->second.revision + 1;
    alert.continued = true;
    ++statistics_.reopened;
  }
  alert.first_event = EventTime::from_milliseconds(event.time.milliseconds());
  alert.last_event = alert.first_event;
  alert.last_suspicious = alert.first_event;
  alert.vault_id = event.vault_id();  // verbatim: the index is keyed by it
  alert.vault_name = bounded_utf8(event.vault_name(), kNameBytes);
  alert.subscription_id = bounded_utf8(event.subscription_id(), kNameBytes);
  alert.resource_group = bounded_utf8(event.resource_group(), kNameBytes);
  alert.caller_kind = event.caller_kind;
  alert.caller_key = event.caller_key();
  alert.object_id = bounded_utf8(event.object_id(), kNameBytes);
  alert.user_name = bounded_utf8(event.user_name(), kTextBytes);
  alert.app_id = bounded_utf8(event.app_id(), kNameBytes);
  alert.managed_identity = bounded_utf8(event.managed_identity(), kTextBytes);
  alert.address = event.address;
  if (!is_list_alert(alert.type) && alert.subject == SubjectKind::kCaller) { add_earlier_reads(alert, event, finding); }

  ++statistics_.opened;
  const OpenKey key{alert.generated.ticks, alert.id};
  const auto [place, inserted] = open_.emplace(key, std::move(alert));
  CHECK(inserted);
  index(place);
  revised_.push_back(&place->second);
  return place->second;
}

void Repeats::join_suspicious(Alert& alert, const AccessEvent& event, const Finding& finding, const Decision& decision,
                              const AddressBook& book) {
  const EventTime time = EventTime::from_milliseconds(event.time.milliseconds());
  const bool first = alert.suspicious_events == 0;
  bool new_reason = false;
  for (const Reason& reason : finding.suspicion.reasons) {
    const bool added = alert.reasons.emplace(reason.code, bounded(reason)).second;
    new_reason = new_reason || (added && !first);
  }
  if (first || finding.verdict.calibrated_p < alert.verdict.calibrated_p) { alert.verdict = finding.verdict; }
  add_text(alert.vaults, event.vault_id(), kVaultLimit);
  ++alert.suspicious_events;
  ++statistics_.suspicious_joined;
  alert.late_events += decision.late ? 1U : 0U;
  alert.first_event = std::min(alert.first_event, time);
  alert.last_suspicious = std::max(alert.last_suspicious, time);
  ++alert.suspicious_outcomes[static_cast<std::size_t>(event.outcome)];
  add_count(alert.suspicious_operations, event.operation_name(), 1);
  alert.vault_operations.clear();
  for (const auto& [name, count] : decision.vault_operations) { add_count(alert.vault_operations, name, count); }
  if (std::string result = result_signature(event);
      !result.empty() && alert.result_signatures.size() < kResultSignatureLimit) {
    alert.result_signatures.insert(std::move(result));
  }
  add_text(alert.client_infos, event.client_info(), kClientInfoLimit);
  add_text(alert.targets, event.uri(), kTargetLimit);
  add_text(alert.addresses, to_string(event.address), kAddressLimit);
  add_lists(alert, decision.address, event.time, book, limits_.lists);
  alert.list_version = book.version();
  add_shared_evidence(alert, event, true);
  if (new_reason || is_due_for_revision(alert)) { revise_open(alert); }
}

void Repeats::join_related(Alert& alert, const AccessEvent& event, const Decision& decision) {
  const bool in_time = event.time >= alert.start && event.time.is_within(kJoinTicks + 1, alert.last_suspicious.ticks);
  if (!in_time) { return; }
  ++alert.related_events;
  ++statistics_.related_joined;
  alert.related_unlisted += decision.address.tor || decision.address.suspicious ? 0 : 1;
  ++alert.related_outcomes[static_cast<std::size_t>(event.outcome)];
  add_shared_evidence(alert, event, false);
  if (is_due_for_revision(alert)) { revise_open(alert); }
}

void Repeats::add_shared_evidence(Alert& alert, const AccessEvent& event, bool suspicious) {
  alert.last_event = std::max(alert.last_event, EventTime::from_milliseconds(event.time.milliseconds()));
  add_record(alert, event, suspicious);
  if (is_credential_read(event)) {
    ++alert.credential_reads;
    add_object(alert, event);
  }
}

void Repeats::add_record(Alert& alert, const AccessEvent& event, bool suspicious) {
  ++alert.records_total;
  if (alert.records.size() >= limits_.records || records_held_ >= limits_.records_in_all) {
    ++statistics_.records_left_out;
    return;
  }
  RecordReference record{.correlation_id = bounded_utf8(event.correlation_id(), kNameBytes),
                         .time = EventTime::from_milliseconds(event.time.milliseconds()),
                         .file = {},
                         .line = 0,
                         .operation = bounded_utf8(event.operation_name(), kNameBytes),
                         .address = to_string(event.address),
                         .target = bounded_utf8(event.uri(), kTextBytes),
                         .http_status = event.http_status,
                         .outcome = event.outcome,
                         .suspicious = suspicious};
  if (input_names_) {
    record.file = bounded_utf8(input_names_(event.place.input), kTextBytes);
    record.line = event.place.line;
  }
  ++records_held_;
  alert.records.push_back(std::move(record));
}

void Repeats::add_earlier_reads(Alert& alert, const AccessEvent& event, const Finding& finding) {
  const std::uint64_t caller = caller_hash(event);
  const EventTime since = finding.suspicion.began.value_or(watched_.suspected_since(caller, event.time));
  const std::string_view vault = is_about_one_vault(alert.type) ? std::string_view(alert.vault_id) : std::string_view();
  WatchedReads::Reads reads = watched_.reads_of(caller, vault, since, event.time);
  alert.first_event = std::min(alert.first_event, EventTime::from_milliseconds(reads.since.milliseconds()));
  alert.objects_cut = alert.objects_cut || reads.cut;
  for (ObjectRead& read : reads.objects) { add_object(alert, std::move(read)); }
}

void Repeats::add_read_elsewhere(const AccessEvent& event) {
  const auto found = by_caller_.find(caller_hash(event));
  if (found == by_caller_.end()) { return; }
  for (const OpenAlerts::iterator place : found->second) {
    Alert& alert = place->second;
    if (event.time >= alert.start && event.time.is_within(kJoinTicks + 1, alert.last_suspicious.ticks)) {
      add_object(alert, event);
    }
  }
}

void Repeats::add_object(Alert& alert, const AccessEvent& event) {
  if (event.object().empty()) { return; }
  add_object(alert, object_read(event));
}

void Repeats::add_object(Alert& alert, ObjectRead read) {
  if (alert.objects_read.contains(read)) { return; }
  if (alert.objects_read.size() >= limits_.objects || objects_held_ >= limits_.objects_in_all) {
    alert.objects_cut = true;
    ++statistics_.objects_left_out;
    return;
  }
  ++objects_held_;
  alert.objects_read.insert(std::move(read));
}

Alert Repeats::close(OpenAlerts::iterator place, bool early) {
  Alert alert = std::move(place->second);
  append_subject(subject_scratch_, alert);
  const auto found = by_subject_.find(subject_scratch_);
  CHECK(found != by_subject_.end());
  std::erase(found->second, place);
  --open_of_caller(subject_caller_hash(alert));
  if (found->second.empty()) { by_subject_.erase(found); }
  if (const auto of_caller = by_caller_.find(hash64(alert.caller_key)); of_caller != by_caller_.end()) {
    std::erase(of_caller->second, place);
    if (of_caller->second.empty()) { by_caller_.erase(of_caller); }
  }
  if (const auto of_behaviour = by_behaviour_.find(behaviour_key(alert));
      of_behaviour != by_behaviour_.end() && of_behaviour->second == place) {
    by_behaviour_.erase(of_behaviour);
  }
  open_.erase(place);
  records_held_ -= alert.records.size();
  objects_held_ -= alert.objects_read.size();

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
  watched_.save(writer);
}

bool Repeats::load(SnapshotReader& reader) {
  clear();
  const bool complete = std::apply([&](auto&... member) { return (reader.read(member) && ...); }, fields()) &&
                        watched_.load(reader) && rebuild();
  if (!complete) { clear(); }
  return complete;
}

void Repeats::index(OpenAlerts::iterator place) {
  const Alert& alert = place->second;
  append_subject(subject_scratch_, alert);
  by_subject_[subject_scratch_].push_back(place);
  ++open_of_caller(subject_caller_hash(alert));
  if (is_list_alert(alert.type)) { return; }
  by_behaviour_[behaviour_key(alert)] = place;
  if (is_about_caller(alert)) { by_caller_[hash64(alert.caller_key)].push_back(place); }
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
    objects_held_ += alert.objects_read.size();
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
  watched_ = {};
  by_subject_.clear();
  open_of_callers_.fill(0);
  by_behaviour_.clear();
  by_caller_.clear();
  records_held_ = 0;
  objects_held_ = 0;
}

}  // namespace keyvigil
