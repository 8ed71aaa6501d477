#include "event/canonical.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include "reference/order_events.h"

namespace keyvigil {
namespace {

using reference::make_event;
using reference::SmallEvent;

TEST(CanonicalEvent, DoesNotKnowItsPlaceNorTicksBelowAMillisecond) {
  AccessEvent left = make_event({.milliseconds = 5, .correlation = 1});
  AccessEvent right = left;
  right.place = Place{3, 17, 400};
  right.time.ticks += 9'999;
  EXPECT_TRUE(same_canonical_event(left, right));
  EXPECT_EQ(canonical_hash(left), canonical_hash(right));
  EXPECT_FALSE(CanonicalOrder{}(left, right) || CanonicalOrder{}(right, left));
  right.time.ticks += 1;
  EXPECT_FALSE(same_canonical_event(left, right));
}

TEST(CanonicalEvent, IsTheSameHoweverItsTextBlockIsLaidOut) {
  const AccessEvent left = make_event({.milliseconds = 5, .correlation = 1});
  AccessEvent right = left;
  right.text = "padding" + right.text;
  for (TextSlice& slice : right.slices) { slice.offset = static_cast<std::uint16_t>(slice.offset + 7); }
  EXPECT_TRUE(same_canonical_event(left, right));
  EXPECT_EQ(canonical_hash(left), canonical_hash(right));
  EXPECT_EQ(duplicate_hash(left), duplicate_hash(right));
}

TEST(CanonicalEvent, DiffersByWhatItHolds) {
  const AccessEvent event = make_event({.milliseconds = 5, .correlation = 1});
  AccessEvent other = event;
  other.outcome = Outcome::kDenied;
  EXPECT_FALSE(same_canonical_event(event, other));
  EXPECT_NE(canonical_hash(event), canonical_hash(other));
  EXPECT_EQ(duplicate_hash(event), duplicate_hash(other));
  EXPECT_TRUE(is_duplicate(event, other));
}

TEST(KeyHashes, AreTheSameComputedEarlyOrOnDemand) {
  const AccessEvent event = make_event({.milliseconds = 5, .correlation = 1});
  AccessEvent hashed = event;
  hash_keys(hashed);
  EXPECT_TRUE(hashed.hashes.known);
  EXPECT_EQ(caller_hash(hashed), caller_hash(event));
  EXPECT_EQ(vault_hash(hashed), vault_hash(event));
  EXPECT_EQ(duplicate_hash(hashed), duplicate_hash(event));
  EXPECT_EQ(canonical_hash(hashed), canonical_hash(event));
  EXPECT_NE(caller_hash(event), vault_hash(event));
  // Of an event that changed, they are computed again.
  hashed.time.ticks += EventTime::kTicksPerSecond;
  hash_keys(hashed);
  EXPECT_NE(duplicate_hash(hashed), duplicate_hash(event));
}

TEST(Duplicates, CountCorrelationIdsOnlyWhereBothHaveOne) {
  const AccessEvent one = make_event({.correlation = 1});
  const AccessEvent two = make_event({.correlation = 2});
  const AccessEvent none = make_event({});
  EXPECT_FALSE(is_duplicate(one, two));
  EXPECT_TRUE(is_duplicate(one, none));
  EXPECT_TRUE(is_duplicate(none, two));
  EXPECT_TRUE(CanonicalOrder{}(one, none) && CanonicalOrder{}(two, none));  // a filter of neighbours needs it
}

TEST(Duplicates, CompareUnknownOperationsWithoutCase) {
  const AccessEvent upper = make_event({.operation = 3});
  const AccessEvent lower = make_event({.operation = 4});
  EXPECT_TRUE(is_duplicate(upper, lower));
  EXPECT_EQ(duplicate_hash(upper), duplicate_hash(lower));
  EXPECT_FALSE(same_canonical_event(upper, lower));
  EXPECT_FALSE(is_duplicate(upper, make_event({.operation = 0})));
}

SmallEvent any_small_event() {
  return SmallEvent{*rc::gen::inRange(0, 2), *rc::gen::inRange(0, 2), *rc::gen::inRange(0, 2),
                    *rc::gen::inRange(0, 3), *rc::gen::inRange(0, 5), *rc::gen::inRange(0, 2)};
}

RC_GTEST_PROP(CanonicalOrder, IsAStrictOrderWhoseTiesAreTheSameEvent, ()) {
  const AccessEvent a = make_event(any_small_event());
  const AccessEvent b = make_event(any_small_event());
  const AccessEvent c = make_event(any_small_event());
  const CanonicalOrder less;
  RC_ASSERT(!less(a, a));
  RC_ASSERT(!(less(a, b) && less(b, a)));
  RC_ASSERT(!(less(a, b) && less(b, c)) || less(a, c));
  RC_ASSERT((!less(a, b) && !less(b, a)) == same_canonical_event(a, b));
}

RC_GTEST_PROP(EventBytes, ComeBackAsTheyWereAndAreRefusedWhenCut, ()) {
  AccessEvent event = make_event(any_small_event());
  event.place = Place{1, 2, 3};
  std::string bytes;
  append_event(bytes, event);
  const std::size_t size = bytes.size();
  append_event(bytes, event);
  std::string_view left = bytes;
  AccessEvent back;
  RC_ASSERT(read_event(left, back));
  RC_ASSERT(left.size() == size);
  RC_ASSERT(same_canonical_event(event, back));
  RC_ASSERT(back.time == event.time);
  RC_ASSERT(back.place.line == 2U);
  const auto cut = static_cast<std::size_t>(*rc::gen::inRange<int>(0, static_cast<int>(size)));
  std::string_view truncated = std::string_view(bytes).substr(0, cut);
  RC_ASSERT(!read_event(truncated, back));
}

TEST(EventBytes, AreRefusedWhenASlicePointsOutsideTheText) {
  AccessEvent event = make_event({});
  event.slices[0] = TextSlice{0, static_cast<std::uint16_t>(event.text.size() + 1)};
  std::string bytes;
  append_event(bytes, event);
  std::string_view left = bytes;
  AccessEvent back;
  EXPECT_FALSE(read_event(left, back));
}

}  // namespace
}  // namespace keyvigil
