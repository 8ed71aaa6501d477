// OutboxRows: revisions on their way to outputs. Functions of a connection; writing ones run in a transaction of the
// caller's. Order is kept per alert and output: while one waits, later ones of the same alert wait too.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "base/event_time.h"
#include "base/result.h"
#include "store/database.h"
#include "store/stored_alert.h"

namespace keyvigil {

// A revision on its way to an output.
struct Delivery {
  std::uint64_t id = 0;
  std::string output;
  StoredAlert alert;  // with the revision to deliver
  std::uint32_t attempts = 0;
};

// One that was given up.
struct DeadLetter {
  std::uint64_t id = 0;
  std::string output;
  std::string alert_id;
  std::uint64_t revision = 0;
  EventTime at;  // wall clock
  std::uint32_t attempts = 0;
  std::string why;
};

[[nodiscard]] Result<std::vector<Delivery>> due_deliveries(Database& reader, const std::string& output, EventTime now,
                                                           std::size_t limit);
[[nodiscard]] Result<void> remove_deliveries(Database& writer, std::span<const std::uint64_t> ids);
[[nodiscard]] Result<void> postpone_delivery(Database& writer, std::uint64_t id, EventTime next, std::string_view why);
[[nodiscard]] Result<void> bury_delivery(Database& writer, std::uint64_t id, EventTime now, std::string_view why);
// Outputs for which something waits and that are not among these.
[[nodiscard]] Result<std::vector<std::string>> outputs_without(Database& reader, std::span<const std::string> known);
// Those of an output that is no longer there, the oldest first, at most `limit`: how many.
[[nodiscard]] Result<std::uint64_t> bury_deliveries(Database& writer, const std::string& output, EventTime now,
                                                    std::size_t limit);
// Takes back what bury_deliveries() did for an output since then: how many.
[[nodiscard]] Result<std::uint64_t> unbury_deliveries(Database& writer, const std::string& output, EventTime since);
// Which dead letters; all that are set must fit.
struct DeadLetterFilter {
  std::string output;                                  // empty: all
  std::optional<std::set<std::string>> subscriptions;  // of their alerts, lower case; nothing: all
  std::vector<std::uint64_t> ids;                      // empty: all
  std::uint64_t before = 0;                            // older than the one of this id; 0: from the newest on
  std::size_t limit = 100;
};
// Newest first.
[[nodiscard]] Result<std::vector<DeadLetter>> read_dead_letters(Database& reader, const DeadLetterFilter& filter);
struct DeadLetterContent {
  DeadLetter letter;
  StoredAlert alert;  // with the revision that it is about
};
// The newest that fits; nothing: none does.
[[nodiscard]] Result<std::optional<DeadLetterContent>> read_dead_letter(Database& reader, DeadLetterFilter filter);
// Back into the outbox, due at once, in the order in which they died; at most `limit`, the oldest first: how many.
[[nodiscard]] Result<std::uint64_t> revive_dead_letters(Database& writer, const DeadLetterFilter& filter);

}  // namespace keyvigil
