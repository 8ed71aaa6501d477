#include "store/outbox_rows.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "alert/printable.h"
#include "store/alert_rows.h"

namespace keyvigil {
namespace {

constexpr std::size_t kWhyLimitBytes = 1000;
constexpr std::string_view kOrphaned = "its output is not in the configuration any more";

struct Row {
  std::uint64_t id = 0;
  std::int64_t alert = 0;
  std::uint64_t revision = 0;
  std::uint32_t attempts = 0;
};

// A filter as a condition on `dead_letter d` and `alert a`. Its values are of the filter, which outlives it.
struct Fitting {
  explicit Fitting(const DeadLetterFilter& filter) {
    if (!filter.output.empty()) { add("d.output = ?", sql_text(filter.output)); }
    if (filter.before > 0) { add("d.number < ?", sql_number(filter.before)); }
    if (!filter.ids.empty()) {
      add_list("d.number", filter.ids, [](std::uint64_t id) { return sql_number(id); });
    }
    if (filter.subscriptions) {
      add_list("a.subscription", *filter.subscriptions, [](const std::string& id) { return sql_text(id); });
    }
  }

  std::string sql = "1";
  std::vector<SqlValue> values;

 private:
  void add(std::string_view condition, const SqlValue& value) {
    sql += fmt::format(" AND {}", condition);
    values.push_back(value);
  }
  template <typename List, typename ToSql>
  void add_list(std::string_view column, const List& list, ToSql to_sql) {
    std::string marks;
    for (const auto& one : list) {
      marks += marks.empty() ? "?" : ",?";
      values.push_back(to_sql(one));
    }
    sql += fmt::format(" AND {} IN ({})", column, marks);
  }
};

}  // namespace

Result<std::vector<Delivery>> due_deliveries(Database& reader, const std::string& output, EventTime now,
                                             std::size_t limit) {
  std::vector<Row> rows;
  auto read = reader.each(
      "SELECT number, alert, revision, attempts FROM outbox o WHERE output = ? AND due <= ? AND NOT EXISTS("
      "SELECT 1 FROM outbox e WHERE e.alert = o.alert AND e.output = o.output AND e.number < o.number) "
      "ORDER BY due, number LIMIT ?",
      {sql_text(output), sql_number(now.ticks), sql_number(limit)}, [&](const SqlRow& row) {
        rows.push_back({row.count(0), row.number(1), row.count(2), static_cast<std::uint32_t>(row.count(3))});
        return Result<void>{};
      });
  if (!read) { return tl::unexpected(read.error()); }
  std::vector<Delivery> deliveries;
  for (const Row& row : rows) {
    auto alert = alert_at_revision(reader, row.alert, row.revision);
    if (!alert) { return tl::unexpected(alert.error()); }
    deliveries.push_back({row.id, output, *std::move(alert), row.attempts});
  }
  return deliveries;
}

Result<void> remove_deliveries(Database& writer, std::span<const std::uint64_t> ids) {
  for (const std::uint64_t id : ids) {
    if (auto done = writer.run("DELETE FROM outbox WHERE number = ?", {sql_number(id)}); !done) { return done; }
  }
  return {};
}

Result<void> postpone_delivery(Database& writer, std::uint64_t id, EventTime next, std::string_view why) {
  const std::string kept = bounded_utf8(why, kWhyLimitBytes);
  auto done = writer.run("UPDATE outbox SET attempts = attempts + 1, why = ? WHERE number = ?",
                         {sql_text(kept), sql_number(id)});
  if (!done) { return done; }
  // Later revisions wait as long: nobody looks at them in vain.
  return writer.run(
      "UPDATE outbox SET due = ?1 WHERE (alert, output) = (SELECT alert, output FROM outbox WHERE number = ?2)",
      {sql_number(next.ticks), sql_number(id)});
}

Result<void> bury_delivery(Database& writer, std::uint64_t id, EventTime now, std::string_view why) {
  const std::string kept = bounded_utf8(why, kWhyLimitBytes);
  auto done = writer.run(
      "INSERT INTO dead_letter(output, alert, revision, at, attempts, why) "
      "SELECT output, alert, revision, ?, attempts + 1, ? FROM outbox WHERE number = ?",
      {sql_number(now.ticks), sql_text(kept), sql_number(id)});
  if (!done) { return done; }
  // Those behind it need not wait for its next attempt any more.
  done = writer.run(
      "UPDATE outbox SET due = 0 WHERE (alert, output) = (SELECT alert, output FROM outbox WHERE number = ?)",
      {sql_number(id)});
  return done ? writer.run("DELETE FROM outbox WHERE number = ?", {sql_number(id)}) : done;
}

Result<std::vector<std::string>> outputs_without(Database& reader, std::span<const std::string> known) {
  auto others = reader.different("outbox", "output");
  if (others) {
    std::erase_if(*others, [&](const std::string& name) { return std::ranges::find(known, name) != known.end(); });
  }
  return others;
}

Result<std::uint64_t> bury_deliveries(Database& writer, const std::string& output, EventTime now, std::size_t limit) {
  constexpr std::string_view kOldest = "(SELECT number FROM outbox WHERE output = ? ORDER BY number LIMIT ?)";
  auto done = writer.run(fmt::format("INSERT INTO dead_letter(output, alert, revision, at, attempts, why) "
                                     "SELECT output, alert, revision, ?, attempts, ? FROM outbox WHERE number IN {} "
                                     "ORDER BY number",
                                     kOldest),
                         {sql_number(now.ticks), sql_text(kOrphaned), sql_text(output), sql_number(limit)});
  if (!done) { return tl::unexpected(done.error()); }
  done =
      writer.run(fmt::format("DELETE FROM outbox WHERE number IN {}", kOldest), {sql_text(output), sql_number(limit)});
  if (!done) { return tl::unexpected(done.error()); }
  return static_cast<std::uint64_t>(writer.changes());
}

Result<std::uint64_t> unbury_deliveries(Database& writer, const std::string& output, EventTime since) {
  auto done = writer.run(
      "INSERT INTO outbox(output, alert, revision, due, attempts, why) SELECT output, alert, revision, 0, attempts, '' "
      "FROM dead_letter WHERE output = ? AND why = ? AND at >= ? ORDER BY number",
      {sql_text(output), sql_text(kOrphaned), sql_number(since.ticks)});
  if (!done) { return tl::unexpected(done.error()); }
  const auto taken_back = static_cast<std::uint64_t>(writer.changes());
  done = writer.run("DELETE FROM dead_letter WHERE output = ? AND why = ? AND at >= ?",
                    {sql_text(output), sql_text(kOrphaned), sql_number(since.ticks)});
  if (!done) { return tl::unexpected(done.error()); }
  return taken_back;
}

Result<std::vector<DeadLetter>> read_dead_letters(Database& reader, const DeadLetterFilter& filter) {
  Fitting fitting(filter);
  fitting.values.push_back(sql_number(filter.limit));
  std::vector<DeadLetter> letters;
  auto read =
      reader.each(fmt::format("SELECT d.number, d.output, a.id, d.revision, d.at, d.attempts, d.why FROM dead_letter d "
                              "JOIN alert a ON a.number = d.alert WHERE {} ORDER BY d.number DESC LIMIT ?",
                              fitting.sql),
                  fitting.values, [&](const SqlRow& row) {
                    letters.push_back({row.count(0), row.text(1), row.text(2), row.count(3), EventTime{row.number(4)},
                                       static_cast<std::uint32_t>(row.count(5)), row.text(6)});
                    return Result<void>{};
                  });
  if (!read) { return tl::unexpected(read.error()); }
  return letters;
}

Result<std::optional<DeadLetterContent>> read_dead_letter(Database& reader, DeadLetterFilter filter) {
  filter.limit = 1;
  auto letters = read_dead_letters(reader, filter);
  if (!letters) { return tl::unexpected(letters.error()); }
  if (letters->empty()) { return std::nullopt; }
  DeadLetter& letter = letters->front();
  const auto number = reader.number("SELECT alert FROM dead_letter WHERE number = ?", {sql_number(letter.id)});
  if (!number) { return tl::unexpected(number.error()); }
  auto alert = alert_at_revision(reader, *number, letter.revision);
  if (!alert) { return tl::unexpected(alert.error()); }
  return DeadLetterContent{std::move(letter), *std::move(alert)};
}

Result<std::uint64_t> revive_dead_letters(Database& writer, const DeadLetterFilter& filter) {
  Fitting fitting(filter);
  fitting.values.push_back(sql_number(filter.limit));
  const std::string chosen = fmt::format(
      "(SELECT d.number FROM dead_letter d JOIN alert a ON a.number = d.alert WHERE {} "
      "ORDER BY d.number LIMIT ?)",
      fitting.sql);
  auto done = writer.run(fmt::format("INSERT INTO outbox(output, alert, revision, due, attempts, why) "
                                     "SELECT output, alert, revision, 0, 0, '' FROM dead_letter WHERE number IN {} "
                                     "ORDER BY number",
                                     chosen),
                         fitting.values);
  if (!done) { return tl::unexpected(done.error()); }
  const auto revived = static_cast<std::uint64_t>(writer.changes());
  done = writer.run(fmt::format("DELETE FROM dead_letter WHERE number IN {}", chosen), fitting.values);
  if (!done) { return tl::unexpected(done.error()); }
  return revived;
}

}  // namespace keyvigil
