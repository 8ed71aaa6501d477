#include "store/event_archive.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>
#include <iterator>
#include <limits>
#include <string_view>
#include <tuple>
#include <utility>

#include "base/hash.h"
#include "store/packing.h"
#include "store/schema.h"

namespace keyvigil {
namespace {

constexpr std::int64_t kEventFormat = EventArchive::kBlockFormats.newest;
constexpr std::size_t kReaders = 2;
constexpr std::uint64_t kMostGiven = 100'000;  // events of one instant that can be paged through
constexpr std::size_t kPlainLimitBytes = std::size_t{64} << 20;

constexpr const char* kFirstVersion = R"sql(
CREATE TABLE event_block(
  number INTEGER PRIMARY KEY,
  checkpoint INTEGER NOT NULL,
  format INTEGER NOT NULL,
  first INTEGER NOT NULL,
  last INTEGER NOT NULL,
  events INTEGER NOT NULL,
  size INTEGER NOT NULL,          -- of all three
  callers BLOB NOT NULL,
  vaults BLOB NOT NULL,
  packed BLOB NOT NULL
) STRICT;
CREATE INDEX event_block_by_time ON event_block(last, number, first, events, size);
CREATE INDEX event_block_by_checkpoint ON event_block(checkpoint);
)sql";
constexpr std::array kMigrations = {kFirstVersion};

std::uint32_t short_hash(std::string_view key) {
  return static_cast<std::uint32_t>(hash64(key));
}

std::string sorted_bytes(std::vector<std::uint32_t>& hashes) {
  std::sort(hashes.begin(), hashes.end());
  hashes.erase(std::unique(hashes.begin(), hashes.end()), hashes.end());
  std::string bytes(hashes.size() * sizeof(std::uint32_t), '\0');
  if (!bytes.empty()) { std::memcpy(bytes.data(), hashes.data(), bytes.size()); }
  hashes.clear();
  return bytes;
}

// Whether the block may hold the key; an empty key is anywhere.
bool may_hold(std::string_view hashes, std::string_view key) {
  if (key.empty()) { return true; }
  const std::uint32_t wanted = short_hash(key);
  std::size_t low = 0;
  std::size_t high = hashes.size() / sizeof(wanted);
  while (low < high) {
    const std::size_t middle = (low + high) / 2;
    std::uint32_t here = 0;
    std::memcpy(&here, hashes.data() + middle * sizeof(here), sizeof(here));
    if (here == wanted) { return true; }
    (here < wanted ? low : high) = here < wanted ? middle + 1 : middle;
  }
  return false;
}

// Where a page ended: the time of its last event, and how many events of exactly this time were given out.
struct Cursor {
  std::int64_t ticks = 0;
  std::uint64_t given = 0;
};

std::string token_of(const Cursor& cursor) {
  return fmt::format("{:016x}{:08x}", static_cast<std::uint64_t>(cursor.ticks), cursor.given);
}

Result<Cursor> cursor_of(std::string_view token) {
  Cursor cursor;
  std::uint64_t ticks = 0;
  const auto read_hex = [](std::string_view digits, std::uint64_t& value) {
    const auto read = std::from_chars(digits.data(), digits.data() + digits.size(), value, 16);
    return read.ec == std::errc{} && read.ptr == digits.data() + digits.size();
  };
  if (token.size() != 24 || !read_hex(token.substr(0, 16), ticks) || !read_hex(token.substr(16), cursor.given) ||
      cursor.given > kMostGiven) {
    return fail(ErrorKind::kUsage,
                "expected the token of a page as the page before gave it, found another text; start "
                "again with the first page");
  }
  cursor.ticks = static_cast<std::int64_t>(ticks);
  return cursor;
}

bool is_newer(const AccessEvent& left, const AccessEvent& right) {
  if (left.time != right.time) { return left.time > right.time; }
  return CanonicalOrder{}(right, left);
}

bool is_of(const AccessEvent& event, const EventQuery& who) {
  return (who.caller_key.empty() || event.caller_key() == who.caller_key) &&
         (who.vault_id.empty() || event.vault_id() == who.vault_id);
}

template <typename Visit>
Result<void> for_each_event(const std::string& path, std::string_view packed, const Visit& visit) {
  const auto bytes = unpack(packed, kPlainLimitBytes);
  if (!bytes) { return tl::unexpected(damaged_store(path, bytes.error().message)); }
  std::string_view rest = *bytes;
  AccessEvent event;
  while (!rest.empty()) {
    if (!read_event(rest, event)) { return tl::unexpected(damaged_store(path, "an event that cannot be read")); }
    visit(event);
  }
  return {};
}

// The newest events that match, of one page more than was asked for.
class Gathering {
 public:
  Gathering(const EventQuery& query, std::optional<Cursor> cursor, std::size_t most)
      : query_(query), cursor_(cursor), most_(most) {}

  // Whether a block whose newest event has this time can still change the page.
  [[nodiscard]] bool wants(std::int64_t last_ticks) const {
    return found_.size() < most_ || last_ticks >= found_.back().time.ticks;
  }

  Result<void> add(const std::string& path, std::string_view callers, std::string_view vaults,
                   std::string_view packed) {
    if (!may_hold(callers, query_.caller_key) || !may_hold(vaults, query_.vault_id)) { return {}; }
    auto read = for_each_event(path, packed, [this](const AccessEvent& event) {
      if (matches(event)) { found_.push_back(event); }
    });
    if (!read) { return read; }
    std::sort(found_.begin(), found_.end(), is_newer);
    found_.resize(std::min(found_.size(), most_));
    return {};
  }

  std::vector<AccessEvent> take() { return std::move(found_); }

 private:
  [[nodiscard]] bool matches(const AccessEvent& event) const {
    return is_of(event, query_) && (!query_.from || event.time >= *query_.from) &&
           (!query_.until || event.time < *query_.until) && (!cursor_ || event.time.ticks <= cursor_->ticks);
  }

  const EventQuery& query_;
  std::optional<Cursor> cursor_;
  std::size_t most_;
  std::vector<AccessEvent> found_;
};

Result<void> gather(Database& reader, std::int64_t from_ticks, std::int64_t before_ticks, Gathering& gathering) {
  std::vector<std::pair<std::int64_t, std::int64_t>> blocks;  // number and last
  auto read =
      reader.each("SELECT number, last FROM event_block WHERE last >= ? AND first < ? ORDER BY last DESC, number DESC",
                  {sql_number(from_ticks), sql_number(before_ticks)}, [&](const SqlRow& row) {
                    blocks.emplace_back(row.number(0), row.number(1));
                    return Result<void>{};
                  });
  for (std::size_t i = 0; read && i < blocks.size() && gathering.wants(blocks[i].second); ++i) {
    read = reader.each("SELECT callers, vaults, packed FROM event_block WHERE number = ? AND format = ?",
                       {sql_number(blocks[i].first), sql_number(kEventFormat)}, [&](const SqlRow& row) {
                         return gathering.add(reader.path(), row.bytes(0), row.bytes(1), row.bytes(2));
                       });
  }
  return read;
}

// The hours of the caller or vault in one block, those that are known left out.
Result<void> add_hours(const std::string& path, std::string_view packed, const EventQuery& who,
                       const std::function<bool(const AccessEvent&)>& counts, std::set<std::int64_t>& hours) {
  return for_each_event(path, packed, [&](const AccessEvent& event) {
    if (is_of(event, who) && counts(event)) { hours.insert(event.time.hour()); }
  });
}

bool knows_all(const std::set<std::int64_t>& hours, std::int64_t first, std::int64_t last) {
  std::int64_t hour = first;
  while (hour <= last && hours.contains(hour)) { ++hour; }
  return hour > last;
}

Result<std::optional<ActiveHours>> find_hours(Database& reader, const EventQuery& who,
                                              const std::function<bool(const AccessEvent&)>& counts,
                                              std::uint64_t limit_bytes) {
  struct Block {
    std::int64_t number = 0;
    EventTime first;
    EventTime last;
    std::uint64_t bytes = 0;
  };
  std::vector<Block> blocks;
  auto read = reader.each(
      "SELECT number, first, last, size FROM event_block ORDER BY last DESC, number DESC", {}, [&](const SqlRow& row) {
        blocks.push_back({row.number(0), EventTime{row.number(1)}, EventTime{row.number(2)}, row.count(3)});
        return Result<void>{};
      });
  if (!read) { return tl::unexpected(read.error()); }
  if (blocks.empty()) { return std::optional<ActiveHours>{}; }
  ActiveHours found;
  found.until = found.from = blocks.front().last;
  std::uint64_t bytes = 0;
  for (const Block& block : blocks) {
    if (!knows_all(found.hours, block.first.hour(), block.last.hour())) {
      bytes += block.bytes;
      if (bytes > limit_bytes) {
        // Everything that is left is as old as this block's newest event, or older.
        found.from = std::max(found.from, EventTime{block.last.ticks + 1});
        return std::optional(std::move(found));
      }
      read = reader.each("SELECT callers, vaults, packed FROM event_block WHERE number = ? AND format = ?",
                         {sql_number(block.number), sql_number(kEventFormat)}, [&](const SqlRow& row) -> Result<void> {
                           if (!may_hold(row.bytes(0), who.caller_key) || !may_hold(row.bytes(1), who.vault_id)) {
                             return {};
                           }
                           return add_hours(reader.path(), row.bytes(2), who, counts, found.hours);
                         });
      if (!read) { return tl::unexpected(read.error()); }
    }
    found.from = std::min(found.from, block.first);
  }
  return std::optional(std::move(found));
}

// The page out of what was gathered: what the page before gave out goes first.
EventPage page_of(std::vector<AccessEvent> found, const std::optional<Cursor>& cursor, std::size_t limit) {
  EventPage page;
  std::size_t at = cursor ? std::min<std::size_t>(cursor->given, found.size()) : 0;
  for (; at < found.size() && page.events.size() < limit; ++at) { page.events.push_back(std::move(found[at])); }
  if (at == found.size() || page.events.empty()) { return page; }
  const std::int64_t ticks = page.events.back().time.ticks;
  auto given = static_cast<std::uint64_t>(std::count_if(page.events.begin(), page.events.end(),
                                                        [&](const auto& event) { return event.time.ticks == ticks; }));
  if (cursor && cursor->ticks == ticks) { given += cursor->given; }
  page.next = token_of({ticks, given});
  return page;
}

}  // namespace

FileForm EventArchive::form() {
  return {0x4B564531, kMigrations, false};
}  // "KVE1"

void EventBlocks::add(const AccessEvent& event) {
  if (events_ == 0) { first_ = last_ = event.time; }
  first_ = std::min(first_, event.time);
  last_ = std::max(last_, event.time);
  append_event(bytes_, event);
  if (!event.caller_key().empty()) { callers_.push_back(short_hash(event.caller_key())); }
  if (!event.vault_id().empty()) { vaults_.push_back(short_hash(event.vault_id())); }
  if (++events_ >= kBlockEvents || bytes_.size() >= kBlockBytes) { close(); }
}

void EventBlocks::close() {
  if (events_ == 0) { return; }
  blocks_.push_back({first_, last_, events_, sorted_bytes(callers_), sorted_bytes(vaults_), pack(bytes_)});
  packed_bytes_ += blocks_.back().packed.size();
  bytes_.clear();
  events_ = 0;
}

std::vector<EventBlock> EventBlocks::take() {
  close();
  packed_bytes_ = 0;
  return std::exchange(blocks_, {});
}

void EventBlocks::put_back(std::vector<EventBlock> blocks) {
  for (const EventBlock& block : blocks) { packed_bytes_ += block.packed.size(); }
  std::move(blocks_.begin(), blocks_.end(), std::back_inserter(blocks));
  blocks_ = std::move(blocks);
}

Result<void> EventArchive::open(const std::string& path, const EventArchiveLimits& limits, std::int64_t checkpoint) {
  limits_ = limits;
  auto database = open_file(path, form());
  if (!database) { return tl::unexpected(database.error()); }
  writer_.emplace(*std::move(database));
  if (auto done = readers_.open(path, kReaders); !done) { return done; }
  auto done = take_back(checkpoint);
  if (done || done.error().kind != ErrorKind::kNoRoom) { return done; }
  take_back_after_ = checkpoint;  // with the next write
  return {};
}

Result<void> EventArchive::take_back(std::int64_t checkpoint) {
  return writer_->run("DELETE FROM event_block WHERE checkpoint > ?", {sql_number(checkpoint)});
}

Result<void> EventArchive::write(std::span<const EventBlock> blocks, std::int64_t checkpoint) {
  auto transaction = Transaction::begin(*writer_);
  if (!transaction) { return tl::unexpected(transaction.error()); }
  if (take_back_after_) {
    if (auto done = take_back(*take_back_after_); !done) { return done; }
  }
  for (const EventBlock& block : blocks) {
    if (limits_.retention_days <= 0) { break; }
    auto done = writer_->run(
        "INSERT INTO event_block(checkpoint, format, first, last, events, size, callers, vaults, packed) "
        "VALUES(?,?,?,?,?,?,?,?,?)",
        {sql_number(checkpoint), sql_number(kEventFormat), sql_number(block.first.ticks), sql_number(block.last.ticks),
         sql_number(block.events), sql_number(block.callers.size() + block.vaults.size() + block.packed.size()),
         sql_blob(block.callers), sql_blob(block.vaults), sql_blob(block.packed)});
    if (!done) { return done; }
  }
  if (auto done = remove_outdated(); !done) { return done; }
  auto done = transaction->commit();
  if (done) { take_back_after_.reset(); }
  return done;
}

Result<void> EventArchive::remove_outdated() {
  const auto newest = writer_->number("SELECT coalesce(max(last), 0) FROM event_block");
  if (!newest) { return tl::unexpected(newest.error()); }
  const std::int64_t oldest_kept =
      limits_.retention_days > 0 ? *newest - limits_.retention_days * EventTime::kTicksPerDay : *newest + 1;
  auto done = writer_->run("DELETE FROM event_block WHERE last < ?", {sql_number(oldest_kept)});
  if (!done) { return done; }
  const auto bytes = writer_->number("SELECT coalesce(sum(size), 0) FROM event_block");
  if (!bytes) { return tl::unexpected(bytes.error()); }
  std::int64_t over = *bytes - static_cast<std::int64_t>(limits_.bytes);
  std::vector<std::int64_t> oldest;
  done = writer_->each("SELECT number, size FROM event_block ORDER BY last, number LIMIT ?",
                       {sql_number(over > 0 ? 10'000 : 0)}, [&](const SqlRow& row) {
                         if (over > 0) { oldest.push_back(row.number(0)); }
                         over -= row.number(1);
                         return Result<void>{};
                       });
  for (std::size_t i = 0; done && i < oldest.size(); ++i) {
    done = writer_->run("DELETE FROM event_block WHERE number = ?", {sql_number(oldest[i])});
  }
  return done;
}

Result<EventPage> EventArchive::find(const EventQuery& query) const {
  if (query.caller_key.empty() && query.vault_id.empty()) {
    return fail(ErrorKind::kUsage, "expected a caller or a vault whose events are wanted, found neither");
  }
  std::optional<Cursor> cursor;
  if (!query.after.empty()) {
    const auto read = cursor_of(query.after);
    if (!read) { return tl::unexpected(read.error()); }
    cursor = *read;
  }
  const std::size_t limit = std::clamp<std::size_t>(query.limit, 1, 1000);
  Gathering gathering(query, cursor, limit + 1 + (cursor ? cursor->given : 0));
  std::int64_t before = query.until ? query.until->ticks : std::numeric_limits<std::int64_t>::max();
  if (cursor) { before = std::min(before, cursor->ticks + 1); }
  const std::int64_t from = query.from ? query.from->ticks : std::numeric_limits<std::int64_t>::min();
  auto read = readers_.read([&](Database& reader) { return gather(reader, from, before, gathering); });
  if (!read) { return tl::unexpected(read.error()); }
  return page_of(gathering.take(), cursor, limit);
}

Result<std::optional<ActiveHours>> EventArchive::active_hours(const EventQuery& who,
                                                              const std::function<bool(const AccessEvent&)>& counts,
                                                              std::uint64_t limit_bytes) const {
  return readers_.read([&](Database& reader) { return find_hours(reader, who, counts, limit_bytes); });
}

Result<EventArchiveFigures> EventArchive::figures() const {
  return readers_.read([](Database& reader) -> Result<EventArchiveFigures> {
    EventArchiveFigures figures;
    auto read = reader.each("SELECT coalesce(sum(events), 0), coalesce(sum(size), 0), min(first) FROM event_block", {},
                            [&](const SqlRow& row) {
                              figures.events = row.count(0);
                              figures.bytes = row.count(1);
                              if (!row.is_null(2)) { figures.oldest = EventTime{row.number(2)}; }
                              return Result<void>{};
                            });
    if (!read) { return tl::unexpected(read.error()); }
    return figures;
  });
}

}  // namespace keyvigil
