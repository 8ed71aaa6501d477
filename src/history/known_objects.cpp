#include "history/known_objects.h"

#include <algorithm>

namespace keyvigil {

bool KnownObjects::renew(std::uint32_t object, std::int64_t day, bool confirmed) {
  const auto found = std::ranges::lower_bound(objects_, object, {}, &Object::hash);
  if (found == objects_.end() || found->hash != object) { return false; }
  const auto today = static_cast<std::int32_t>(day);
  if (!is_within(day, found->day)) {
    *found = {object, today, confirmed};
  } else if (confirmed || found->confirmed || day - found->day >= kConfirmedDays) {
    found->confirmed = true;
    found->day = std::max(found->day, today);
  }
  return true;
}

void KnownObjects::add(std::uint32_t object, std::int64_t day, bool confirmed) {
  const auto today = static_cast<std::int32_t>(day);
  if (objects_.size() >= kObjects) {
    std::erase_if(objects_, [&](const Object& other) { return !is_within(day, other.day); });
  }
  if (objects_.size() >= kObjects) {
    refused_day_ = std::max(refused_day_, today);
    return;
  }
  // By quarters: half of what doubling leaves empty would be paid a million times.
  if (objects_.size() == objects_.capacity()) { objects_.reserve(objects_.size() + objects_.size() / 4 + 1); }
  objects_.insert(std::ranges::lower_bound(objects_, object, {}, &Object::hash), {object, today, confirmed});
}

void KnownObjects::forget_all(std::int64_t day) {
  objects_ = {};
  refused_day_ = std::max(refused_day_, static_cast<std::int32_t>(day));
}

bool KnownObjects::contains(std::uint32_t object, std::int64_t day) const {
  const auto found = std::ranges::lower_bound(objects_, object, {}, &Object::hash);
  return found != objects_.end() && found->hash == object && found->confirmed && is_within(day, found->day);
}

bool KnownObjects::is_sound() const {
  return objects_.size() <= kObjects && std::ranges::is_sorted(objects_, std::ranges::less_equal{},
                                                               &Object::hash);  // strictly: less_equal finds equals
}

}  // namespace keyvigil
