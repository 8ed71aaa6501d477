#include "history/known_objects.h"

#include <algorithm>

namespace keyvigil {

void KnownObjects::learn(std::uint32_t object, std::int64_t day, bool confirmed) {
  const Object read{object, static_cast<std::int32_t>(day), confirmed};
  const auto found = std::ranges::lower_bound(objects_, object, {}, &Object::hash);
  if (found == objects_.end() || found->hash != object) {
    add(read);
  } else if (!is_within(day, found->day)) {
    *found = read;
  } else if (confirmed || found->confirmed || day - found->day >= kConfirmedDays) {
    found->confirmed = true;
    found->day = std::max(found->day, read.day);
  }
}

void KnownObjects::add(const Object& object) {
  if (objects_.size() >= kObjects) {
    std::erase_if(objects_, [&](const Object& other) { return !is_within(object.day, other.day); });
  }
  if (objects_.size() >= kObjects) {
    refused_day_ = std::max(refused_day_, object.day);
    return;
  }
  objects_.insert(std::ranges::lower_bound(objects_, object.hash, {}, &Object::hash), object);
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
