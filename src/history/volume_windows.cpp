#include "history/volume_windows.h"

#include <algorithm>
#include <cmath>

namespace keyvigil {
namespace {

constexpr std::size_t kHour = static_cast<std::size_t>(VolumeWindow::kHour);
constexpr std::size_t kDay = static_cast<std::size_t>(VolumeWindow::kDay);
constexpr auto kOperations = static_cast<std::size_t>(VolumeMeasure::kOperations);
constexpr auto kReads = static_cast<std::size_t>(VolumeMeasure::kCredentialReads);
constexpr auto kDistinct = static_cast<std::size_t>(VolumeMeasure::kDistinctObjects);
constexpr double kMostCount = 4e9;

std::uint32_t first_check(const CountTail& usual) {
  const double above = std::floor(CountTail::kRecordMargin * usual.largest) + 1;
  return static_cast<std::uint32_t>(std::clamp(above, VolumeWindows::kLeastCount, kMostCount));
}

}  // namespace

void VolumeWindows::add(const VolumeSample& sample, bool of_vault, const VolumeParents& parents,
                        std::vector<VolumeFact>& facts) {
  count(kOperations, kHour, sample, of_vault, parents, facts);
  count(kOperations, kDay, sample, of_vault, parents, facts);
  if (!sample.credential_read) { return; }
  count(kReads, kHour, sample, of_vault, parents, facts);
  count(kReads, kDay, sample, of_vault, parents, facts);
  if (sample.object == 0) { return; }
  const auto place = std::ranges::lower_bound(objects_, sample.object, {}, &Object::hash);
  if (place != objects_.end() && place->hash == sample.object) {
    if (place->this_hour) { return; }
    place->this_hour = true;
    count(kDistinct, kHour, sample, of_vault, parents, facts);
    return;
  }
  if (objects_.size() >= kObjects) { return; }
  objects_.insert(place, Object{sample.object, true});
  count(kDistinct, kHour, sample, of_vault, parents, facts);
  count(kDistinct, kDay, sample, of_vault, parents, facts);
}

void VolumeWindows::count(std::size_t measure, std::size_t window, const VolumeSample& sample, bool of_vault,
                          const VolumeParents& parents, std::vector<VolumeFact>& facts) {
  Counter& counter = counters_[measure][window];
  if (counter.count == UINT32_MAX) { return; }
  if (counter.count == 0) { counter.next_check = first_check(counter.usual); }
  ++counter.count;
  counter.untaught += sample.throttled ? 1U : 0U;
  if (counter.count < counter.next_check) { return; }
  counter.next_check = counter.count + std::max(1U, counter.count / 4);
  const CountParent& parent = parents[measure][window];
  facts.push_back(VolumeFact{.of_vault = of_vault,
                             .measure = static_cast<VolumeMeasure>(measure),
                             .window = static_cast<VolumeWindow>(window),
                             .count = static_cast<double>(counter.count),
                             .usual = counter.usual.mean(parent, 1) + 1,
                             .dispersion = counter.usual.dispersion(parent, 1),
                             .largest = counter.usual.largest,
                             .windows = counter.usual.windows});
}

void VolumeWindows::close_counter(std::size_t measure, VolumeWindow window, const VolumeParents& parents) {
  const auto at = static_cast<std::size_t>(window);
  Counter& counter = counters_[measure][at];
  if (const double count = taught(counter); count > 0) { counter.usual.learn(count, parents[measure][at], 1); }
  counter.count = 0;
  counter.untaught = 0;
}

void VolumeWindows::forget_objects(VolumeWindow window) {
  if (window == VolumeWindow::kDay) { objects_.clear(); }
  for (Object& object : objects_) { object.this_hour = false; }
}

}  // namespace keyvigil
