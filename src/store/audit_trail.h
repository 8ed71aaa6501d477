// AuditTrail: who did what, and who was refused. What was done is always kept; refusals can be made by anybody, so they
// are kept up to a rate and a number, and what was left out is counted in the trail itself.
//
// Threads: one at a time.
#pragma once

#include <cstdint>
#include <vector>

#include "base/event_time.h"
#include "base/result.h"
#include "store/database.h"
#include "store/stored_alert.h"

namespace keyvigil {

class AuditTrail {
 public:
  static constexpr std::int64_t kRefusalsAtOnce = 200;
  static constexpr std::int64_t kRefusalsPerSecond = 1;
  static constexpr std::int64_t kRefusalsKept = 1'000'000;

  // A line whose outcome is not "done" is a refusal. Whether there is room for the line now; false: it is counted.
  [[nodiscard]] bool admits(const AuditLine& line);
  // REQUIRES: admits() said yes. In a transaction of the caller's; a line about what was left out goes before it.
  [[nodiscard]] Result<void> write(Database& writer, const AuditLine& line);
  // After the transaction's success.
  void settle() { left_out_ = 0; }
  [[nodiscard]] std::uint64_t left_out_in_all() const { return left_out_in_all_; }

  [[nodiscard]] static Result<std::vector<AuditLine>> read(Database& reader, std::size_t limit);
  // Lines from before, and the oldest refusals beyond their number, at most `limit`: how many went.
  [[nodiscard]] static Result<std::uint64_t> remove(Database& writer, EventTime before, std::size_t limit);

 private:
  // Room for refusals, in ticks of waiting that were saved up.
  std::int64_t saved_ticks_ = kRefusalsAtOnce * EventTime::kTicksPerSecond / kRefusalsPerSecond;
  EventTime last_;
  std::uint64_t left_out_ = 0;
  std::uint64_t left_out_in_all_ = 0;
};

}  // namespace keyvigil
