// AlertRows: the tables of alerts. Functions of a connection; writing ones run in a transaction of the caller's.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/format_versions.h"
#include "base/result.h"
#include "store/database.h"
#include "store/stored_alert.h"

namespace keyvigil {

// Of the snapshot's bytes. Whoever changes Alert::fields() adds one here, and a way to read the older.
inline constexpr FormatVersions kAlertFormats = {"alert", 2, 2};

struct AlertInsert {
  const Alert* alert = nullptr;
  bool simulated = false;
  bool backfilled = false;
  std::string_view dismissed_by_rule;
  std::span<const std::string> outputs;
  EventTime now;
  std::string_view by;  // "engine", or who simulated
};

// Nothing where this revision of this alert is there already.
[[nodiscard]] Result<void> insert_alert_revision(Database& writer, const AlertInsert& insert);

[[nodiscard]] Result<StoredAlertPage> find_alerts(Database& reader, const AlertFilter& filter);
[[nodiscard]] Result<std::map<AlertType, std::uint64_t>> count_alerts(Database& reader, const AlertFilter& filter);
[[nodiscard]] Result<std::optional<StoredAlert>> find_alert(Database& reader, std::string_view id);
[[nodiscard]] Result<std::vector<AlertChange>> alert_changes(Database& reader, std::string_view id);
[[nodiscard]] Result<AlertNews> alert_news(Database& reader, std::uint64_t cursor,
                                           const std::optional<std::set<std::string>>& subscriptions,
                                           std::size_t limit);
[[nodiscard]] Result<std::set<std::string>> alert_subscriptions(Database& reader);
// A certain revision, with today's status.
[[nodiscard]] Result<StoredAlert> alert_at_revision(Database& reader, std::int64_t alert_number,
                                                    std::uint64_t revision);

// false: no such alert.
[[nodiscard]] Result<bool> change_status(Database& writer, std::string_view id, AlertStatus status,
                                         const AuditLine& audit);

// Closed alerts that were last stored before `before` and wait for no delivery, at most `limit`: how many went.
[[nodiscard]] Result<std::uint64_t> remove_alerts(Database& writer, EventTime before, std::size_t limit);

// FTS5's expression for words that must all occur. Every word is a quoted string, so nothing in it is an operator; a
// word that ends in * is a prefix. Empty: no word.
[[nodiscard]] std::string full_text_expression(std::string_view words);

}  // namespace keyvigil
