// RunEnding: with what exit code a run of `detect` ends, and the sentences that say why.
//
// Every reason is said; the code is that of the first in the order: --fail-on met, a compressed stream cut, too much
// refused, nothing decided, a value cut. Input that was looked at and known from before, or that is held, is not
// nothing; nor is a table without rows.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "catalogue/catalogue.h"
#include "command/exit_code.h"
#include "command/refused_records.h"
#include "command/run_counts.h"

namespace keyvigil {

struct EndingLimits {
  std::optional<Severity> fail_on;
  bool allow_empty = false;
  double refused_percent = 1;  // of the records that are not skipped; 100: whatever is refused, also what is cut
};

struct RunEnding {
  ExitCode code = ExitCode::kDone;
  std::vector<std::string> sentences;
};

[[nodiscard]] RunEnding ending_of(const RunCounts& counts, const RefusedRecords& refused, const EndingLimits& limits);

}  // namespace keyvigil
