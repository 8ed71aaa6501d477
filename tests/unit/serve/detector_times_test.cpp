#include "serve/detector_times.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "reference/event_builder.h"

namespace keyvigil {
namespace {

TEST(DetectorTimes, AreEstimatedFromOneDecisionInMany) {
  DetectorTimes times;
  const AccessEvent event = EventBuilder().user("alice").build();
  const Facts facts;
  const Observation seen{event, {}, facts};
  const auto is_known = [&] { return std::ranges::any_of(times.seconds(), [](double time) { return time > 0; }); };
  for (std::uint32_t i = 1; i < DetectorTimes::kOneIn; ++i) { times.see(seen); }
  EXPECT_FALSE(is_known());
  times.see(seen);
  EXPECT_TRUE(is_known());
  const auto before = times.seconds();
  for (std::uint32_t i = 0; i < 2 * DetectorTimes::kOneIn; ++i) { times.see(seen); }
  for (std::size_t type = 0; type < before.size(); ++type) { EXPECT_GE(times.seconds()[type], before[type]); }
}

}  // namespace
}  // namespace keyvigil
