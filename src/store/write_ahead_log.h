// The write-ahead log of a store that nobody has open: where it ends, and whether that is an end or damage.
//
// SQLite takes up a log to the last commit before the first frame that does not fit its checksum, and forgets what is
// behind. A crash leaves such an end only at the very last: a commit is synced before the next transaction begins.
// Where frames of the same log (its salt) that fit their checksums and end in a commit stand behind it, they were
// committed, and the log was damaged. Frames without a commit may be what a transaction that was undone left behind.
// Source: SQLite's file format, section 4 (32 bytes of header, then frames of 24 bytes and a page).
#pragma once

#include <cstdint>
#include <set>
#include <string>

#include "base/result.h"

namespace keyvigil {

struct WriteAheadLog {
  std::uint64_t frames = 0;       // that SQLite will take up; 0: also where there is no log
  std::uint64_t lost_frames = 0;  // committed ones behind the first that does not fit
  bool header_damaged = false;    // there are frames, and SQLite will take up none
  std::set<std::uint32_t> pages;  // numbers of those that it will take up
  [[nodiscard]] bool is_damaged() const { return lost_frames > 0 || header_damaged; }
};

// REQUIRES: no other process writes to it.
[[nodiscard]] Result<WriteAheadLog> read_write_ahead_log(const std::string& store_path);
// The same; where it is damaged, a sentence with the ways out.
[[nodiscard]] Result<WriteAheadLog> check_write_ahead_log(const std::string& store_path);

}  // namespace keyvigil
