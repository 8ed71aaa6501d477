#include "store/journal_rows.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "store/packing.h"

namespace keyvigil {
namespace {

constexpr std::uint64_t kEntryBytes = 100;  // of an entry beside its body, about
constexpr std::uint64_t kBatchBytes = std::uint64_t{32} << 20;
constexpr std::size_t kBodyLimitBytes = std::size_t{512} << 20;  // of one entry, as stored and as read
constexpr std::size_t kWorthPackingBytes = 128;

Error journal_full(std::uint64_t limit_bytes) {
  return {ErrorKind::kLimit, fmt::format("expected room in the journal, found its limit of {} bytes met: input comes "
                                         "faster than it is decided; send it again later",
                                         limit_bytes)};
}

Result<void> set_position(Database& writer, const InputPosition& position) {
  return writer.run(
      "INSERT INTO input_position(input, item, offset, mark) VALUES(?,?,?,?) "
      "ON CONFLICT(input, item) DO UPDATE SET offset=excluded.offset, mark=excluded.mark",
      {sql_text(position.input), sql_text(position.item), sql_number(position.offset), sql_text(position.mark)});
}

Result<StoredEntry> entry_of(const SqlRow& row) {
  StoredEntry stored;
  stored.sequence = row.count(0);
  stored.entry.kind = static_cast<JournalKind>(row.number(1));
  stored.entry.input = row.text(2);
  stored.entry.item = row.text(3);
  stored.entry.offset = row.count(4);
  stored.entry.received_ticks = row.number(5);
  stored.entry.backfill = row.number(6) != 0;
  if (row.number(7) == 0) {
    stored.entry.body = row.text(8);
    return stored;
  }
  auto body = unpack(row.bytes(8), kBodyLimitBytes);
  if (!body) { return tl::unexpected(body.error()); }
  stored.entry.body = *std::move(body);
  return stored;
}

}  // namespace

Result<void> JournalRows::load(Database& writer) {
  return writer.each("SELECT count(*), coalesce(sum(length(body)), 0) FROM journal", {}, [&](const SqlRow& row) {
    figures_.entries = row.count(0);
    figures_.bytes = row.count(1) + figures_.entries * kEntryBytes;
    return Result<void>{};
  });
}

JournalRows::Waiting JournalRows::pack_all(std::span<const JournalEntry> entries,
                                           std::span<const InputPosition> positions) {
  Waiting waiting;
  waiting.positions = positions;
  for (const JournalEntry& entry : entries) {
    PackedEntry packed{&entry, std::nullopt};
    if (entry.body.size() >= kWorthPackingBytes && !looks_compressed(entry.body)) { packed.packed = pack(entry.body); }
    waiting.bytes += packed.body().size() + kEntryBytes;
    waiting.limited |= entry.kind == JournalKind::kInput;
    waiting.entries.push_back(std::move(packed));
  }
  return waiting;
}

Result<std::uint64_t> JournalRows::append(Database& writer, TurnLock& turn, std::span<const JournalEntry> entries,
                                          std::span<const InputPosition> positions) {
  for (const JournalEntry& entry : entries) {
    if (entry.body.size() > kBodyLimitBytes) {
      return fail(ErrorKind::kLimit,
                  fmt::format("expected at most {} bytes in one piece of input, found {}; send it in "
                              "smaller pieces",
                              kBodyLimitBytes, entry.body.size()));
    }
  }
  Waiting mine = pack_all(entries, positions);
  std::unique_lock held(mutex_);
  // Entries that are not input are few and small, and without them input could not be decided.
  if (mine.limited && figures_.bytes + queued_bytes_ + mine.bytes > limit_bytes_) {
    return tl::unexpected(journal_full(limit_bytes_));
  }
  queue_.push_back(&mine);
  queued_bytes_ += mine.bytes;
  while (!mine.done) {
    if (leading_) {
      changed_.wait(held);
    } else {
      lead(writer, turn, held);
    }
  }
  if (!mine.result) { return tl::unexpected(mine.result.error()); }
  return mine.last_sequence;
}

void JournalRows::lead(Database& writer, TurnLock& turn, std::unique_lock<std::mutex>& held) {
  leading_ = true;
  held.unlock();
  const std::lock_guard my_turn(turn);
  held.lock();
  const std::vector<Waiting*> batch = take_batch();
  held.unlock();
  const Result<void> result = write(writer, batch);
  held.lock();
  figures_.commits += result ? 1U : 0U;
  for (Waiting* waiting : batch) {
    queued_bytes_ -= waiting->bytes;
    if (result) {
      figures_.entries += waiting->entries.size();
      figures_.bytes += waiting->bytes;
    }
    waiting->result = result;
    waiting->done = true;
  }
  leading_ = false;
  changed_.notify_all();
}

std::vector<JournalRows::Waiting*> JournalRows::take_batch() {
  std::vector<Waiting*> batch;
  for (std::uint64_t bytes = 0; !queue_.empty() && bytes < kBatchBytes; queue_.pop_front()) {
    bytes += queue_.front()->bytes;
    batch.push_back(queue_.front());
  }
  return batch;
}

Result<void> JournalRows::write(Database& writer, std::span<Waiting* const> batch) const {
  if (hook_) { hook_(CommitKind::kJournal, CommitPoint::kBefore); }
  auto transaction = Transaction::begin(writer);
  if (!transaction) { return tl::unexpected(transaction.error()); }
  for (Waiting* waiting : batch) {
    if (auto done = insert(writer, *waiting); !done) { return done; }
  }
  if (hook_) { hook_(CommitKind::kJournal, CommitPoint::kInside); }
  auto done = transaction->commit();
  if (done && hook_) { hook_(CommitKind::kJournal, CommitPoint::kAfter); }
  return done;
}

Result<void> JournalRows::insert(Database& writer, Waiting& waiting) {
  for (const PackedEntry& packed : waiting.entries) {
    const JournalEntry& entry = *packed.entry;
    auto done = writer.run(
        "INSERT INTO journal(kind, input, item, offset, received, backfill, packed, body) VALUES(?,?,?,?,?,?,?,?)",
        {sql_number(entry.kind), sql_text(entry.input), sql_text(entry.item), sql_number(entry.offset),
         sql_number(entry.received_ticks), sql_number(entry.backfill), sql_number(packed.packed.has_value()),
         sql_blob(packed.body())});
    if (!done) { return done; }
    waiting.last_sequence = static_cast<std::uint64_t>(writer.last_row());
  }
  for (const InputPosition& position : waiting.positions) {
    if (auto done = set_position(writer, position); !done) { return done; }
  }
  return {};
}

Result<JournalRows::Figures> JournalRows::drop_to(Database& writer, std::uint64_t sequence) {
  Figures gone;
  auto counted = writer.each("SELECT count(*), coalesce(sum(length(body)), 0) FROM journal WHERE sequence <= ?",
                             {sql_number(sequence)}, [&](const SqlRow& row) {
                               gone.entries = row.count(0);
                               gone.bytes = row.count(1) + gone.entries * kEntryBytes;
                               return Result<void>{};
                             });
  if (!counted) { return tl::unexpected(counted.error()); }
  auto done = writer.run("DELETE FROM journal WHERE sequence <= ?", {sql_number(sequence)});
  if (!done) { return tl::unexpected(done.error()); }
  return gone;
}

void JournalRows::dropped(const Figures& gone) {
  const std::lock_guard held(mutex_);
  figures_.entries -= std::min(gone.entries, figures_.entries);
  figures_.bytes -= std::min(gone.bytes, figures_.bytes);
}

Result<std::vector<StoredEntry>> JournalRows::read(Database& reader, std::uint64_t after_sequence,
                                                   std::size_t most_bytes) {
  // Sizes first: a row's body is fetched only where it still fits.
  std::uint64_t last = after_sequence;
  std::size_t bytes = 0;
  bool full = false;
  auto sized =
      reader.each("SELECT sequence, length(body) FROM journal WHERE sequence > ? ORDER BY sequence LIMIT 10000",
                  {sql_number(after_sequence)}, [&](const SqlRow& row) {
                    bytes += row.count(1);
                    full |= bytes > most_bytes && last != after_sequence;
                    if (!full) { last = row.count(0); }
                    return Result<void>{};
                  });
  if (!sized) { return tl::unexpected(sized.error()); }
  std::vector<StoredEntry> entries;
  auto read = reader.each(
      "SELECT sequence, kind, input, item, offset, received, backfill, packed, body FROM journal "
      "WHERE sequence > ? AND sequence <= ? ORDER BY sequence",
      {sql_number(after_sequence), sql_number(last)}, [&](const SqlRow& row) -> Result<void> {
        auto entry = entry_of(row);
        if (!entry) { return tl::unexpected(damaged_store(reader.path(), entry.error().message)); }
        entries.push_back(*std::move(entry));
        return {};
      });
  if (!read) { return tl::unexpected(read.error()); }
  return entries;
}

Result<std::vector<InputPosition>> JournalRows::positions(Database& reader, const std::string& input) {
  std::vector<InputPosition> found;
  auto read = reader.each("SELECT item, offset, mark FROM input_position WHERE input = ? ORDER BY item",
                          {sql_text(input)}, [&](const SqlRow& row) {
                            found.push_back({input, row.text(0), row.count(1), row.text(2)});
                            return Result<void>{};
                          });
  if (!read) { return tl::unexpected(read.error()); }
  return found;
}

Result<std::optional<InputPosition>> JournalRows::position(Database& reader, const std::string& input,
                                                           const std::string& item) {
  std::optional<InputPosition> found;
  auto read = reader.each("SELECT offset, mark FROM input_position WHERE input = ? AND item = ?",
                          {sql_text(input), sql_text(item)}, [&](const SqlRow& row) {
                            found = InputPosition{input, item, row.count(0), row.text(1)};
                            return Result<void>{};
                          });
  if (!read) { return tl::unexpected(read.error()); }
  return found;
}

void JournalRows::limit_to(std::uint64_t bytes) {
  const std::lock_guard held(mutex_);
  limit_bytes_ = bytes;
}

JournalRows::Figures JournalRows::figures() {
  const std::lock_guard held(mutex_);
  return figures_;
}

}  // namespace keyvigil
