// Law of engine/external_sort.h: whatever the memory, the output is the twin's.
#include "engine/external_sort.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include <cstdlib>

#include "reference/order_events.h"
#include "reference/order_twin.h"

namespace keyvigil {
namespace {

using reference::make_event;
using reference::SmallEvent;

std::string folder() {
  const char* chosen = std::getenv("TMPDIR");
  return chosen == nullptr ? "/tmp" : chosen;
}

std::vector<std::string> lines_of(const std::vector<AccessEvent>& events) {
  std::vector<std::string> lines;
  for (const AccessEvent& event : events) { lines.push_back(reference::describe(event)); }
  return lines;
}

RC_GTEST_PROP(ExternalSort, GivesTheTwinsSequenceForAnyMemory, ()) {
  const int count = *rc::gen::inRange(0, 300);
  const auto memory = *rc::gen::element<std::size_t>(1, 1500, 20'000, 64 * 1024 * 1024);
  std::vector<AccessEvent> events;
  ExternalSort sort(folder(), memory);
  for (int i = 0; i < count; ++i) {
    const SmallEvent small{*rc::gen::inRange(0, 40), *rc::gen::inRange(0, 2), *rc::gen::inRange(0, 2),
                           *rc::gen::inRange(0, 3),  *rc::gen::inRange(0, 5), *rc::gen::inRange(0, 3)};
    events.push_back(make_event(small));
    RC_ASSERT(sort.add(make_event(small)).has_value());
  }
  RC_ASSERT(sort.finish().has_value());
  std::vector<AccessEvent> sorted;
  AccessEvent event;
  while (true) {
    const auto more = sort.next(event);
    RC_ASSERT(more.has_value());
    if (!*more) { break; }
    sorted.push_back(event);
  }
  RC_ASSERT(lines_of(sorted) == lines_of(reference::ordered_without_duplicates(events)));
  RC_ASSERT(sorted.size() + sort.duplicates() == events.size());
}

TEST(ExternalSort, MergesInSeveralPassesWhenThereAreMoreRunsThanFilesMayBeOpen) {
  ExternalSort sort(folder(), 1);  // a run for every event
  constexpr std::int64_t kCount = 5000;
  for (std::int64_t i = 0; i < kCount; ++i) {
    ASSERT_TRUE(sort.add(make_event({.milliseconds = (i * 7919) % kCount, .correlation = 1})).has_value());
  }
  ASSERT_TRUE(sort.finish().has_value());
  AccessEvent event;
  for (std::int64_t i = 0; i < kCount; ++i) {
    ASSERT_TRUE(sort.next(event).value());
    ASSERT_EQ(event.time.milliseconds(), i);
  }
  EXPECT_FALSE(sort.next(event).value());
  EXPECT_EQ(sort.runs_written(), std::uint64_t{kCount});
}

TEST(ExternalSort, SaysWhichFolderItCouldNotWriteTo) {
  ExternalSort sort("/nonexistent-folder", 1);
  const auto added = sort.add(make_event({}));
  ASSERT_FALSE(added.has_value());
  EXPECT_EQ(added.error().kind, ErrorKind::kNoRoom);
  EXPECT_NE(added.error().message.find("/nonexistent-folder"), std::string::npos);
  EXPECT_NE(added.error().message.find("--tmp"), std::string::npos);
}

}  // namespace
}  // namespace keyvigil
