#include "store/alert_rows.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>
#include <utility>

#include "alert/alert_words.h"
#include "base/ascii.h"
#include "base/check.h"
#include "base/snapshot.h"
#include "store/packing.h"

namespace keyvigil {
namespace {

constexpr std::size_t kSnapshotLimitBytes = std::size_t{64} << 20;
constexpr std::size_t kWordsLimitBytes = std::size_t{256} << 10;  // full text of one alert
constexpr std::size_t kQueryLimitBytes = 1000;
constexpr std::size_t kQueryLimitWords = 16;
constexpr std::size_t kMostMerged = 64;        // subscriptions that are looked up one by one
constexpr std::int64_t kMostCounted = 10'000;  // rows, when asking which index is the narrowest

void add_words(std::string& words, std::string_view text) {
  if (words.size() + text.size() + 1 > kWordsLimitBytes) { return; }
  words.append(text);
  words.push_back('\n');
}

std::string words_of(const Alert& alert) {
  std::string words;
  for (const std::string* text : {&alert.id, &alert.caller.key, &alert.caller.object_id, &alert.caller.user_name,
                                  &alert.caller.app_id, &alert.caller.managed_identity, &alert.vault_id}) {
    add_words(words, *text);
  }
  add_words(words, catalogue_row(alert.type).code);
  add_words(words, catalogue_row(alert.type).display_name);
  add_words(words, description(alert));
  for (const std::string& address : alert.addresses.items) { add_words(words, address); }
  for (const std::string& vault : alert.vaults.items) { add_words(words, vault); }
  for (const std::string& target : alert.targets.items) { add_words(words, target); }
  for (const ObjectRead& read : alert.objects_read) { add_words(words, read.object); }
  return words;
}

std::string snapshot_of(const Alert& alert) {
  SnapshotWriter writer;
  writer.write(alert);
  return pack(writer.bytes());
}

Result<Alert> alert_of(const std::string& path, std::int64_t format, std::string_view snapshot) {
  if (format < kAlertFormats.oldest) {
    return fail(
        ErrorKind::kInput,
        fmt::format("the store '{}' holds alerts of format {}, and this version reads {}: they were written "
                    "before evidence was kept by event; begin with a new store, or export them with the version "
                    "that wrote them",
                    path, format, version_words(kAlertFormats)));
  }
  if (!is_read(kAlertFormats, format)) { return tl::unexpected(unread_format(path, kAlertFormats, format)); }
  const auto bytes = unpack(snapshot, kSnapshotLimitBytes);
  if (!bytes) { return tl::unexpected(damaged_store(path, bytes.error().message)); }
  Alert alert;
  SnapshotReader reader(*bytes);
  if (!reader.read(alert) || !reader.at_end()) {
    return tl::unexpected(damaged_store(path, "an alert that cannot be read"));
  }
  return alert;
}

struct Known {
  std::int64_t number = 0;
  std::uint64_t revision = 0;
  AlertStatus status = AlertStatus::kActive;
};

Result<std::optional<Known>> find_known(Database& database, std::string_view id) {
  std::optional<Known> known;
  auto read =
      database.each("SELECT number, revision, status FROM alert WHERE id = ?", {sql_text(id)}, [&](const SqlRow& row) {
        known = {row.number(0), row.count(1), static_cast<AlertStatus>(row.number(2))};
        return Result<void>{};
      });
  if (!read) { return tl::unexpected(read.error()); }
  return known;
}

Result<std::int64_t> insert_new(Database& writer, const AlertInsert& insert, AlertStatus status) {
  const Alert& alert = *insert.alert;
  const std::string resource_group = lower_case(alert.resource_group);
  const std::string subscription = lower_case(alert.subscription_id);
  auto done = writer.run(
      "INSERT INTO alert(id, revision, type, severity, status, generated, subscription, resource_group, caller, vault, "
      "open, simulated, backfilled, processed, dismissed_by_rule) VALUES(?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)",
      {sql_text(alert.id), sql_number(alert.revision), sql_number(alert.type), sql_number(severity_of(alert)),
       sql_number(status), sql_number(alert.generated.ticks), sql_text(subscription), sql_text(resource_group),
       sql_text(alert.caller.key), sql_text(alert.vault_id), sql_number(alert.open), sql_number(insert.simulated),
       sql_number(insert.backfilled), sql_number(insert.now.ticks), sql_text(insert.dismissed_by_rule)});
  if (!done) { return tl::unexpected(done.error()); }
  return writer.last_row();
}

Result<void> insert_change(Database& writer, std::int64_t alert_number, const AlertChange& change) {
  return writer.run("INSERT INTO alert_change(alert, at, who, revision, status, note) VALUES(?,?,?,?,?,?)",
                    {sql_number(alert_number), sql_number(change.at.ticks), sql_text(change.by),
                     sql_number(change.revision), sql_number(change.status), sql_text(change.note)});
}

// A revision never overtakes one of its alert that waits for the same output.
Result<void> insert_deliveries(Database& writer, std::int64_t alert_number, const AlertInsert& insert) {
  for (const std::string& output : insert.outputs) {
    auto done = writer.run(
        "INSERT INTO outbox(output, alert, revision, due, attempts, why) VALUES(?1,?2,?3,"
        "coalesce((SELECT max(due) FROM outbox WHERE alert=?2 AND output=?1), 0), 0, '')",
        {sql_text(output), sql_number(alert_number), sql_number(insert.alert->revision)});
    if (!done) { return done; }
  }
  return {};
}

Result<bool> insert_snapshot(Database& writer, std::int64_t alert_number, const Alert& alert) {
  auto done = writer.run(
      "INSERT INTO alert_revision(alert, revision, format, snapshot) VALUES(?,?,?,?) ON CONFLICT DO "
      "NOTHING",
      {sql_number(alert_number), sql_number(alert.revision), sql_number(kAlertFormats.newest),
       sql_blob(snapshot_of(alert))});
  if (!done) { return tl::unexpected(done.error()); }
  return writer.changes() != 0;
}

Result<void> set_words(Database& writer, std::int64_t alert_number, const Alert& alert) {
  auto done = writer.run("DELETE FROM alert_text WHERE rowid = ?", {sql_number(alert_number)});
  if (!done) { return done; }
  return writer.run("INSERT INTO alert_text(rowid, words) VALUES(?,?)",
                    {sql_number(alert_number), sql_text(words_of(alert))});
}

Result<void> insert_first(Database& writer, const AlertInsert& insert) {
  const AlertStatus status = insert.dismissed_by_rule.empty() ? AlertStatus::kActive : AlertStatus::kDismissed;
  const auto number = insert_new(writer, insert, status);
  if (!number) { return tl::unexpected(number.error()); }
  if (auto done = insert_snapshot(writer, *number, *insert.alert); !done) { return tl::unexpected(done.error()); }
  if (auto done = set_words(writer, *number, *insert.alert); !done) { return done; }
  AlertChange change{insert.now, std::string(insert.by), insert.alert->revision, AlertStatus::kActive, "raised"};
  if (auto done = insert_change(writer, *number, change); !done) { return done; }
  if (status == AlertStatus::kDismissed) {
    change.by = fmt::format("rule {}", insert.dismissed_by_rule);
    change.status = status;
    change.note = "dismissed by a suppression rule";
    if (auto done = insert_change(writer, *number, change); !done) { return done; }
  }
  return insert_deliveries(writer, *number, insert);
}

// An alert to which nothing came after its last revision closes with that one.
Result<void> close_known(Database& writer, const Known& known, const Alert& alert) {
  auto done = writer.run("UPDATE alert SET open=0 WHERE number=? AND revision=? AND open=1",
                         {sql_number(known.number), sql_number(alert.revision)});
  if (!done || writer.changes() == 0) { return done; }
  return writer.run("UPDATE alert_revision SET format=?, snapshot=? WHERE alert=? AND revision=?",
                    {sql_number(kAlertFormats.newest), sql_blob(snapshot_of(alert)), sql_number(known.number),
                     sql_number(alert.revision)});
}

Result<void> insert_later(Database& writer, const AlertInsert& insert, const Known& known) {
  const Alert& alert = *insert.alert;
  const auto is_new = insert_snapshot(writer, known.number, alert);
  if (!is_new) { return tl::unexpected(is_new.error()); }
  if (!*is_new) { return alert.open ? Result<void>{} : close_known(writer, known, alert); }
  if (alert.revision > known.revision) {
    auto done = writer.run("UPDATE alert SET revision=?, severity=?, open=?, processed=? WHERE number=?",
                           {sql_number(alert.revision), sql_number(severity_of(alert)), sql_number(alert.open),
                            sql_number(insert.now.ticks), sql_number(known.number)});
    if (!done) { return done; }
    if (done = set_words(writer, known.number, alert); !done) { return done; }
  }
  const AlertChange change{insert.now, std::string(insert.by), alert.revision, known.status,
                           alert.open ? "more evidence" : "closed by time"};
  if (auto done = insert_change(writer, known.number, change); !done) { return done; }
  return insert_deliveries(writer, known.number, insert);
}

// ---- finding ----

// A place in the order of pages.
struct Key {
  std::int64_t generated = 0;
  std::string id;
  std::int64_t number = 0;
  friend bool operator>(const Key& left, const Key& right) {
    return std::tie(left.generated, left.id) > std::tie(right.generated, right.id);
  }
};

std::string token_of(const Key& key) {
  std::string token = fmt::format("{:016x}", static_cast<std::uint64_t>(key.generated));
  for (const char c : key.id) { token += fmt::format("{:02x}", static_cast<unsigned char>(c)); }
  return token;
}

Result<Key> key_of(std::string_view token) {
  const auto refuse = [&] {
    return fail(ErrorKind::kUsage,
                "expected the token of a page as the page before gave it, found another text; start "
                "again with the first page");
  };
  if (token.size() < 16 || token.size() % 2 != 0 || token.size() > 16 + 2 * 200) { return refuse(); }
  Key key;
  std::uint64_t generated = 0;
  const char* end = token.data() + 16;
  const auto read = std::from_chars(token.data(), end, generated, 16);
  if (read.ec != std::errc{} || read.ptr != end) { return refuse(); }
  key.generated = static_cast<std::int64_t>(generated);
  for (std::size_t at = 16; at < token.size(); at += 2) {
    std::uint8_t byte = 0;
    const char* to = token.data() + at + 2;
    const auto digits = std::from_chars(token.data() + at, to, byte, 16);
    if (digits.ec != std::errc{} || digits.ptr != to) { return refuse(); }
    key.id.push_back(static_cast<char>(byte));
  }
  return key;
}

// Conditions on the table `alert`, with their values.
struct Conditions {
  std::string sql = "1";
  std::vector<SqlValue> values;
  void add(std::string_view condition, std::initializer_list<SqlValue> more = {}) {
    sql += fmt::format(" AND {}", condition);
    values.insert(values.end(), more);
  }
};

// A column with one wanted value: an index begins with it.
struct Narrowing {
  std::string_view column;
  SqlValue value;
};

std::vector<Narrowing> narrowings(const AlertFilter& filter, const std::string* subscription) {
  std::vector<Narrowing> found;
  if (!filter.caller_key.empty()) { found.push_back({"caller", sql_text(filter.caller_key)}); }
  if (!filter.vault_id.empty()) { found.push_back({"vault", sql_text(filter.vault_id)}); }
  if (filter.types.size() == 1) { found.push_back({"type", sql_number(filter.types[0])}); }
  if (filter.statuses.size() == 1) { found.push_back({"status", sql_number(filter.statuses[0])}); }
  if (filter.severities.size() == 1) { found.push_back({"severity", sql_number(filter.severities[0])}); }
  if (subscription != nullptr) { found.push_back({"subscription", sql_text(*subscription)}); }
  return found;
}

Result<std::string_view> narrowest(Database& reader, const std::vector<Narrowing>& choices) {
  std::string_view best;
  std::int64_t fewest = std::numeric_limits<std::int64_t>::max();
  for (const Narrowing& choice : choices) {
    const auto rows = reader.number(
        fmt::format("SELECT count(*) FROM (SELECT 1 FROM alert WHERE {}=? LIMIT {})", choice.column, kMostCounted),
        {choice.value});
    if (!rows) { return tl::unexpected(rows.error()); }
    if (*rows < fewest) {
      fewest = *rows;
      best = choice.column;
    }
  }
  return best;
}

template <typename T>
void add_any_of(Conditions& conditions, std::string_view column, const std::vector<T>& values) {
  if (values.size() < 2) { return; }
  std::string list;
  for (const T value : values) { list += fmt::format("{}{}", list.empty() ? "" : ",", static_cast<int>(value)); }
  conditions.add(fmt::format("+{} IN ({})", column, list));
}

void add_subscriptions(Conditions& conditions, const std::set<std::string>& subscriptions) {
  std::string marks;
  for (const std::string& subscription : subscriptions) {
    marks += marks.empty() ? "?" : ",?";
    conditions.values.push_back(sql_text(subscription));
  }
  conditions.sql += fmt::format(" AND +subscription IN ({})", marks);
}

// All but what narrowings() has. A unary + keeps SQLite from choosing the column's index.
Conditions other_conditions(const AlertFilter& filter, const std::string& expression, const std::string* subscription) {
  Conditions conditions;
  if (subscription == nullptr && filter.subscriptions) { add_subscriptions(conditions, *filter.subscriptions); }
  if (!filter.resource_group.empty()) { conditions.add("+resource_group=?", {sql_text(filter.resource_group)}); }
  add_any_of(conditions, "type", filter.types);
  add_any_of(conditions, "severity", filter.severities);
  add_any_of(conditions, "status", filter.statuses);
  if (filter.from) { conditions.add("generated >= ?", {sql_number(filter.from->ticks)}); }
  if (filter.until) { conditions.add("generated < ?", {sql_number(filter.until->ticks)}); }
  if (filter.simulated) { conditions.add("+simulated=?", {sql_number(*filter.simulated)}); }
  if (!expression.empty()) {
    conditions.add("number IN (SELECT rowid FROM alert_text WHERE alert_text MATCH ?)", {sql_text(expression)});
  }
  return conditions;
}

Result<Conditions> all_conditions(Database& reader, const AlertFilter& filter, const std::string& expression,
                                  const std::string* subscription) {
  Conditions conditions = other_conditions(filter, expression, subscription);
  const std::vector<Narrowing> choices = narrowings(filter, subscription);
  const auto best = choices.size() == 1 ? Result<std::string_view>(choices[0].column) : narrowest(reader, choices);
  if (!best) { return tl::unexpected(best.error()); }
  for (const Narrowing& choice : choices) {
    conditions.add(fmt::format("{}{}=?", choice.column == *best ? "" : "+", choice.column), {choice.value});
  }
  return conditions;
}

Result<void> find_keys(Database& reader, Conditions conditions, const std::optional<Key>& after, std::size_t limit,
                       std::vector<Key>& keys) {
  if (after) { conditions.add("(generated, id) < (?, ?)", {sql_number(after->generated), sql_text(after->id)}); }
  const std::string sql =
      fmt::format("SELECT generated, id, number FROM alert WHERE {} ORDER BY generated DESC, id DESC LIMIT {}",
                  conditions.sql, limit);
  return reader.each(sql, conditions.values, [&](const SqlRow& row) {
    keys.push_back({row.number(0), row.text(1), row.number(2)});
    return Result<void>{};
  });
}

// Few subscriptions: one look-up each, merged, so that one with few alerts does not wait for those of all others.
Result<std::vector<Key>> page_keys(Database& reader, const AlertFilter& filter, const std::optional<Key>& after,
                                   std::size_t limit) {
  const std::string expression = full_text_expression(filter.text);
  if (!filter.text.empty() && expression.empty()) { return std::vector<Key>{}; }
  std::vector<const std::string*> subscriptions{nullptr};
  if (filter.subscriptions && filter.subscriptions->size() <= kMostMerged) {
    subscriptions.clear();
    for (const std::string& subscription : *filter.subscriptions) { subscriptions.push_back(&subscription); }
  }
  std::vector<Key> keys;
  for (const std::string* subscription : subscriptions) {
    auto conditions = all_conditions(reader, filter, expression, subscription);
    if (!conditions) { return tl::unexpected(conditions.error()); }
    if (auto done = find_keys(reader, *std::move(conditions), after, limit, keys); !done) {
      return tl::unexpected(done.error());
    }
  }
  std::sort(keys.begin(), keys.end(), std::greater<>());
  keys.resize(std::min(keys.size(), limit));
  return keys;
}

Result<StoredAlert> stored_alert_of(Database& reader, const SqlRow& row) {
  auto alert = alert_of(reader.path(), row.number(5), row.bytes(6));
  if (!alert) { return tl::unexpected(alert.error()); }
  StoredAlert stored;
  stored.alert = *std::move(alert);
  stored.status = static_cast<AlertStatus>(row.number(0));
  stored.dismissed_by_rule = row.text(1);
  stored.simulated = row.number(2) != 0;
  stored.backfilled = row.number(3) != 0;
  stored.processed.ticks = row.number(4);
  return stored;
}

}  // namespace

Result<void> insert_alert_revision(Database& writer, const AlertInsert& insert) {
  CHECK(insert.alert != nullptr);
  const auto known = find_known(writer, insert.alert->id);
  if (!known) { return tl::unexpected(known.error()); }
  return *known ? insert_later(writer, insert, **known) : insert_first(writer, insert);
}

Result<StoredAlert> alert_at_revision(Database& reader, std::int64_t alert_number, std::uint64_t revision) {
  std::optional<StoredAlert> found;
  auto read = reader.each(
      "SELECT a.status, a.dismissed_by_rule, a.simulated, a.backfilled, a.processed, r.format, r.snapshot "
      "FROM alert a JOIN alert_revision r ON r.alert = a.number AND r.revision = ? WHERE a.number = ?",
      {sql_number(revision), sql_number(alert_number)}, [&](const SqlRow& row) -> Result<void> {
        auto stored = stored_alert_of(reader, row);
        if (!stored) { return tl::unexpected(stored.error()); }
        found = *std::move(stored);
        return {};
      });
  if (!read) { return tl::unexpected(read.error()); }
  if (!found) {
    return tl::unexpected(
        damaged_store(reader.path(), fmt::format("no revision {} of alert number {}", revision, alert_number)));
  }
  return *std::move(found);
}

Result<StoredAlertPage> find_alerts(Database& reader, const AlertFilter& filter) {
  std::optional<Key> after;
  if (!filter.after.empty()) {
    auto key = key_of(filter.after);
    if (!key) { return tl::unexpected(key.error()); }
    after = *std::move(key);
  }
  const std::size_t limit = std::clamp<std::size_t>(filter.limit, 1, 1000);
  const auto keys = page_keys(reader, filter, after, limit + 1);
  if (!keys) { return tl::unexpected(keys.error()); }
  StoredAlertPage page;
  for (std::size_t i = 0; i < std::min(limit, keys->size()); ++i) {
    const Key& key = (*keys)[i];
    const auto revision = reader.number("SELECT revision FROM alert WHERE number=?", {sql_number(key.number)});
    if (!revision) { return tl::unexpected(revision.error()); }
    auto stored = alert_at_revision(reader, key.number, static_cast<std::uint64_t>(*revision));
    if (!stored) { return tl::unexpected(stored.error()); }
    page.alerts.push_back(*std::move(stored));
  }
  if (keys->size() > limit) { page.next = token_of((*keys)[limit - 1]); }
  return page;
}

Result<std::map<AlertType, std::uint64_t>> count_alerts(Database& reader, const AlertFilter& filter) {
  std::map<AlertType, std::uint64_t> counts;
  const std::string expression = full_text_expression(filter.text);
  if (!filter.text.empty() && expression.empty()) { return counts; }
  auto conditions = all_conditions(reader, filter, expression, nullptr);
  if (!conditions) { return tl::unexpected(conditions.error()); }
  auto read = reader.each(
      fmt::format("SELECT +type, count(*) FROM alert WHERE {} AND +simulated=0 GROUP BY +type", conditions->sql),
      conditions->values, [&](const SqlRow& row) {
        counts[static_cast<AlertType>(row.number(0))] = row.count(1);
        return Result<void>{};
      });
  if (!read) { return tl::unexpected(read.error()); }
  return counts;
}

Result<std::optional<StoredAlert>> find_alert(Database& reader, std::string_view id) {
  const auto known = find_known(reader, id);
  if (!known) { return tl::unexpected(known.error()); }
  if (!*known) { return std::optional<StoredAlert>{}; }
  auto stored = alert_at_revision(reader, (*known)->number, (*known)->revision);
  if (!stored) { return tl::unexpected(stored.error()); }
  return std::optional<StoredAlert>(*std::move(stored));
}

Result<std::vector<AlertChange>> alert_changes(Database& reader, std::string_view id) {
  std::vector<AlertChange> changes;
  auto read = reader.each(
      "SELECT c.at, c.who, c.revision, c.status, c.note FROM alert a JOIN alert_change c ON c.alert = a.number "
      "WHERE a.id = ? ORDER BY c.number",
      {sql_text(id)}, [&](const SqlRow& row) {
        changes.push_back({EventTime{row.number(0)}, row.text(1), row.count(2), static_cast<AlertStatus>(row.number(3)),
                           row.text(4)});
        return Result<void>{};
      });
  if (!read) { return tl::unexpected(read.error()); }
  return changes;
}

Result<AlertNews> alert_news(Database& reader, std::uint64_t cursor,
                             const std::optional<std::set<std::string>>& subscriptions, std::size_t limit) {
  AlertNews news;
  news.cursor = cursor;
  struct Changed {
    std::int64_t number = 0;
    std::uint64_t revision = 0;  // the newest
    std::uint64_t cursor = 0;    // of its last change
  };
  std::vector<Changed> changed;
  auto read = reader.each(
      "SELECT c.number, a.number, a.revision, a.subscription FROM alert_change c JOIN alert a ON a.number = c.alert "
      "WHERE c.number > ? ORDER BY c.number LIMIT ?",
      {sql_number(cursor), sql_number(limit)}, [&](const SqlRow& row) {
        news.cursor = row.count(0);
        if (subscriptions && !subscriptions->contains(row.text(3))) { return Result<void>{}; }
        std::erase_if(changed, [&](const Changed& known) { return known.number == row.number(1); });
        changed.push_back({row.number(1), row.count(2), news.cursor});
        return Result<void>{};
      });
  if (!read) { return tl::unexpected(read.error()); }
  for (const Changed& one : changed) {
    auto stored = alert_at_revision(reader, one.number, one.revision);
    if (!stored) { return tl::unexpected(stored.error()); }
    news.alerts.push_back(*std::move(stored));
    news.cursors.push_back(one.cursor);
  }
  return news;
}

Result<std::set<std::string>> alert_subscriptions(Database& reader) {
  std::set<std::string> found;
  auto read = reader.each("SELECT DISTINCT subscription FROM alert", {}, [&](const SqlRow& row) {
    found.insert(row.text(0));
    return Result<void>{};
  });
  if (!read) { return tl::unexpected(read.error()); }
  return found;
}

Result<bool> change_status(Database& writer, std::string_view id, AlertStatus status, const AuditLine& audit) {
  const auto known = find_known(writer, id);
  if (!known) { return tl::unexpected(known.error()); }
  if (!*known) { return false; }
  if ((*known)->status == status) { return true; }
  auto done =
      writer.run("UPDATE alert SET status=? WHERE number=?", {sql_number(status), sql_number((*known)->number)});
  if (!done) { return tl::unexpected(done.error()); }
  done = insert_change(writer, (*known)->number, {audit.at, audit.who, (*known)->revision, status, audit.action});
  if (!done) { return tl::unexpected(done.error()); }
  return true;
}

Result<std::uint64_t> remove_alerts(Database& writer, EventTime before, std::size_t limit) {
  std::vector<std::int64_t> numbers;
  auto read = writer.each(
      "SELECT number FROM alert a WHERE processed < ? AND (open = 0 OR simulated = 1) "
      "AND NOT EXISTS(SELECT 1 FROM outbox o WHERE o.alert = a.number) ORDER BY processed LIMIT ?",
      {sql_number(before.ticks), sql_number(limit)}, [&](const SqlRow& row) {
        numbers.push_back(row.number(0));
        return Result<void>{};
      });
  if (!read) { return tl::unexpected(read.error()); }
  for (const std::int64_t number : numbers) {
    for (const std::string_view sql :
         {"DELETE FROM alert_text WHERE rowid=?", "DELETE FROM alert_change WHERE alert=?",
          "DELETE FROM dead_letter WHERE alert=?", "DELETE FROM alert_revision WHERE alert=?",
          "DELETE FROM alert WHERE number=?"}) {
      if (auto done = writer.run(sql, {sql_number(number)}); !done) { return tl::unexpected(done.error()); }
    }
  }
  return numbers.size();
}

std::string full_text_expression(std::string_view words) {
  std::string expression;
  std::size_t count = 0;
  words = words.substr(0, kQueryLimitBytes);
  while (!words.empty() && count < kQueryLimitWords) {
    const std::size_t begin = words.find_first_not_of(" \t\r\n");
    if (begin == std::string_view::npos) { break; }
    const std::size_t end = std::min(words.find_first_of(" \t\r\n", begin), words.size());
    std::string_view word = words.substr(begin, end - begin);
    words.remove_prefix(end);
    const bool is_prefix = word.size() > 1 && word.ends_with('*');
    if (is_prefix) { word.remove_suffix(1); }
    expression += count++ == 0 ? "\"" : " \"";
    for (const char c : word) {
      if (c == '\0') { continue; }
      expression += c == '"' ? "\"\"" : std::string(1, c);
    }
    expression += is_prefix ? "\" *" : "\"";
  }
  return expression;
}

}  // namespace keyvigil
