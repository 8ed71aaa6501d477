#include "history/network_visits.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include <string>
#include <vector>

#include "base/snapshot.h"

namespace keyvigil {
namespace {

constexpr NetworkVisits::Caller kUser = {.hash = 1, .caller_class = CallerClass::kUser};
constexpr NetworkVisits::Caller kNewUser = {.hash = 2, .caller_class = CallerClass::kUser, .is_new = true};
constexpr NetworkVisits::Caller kApp = {.hash = 3, .caller_class = CallerClass::kApp};

EventTime at(int day, int minute = 0) {
  return {day * EventTime::kTicksPerDay + minute * EventTime::kTicksPerMinute};
}

NetworkVisits::Caller with_hash(NetworkVisits::Caller caller, std::uint64_t hash) {
  caller.hash = hash;
  return caller;
}

class NetworkVisitsTest : public testing::Test {
 protected:
  void SetUp() override {
    visits_.close_hour(0, false);
    end_of_day(9);  // settled
  }
  std::optional<NetworkVisit> arrive(const NetworkVisits::Caller& caller, EventTime time, std::uint64_t network = 7,
                                     std::uint64_t others = 0, std::uint32_t networks_today = 1) {
    NetworkVisits::Request request{.network = network, .at = time, .arrival = {}};
    request.arrival = {others, others == 0, networks_today};
    return visits_.observe(caller, request);
  }
  std::optional<NetworkVisit> read(const NetworkVisits::Caller& caller, EventTime time, std::uint32_t object,
                                   std::uint64_t network = 7) {
    return visits_.observe(caller, {.network = network, .at = time, .arrival = {}, .object = object});
  }
  std::optional<NetworkVisit> list(const NetworkVisits::Caller& caller, EventTime time) {
    return visits_.observe(caller, {.network = 7, .at = time, .arrival = {}, .list = true});
  }
  std::optional<NetworkVisit> from_elsewhere(const NetworkVisits::Caller& caller, EventTime time,
                                             bool managed_identity = false) {
    NetworkVisits::Request request{.network = 7, .at = time, .arrival = {}};
    request.arrival = NetworkVisits::Arrival{};
    request.from_elsewhere = true;
    request.managed_identity = managed_identity;
    return visits_.observe(caller, request);
  }
  // Of the days before `day`, each visit is over.
  void end_of_day(int day) { visits_.close_hour(day * 24, true); }

  NetworkVisits visits_;
};

TEST_F(NetworkVisitsTest, CountsDistinctReadsFromThatNetworkForADay) {
  EXPECT_FALSE(read(kUser, at(10), 5)) << "a network that is known";
  arrive(kUser, at(10));
  EXPECT_TRUE(read(kUser, at(10, 1), 5));
  EXPECT_FALSE(read(kUser, at(10, 2), 5)) << "the same again";
  EXPECT_FALSE(read(kUser, at(10, 3), 6, 8)) << "from elsewhere";
  const auto visit = read(kUser, at(10, 4), 9);
  ASSERT_TRUE(visit);
  EXPECT_EQ(visit->reads, 2);
  EXPECT_FALSE(visit->listed);
  EXPECT_EQ(visit->since_ticks, at(10).ticks);
  EXPECT_TRUE(list(kUser, at(10, 5))->listed);
  EXPECT_TRUE(read(kUser, at(10, 1439), 11));
  EXPECT_FALSE(read(kUser, at(11), 12)) << "24 hours later";
}

TEST_F(NetworkVisitsTest, CountsNoMoreObjectsThanThereIsRoomFor) {
  arrive(kUser, at(10));
  double most = 0;
  for (std::uint32_t object = 1; object <= 100; ++object) {
    if (const auto visit = read(kUser, at(10, 1), object)) { most = visit->reads; }
  }
  EXPECT_EQ(most, NetworkVisits::kObjects);
}

// Three visits: none, one and two reads, the last one after a list.
TEST_F(NetworkVisitsTest, AreComparedWithVisitsOfTheClass) {
  arrive(with_hash(kUser, 11), at(10));
  arrive(with_hash(kUser, 12), at(10));
  read(with_hash(kUser, 12), at(10, 1), 5);
  arrive(with_hash(kUser, 13), at(10));
  list(with_hash(kUser, 13), at(10, 1));
  read(with_hash(kUser, 13), at(10, 2), 5);
  read(with_hash(kUser, 13), at(10, 3), 6);
  arrive(kNewUser, at(10));
  end_of_day(12);
  auto visit = arrive(kUser, at(12));
  EXPECT_NEAR(visit->visits.all, 3, 1e-9) << "new callers are compared with new ones";
  EXPECT_NEAR(visit->visits.with_as_many, 3, 1e-9);
  visit = read(kUser, at(12, 1), 1);
  EXPECT_NEAR(visit->visits.with_as_many, 2, 1e-9);
  visit = list(kUser, at(12, 2));
  EXPECT_NEAR(visit->visits.with_as_many, 1, 1e-9) << "after a list, with a list";
  EXPECT_NEAR(visit->visits.all, 3, 1e-9);
  EXPECT_EQ(arrive(kApp, at(12))->visits.all, 0);
}

TEST_F(NetworkVisitsTest, OneThatAlertedTeachesNoReads) {
  arrive(with_hash(kUser, 11), at(10));
  read(with_hash(kUser, 11), at(10, 1), 5);
  visits_.withhold(11);
  end_of_day(12);
  EXPECT_EQ(arrive(kUser, at(12))->visits.all, 0);
}

// Ten assumed arrivals, evenly over eight crowds; then three that nobody used before, and one that nine did.
TEST_F(NetworkVisitsTest, SurpriseIsTheShareOfNetworksThatAsFewHadUsed) {
  EXPECT_NEAR(visits_.surprise(CallerClass::kUser, 0), 1.0 / 8, 1e-9);
  EXPECT_NEAR(visits_.surprise(CallerClass::kUser, 1'000), 1, 1e-9);
  for (std::uint64_t hash = 11; hash < 14; ++hash) { arrive(with_hash(kUser, hash), at(10)); }
  arrive(with_hash(kUser, 14), at(10), 7, 9);
  end_of_day(12);
  EXPECT_NEAR(visits_.surprise(CallerClass::kUser, 0), (10.0 / 8 + 3) / 14, 1e-9);
  EXPECT_NEAR(visits_.surprise(CallerClass::kUser, 7), (40.0 / 8 + 3) / 14, 1e-9);
  EXPECT_NEAR(visits_.surprise(CallerClass::kUser, 8), (50.0 / 8 + 4) / 14, 1e-9);
  EXPECT_NEAR(visits_.surprise(CallerClass::kApp, 0), 1.0 / 8, 1e-9);
}

// 0.5 assumed in 1000 caller-days, and one that came on one of three.
TEST_F(NetworkVisitsTest, NewCallersFromUnusedNetworksComeSoOften) {
  EXPECT_NEAR(arrive(kNewUser, at(10))->newcomers_per_day, 0.5 / 1000, 1e-12);
  EXPECT_EQ(arrive(kNewUser, at(10, 1), 7, 3)->newcomers_per_day, 0) << "others use that network";
  EXPECT_EQ(arrive(kUser, at(10))->newcomers_per_day, 0);
  for (int i = 0; i < 3; ++i) { visits_.close_day(kUser); }
  end_of_day(12);
  EXPECT_NEAR(arrive(kNewUser, at(12))->newcomers_per_day, 1.5 / 1003, 1e-6);
}

TEST_F(NetworkVisitsTest, AnApplicationThatWasNeverElsewhereMovesOutOnce) {
  for (int i = 0; i < 9'000; ++i) { visits_.close_day(with_hash(kApp, 100)); }
  end_of_day(10);
  const double seldom = 0.5 / 10'000;
  EXPECT_NEAR(from_elsewhere(kApp, at(10))->outside_per_day, seldom, 1e-9);
  EXPECT_NEAR(from_elsewhere(with_hash(kApp, 4), at(10), true)->outside_per_day,
              seldom * NetworkVisits::kManagedIdentityShare, 1e-9);
  EXPECT_EQ(from_elsewhere(kUser, at(10))->outside_per_day, 0) << "people are everywhere";
  visits_.withhold(kApp.hash);
  visits_.close_day(kApp);
  end_of_day(11);
  EXPECT_EQ(from_elsewhere(kApp, at(12))->outside_per_day, 0) << "it has been there";
}

TEST_F(NetworkVisitsTest, WhoeverBeginsElsewhereDidNotMove) {
  NetworkVisits::Caller begins = with_hash(kApp, 5);
  begins.is_new = true;
  EXPECT_EQ(from_elsewhere(begins, at(10))->outside_per_day, 0);
  begins.is_new = false;
  EXPECT_EQ(from_elsewhere(begins, at(14))->outside_per_day, 0);
}

TEST_F(NetworkVisitsTest, WhereManyMoveOutOnOneDayItIsAMigration) {
  EXPECT_GT(from_elsewhere(with_hash(kApp, 1), at(10))->outside_per_day, 0);
  EXPECT_GT(from_elsewhere(with_hash(kApp, 2), at(10))->outside_per_day, 0);
  EXPECT_EQ(from_elsewhere(with_hash(kApp, 3), at(10))->outside_per_day, 0);
  end_of_day(11);
  EXPECT_GT(from_elsewhere(with_hash(kApp, 4), at(11))->outside_per_day, 0) << "another day";
}

TEST_F(NetworkVisitsTest, RemembersWhenTheDaysFirstNewNetworkWas) {
  arrive(kUser, at(10, 5));
  const auto second = arrive(kUser, at(10, 9), 8, 0, 2);
  EXPECT_EQ(second->first_today_ticks, at(10, 5).ticks);
  EXPECT_EQ(second->networks_today, 2U);
  EXPECT_EQ(arrive(kUser, at(11), 9)->first_today_ticks, at(11).ticks);
}

TEST_F(NetworkVisitsTest, TheOldestVisitIsForgottenForWantOfRoomAndCounted) {
  for (std::uint64_t hash = 0; hash < NetworkVisits::kOpen; ++hash) {
    arrive(with_hash(kUser, 1'000 + hash), EventTime{at(10).ticks + static_cast<std::int64_t>(hash)});
  }
  EXPECT_EQ(visits_.forgotten(), 0U);
  arrive(kNewUser, at(10, 100));
  EXPECT_EQ(visits_.forgotten(), 1U);
  EXPECT_FALSE(visits_.is_open(1'000));
  EXPECT_TRUE(visits_.is_open(1'001));
  EXPECT_TRUE(visits_.is_open(kNewUser.hash));
}

std::string saved(const NetworkVisits& visits) {
  SnapshotWriter writer;
  visits.save(writer);
  return writer.bytes();
}

RC_GTEST_PROP(NetworkVisits, GoOnAfterSavingAsIfNothingHadHappened, ()) {
  struct Step {
    std::uint64_t caller;
    std::uint64_t network;
    std::uint32_t object;
    bool elsewhere;
  };
  const auto count = *rc::gen::inRange(1, 60);
  std::vector<Step> steps;
  for (int i = 0; i < count; ++i) {
    steps.push_back({*rc::gen::inRange<std::uint64_t>(1, 6), *rc::gen::inRange<std::uint64_t>(1, 4),
                     *rc::gen::inRange<std::uint32_t>(0, 5), *rc::gen::arbitrary<bool>()});
  }
  NetworkVisits whole;
  NetworkVisits stopped;
  std::int64_t hour = 0;
  for (const Step& step : steps) {
    hour += 7;
    const NetworkVisits::Caller caller{step.caller, step.caller % 2 == 0 ? CallerClass::kUser : CallerClass::kApp};
    NetworkVisits::Request request{.network = step.network, .at = {hour * EventTime::kTicksPerHour}, .arrival = {}};
    if (step.object == 0) { request.arrival = {step.network, step.network == 1, 1}; }
    request.object = step.object;
    request.from_elsewhere = step.elsewhere;
    const std::string bytes = saved(stopped);
    SnapshotReader reader(bytes);
    NetworkVisits loaded;
    RC_ASSERT(loaded.load(reader) && reader.at_end());
    RC_ASSERT(saved(loaded) == bytes);
    stopped = std::move(loaded);
    for (NetworkVisits* visits : {&whole, &stopped}) {
      visits->close_hour(hour, hour % 24 < 7);
      const auto visit = visits->observe(caller, request);
      if (visit && visit->reads > 2) { visits->withhold(caller.hash); }
      visits->close_day(caller);
    }
    RC_ASSERT(saved(whole) == saved(stopped));
  }
}

TEST(NetworkVisits, RefusesADamagedState) {
  NetworkVisits visits;
  visits.close_hour(24, true);
  const std::string bytes = saved(visits);
  for (std::size_t cut = 0; cut < bytes.size(); cut += 1 + bytes.size() / 50) {
    SnapshotReader reader(std::string_view(bytes).substr(0, cut));
    NetworkVisits loaded;
    EXPECT_FALSE(loaded.load(reader)) << cut;
  }
}

}  // namespace
}  // namespace keyvigil
