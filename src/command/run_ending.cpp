#include "command/run_ending.h"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>

namespace keyvigil {
namespace {

constexpr double kEverything = 100;

bool meets(const RunCounts& counts, Severity severity) {
  return std::ranges::any_of(catalogue(), [&](const CatalogueRow& row) {
    return row.severity >= severity && counts.alerts[static_cast<std::size_t>(row.type)] > 0;
  });
}

std::uint64_t skipped_of(const RunCounts& counts) {
  return std::accumulate(counts.skipped.begin(), counts.skipped.end(), std::uint64_t{0});
}

// Blank lines and empty envelopes are skipped, but are no records.
std::uint64_t skipped_records(const RunCounts& counts) {
  return skipped_of(counts) - counts.skipped[static_cast<std::size_t>(SkipCause::kEmpty)];
}

// Nothing came that could have been decided.
bool is_empty(const RunCounts& counts) {
  const std::uint64_t looked_at = counts.decided + counts.held + counts.order.duplicates + counts.order.too_old;
  const bool table_without_rows = counts.records == 0 && skipped_of(counts) == 0 && counts.stored_bytes > 0;
  return looked_at == 0 && !table_without_rows;
}

std::string nothing_decided(const RunCounts& counts) {
  return fmt::format(
      "expected events to decide, found none in {} bytes and {} records, of which {} are of other kinds: that there is "
      "no alert says nothing; check the path and the export, or let it pass with --allow-empty",
      counts.stored_bytes, counts.records, skipped_records(counts));
}

class Endings {
 public:
  void add(ExitCode code, std::string sentence) {
    if (ending_.code == ExitCode::kDone) { ending_.code = code; }
    if (!sentence.empty()) { ending_.sentences.push_back(std::move(sentence)); }
  }
  [[nodiscard]] RunEnding take() { return std::move(ending_); }

 private:
  RunEnding ending_;
};

std::string cut_off(const RefusedRecords& refused) {
  return fmt::format(
      "the input is cut off or damaged at {} (inside a compressed stream or a value): what stands before was decided, "
      "what came behind is missing; load it again, or let it pass with --max-refused 100",
      refused.first_cut());
}

}  // namespace

RunEnding ending_of(const RunCounts& counts, const RefusedRecords& refused, const EndingLimits& limits) {
  Endings endings;
  if (limits.fail_on && meets(counts, *limits.fail_on)) { endings.add(ExitCode::kFailOnMet, ""); }
  // A compressed stream hides what is missing; a value without its end may be one damaged record of many.
  const bool cut = refused.cut() > 0 && limits.refused_percent < kEverything;
  const bool hides = refused.count(RefusalCause::kBadCompression) > 0;
  if (cut && hides) { endings.add(ExitCode::kCutInput, cut_off(refused)); }
  const std::uint64_t audit_records = counts.records - std::min(counts.records, skipped_records(counts));
  const double percent =
      100.0 * static_cast<double>(refused.total()) / static_cast<double>(std::max<std::uint64_t>(audit_records, 1));
  if (refused.total() > 0 && refused.total() >= audit_records && limits.refused_percent < kEverything) {
    endings.add(ExitCode::kRefusedInput, "expected Key Vault audit records, but nothing of the input could be read");
  } else if (percent > limits.refused_percent) {
    endings.add(ExitCode::kRefusedInput,
                fmt::format("{} of {} records were refused ({:.2g} %), --max-refused allows {:g} %: what they say was "
                            "not looked at; --refused FILE keeps them",
                            refused.total(), audit_records, percent, limits.refused_percent));
  } else if (is_empty(counts) && !limits.allow_empty) {
    endings.add(ExitCode::kNothingDecided, nothing_decided(counts));
  }
  if (cut && !hides) { endings.add(ExitCode::kCutInput, cut_off(refused)); }
  return endings.take();
}

}  // namespace keyvigil
