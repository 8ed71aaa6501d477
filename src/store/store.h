// Store: what survives a restart, in one SQLite file (WAL; synchronous=FULL).
//
// Acknowledged input, checkpoints, alerts with their history, suppression rules, the outbox and the audit trail. Alerts
// are stored as they are decided, ahead of the checkpoint that holds what decided them: after a crash they are decided
// again, and add_revisions() keeps each once. The schema is versioned and migrated at open(). Errors:
// ErrorKind::kInputOutput where the disk refused (read-only, damaged), kNoRoom where it is full, with a sentence and a
// way out.
// Threads: any; writers take turns, readers do not wait for them. append() groups what comes at the same time into one
// commit. Times that are not event times are wall clock and come from the caller.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "alert/suppression_rule.h"
#include "base/result.h"
#include "base/snapshot.h"
#include "store/event_archive.h"
#include "store/journal.h"
#include "store/outbox_rows.h"
#include "store/stored_alert.h"

namespace keyvigil {

struct StoreOptions {
  std::uint64_t journal_limit_bytes = std::uint64_t{4} << 30;  // beyond it append() fails with ErrorKind::kLimit
  std::int64_t alert_retention_days = 365;                     // closed alerts; 0: for ever
  std::int64_t audit_retention_days = 365;                     // 0: for ever
  EventArchiveLimits events;                                   // kept for timelines, in "<path>.events"
  std::size_t reading_connections = 4;                         // so many reads at a time; more wait
  CommitHook on_commit;                                        // for tests: called around every commit
};

// What was given up for an output that is no longer there.
struct OrphanedRevisions {
  std::string output;
  std::uint64_t revisions = 0;
};

// One revision of an alert, decided by the engine.
struct RaisedRevision {
  Alert alert;
  bool backfilled = false;
  std::string dismissed_by_rule;     // for the first revision: status Dismissed from the start
  std::vector<std::string> outputs;  // names of the outputs that are to get it
};

// Writes one section of a checkpoint; may be called once.
using SectionWriter = std::function<Result<void>(SnapshotWriter& writer)>;
[[nodiscard]] SectionWriter section_of(std::string bytes);

// Everything that was decided up to an entry of the journal.
struct CheckpointCommit {
  std::map<std::string, SectionWriter> sections;  // replaces the one before, whole; never in memory as a whole
  std::uint64_t consumed_to = 0;                  // entries up to here are dropped
  std::function<void()> between_pieces;           // called while sections are written, in the caller's thread
};

struct StoredCheckpoint {
  std::map<std::string, std::string> sections;
  std::uint64_t consumed_to = 0;
};

struct StoreFigures {
  EventArchiveFigures events;
  std::uint64_t journal_entries = 0;
  std::uint64_t journal_bytes = 0;
  std::uint64_t alerts = 0;
  std::uint64_t outbox = 0;
  std::uint64_t dead_letters = 0;
  std::uint64_t file_bytes = 0;
  std::uint64_t commits = 0;         // since open(), of appends, alerts and checkpoints
  std::uint64_t audit_left_out = 0;  // since open(): refusals that came too fast to be kept
};

class Store {
 public:
  // Makes the file where there is none. Checks its integrity; a damaged or newer one is refused and left untouched.
  [[nodiscard]] static Result<std::unique_ptr<Store>> open(const std::string& path, const StoreOptions& options = {});
  // By open() only: State is not known elsewhere.
  struct State;
  explicit Store(std::unique_ptr<State> state);
  ~Store();
  Store(const Store&) = delete;
  Store& operator=(const Store&) = delete;

  // ---- journal ----
  // All or nothing, durable on return: the sequence of the last entry. ErrorKind::kLimit where the journal has no room
  // for input now: ask again later.
  [[nodiscard]] Result<std::uint64_t> append(std::span<const JournalEntry> entries,
                                             std::span<const InputPosition> positions = {});
  // In sequence, after `sequence`, at most so many bytes of bodies (at least one entry where there is one).
  [[nodiscard]] Result<std::vector<StoredEntry>> read_journal(std::uint64_t after_sequence,
                                                              std::size_t most_bytes) const;
  [[nodiscard]] Result<std::vector<InputPosition>> positions(const std::string& input) const;
  [[nodiscard]] Result<std::optional<InputPosition>> position(const std::string& input, const std::string& item) const;
  [[nodiscard]] Result<std::vector<std::string>> inputs_with_positions() const;
  // For items that will not come again: positions would grow for ever.
  [[nodiscard]] Result<void> forget_positions(const std::string& input, std::span<const std::string> items);
  // All of an input that will not come again, in pieces.
  [[nodiscard]] Result<void> forget_positions(const std::string& input);

  // ---- checkpoints ----
  [[nodiscard]] Result<void> commit(const CheckpointCommit& checkpoint);
  [[nodiscard]] Result<std::optional<StoredCheckpoint>> last_checkpoint() const;

  // ---- alerts ----
  // With what is to go out, in one transaction. Of an (id, revision) that is there already only `open` may end. `now`:
  // wall clock.
  [[nodiscard]] Result<void> add_revisions(std::span<const RaisedRevision> revisions, EventTime now);
  [[nodiscard]] Result<StoredAlertPage> alerts(const AlertFilter& filter) const;
  // By id (the GUID).
  [[nodiscard]] Result<std::optional<StoredAlert>> alert(const std::string& id) const;
  [[nodiscard]] Result<std::vector<AlertChange>> history(const std::string& id) const;
  // What changed after `cursor`, looking at no more than `limit` changes. Nothing for `subscriptions`: all.
  [[nodiscard]] Result<AlertNews> news(std::uint64_t cursor, const std::optional<std::set<std::string>>& subscriptions,
                                       std::size_t limit) const;
  [[nodiscard]] Result<std::uint64_t> newest_cursor() const;
  // Of which there are alerts, lower case.
  [[nodiscard]] Result<std::set<std::string>> subscriptions() const;
  // false: no such alert. Repeating a status is no change.
  [[nodiscard]] Result<bool> set_status(const std::string& id, AlertStatus status, const AuditLine& audit);
  [[nodiscard]] Result<void> add_simulated(std::span<const Alert> alerts, std::span<const std::string> outputs,
                                           const AuditLine& audit);
  // By type, without simulated ones; the filter's page does not count.
  [[nodiscard]] Result<std::map<AlertType, std::uint64_t>> count_by_type(const AlertFilter& filter) const;

  // ---- kept events ----
  // Decided since the last checkpoint (EventBlocks), before the next one: where that never comes to be, they are gone
  // after the next open().
  [[nodiscard]] Result<void> keep_events(std::span<const EventBlock> events);
  [[nodiscard]] Result<EventPage> events(const EventQuery& query) const;
  // As EventArchive::active_hours().
  [[nodiscard]] Result<std::optional<ActiveHours>> active_hours(
      const EventQuery& who, const std::function<bool(const AccessEvent&)>& counts) const;

  // ---- suppression rules ----
  [[nodiscard]] Result<std::vector<SuppressionRule>> rules(const std::string& subscription_id) const;
  [[nodiscard]] Result<std::vector<SuppressionRule>> all_rules() const;
  [[nodiscard]] Result<void> put_rule(const SuppressionRule& rule, const AuditLine& audit);
  // false: there was none.
  [[nodiscard]] Result<bool> delete_rule(const std::string& subscription_id, const std::string& name,
                                         const AuditLine& audit);

  // ---- outbox ----
  // The oldest undelivered revision of each alert for this output that is due at `now`, at most `limit`.
  [[nodiscard]] Result<std::vector<Delivery>> due(const std::string& output, EventTime now, std::size_t limit) const;
  [[nodiscard]] Result<void> delivered(std::span<const std::uint64_t> ids);
  [[nodiscard]] Result<void> postpone(std::uint64_t id, EventTime next_attempt, const std::string& why);
  [[nodiscard]] Result<void> bury(std::uint64_t id, EventTime now, const std::string& why);  // dead letter
  // What waits for others than these outputs becomes dead letters, in pieces; one audit line for each output.
  [[nodiscard]] Result<std::vector<OrphanedRevisions>> bury_orphans(std::span<const std::string> outputs,
                                                                    EventTime now);
  // For outputs that are there again: takes back what bury_orphans() did within kOrphansKeptTicks; how many. Before
  // anything new is for them, so that the order per alert is kept.
  static constexpr std::int64_t kOrphansKeptTicks = EventTime::kTicksPerDay;
  [[nodiscard]] Result<std::uint64_t> take_back_orphans(std::span<const std::string> outputs, EventTime now);
  [[nodiscard]] Result<std::vector<DeadLetter>> dead_letters(const DeadLetterFilter& filter) const;  // newest first
  [[nodiscard]] Result<std::optional<DeadLetterContent>> dead_letter(const DeadLetterFilter& filter) const;
  // Tries these again: how many. No line in the audit trail where there is none.
  [[nodiscard]] Result<std::uint64_t> revive(const DeadLetterFilter& filter, const AuditLine& audit);

  // ---- audit and upkeep ----
  // Whether the files are still where they were opened: once they were removed or replaced, append(), add_revisions()
  // and commit() fail too, for good, and nothing that is written later would be there after the next start.
  [[nodiscard]] Result<void> check_place() const;
  // Other limits from now on: of the journal, retention of alerts, audit lines and events. Waits for a checkpoint that
  // is being made.
  void change_limits(const StoreOptions& options);
  // Lines are bounded in length. Refusals (outcome not "done") are bounded in rate; what was left out is counted in the
  // trail and in figures().
  [[nodiscard]] Result<void> audit(const AuditLine& line);
  [[nodiscard]] Result<std::vector<AuditLine>> audit_lines(std::size_t limit) const;  // newest first
  // Gives what room that makes, beyond what is likely to be wanted again, back to the system: some of it each time.
  [[nodiscard]] Result<void> remove_outdated(EventTime now);
  // A whole copy of one moment, while others read and write. REQUIRES: nothing is at `path`.
  [[nodiscard]] Result<void> back_up(const std::string& path) const;
  [[nodiscard]] Result<StoreFigures> figures() const;

 private:
  [[nodiscard]] Result<void> give_back_pages();

  std::unique_ptr<State> state_;
};

}  // namespace keyvigil
