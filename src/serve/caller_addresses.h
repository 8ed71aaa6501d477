// CallerAddresses: from where the callers of the last seven days came, to try a new threat list on before it is put in
// force.
//
// One address a caller: that of its newest event. At most kCallersLimit; beyond it new callers are not looked at.
// Serialisable: fields(). Threads: one owner.
#pragma once

#include <cstdint>
#include <map>
#include <tuple>
#include <vector>

#include "base/event_time.h"
#include "base/ip_address.h"
#include "event/access_event.h"
#include "intel/address_book.h"
#include "intel/list_reach.h"

namespace keyvigil {

class CallerAddresses {
 public:
  static constexpr std::size_t kCallersLimit = 200'000;
  static constexpr std::int64_t kDays = 7;

  void see(const AccessEvent& event);
  // Of the callers seen within seven days before the newest event. Service tags are no threat, and left out.
  [[nodiscard]] std::vector<ListReach> reach_of(const AddressBook& book) const;

  [[nodiscard]] std::size_t size() const { return callers_.size(); }

  auto fields() { return std::tie(callers_, newest_ticks_, cleared_day_); }

 private:
  struct Place {
    std::int64_t ticks = 0;
    std::uint64_t high = 0;  // of the address
    std::uint64_t low = 0;
    auto fields() { return std::tie(ticks, high, low); }
  };

  std::map<std::uint64_t, Place> callers_;  // by hash
  std::int64_t newest_ticks_ = 0;
  std::int64_t cleared_day_ = 0;
};

}  // namespace keyvigil
