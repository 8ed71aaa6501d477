#include "history/volume_windows.h"

#include <gtest/gtest.h>

#include <vector>

namespace keyvigil {
namespace {

constexpr VolumeSample kPlain = {};

VolumeSample read_of(std::uint32_t object) {
  return {.credential_read = true, .object = object, .throttled = false};
}

class VolumeWindowsTest : public testing::Test {
 protected:
  std::vector<VolumeFact> add(const VolumeSample& sample, int times = 1) {
    facts_.clear();
    for (int i = 0; i < times; ++i) { windows_.add(sample, false, parents_, facts_); }
    return facts_;
  }
  double close(VolumeWindow window, VolumeMeasure measure = VolumeMeasure::kOperations) {
    double learned = 0;
    windows_.close(window, parents_, [&](std::size_t at, std::size_t, double count, const CountTail&) {
      if (at == static_cast<std::size_t>(measure)) { learned = count; }
    });
    return learned;
  }

  // The first ones teach only up to a bound.
  void learn_hours_of_forty() {
    for (int hour = 0; hour < 6; ++hour) {
      (void)add(kPlain, 40);
      EXPECT_EQ(close(VolumeWindow::kHour), 40);
    }
  }

  VolumeWindows windows_;
  VolumeParents parents_{};
  std::vector<VolumeFact> facts_;
};

TEST_F(VolumeWindowsTest, SaysNothingWithinAQuarterAboveTheRecord) {
  learn_hours_of_forty();
  for (const VolumeFact& fact : add(kPlain, 50)) { EXPECT_EQ(fact.window, VolumeWindow::kDay); }
}

TEST_F(VolumeWindowsTest, SpeaksOnceTheRecordIsPassedByAQuarterAndThenWithEachQuarter) {
  learn_hours_of_forty();
  std::vector<double> counts;
  for (const VolumeFact& fact : add(kPlain, 100)) {
    if (fact.window == VolumeWindow::kHour) { counts.push_back(fact.count); }
  }
  EXPECT_EQ(counts, (std::vector<double>{51, 63, 78, 97}));
  EXPECT_EQ(facts_.front().measure, VolumeMeasure::kOperations);
  EXPECT_GT(facts_.front().usual, 1);
}

TEST_F(VolumeWindowsTest, CountsAnObjectOnceAnHourAndOnceADay) {
  for (int round = 0; round < 5; ++round) {
    for (std::uint32_t object = 1; object <= 3; ++object) { (void)add(read_of(object)); }
  }
  EXPECT_EQ(close(VolumeWindow::kHour, VolumeMeasure::kDistinctObjects), 3);
  (void)add(read_of(2));
  (void)add(read_of(9));
  EXPECT_EQ(close(VolumeWindow::kHour, VolumeMeasure::kDistinctObjects), 2);
  EXPECT_EQ(close(VolumeWindow::kDay, VolumeMeasure::kDistinctObjects), 4);
  (void)add(read_of(2));
  EXPECT_EQ(close(VolumeWindow::kDay, VolumeMeasure::kDistinctObjects), 1);
}

TEST_F(VolumeWindowsTest, StopsCountingObjectsAtItsBound) {
  for (std::uint32_t object = 1; object <= 1000; ++object) { (void)add(read_of(object)); }
  EXPECT_EQ(close(VolumeWindow::kDay, VolumeMeasure::kDistinctObjects), VolumeWindows::kObjects);
}

TEST_F(VolumeWindowsTest, ThrottledRequestsCountAndDoNotTeach) {
  VolumeSample throttled;
  throttled.throttled = true;
  EXPECT_FALSE(add(throttled, 30).empty());
  (void)add(kPlain, 5);
  EXPECT_EQ(close(VolumeWindow::kHour), 5);
  (void)add(throttled, 30);
  EXPECT_EQ(close(VolumeWindow::kHour), 0);
}

}  // namespace
}  // namespace keyvigil
