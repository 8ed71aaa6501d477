#include "reference/evidence_claims.h"

#include <algorithm>
#include <map>
#include <set>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "catalogue/catalogue.h"

namespace keyvigil {
namespace {

constexpr std::string_view kReads[] = {"SecretGet", "SecretBackup", "KeyBackup", "CertificateBackup", "KeyRelease"};
constexpr std::string_view kLists[] = {"SecretList", "SecretListVersions", "SecretListDeleted", "CertificateList",
                                       "KeyList"};

bool is_one_of(std::string_view name, std::span<const std::string_view> names) {
  return std::ranges::find(names, name) != names.end();
}

bool was_read(const AccessEvent& event) {
  return event.outcome == Outcome::kSuccess && is_one_of(event.operation_name(), kReads);
}

// Who changes a role is no user of the vault.
bool of_activity_log(const AccessEvent& event) {
  return event.operation_name().starts_with("Microsoft.");
}

struct Proven {
  const RecordReference* record;
  const AccessEvent* event;
};

class Audit {
 public:
  Audit(const Alert& alert, std::span<const AccessEvent> events) : alert_(alert), events_(events) {}

  ClaimsAudit run() {
    check_records();
    check_sums();
    check_subject();
    check_reasons();
    check_cause();
    if (alert_.records_total == alert_.records.size() && answer_.untrue.empty()) {
      check_counts();
      check_times();
      check_objects();
      check_contributors();
    }
    return std::move(answer_);
  }

 private:
  void holds(bool truth, std::string_view claim) {
    ++answer_.claims;
    if (!truth) {
      answer_.untrue.push_back(
          fmt::format("{} {}: {}", catalogue_row(alert_.type).code, to_iso_milliseconds(alert_.generated), claim));
    }
  }

  void check_records() {
    std::set<std::uint64_t> lines;
    for (const RecordReference& record : alert_.records) {
      const bool in_log = record.line > 0 && record.line <= events_.size();
      holds(in_log, fmt::format("a record of line {}, which the log does not have", record.line));
      if (!in_log) { continue; }
      const AccessEvent& event = events_[record.line - 1];
      proven_.push_back({&record, &event});
      const std::string where = fmt::format("the record of line {}", record.line);
      holds(lines.insert(record.line).second, where + " stands twice");
      holds(record.time.milliseconds() == event.time.milliseconds(), where + " has another time");
      holds(record.correlation_id == event.correlation_id() && record.operation == event.operation_name(),
            where + " names another request");
      holds(record.vault == event.vault_name() && record.object == event.object() &&
                record.version == event.object_version() && record.target == event.uri(),
            where + " is about another object");
      holds(record.caller == event.caller_key() && record.address == to_string(event.address),
            where + " is by somebody else");
      holds(record.outcome == event.outcome && record.http_status == event.http_status, where + " ended otherwise");
    }
  }

  void check_sums() {
    std::uint64_t by_operation = 0;
    for (const auto& [name, count] : alert_.suspicious_operations) { by_operation += count; }
    std::uint64_t by_outcome = 0;
    for (const std::uint64_t count : alert_.suspicious_outcomes) { by_outcome += count; }
    std::uint64_t related = 0;
    for (const std::uint64_t count : alert_.related_outcomes) { related += count; }
    holds(by_operation == alert_.suspicious_events, "operations do not add up");
    holds(by_outcome == alert_.suspicious_events && related == alert_.related_events, "outcomes do not add up");
    holds(alert_.records_total == alert_.evidence(), "records do not add up");
    holds(alert_.cause_events <= alert_.suspicious_events, "more causes than suspicious events");
    holds(alert_.first_event <= alert_.last_suspicious && alert_.last_suspicious <= alert_.last_event,
          "first and last event are out of order");
    const auto answered = alert_.suspicious_outcomes[static_cast<std::size_t>(Outcome::kSuccess)];
    holds(alert_.objects_read.size() <= alert_.credential_reads && alert_.credential_reads <= answered,
          "more objects than answered reads");
  }

  // Nobody else's events, and no other vault's; a change of policy may be another's, and requests without a name may
  // come before the caller's own.
  void check_subject() {
    for (const auto& [record, event] : proven_) {
      if (alert_.subject == SubjectKind::kVault) {
        holds(event->vault_id() == alert_.vault_id, fmt::format("line {} is of another vault", record->line));
      } else if (record->part != Part::kCause && !alert_.caller.key.empty() && !event->caller_key().empty()) {
        holds(event->caller_key() == alert_.caller.key, fmt::format("line {} blames a bystander", record->line));
      }
    }
  }

  void check_reasons() {
    for (const Reason& reason : alert_.reasons) {
      const double p = reason.find(Quantity::kProbability).value_or(0);
      holds(p >= 0 && p <= 1, fmt::format("{} is no probability", p));
      if (reason.code == ReasonCode::kFirstTouchOfVault && !reason.vault.empty()) { check_first_touch(reason); }
    }
  }

  void check_first_touch(const Reason& reason) {
    if (alert_.records_total != alert_.records.size()) { return; }
    std::int64_t touched = INT64_MAX;
    for (const Proven& one : proven_) {
      if (one.event->vault_id() == reason.vault) { touched = std::min(touched, one.event->time.ticks); }
    }
    holds(touched != INT64_MAX, "a first touch of a vault where nothing happened");
    if (touched == INT64_MAX) { return; }
    const auto used_before = [&](const AccessEvent& event) {
      return event.vault_id() == reason.vault && event.caller_key() == alert_.caller.key &&
             event.outcome == Outcome::kSuccess && !of_activity_log(event) && event.time.ticks < touched &&
             event.time.ticks > touched - 90 * EventTime::kTicksPerDay;
    };
    holds(alert_.caller.key.empty() || std::ranges::none_of(events_, used_before), "no first touch: used before");
  }

  void check_cause() {
    const auto caused_by = [&](auto&& fits) {
      return std::ranges::any_of(
          proven_, [&](const Proven& one) { return one.record->part == Part::kCause && fits(*one.event); });
    };
    if (alert_.evidence_cut) { return; }
    if (alert_.type == AlertType::kListGetAnomaly) {
      holds(caused_by([](const AccessEvent& event) { return is_one_of(event.operation_name(), kLists); }),
            "no list among the causes");
    }
    if (alert_.type == AlertType::kPutGetAnomaly) {
      holds(caused_by([](const AccessEvent& event) {
              return event.operation_kind == OperationKind::kPolicy || event.policy_marks != 0;
            }),
            "no change of policy among the causes");
    }
  }

  void check_counts() {
    std::uint64_t causes = 0;
    std::uint64_t suspicious = 0;
    OperationCounts operations;
    OutcomeCounts outcomes{};
    for (const auto& [record, event] : proven_) {
      causes += record->part == Part::kCause ? 1U : 0U;
      if (!record->suspicious()) { continue; }
      ++suspicious;
      ++operations[std::string(event->operation_name())];
      ++outcomes[static_cast<std::size_t>(event->outcome)];
    }
    holds(causes == alert_.cause_events, "causes differ from the records");
    holds(suspicious == alert_.suspicious_events, "suspicious events differ from the records");
    holds(operations == alert_.suspicious_operations, "operations differ from the records");
    holds(outcomes == alert_.suspicious_outcomes, "outcomes differ from the records");
  }

  void check_times() {
    std::int64_t first = INT64_MAX;
    std::int64_t last = INT64_MIN;
    std::int64_t last_of_all = INT64_MIN;
    for (const auto& [record, event] : proven_) {
      const std::int64_t at = event->time.milliseconds();
      last_of_all = std::max(last_of_all, at);
      if (!record->suspicious()) { continue; }
      first = std::min(first, at);
      last = std::max(last, at);
    }
    holds(first == alert_.first_event.milliseconds(), "the first event is another");
    holds(last == alert_.last_suspicious.milliseconds(), "the last suspicious event is another");
    holds(last_of_all == alert_.last_event.milliseconds(), "the last event is another");
  }

  void check_objects() {
    std::set<ObjectRead> read;
    std::set<ObjectRead> beside;
    for (const auto& [record, event] : proven_) {
      if (!was_read(*event) || event->object().empty()) { continue; }
      (record->suspicious() ? read : beside).insert({record->vault, record->object, record->version});
    }
    for (const ObjectRead& object : read) { beside.erase(object); }
    holds(read == alert_.objects_read, "what was read differs from the records");
    holds(beside == alert_.also_read, "what was also read differs from the records");
  }

  void check_contributors() {
    if (alert_.subject != SubjectKind::kVault) { return; }
    std::map<std::string, std::uint64_t> counted;
    for (const auto& [record, event] : proven_) {
      if (record->suspicious()) { ++counted[record->caller]; }
    }
    std::map<std::string, std::uint64_t> claimed;
    for (const auto& [key, contributor] : alert_.contributors) { claimed[key] = contributor.events; }
    holds(counted == claimed, "contributors differ from the records");
    const std::uint64_t own = counted.contains(alert_.caller.key) ? counted.at(alert_.caller.key) : 0;
    holds(alert_.caller.key.empty() || 2 * own >= alert_.suspicious_events, "blames who did less than half");
  }

  const Alert& alert_;
  std::span<const AccessEvent> events_;
  std::vector<Proven> proven_;
  ClaimsAudit answer_;
};

}  // namespace

ClaimsAudit audit_claims(const Alert& alert, std::span<const AccessEvent> events) {
  return Audit(alert, events).run();
}

}  // namespace keyvigil
