#include "serve/vault_rhythm.h"

#include <algorithm>

namespace keyvigil {
namespace {

constexpr std::int64_t kLongestPauses = 3;  // a silence is longer than so many
constexpr std::int64_t kLimitsKnown = 4;    // and was not seen for as long as so many of these

bool deletes_vault(const AccessEvent& event) {
  return event.operation_name() == "VaultDelete" && event.outcome == Outcome::kSuccess;
}

}  // namespace

std::int64_t VaultRhythm::Pace::limit_ticks() const {
  return std::max(kLongestPauses * longest_ticks, kLeastTicks);
}

bool VaultRhythm::Pace::is_known() const {
  return newest_ticks - first_ticks >= std::max(kLimitsKnown * limit_ticks(), kKnownTicks);
}

void VaultRhythm::see(const AccessEvent& event) {
  newest_ticks_ = std::max(newest_ticks_, event.time.ticks);
  const std::uint64_t vault = vault_hash(event);
  const auto known = vaults_.find(vault);
  if (deletes_vault(event)) {
    if (known != vaults_.end()) { vaults_.erase(known); }
    return;
  }
  if (known == vaults_.end()) {
    if (make_room()) {
      vaults_.emplace(vault, Pace{event.time.ticks, event.time.ticks, 0});
    } else {
      ++left_out_;
    }
    return;
  }
  Pace& pace = known->second;
  std::int64_t pause_ticks = event.time.ticks - pace.newest_ticks;
  if (pace.is_known() && pause_ticks > pace.limit_ticks()) {
    pause_ticks = 2 * std::max(pace.longest_ticks, kLeastTicks / kLongestPauses);
  }
  pace.longest_ticks = std::max(pace.longest_ticks, pause_ticks);
  pace.newest_ticks = std::max(pace.newest_ticks, event.time.ticks);
}

// Those that are known for long stay: a flood of made-up vaults pushes nobody out.
bool VaultRhythm::make_room() {
  if (vaults_.size() < kVaultsLimit) { return true; }
  const std::int64_t today = EventTime{newest_ticks_}.day();
  if (today == cleared_day_) { return false; }
  cleared_day_ = today;
  std::erase_if(vaults_, [this](const auto& one) {
    const Pace& pace = one.second;
    const std::int64_t pause_ticks = newest_ticks_ - pace.newest_ticks;
    return pause_ticks > pace.limit_ticks() + kToldTicks || (!pace.is_known() && pause_ticks > EventTime::kTicksPerDay);
  });
  return vaults_.size() < kVaultsLimit;
}

std::vector<VaultRhythm::Silence> VaultRhythm::silent() const {
  std::vector<Silence> silent;
  for (const auto& [vault, pace] : vaults_) {
    const std::int64_t pause_ticks = newest_ticks_ - pace.newest_ticks;
    const std::int64_t over_ticks = pause_ticks - pace.limit_ticks();
    if (over_ticks <= 0 || over_ticks > kToldTicks || !pace.is_known()) { continue; }
    silent.push_back({vault, EventTime{pace.newest_ticks}, pause_ticks, pace.longest_ticks});
  }
  std::ranges::sort(silent, {}, [](const Silence& one) { return std::pair(one.last.ticks, one.vault); });
  return silent;
}

}  // namespace keyvigil
