#include "engine/decided_events.h"

#include <algorithm>
#include <iterator>

#include "base/hash.h"

namespace keyvigil {
namespace {

constexpr unsigned kCorrelationBits = 16;
constexpr std::uint64_t kCorrelationMask = (std::uint64_t{1} << kCorrelationBits) - 1;

// The part that time and hash give; the rest is 0.
std::uint64_t mark_of(std::int64_t milliseconds, std::uint64_t hash) {
  constexpr std::uint64_t kOdd = 0x9E3779B97F4A7C15;
  const std::uint64_t mixed = (hash ^ (static_cast<std::uint64_t>(milliseconds) * kOdd)) * kOdd;
  return (mixed ^ (mixed >> 32U)) & ~kCorrelationMask;
}

// 0: the event has none.
std::uint64_t correlation_of(const AccessEvent& event) {
  return event.correlation_id().empty() ? 0 : 1 + hash64(event.correlation_id()) % kCorrelationMask;
}

}  // namespace

void DecidedEvents::Span::sort() const {
  const auto middle = marks.begin() + static_cast<std::ptrdiff_t>(sorted);
  std::sort(middle, marks.end());
  std::inplace_merge(marks.begin(), middle, marks.end());
  sorted = marks.size();
}

bool DecidedEvents::Span::contains(std::uint64_t mark, std::uint64_t correlation) const {
  // What came since is looked through one by one, so that many look-ups between many arrivals stay cheap.
  constexpr std::size_t kMostUnsorted = 512;
  if (marks.size() - sorted > kMostUnsorted) { sort(); }
  const auto matches = [&](std::uint64_t other) {
    const std::uint64_t of_other = other & kCorrelationMask;
    return (other & ~kCorrelationMask) == mark && (correlation == 0 || of_other == 0 || of_other == correlation);
  };
  const auto middle = marks.begin() + static_cast<std::ptrdiff_t>(sorted);
  for (auto at = std::lower_bound(marks.begin(), middle, mark); at != middle; ++at) {
    if ((*at & ~kCorrelationMask) != mark) { break; }
    if (matches(*at)) { return true; }
  }
  return std::any_of(middle, marks.end(), matches);
}

bool DecidedEvents::take_up() {
  size_ = 0;
  for (auto& [start, span] : spans_) {
    if (span.marks.empty() || !std::is_sorted(span.marks.begin(), span.marks.end())) { return false; }
    span.sorted = span.marks.size();
    size_ += span.marks.size();
  }
  return true;
}

void DecidedEvents::remember(const AccessEvent& event, std::int64_t milliseconds, std::uint64_t hash) {
  if (limit_ == 0 || milliseconds < known_from_) { return; }
  const std::int64_t key = milliseconds >> kSpanBits;
  // Nearly every event belongs to the newest span, or begins the next.
  auto place = spans_.empty() ? spans_.end() : std::prev(spans_.end());
  if (place == spans_.end() || place->first != key) {
    if (place != spans_.end() && place->first < key) { place->second.marks.shrink_to_fit(); }
    place = spans_.try_emplace(key).first;
  }
  place->second.marks.push_back(mark_of(milliseconds, hash) | correlation_of(event));
  ++size_;
  newest_ = std::max(newest_, milliseconds);
  while (size_ + spans_.size() * kSpanCostInMarks > limit_ && !spans_.empty()) { forget_oldest(); }
}

void DecidedEvents::forget_oldest() {
  const auto oldest = spans_.begin();
  known_from_ = (oldest->first + 1) << kSpanBits;
  size_ -= oldest->second.marks.size();
  forgotten_ += oldest->second.marks.size();
  spans_.erase(oldest);
}

bool DecidedEvents::contains_duplicate_of(const AccessEvent& event, std::int64_t milliseconds,
                                          std::uint64_t hash) const {
  const auto span = spans_.find(milliseconds >> kSpanBits);
  return span != spans_.end() && span->second.contains(mark_of(milliseconds, hash), correlation_of(event));
}

}  // namespace keyvigil
