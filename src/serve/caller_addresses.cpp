#include "serve/caller_addresses.h"

#include <algorithm>

#include "base/hash.h"

namespace keyvigil {

void CallerAddresses::see(const AccessEvent& event) {
  if (!event.address.known || event.caller_key().empty()) { return; }
  newest_ticks_ = std::max(newest_ticks_, event.time.ticks);
  const std::uint64_t caller = hash64(event.caller_key());
  const auto known = callers_.find(caller);
  if (known != callers_.end()) {
    if (event.time.ticks >= known->second.ticks) {
      known->second = {event.time.ticks, event.address.high, event.address.low};
    }
    return;
  }
  if (EventTime{newest_ticks_}.day() != cleared_day_) {
    cleared_day_ = EventTime{newest_ticks_}.day();
    std::erase_if(callers_, [this](const auto& item) {
      return !EventTime{newest_ticks_}.is_within(kDays * EventTime::kTicksPerDay, item.second.ticks);
    });
  }
  if (callers_.size() >= kCallersLimit) { return; }
  callers_.emplace(caller, Place{event.time.ticks, event.address.high, event.address.low});
}

std::vector<ListReach> CallerAddresses::reach_of(const AddressBook& book) const {
  std::vector<ListReach> reach(book.lists().size());
  std::vector<std::uint64_t> last_caller(reach.size());  // a caller counts once, however many entries match
  std::uint64_t callers = 0;
  for (const auto& [caller, place] : callers_) {
    if (!EventTime{newest_ticks_}.is_within(kDays * EventTime::kTicksPerDay, place.ticks)) { continue; }
    ++callers;
    IpAddress address;
    address.high = place.high;
    address.low = place.low;
    address.known = true;
    const EventTime at{place.ticks};
    for (const std::uint32_t entry : book.look_up(address, at).entries) {
      const ListMatch match = book.match(entry);
      if (match.list->role == ListRole::kServiceTags || !is_valid_at(*match.entry, at)) { continue; }
      const auto list = static_cast<std::size_t>(match.list - book.lists().data());
      if (last_caller[list] == callers) { continue; }
      last_caller[list] = callers;
      ++reach[list].matched;
    }
  }
  for (std::size_t i = 0; i < reach.size(); ++i) {
    reach[i].list = book.lists()[i].file;
    reach[i].callers = callers;
  }
  return reach;
}

}  // namespace keyvigil
