// Page checksums: every page of the store's file ends in a checksum, written and verified below SQLite.
//
// SQLite alone does not notice a changed byte in the middle of a value. Here the last eight bytes of each page (SQLite
// leaves them free: "reserved bytes" of its file format, section 1.3.4) hold XXH3 of the rest and of the page's
// number. A page that does not fit is an error of reading (SQLITE_IOERR_DATA) and never a value. The write-ahead log
// has checksums of its own. Another program that writes to the file leaves pages that do not fit: they count as damage.
#pragma once

#include <cstdint>
#include <set>

#include "base/result.h"

struct sqlite3;

namespace keyvigil {

inline constexpr int kPageBytes = 8192;
inline constexpr int kPageChecksumBytes = 8;

// The name under which files are opened so. Registers it with SQLite on first use.
[[nodiscard]] const char* checked_vfs();

// Reads every page of the connection's file, free ones too. The first page (1, 2, ...) that does not fit and is none of
// `in_log`; 0: all do. REQUIRES: opened under checked_vfs(); `in_log`: pages of which the write-ahead log has newer
// ones.
[[nodiscard]] Result<std::uint64_t> first_damaged_page(sqlite3* connection, const std::set<std::uint32_t>& in_log = {});

}  // namespace keyvigil
