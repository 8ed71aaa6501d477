// find_table_head: the header row of a CSV export, and how the table is written.
//
// Before the header may stand what spreadsheets and shells put there: sep=; (Excel) and #TYPE ... (PowerShell). Cells
// stand between commas, semicolons, tabs or bars; lines end in LF, CRLF or CR alone.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "source/csv_framing.h"
#include "source/frame_window.h"

namespace keyvigil {

struct TableHead {
  enum class Outcome : std::uint8_t {
    kTable,
    kNeedsBytes,
    kLocalTime,  // an audit table whose times are in nobody knows which zone
    kOther,      // a table of something else, or no table; `names`: of its columns
  };
  Outcome outcome = Outcome::kOther;
  CsvFraming::Head head;
  std::vector<std::string> names;
  std::string time_name;  // of kLocalTime
};

// The text begins at `position`, which is in `line`, and is looked at up to `stop`; `complete`: nothing behind it
// counts.
[[nodiscard]] TableHead find_table_head(const FrameWindow& window, std::uint64_t position, std::uint64_t line,
                                        std::uint64_t stop, bool complete);

}  // namespace keyvigil
