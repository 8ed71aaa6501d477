#include "store/rule_rows.h"

#include <cstdint>
#include <utility>

#include "base/ascii.h"
#include "base/snapshot.h"

namespace keyvigil {
namespace {

std::string bytes_of(const SuppressionRule& rule) {
  SnapshotWriter writer;
  for (const std::string* text : {&rule.subscription_id, &rule.name, &rule.alert_type, &rule.reason, &rule.comment}) {
    writer.write(*text);
  }
  writer.write(rule.state);
  writer.write(rule.expires.has_value());
  writer.write(rule.expires.value_or(EventTime{}).ticks);
  writer.write(rule.last_modified.ticks);
  writer.write(std::uint64_t{rule.all_of.size()});
  for (const RuleCondition& condition : rule.all_of) {
    writer.write(condition.field);
    writer.write(condition.op);
    writer.write(condition.values);
  }
  return writer.bytes();
}

bool read_conditions(SnapshotReader& reader, std::vector<RuleCondition>& conditions) {
  std::uint64_t count = 0;
  if (!reader.read(count) || count > reader.rest().size()) { return false; }
  for (std::uint64_t i = 0; i < count; ++i) {
    RuleCondition& condition = conditions.emplace_back();
    if (!reader.read(condition.field) || !reader.read(condition.op) || !reader.read(condition.values)) { return false; }
  }
  return reader.at_end();
}

Result<SuppressionRule> rule_of(const std::string& path, std::int64_t format, std::string_view bytes) {
  if (!is_read(kRuleFormats, format)) { return tl::unexpected(unread_format(path, kRuleFormats, format)); }
  SuppressionRule rule;
  SnapshotReader reader(bytes);
  bool expires = false;
  std::int64_t expiry = 0;
  bool read = true;
  for (std::string* text : {&rule.subscription_id, &rule.name, &rule.alert_type, &rule.reason, &rule.comment}) {
    read = read && reader.read(*text);
  }
  read = read && reader.read(rule.state) && reader.read(expires) && reader.read(expiry) &&
         reader.read(rule.last_modified.ticks) && read_conditions(reader, rule.all_of);
  if (!read) { return tl::unexpected(damaged_store(path, "a suppression rule that cannot be read")); }
  if (expires) { rule.expires = EventTime{expiry}; }
  return rule;
}

}  // namespace

Result<std::vector<SuppressionRule>> read_rules(Database& reader, const std::optional<std::string>& subscription_id) {
  std::vector<SuppressionRule> rules;
  auto read = reader.each(
      "SELECT format, snapshot FROM suppression_rule WHERE ?1 IS NULL OR subscription = ?1 ORDER BY subscription, name",
      {subscription_id ? sql_text(*subscription_id) : sql_null()}, [&](const SqlRow& row) -> Result<void> {
        auto rule = rule_of(reader.path(), row.number(0), row.bytes(1));
        if (!rule) { return tl::unexpected(rule.error()); }
        rules.push_back(*std::move(rule));
        return {};
      });
  if (!read) { return tl::unexpected(read.error()); }
  return rules;
}

Result<void> write_rule(Database& writer, const SuppressionRule& rule) {
  const std::string name = lower_case(rule.name);
  const std::string bytes = bytes_of(rule);
  return writer.run(
      "INSERT INTO suppression_rule(subscription, name, format, snapshot) VALUES(?,?,?,?) "
      "ON CONFLICT(subscription, name) DO UPDATE SET format=excluded.format, snapshot=excluded.snapshot",
      {sql_text(rule.subscription_id), sql_text(name), sql_number(kRuleFormats.newest), sql_blob(bytes)});
}

Result<bool> remove_rule(Database& writer, const std::string& subscription_id, const std::string& name) {
  const std::string key = lower_case(name);
  auto done = writer.run("DELETE FROM suppression_rule WHERE subscription=? AND name=?",
                         {sql_text(subscription_id), sql_text(key)});
  if (!done) { return tl::unexpected(done.error()); }
  return writer.changes() != 0;
}

}  // namespace keyvigil
