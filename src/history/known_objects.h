// KnownObjects: which objects one caller has read lately, so that a read of what it never read before can be told.
//
// An object is known for kDays after it was read last. One that was read while an alert was raised is unconfirmed: it
// is known once it is read again kConfirmedDays later or more, as an edge of the AccessGraph is. Exact to kObjects;
// where one found no room, knows_all() says no for kDays, and whoever asks must not take an unknown object for a new
// one. Objects are hashes over vault and name. 32 bytes, and at most 15 an object. How many all callers keep together
// is bounded by the owner (EstateHistoryLimits::known_objects), who tells some to forget. Threads: one owner.
#pragma once

#include <cstddef>
#include <cstdint>
#include <tuple>
#include <vector>

namespace keyvigil {

class KnownObjects {
 public:
  static constexpr std::size_t kObjects = 256;
  static constexpr std::int32_t kDays = 90;
  static constexpr std::int32_t kConfirmedDays = 1;

  // A read, in two halves for whoever has to make room between them: of an object that is kept (else false, and nothing
  // happens), and of one that is not. `day`: as EventTime::day(); late ones never make an object older.
  bool renew(std::uint32_t object, std::int64_t day, bool confirmed);
  void add(std::uint32_t object, std::int64_t day, bool confirmed);
  [[nodiscard]] bool contains(std::uint32_t object, std::int64_t day) const;
  // For want of room elsewhere: knows_all() says no for kDays from this day on.
  void forget_all(std::int64_t day);
  [[nodiscard]] std::size_t size() const { return objects_.size(); }
  [[nodiscard]] bool knows_all(std::int64_t day) const { return !is_within(day, refused_day_); }

  auto fields() { return std::tie(objects_, refused_day_); }
  [[nodiscard]] bool is_sound() const;

 private:
  static constexpr std::int32_t kNever = INT32_MIN / 2;
  struct Object {
    std::uint32_t hash = 0;
    std::int32_t day = 0;  // read last; where unconfirmed, first
    bool confirmed = false;
    auto fields() { return std::tie(hash, day, confirmed); }
  };
  [[nodiscard]] static bool is_within(std::int64_t day, std::int32_t since) { return day - since < kDays; }
  std::vector<Object> objects_;  // by hash
  std::int32_t refused_day_ = kNever;
};

}  // namespace keyvigil
