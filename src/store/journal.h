// Journal: acknowledged input and everything else that can change a decision, in the one order in which it is decided.
//
// An entry is durable when append() has returned; until then nobody may acknowledge it. Entries are dropped once a
// checkpoint has gone past them. Bodies are given back as they were received; plain ones are compressed in between.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace keyvigil {

// Values are written to the store: do not renumber.
enum class JournalKind : std::uint8_t {
  kInput = 0,     // bytes of records
  kIdle = 1,      // the input stops holding others back, until its next bytes
  kTick = 2,      // time has moved though nothing came: body is an event time, ticks in decimal
  kLists = 3,     // from here on other threat lists decide: body names their version
  kSettings = 4,  // from here on other settings decide: body is what changed, JSON
  kClose = 5,     // the item has ended for good
  kRemoved = 6,   // nobody follows or uses the input any more: all of its items have ended
};

struct JournalEntry {
  JournalKind kind = JournalKind::kInput;
  std::string input;  // its name: "ingest/<rule>/<stream>", "logs", "folder/<path>", "container/<url without query>"
  std::string item;   // within the input: a file, a blob; may be empty
  std::uint64_t offset = 0;         // of the body in the item, in stored bytes
  std::int64_t received_ticks = 0;  // wall clock
  bool backfill = false;            // of the past: alerts are marked and go to no output by default
  std::string body;                 // plain, gzip or zstd, found by content
};

struct StoredEntry {
  std::uint64_t sequence = 0;  // 1, 2, 3, ...; never used twice
  JournalEntry entry;
};

// How far an item has been journalled: written in the same transaction as its entries.
struct InputPosition {
  std::string input;
  std::string item;
  std::uint64_t offset = 0;
  std::string mark;  // what tells that the item is still the same one (size and time, ETag)
};

// Where a commit of the store is when a test's hook is called, in the thread that commits. A process that dies at
// kInside has written everything but the end of the transaction.
enum class CommitKind : std::uint8_t { kJournal, kCheckpoint, kAlerts };
enum class CommitPoint : std::uint8_t { kBefore, kInside, kAfter };
using CommitHook = std::function<void(CommitKind, CommitPoint)>;

}  // namespace keyvigil
