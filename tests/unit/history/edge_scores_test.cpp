#include "history/edge_scores.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <cmath>
#include <deque>

#include "base/snapshot.h"

namespace keyvigil {
namespace {

std::string saved(const EdgeScores& scores) {
  SnapshotWriter writer;
  writer.write(scores);
  return writer.bytes();
}

TEST(EdgeScores, AssumesAtFirstThatMostFirstEdgesAreNear) {
  const EdgeScores scores;
  EXPECT_NEAR(scores.surprise(-5), 1.0 / 41, 1e-12);
  EXPECT_NEAR(scores.surprise(0.5), 21.0 / 41, 1e-12);
  EXPECT_EQ(scores.surprise(9), 1);
}

TEST(EdgeScores, RanksAnEdgeAmongPastOnes) {
  EdgeScores scores(0);
  for (const double score : {-9.2, -8.1, -7.7, -7.0, -6.8, -6.1, -5.9, -5.5, -5.0, -4.4, -4.1, -3.9, -3.3, -3.0, -2.8,
                             -2.2, -1.9, -1.1, -0.6}) {
    scores.learn(score);
  }
  EXPECT_EQ(scores.surprise(-10), 1) << "an hour that is not closed yet must not be seen";
  scores.close_hour();
  EXPECT_NEAR(scores.surprise(-10), 0.05, 1e-12);
  EXPECT_NEAR(scores.surprise(-7.3), 0.2, 1e-12);
  EXPECT_NEAR(scores.surprise(-5.0), 0.475, 1e-12);
  EXPECT_NEAR(scores.surprise(-0.1), 1, 1e-12);
}

TEST(EdgeScores, ForgetsTheOldestBeyondItsBound) {
  EdgeScores scores(0);
  for (std::size_t i = 0; i < EdgeScores::kEdges; ++i) { scores.learn(-5); }
  scores.close_hour();
  for (std::size_t i = 0; i < EdgeScores::kEdges; ++i) { scores.learn(5); }
  scores.close_hour();
  EXPECT_EQ(scores.size(), EdgeScores::kEdges);
  EXPECT_NEAR(scores.surprise(0), 1.0 / (EdgeScores::kEdges + 1), 1e-12);
}

TEST(EdgeScores, AFloodWithinAnHourIsBoundedAndCountedAndCannotLowerTheBar) {
  EdgeScores scores;
  for (std::size_t i = 0; i < EdgeScores::kEdges; ++i) { scores.learn(-1); }
  for (int i = 0; i < 500; ++i) { scores.learn(-50); }
  scores.close_hour();
  EXPECT_EQ(scores.left_out(), 500);
  EXPECT_LT(scores.surprise(-20), 0.001);
}

TEST(EdgeScores, DamagedStateIsForgotten) {
  EdgeScores scores(0);
  scores.learn(-1);
  scores.close_hour();
  std::string bytes = saved(scores);
  bytes[8 + 8 + 7] = '\x7f';  // the first score becomes not a number
  bytes[8 + 8 + 6] = '\xf8';
  EdgeScores other(0);
  SnapshotReader reader(bytes);
  ASSERT_TRUE(reader.read(other));
  EXPECT_FALSE(other.settle());
  EXPECT_EQ(other.size(), 0);
  EXPECT_EQ(other.surprise(100), 1);
}

// The slow twin keeps every closed hour's scores and sorts the newest kEdges at each question.
RC_GTEST_PROP(EdgeScores, EqualsASlowTwinAndDoesNotSeeTheOrderWithinAnHour, ()) {
  const auto hours = *rc::gen::container<std::vector<std::vector<int>>>(
      rc::gen::container<std::vector<int>>(rc::gen::inRange(-20, 5)));
  EdgeScores forwards(0);
  EdgeScores backwards(0);
  std::deque<double> twin;
  for (const std::vector<int>& hour : hours) {
    for (const int score : hour) { forwards.learn(score); }
    for (auto score = hour.rbegin(); score != hour.rend(); ++score) { backwards.learn(*score); }
    forwards.close_hour();
    backwards.close_hour();
    std::vector<int> sorted = hour;
    std::sort(sorted.begin(), sorted.end());
    twin.insert(twin.end(), sorted.begin(), sorted.end());
    while (twin.size() > EdgeScores::kEdges) { twin.pop_front(); }
  }
  const double asked = *rc::gen::inRange(-21, 6);
  double rank = 1;
  for (const double score : twin) { rank += score < asked ? 1 : (score == asked ? 0.5 : 0); }
  const double expected = std::min(1.0, rank / (static_cast<double>(twin.size()) + 1));
  RC_ASSERT(std::abs(forwards.surprise(asked) - expected) < 1e-12);
  RC_ASSERT(saved(forwards) == saved(backwards));
}

RC_GTEST_PROP(EdgeScores, SaveLoadSaveGivesTheSameBytes, ()) {
  EdgeScores scores;
  for (const int score : *rc::gen::container<std::vector<int>>(rc::gen::inRange(-20, 5))) { scores.learn(score); }
  if (*rc::gen::arbitrary<bool>()) { scores.close_hour(); }
  scores.learn(-3);
  const std::string bytes = saved(scores);
  EdgeScores loaded;
  SnapshotReader reader(bytes);
  RC_ASSERT(reader.read(loaded) && reader.at_end() && loaded.settle());
  RC_ASSERT(saved(loaded) == bytes);
  RC_ASSERT(loaded.surprise(-3) == scores.surprise(-3));
}

}  // namespace
}  // namespace keyvigil
