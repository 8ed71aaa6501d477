#include "store/store.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <atomic>
#include <mutex>
#include <utility>

#include "base/check.h"
#include "store/alert_rows.h"
#include "store/audit_trail.h"
#include "store/backup.h"
#include "store/checkpoint_rows.h"
#include "store/file_place.h"
#include "store/journal_rows.h"
#include "store/reader_pool.h"
#include "store/rule_rows.h"
#include "store/schema.h"
#include "store/turn_lock.h"

namespace keyvigil {
namespace {

constexpr std::size_t kRemovedAtOnce = 500;
// Free pages go back to the system beyond a quarter of those in use, which the next checkpoints want again.
constexpr std::int64_t kFreeShare = 4;
constexpr std::int64_t kFreePagesAtOnce = 500;
constexpr int kMostFreed = 10;  // times so many, each time that outdated rows are removed
constexpr std::size_t kMovedAtOnce = 5000;
constexpr std::size_t kChunksAtOnceBytes = std::size_t{8} << 20;
constexpr std::int64_t kLogLimitBytes = std::int64_t{256} << 20;

std::int64_t file_bytes(const std::string& path) {
  struct stat status {};
  return ::stat(path.c_str(), &status) == 0 ? status.st_size : 0;
}

EventTime days_before(EventTime now, std::int64_t days) {
  return days <= 0 ? EventTime{0} : EventTime{now.ticks - days * EventTime::kTicksPerDay};
}

}  // namespace

struct Store::State {
  State(std::string store_path, StoreOptions store_options, OpenedStore opened)
      : path(std::move(store_path)),
        options(std::move(store_options)),
        lock(std::move(opened.lock)),
        writer(std::move(opened.writer)),
        journal(options.journal_limit_bytes, options.on_commit) {}

  void at(CommitKind kind, CommitPoint point) const {
    if (options.on_commit) { options.on_commit(kind, point); }
  }

  // `work` in a transaction of its own, in its turn.
  template <typename Work>
  Result<void> write(const Work& work) {
    const std::lock_guard my_turn(turn);
    auto transaction = Transaction::begin(writer);
    if (!transaction) { return tl::unexpected(transaction.error()); }
    if (Result<void> done = work(); !done) { return done; }
    return transaction->commit();
  }

  // The same with its line in the audit trail. `work` says whether there was anything to do.
  template <typename Work>
  Result<bool> write_audited(const AuditLine& line, const Work& work) {
    const std::lock_guard my_turn(turn);
    auto transaction = Transaction::begin(writer);
    if (!transaction) { return tl::unexpected(transaction.error()); }
    Result<bool> done = work();
    if (!done || !*done) { return done; }
    const bool admitted = audit.admits(line);
    if (admitted) {
      if (auto kept = audit.write(writer, line); !kept) { return tl::unexpected(kept.error()); }
    }
    if (auto committed = transaction->commit(); !committed) { return tl::unexpected(committed.error()); }
    if (admitted) { audit.settle(); }
    return true;
  }

  Result<void> write_section(const std::string& name, const SectionWriter& write,
                             const std::function<void()>& between_pieces, CheckpointRows::Draft& draft);
  Result<void> write_chunks(CheckpointRows::Draft& draft);
  Result<void> commit_checkpoint(std::uint64_t consumed_to, CheckpointRows::Draft& draft);
  void remove_unnamed_chunks(const std::function<void()>& between_pieces);
  void shorten_log();
  [[nodiscard]] Result<void> check_place();

  const std::string path;
  StoreOptions options;
  FileDescriptor lock;
  TurnLock turn;  // of everything below but the journal's queue
  Database writer;
  mutable ReaderPool readers;  // closed before the writer, which empties the log into the file when it is the last
  JournalRows journal;
  AuditTrail audit;
  std::mutex checkpointing;  // of checkpoints: one at a time, most of it without the turn
  CheckpointRows checkpoints;
  EventArchive archive;
  std::int64_t checkpoint_number = 0;      // of the last one
  std::atomic<std::uint64_t> commits = 0;  // of alerts and checkpoints
  std::atomic<std::uint64_t> audit_left_out = 0;
  std::vector<FilePlace> places;      // of the file and its log
  std::atomic<bool> is_lost = false;  // one of them was not there
};

Store::Store(std::unique_ptr<State> state) : state_(std::move(state)) {}
Store::~Store() = default;

Result<std::unique_ptr<Store>> Store::open(const std::string& path, const StoreOptions& options) {
  auto opened = open_store_file(path);
  if (!opened) { return tl::unexpected(opened.error()); }
  auto state = std::make_unique<State>(path, options, *std::move(opened));
  if (auto done = state->journal.load(state->writer); !done) { return tl::unexpected(done.error()); }
  if (auto done = state->checkpoints.load(state->writer); !done) { return tl::unexpected(done.error()); }
  const auto number = state->writer.number("SELECT number FROM checkpoint");
  if (!number) { return tl::unexpected(number.error()); }
  auto archived = state->archive.open(path + std::string(kEventsSuffix), options.events, *number);
  if (!archived) { return tl::unexpected(archived.error()); }
  state->checkpoint_number = *number;
  const std::size_t connections = std::max<std::size_t>(1, options.reading_connections);
  if (auto done = state->readers.open(path, connections); !done) { return tl::unexpected(done.error()); }
  for (const char* end : {"", "-wal"}) {
    FilePlace place(path + end);
    if (place.is_there()) { state->places.push_back(std::move(place)); }
  }
  return std::make_unique<Store>(std::move(state));
}

// ---- journal ----

Result<std::uint64_t> Store::append(std::span<const JournalEntry> entries, std::span<const InputPosition> positions) {
  if (auto there = state_->check_place(); !there) { return tl::unexpected(there.error()); }
  auto appended = state_->journal.append(state_->writer, state_->turn, entries, positions);
  if (!appended) { return appended; }
  // Again, before anybody says so: what has no name any more is not kept.
  if (auto there = state_->check_place(); !there) { return tl::unexpected(there.error()); }
  return appended;
}

Result<std::vector<StoredEntry>> Store::read_journal(std::uint64_t after_sequence, std::size_t most_bytes) const {
  return state_->readers.read([&](Database& reader) { return JournalRows::read(reader, after_sequence, most_bytes); });
}

Result<std::vector<InputPosition>> Store::positions(const std::string& input) const {
  return state_->readers.read([&](Database& reader) { return JournalRows::positions(reader, input); });
}

Result<std::optional<InputPosition>> Store::position(const std::string& input, const std::string& item) const {
  return state_->readers.read([&](Database& reader) { return JournalRows::position(reader, input, item); });
}

Result<std::vector<std::string>> Store::inputs_with_positions() const {
  return state_->readers.read([&](Database& reader) { return reader.different("input_position", "input"); });
}

Result<void> Store::forget_positions(const std::string& input, std::span<const std::string> items) {
  return state_->write([&]() -> Result<void> {
    for (const std::string& item : items) {
      auto done =
          state_->writer.run("DELETE FROM input_position WHERE input=? AND item=?", {sql_text(input), sql_text(item)});
      if (!done) { return done; }
    }
    return {};
  });
}

Result<void> Store::forget_positions(const std::string& input) {
  for (std::int64_t gone = 1; gone > 0;) {
    auto done = state_->write([&]() -> Result<void> {
      auto removed = state_->writer.run(
          "DELETE FROM input_position WHERE input = ?1 AND item IN "
          "(SELECT item FROM input_position WHERE input = ?1 LIMIT ?2)",
          {sql_text(input), sql_number(kMovedAtOnce)});
      gone = removed ? state_->writer.changes() : 0;
      return removed;
    });
    if (!done) { return done; }
  }
  return {};
}

// ---- checkpoints ----

SectionWriter section_of(std::string bytes) {
  return [bytes = std::move(bytes)](SnapshotWriter& writer) -> Result<void> {
    writer.write_bytes(bytes);
    return {};
  };
}

Result<void> Store::commit(const CheckpointCommit& checkpoint) {
  const std::lock_guard alone(state_->checkpointing);
  CheckpointRows::Draft draft;
  for (const auto& [name, write] : checkpoint.sections) {
    if (auto done = state_->write_section(name, write, checkpoint.between_pieces, draft); !done) { return done; }
  }
  state_->at(CommitKind::kCheckpoint, CommitPoint::kBefore);
  if (auto done = state_->commit_checkpoint(checkpoint.consumed_to, draft); !done) { return done; }
  state_->at(CommitKind::kCheckpoint, CommitPoint::kAfter);
  state_->commits += 1;
  state_->checkpoint_number += 1;
  state_->checkpoints.keep(std::move(draft));
  state_->remove_unnamed_chunks(checkpoint.between_pieces);
  state_->shorten_log();
  return {};
}

// New chunks go ahead in pieces: appends take turns with them instead of waiting for all.
Result<void> Store::State::write_section(const std::string& name, const SectionWriter& write,
                                         const std::function<void()>& between_pieces, CheckpointRows::Draft& draft) {
  Result<void> written;
  const auto write_some = [&] {
    if (written && draft.packed_bytes >= kChunksAtOnceBytes) { written = write_chunks(draft); }
    if (between_pieces) { between_pieces(); }
  };
  const SnapshotWriter::Drain drain = [&](std::string_view piece) {
    if (written) { checkpoints.add(draft, name, piece); }
    write_some();
  };
  const SnapshotBlocks blocks{
      .known_bytes = [&](const SnapshotBlock& block) { return checkpoints.known_bytes(name, block); },
      .repeat = [&](const SnapshotBlock& block) { checkpoints.repeat(draft, name, block); },
      .begin = [&] { checkpoints.begin_block(draft, name); },
      .end = [&](const SnapshotBlock& block) { checkpoints.end_block(draft, name, block); }};
  SnapshotWriter pieces(drain, blocks);
  if (auto done = write(pieces); !done) { return done; }
  pieces.hand_on();
  checkpoints.cut(draft, name);
  return written;
}

Result<void> Store::State::write_chunks(CheckpointRows::Draft& draft) {
  const std::lock_guard my_turn(turn);
  return checkpoints.write_chunks(writer, draft);
}

Result<void> Store::State::commit_checkpoint(std::uint64_t consumed_to, CheckpointRows::Draft& draft) {
  if (auto done = write_chunks(draft); !done) { return done; }
  const std::lock_guard my_turn(turn);
  auto transaction = Transaction::begin(writer);
  if (!transaction) { return tl::unexpected(transaction.error()); }
  if (auto done = checkpoints.write_sections(writer, draft); !done) { return done; }
  auto dropped = JournalRows::drop_to(writer, consumed_to);
  if (!dropped) { return tl::unexpected(dropped.error()); }
  auto numbered = writer.run(
      "INSERT INTO checkpoint(only, number, consumed_to) VALUES(1, 1, ?1) ON CONFLICT(only) DO UPDATE SET "
      "number = number + 1, consumed_to = ?1",
      {sql_number(consumed_to)});
  if (!numbered) { return numbered; }
  at(CommitKind::kCheckpoint, CommitPoint::kInside);
  if (auto done = transaction->commit(); !done) { return done; }
  journal.dropped(*dropped);
  return check_place();
}

// Where it fails, the next checkpoint does it.
void Store::State::remove_unnamed_chunks(const std::function<void()>& between_pieces) {
  for (bool more = true; more;) {
    {
      const std::lock_guard my_turn(turn);
      more = checkpoints.remove_unnamed(writer).value_or(false);
    }
    if (between_pieces) { between_pieces(); }
  }
}

Result<void> Store::State::check_place() {
  for (const FilePlace& place : places) {
    if (!is_lost && place.is_there()) { continue; }
    is_lost = true;
    return fail(ErrorKind::kInputOutput,
                fmt::format("expected the store '{}' where it was opened, found that it or its write-ahead log was "
                            "removed or replaced meanwhile; nothing more is taken in. Stop the service, put the store "
                            "or the last backup in its place, and start it again",
                            path));
  }
  return {};
}

// Where readers were never absent at the right moment the log only grows. Waiting for them for a moment is no error if
// it is in vain.
void Store::State::shorten_log() {
  if (file_bytes(path + "-wal") <= kLogLimitBytes) { return; }
  const std::lock_guard my_turn(turn);
  (void)writer.run("PRAGMA wal_checkpoint(TRUNCATE)");
}

Result<void> Store::keep_events(std::span<const EventBlock> events) {
  const std::lock_guard alone(state_->checkpointing);
  return state_->archive.write(events, state_->checkpoint_number + 1);
}

Result<std::optional<StoredCheckpoint>> Store::last_checkpoint() const {
  return state_->readers.read([&](Database& reader) -> Result<std::optional<StoredCheckpoint>> {
    std::optional<StoredCheckpoint> found;
    auto read = reader.each("SELECT consumed_to FROM checkpoint", {}, [&](const SqlRow& row) {
      found.emplace().consumed_to = row.count(0);
      return Result<void>{};
    });
    if (!read) { return tl::unexpected(read.error()); }
    if (!found) { return found; }
    auto sections = CheckpointRows::read(reader);
    if (!sections) { return tl::unexpected(sections.error()); }
    found->sections = *std::move(sections);
    return found;
  });
}

// ---- alerts ----

Result<void> Store::add_revisions(std::span<const RaisedRevision> revisions, EventTime now) {
  state_->at(CommitKind::kAlerts, CommitPoint::kBefore);
  auto done = state_->write([&]() -> Result<void> {
    for (const RaisedRevision& raised : revisions) {
      auto inserted = insert_alert_revision(state_->writer, {&raised.alert, false, raised.backfilled,
                                                             raised.dismissed_by_rule, raised.outputs, now, "engine"});
      if (!inserted) { return inserted; }
    }
    state_->at(CommitKind::kAlerts, CommitPoint::kInside);
    return {};
  });
  if (done) { done = state_->check_place(); }
  if (!done) { return done; }
  state_->at(CommitKind::kAlerts, CommitPoint::kAfter);
  state_->commits += 1;
  return {};
}

Result<StoredAlertPage> Store::alerts(const AlertFilter& filter) const {
  return state_->readers.read([&](Database& reader) { return find_alerts(reader, filter); });
}

Result<std::optional<StoredAlert>> Store::alert(const std::string& id) const {
  return state_->readers.read([&](Database& reader) { return find_alert(reader, id); });
}

Result<std::vector<AlertChange>> Store::history(const std::string& id) const {
  return state_->readers.read([&](Database& reader) { return alert_changes(reader, id); });
}

Result<AlertNews> Store::news(std::uint64_t cursor, const std::optional<std::set<std::string>>& subscriptions,
                              std::size_t limit) const {
  return state_->readers.read([&](Database& reader) { return alert_news(reader, cursor, subscriptions, limit); });
}

Result<std::uint64_t> Store::newest_cursor() const {
  return state_->readers.read([](Database& reader) -> Result<std::uint64_t> {
    const auto newest = reader.number("SELECT coalesce(max(number), 0) FROM alert_change");
    if (!newest) { return tl::unexpected(newest.error()); }
    return static_cast<std::uint64_t>(*newest);
  });
}

Result<std::set<std::string>> Store::subscriptions() const {
  return state_->readers.read([](Database& reader) { return alert_subscriptions(reader); });
}

Result<bool> Store::set_status(const std::string& id, AlertStatus status, const AuditLine& audit) {
  return state_->write_audited(audit, [&] { return change_status(state_->writer, id, status, audit); });
}

Result<void> Store::add_simulated(std::span<const Alert> alerts, std::span<const std::string> outputs,
                                  const AuditLine& audit) {
  const auto done = state_->write_audited(audit, [&]() -> Result<bool> {
    for (const Alert& alert : alerts) {
      auto inserted = insert_alert_revision(state_->writer, {&alert, true, false, "", outputs, audit.at, audit.who});
      if (!inserted) { return tl::unexpected(inserted.error()); }
    }
    return true;
  });
  if (!done) { return tl::unexpected(done.error()); }
  return {};
}

Result<std::map<AlertType, std::uint64_t>> Store::count_by_type(const AlertFilter& filter) const {
  return state_->readers.read([&](Database& reader) { return count_alerts(reader, filter); });
}

// ---- kept events ----

Result<EventPage> Store::events(const EventQuery& query) const {
  return state_->archive.find(query);
}

Result<std::optional<ActiveHours>> Store::active_hours(const EventQuery& who,
                                                       const std::function<bool(const AccessEvent&)>& counts) const {
  return state_->archive.active_hours(who, counts);
}

// ---- suppression rules ----

Result<std::vector<SuppressionRule>> Store::rules(const std::string& subscription_id) const {
  return state_->readers.read([&](Database& reader) { return read_rules(reader, subscription_id); });
}

Result<std::vector<SuppressionRule>> Store::all_rules() const {
  return state_->readers.read([](Database& reader) { return read_rules(reader, std::nullopt); });
}

Result<void> Store::put_rule(const SuppressionRule& rule, const AuditLine& audit) {
  const auto done = state_->write_audited(audit, [&]() -> Result<bool> {
    if (auto written = write_rule(state_->writer, rule); !written) { return tl::unexpected(written.error()); }
    return true;
  });
  if (!done) { return tl::unexpected(done.error()); }
  return {};
}

Result<bool> Store::delete_rule(const std::string& subscription_id, const std::string& name, const AuditLine& audit) {
  return state_->write_audited(audit, [&] { return remove_rule(state_->writer, subscription_id, name); });
}

// ---- outbox ----

Result<std::vector<Delivery>> Store::due(const std::string& output, EventTime now, std::size_t limit) const {
  return state_->readers.read([&](Database& reader) { return due_deliveries(reader, output, now, limit); });
}

Result<void> Store::delivered(std::span<const std::uint64_t> ids) {
  return state_->write([&] { return remove_deliveries(state_->writer, ids); });
}

Result<void> Store::postpone(std::uint64_t id, EventTime next_attempt, const std::string& why) {
  return state_->write([&] { return postpone_delivery(state_->writer, id, next_attempt, why); });
}

Result<void> Store::bury(std::uint64_t id, EventTime now, const std::string& why) {
  return state_->write([&] { return bury_delivery(state_->writer, id, now, why); });
}

Result<std::vector<OrphanedRevisions>> Store::bury_orphans(std::span<const std::string> outputs, EventTime now) {
  auto orphaned = state_->readers.read([&](Database& reader) { return outputs_without(reader, outputs); });
  if (!orphaned) { return tl::unexpected(orphaned.error()); }
  std::vector<OrphanedRevisions> buried;
  for (const std::string& output : *orphaned) {
    OrphanedRevisions& one = buried.emplace_back(OrphanedRevisions{output, 0});
    for (std::uint64_t moved = kMovedAtOnce; moved >= kMovedAtOnce;) {
      auto done = state_->write([&]() -> Result<void> {
        auto count = bury_deliveries(state_->writer, output, now, kMovedAtOnce);
        if (!count) { return tl::unexpected(count.error()); }
        moved = *count;
        return {};
      });
      if (!done) { return tl::unexpected(done.error()); }
      one.revisions += moved;
    }
    const AuditLine line{
        now, "service", "", "outbox.orphaned", fmt::format("{} ({} revisions)", output, one.revisions), "done"};
    if (auto kept = audit(line); !kept) { return tl::unexpected(kept.error()); }
  }
  return buried;
}

Result<std::uint64_t> Store::take_back_orphans(std::span<const std::string> outputs, EventTime now) {
  std::uint64_t taken_back = 0;
  auto done = state_->write([&]() -> Result<void> {
    for (const std::string& output : outputs) {
      auto count = unbury_deliveries(state_->writer, output, EventTime{now.ticks - kOrphansKeptTicks});
      if (!count) { return tl::unexpected(count.error()); }
      taken_back += *count;
    }
    return {};
  });
  if (!done) { return tl::unexpected(done.error()); }
  return taken_back;
}

Result<std::vector<DeadLetter>> Store::dead_letters(const DeadLetterFilter& filter) const {
  return state_->readers.read([&](Database& reader) { return read_dead_letters(reader, filter); });
}

Result<std::optional<DeadLetterContent>> Store::dead_letter(const DeadLetterFilter& filter) const {
  return state_->readers.read([&](Database& reader) { return read_dead_letter(reader, filter); });
}

Result<std::uint64_t> Store::revive(const DeadLetterFilter& filter, const AuditLine& audit) {
  std::uint64_t revived = 0;
  const auto done = state_->write_audited(audit, [&]() -> Result<bool> {
    auto count = revive_dead_letters(state_->writer, filter);
    if (!count) { return tl::unexpected(count.error()); }
    revived = *count;
    return revived > 0;
  });
  if (!done) { return tl::unexpected(done.error()); }
  return revived;
}

// ---- audit and upkeep ----

void Store::change_limits(const StoreOptions& options) {
  state_->journal.limit_to(options.journal_limit_bytes);
  const std::lock_guard alone(state_->checkpointing);
  state_->archive.limit_to(options.events);
  const std::lock_guard my_turn(state_->turn);
  state_->options.alert_retention_days = options.alert_retention_days;
  state_->options.audit_retention_days = options.audit_retention_days;
}

Result<void> Store::check_place() const {
  return state_->check_place();
}

Result<void> Store::audit(const AuditLine& line) {
  const std::lock_guard my_turn(state_->turn);
  if (!state_->audit.admits(line)) {
    state_->audit_left_out = state_->audit.left_out_in_all();
    return {};
  }
  auto transaction = Transaction::begin(state_->writer);
  if (!transaction) { return tl::unexpected(transaction.error()); }
  if (auto done = state_->audit.write(state_->writer, line); !done) { return done; }
  if (auto done = transaction->commit(); !done) { return done; }
  state_->audit.settle();
  return {};
}

Result<std::vector<AuditLine>> Store::audit_lines(std::size_t limit) const {
  return state_->readers.read([&](Database& reader) { return AuditTrail::read(reader, limit); });
}

Result<void> Store::remove_outdated(EventTime now) {
  // In pieces: nobody waits long for a turn.
  for (std::uint64_t gone = kRemovedAtOnce; gone >= kRemovedAtOnce;) {
    auto done = state_->write([&]() -> Result<void> {
      const EventTime alerts_before = days_before(now, state_->options.alert_retention_days);
      const EventTime lines_before = days_before(now, state_->options.audit_retention_days);
      const auto alerts = remove_alerts(state_->writer, alerts_before, kRemovedAtOnce);
      if (!alerts) { return tl::unexpected(alerts.error()); }
      const auto lines = AuditTrail::remove(state_->writer, lines_before, kRemovedAtOnce);
      if (!lines) { return tl::unexpected(lines.error()); }
      gone = *alerts + *lines;
      return {};
    });
    if (!done) { return done; }
  }
  if (auto freed = give_back_pages(); !freed) { return freed; }
  const std::lock_guard alone(state_->checkpointing);
  return state_->archive.remove_outdated();
}

// In pieces too, each a transaction of some megabytes, and not all at once: the rest goes next time.
Result<void> Store::give_back_pages() {
  bool more = true;
  for (int i = 0; more && i < kMostFreed; ++i) {
    auto done = state_->write([&]() -> Result<void> {
      const auto pages = state_->writer.number("PRAGMA page_count");
      if (!pages) { return tl::unexpected(pages.error()); }
      const auto free = state_->writer.number("PRAGMA freelist_count");
      if (!free) { return tl::unexpected(free.error()); }
      const std::int64_t spare = *free - (*pages - *free) / kFreeShare;
      more = spare > kFreePagesAtOnce;
      if (!more) { return {}; }
      return state_->writer.run(fmt::format("PRAGMA incremental_vacuum({})", kFreePagesAtOnce));
    });
    if (!done) { return done; }
  }
  return {};
}

Result<void> Store::back_up(const std::string& path) const {
  return back_up_store(state_->path, path);
}

Result<StoreFigures> Store::figures() const {
  StoreFigures figures;
  const JournalRows::Figures journal = state_->journal.figures();
  figures.journal_entries = journal.entries;
  figures.journal_bytes = journal.bytes;
  figures.commits = journal.commits + state_->commits;
  figures.audit_left_out = state_->audit_left_out;
  figures.file_bytes = static_cast<std::uint64_t>(file_bytes(state_->path) + file_bytes(state_->path + "-wal"));
  auto events = state_->archive.figures();
  if (!events) { return tl::unexpected(events.error()); }
  figures.events = *events;
  return state_->readers.read([&](Database& reader) -> Result<StoreFigures> {
    auto read = reader.each(
        "SELECT (SELECT count(*) FROM alert), (SELECT count(*) FROM outbox), (SELECT count(*) FROM dead_letter)", {},
        [&](const SqlRow& row) {
          figures.alerts = row.count(0);
          figures.outbox = row.count(1);
          figures.dead_letters = row.count(2);
          return Result<void>{};
        });
    if (!read) { return tl::unexpected(read.error()); }
    return figures;
  });
}

}  // namespace keyvigil
