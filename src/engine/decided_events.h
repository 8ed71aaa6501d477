// DecidedEvents: which events were decided, as hashes, so that a copy is known as one however late it comes.
//
// Eight bytes an event: 48 bits of its time and hash, 16 of its correlation id. A late event that is none of them is
// taken for one of them once in 2^48 for each event of its quarter of an hour; one that differs from a decided one in
// the correlation id alone, once in 65,535. Bounded: the oldest times are forgotten first and counted, and known_from()
// says up to where. A look-up is made for late events only. Equal events give equal bytes, in whatever order they came.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <map>
#include <tuple>
#include <vector>

#include "event/access_event.h"

namespace keyvigil {

class DecidedEvents {
 public:
  static constexpr std::int64_t kAll = std::numeric_limits<std::int64_t>::min();

  // `limit`: about so many events; 0: nothing is remembered.
  explicit DecidedEvents(std::size_t limit) : limit_(limit) {}

  // `milliseconds` and `hash` (duplicate_hash) are those of the event.
  void remember(const AccessEvent& event, std::int64_t milliseconds, std::uint64_t hash);
  [[nodiscard]] bool contains_duplicate_of(const AccessEvent& event, std::int64_t milliseconds,
                                           std::uint64_t hash) const;
  // Of what is older, it is no longer known whether it was decided. Milliseconds of event time.
  [[nodiscard]] std::int64_t known_from() const { return known_from_; }
  // The time of the youngest that was ever remembered.
  [[nodiscard]] std::int64_t newest() const { return newest_; }
  [[nodiscard]] std::uint64_t size() const { return size_; }
  [[nodiscard]] std::uint64_t forgotten() const { return forgotten_; }

  auto fields() {
    for (auto& [start, span] : spans_) { span.sort(); }
    return std::tie(spans_, known_from_, newest_, forgotten_);
  }
  // After reading: false where it is damaged.
  [[nodiscard]] bool take_up();

 private:
  static constexpr unsigned kSpanBits = 20;            // milliseconds of a span: 17.5 minutes
  static constexpr std::size_t kSpanCostInMarks = 16;  // what a span takes beside its marks

  // The order of the marks is no part of what is known: it is changed by look-ups.
  struct Span {
    mutable std::vector<std::uint64_t> marks;
    mutable std::size_t sorted = 0;  // so many from the front
    void sort() const;
    [[nodiscard]] bool contains(std::uint64_t mark, std::uint64_t correlation) const;
    auto fields() { return std::tie(marks); }
  };

  void forget_oldest();

  std::size_t limit_;
  std::map<std::int64_t, Span> spans_;
  std::int64_t known_from_ = kAll;
  std::int64_t newest_ = kAll;
  std::uint64_t size_ = 0;
  std::uint64_t forgotten_ = 0;
};

}  // namespace keyvigil
