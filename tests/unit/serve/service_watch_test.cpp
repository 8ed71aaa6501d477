#include "serve/service_watch.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "event/decode.h"

namespace keyvigil {
namespace {

const EventTime kStart = parse_iso_time("2026-05-05T08:00:00Z").value();

EventTime after(std::int64_t minutes) {
  return {kStart.ticks + minutes * EventTime::kTicksPerMinute};
}

class ServiceWatchTest : public testing::Test {
 protected:
  ServiceWatchTest() {
    input().name = "logs";
    input().last_received = kStart;
  }
  InputHealth& input() {
    if (live_.inputs.empty()) { live_.inputs.emplace_back(); }
    return live_.inputs.front();
  }
  // "kind about", in order.
  std::vector<std::string> look(std::int64_t minute) {
    std::vector<std::string> problems;
    texts_.clear();
    for (const ServiceProblem& problem : watch_.look(live_, store_, outputs_, after(minute))) {
      problems.push_back(problem.kind + (problem.about.empty() ? "" : " " + problem.about));
      texts_ += problem.text + "\n";
    }
    return problems;
  }
  using Problems = std::vector<std::string>;

  ServiceWatch watch_{WatchLimits{60, 120}, kStart};
  LiveFigures live_;
  StoreFigures store_;
  std::vector<OutputFigures> outputs_;
  std::string texts_;
};

TEST_F(ServiceWatchTest, SaysNothingWhereAllIsWell) {
  EXPECT_EQ(look(0), Problems{});
  input().records = 1000;
  EXPECT_EQ(look(1), Problems{});
}

TEST_F(ServiceWatchTest, AnInputIsSilentAfterItsTimeAndNotAnyMoreOnceItSpeaks) {
  EXPECT_EQ(look(60), Problems{});
  EXPECT_EQ(look(61), Problems{"silent logs"});
  EXPECT_NE(texts_.find("61 minutes"), std::string::npos) << texts_;
  input().last_received = after(61);
  EXPECT_EQ(look(62), Problems{});
}

TEST_F(ServiceWatchTest, ManySilentInputsAreToldUpToABound) {
  live_.inputs.resize(1000);
  for (std::size_t i = 0; i < live_.inputs.size(); ++i) { live_.inputs[i].name = "ingest/" + std::to_string(i); }
  const Problems problems = look(61);
  ASSERT_EQ(problems.size(), 21U);
  EXPECT_EQ(problems.back(), "silent inputs");
  EXPECT_NE(texts_.find("980 more inputs"), std::string::npos) << texts_;
}

TEST_F(ServiceWatchTest, TellsAtOnceThatTheClockSeemsToBeSlow) {
  live_.clock_held = 2;
  live_.clock_lead_ticks = 90 * EventTime::kTicksPerMinute;
  EXPECT_EQ(look(1), Problems{"clock"});
  EXPECT_NE(texts_.find("2 pieces of input"), std::string::npos) << texts_;
  EXPECT_NE(texts_.find("1.5 hours"), std::string::npos) << texts_;
  live_.clock_held = 0;
  EXPECT_EQ(look(2), Problems{});
}

TEST_F(ServiceWatchTest, SilentVaultsAreToldOneByOneUpToABound) {
  live_.silent_vaults = {
      {"/subscriptions/s/vaults/kv-a", after(-600), 10 * EventTime::kTicksPerHour, EventTime::kTicksPerHour},
      {"/subscriptions/s/vaults/kv-b", after(-59), 59 * EventTime::kTicksPerMinute, 0}};
  live_.silent_vaults_total = 2;
  EXPECT_EQ(look(1), Problems{"silent /subscriptions/s/vaults/kv-a"}) << "the other one is within silent_minutes";
  EXPECT_NE(texts_.find("10.0 hours"), std::string::npos) << texts_;
  live_.silent_vaults_total = 5000;
  EXPECT_EQ(look(2), (Problems{"silent /subscriptions/s/vaults/kv-a", "silent vaults"}));
  EXPECT_NE(texts_.find("4998 more vaults"), std::string::npos) << texts_;
  live_.silent_vaults.clear();
  live_.silent_vaults_total = 0;
  EXPECT_EQ(look(3), Problems{});
}

// What an earlier run heard last was heard before this one could hear anything.
TEST_F(ServiceWatchTest, NobodyWaitsForAnInputThatWasRemoved) {
  input().removed = true;
  EXPECT_EQ(look(61), Problems{});
  input().removed = false;
  EXPECT_EQ(look(62), Problems{"silent logs"});
}

TEST_F(ServiceWatchTest, TakesOtherLimits) {
  EXPECT_EQ(look(61), Problems{"silent logs"});
  watch_.limit_to({100, 120});
  EXPECT_EQ(look(62), Problems{});
}

TEST_F(ServiceWatchTest, SilenceCountsFromTheStart) {
  input().last_received = after(-100'000);
  EXPECT_EQ(look(59), Problems{});
  input().last_received.reset();
  EXPECT_EQ(look(60), Problems{});
  EXPECT_EQ(look(61), Problems{"silent logs"});
}

TEST_F(ServiceWatchTest, WhatFailsIsPassedOn) {
  input().report.failure = "403";
  live_.problems.push_back({"store", "", "the disk is full"});
  EXPECT_EQ(look(1), (Problems{"store", "input logs"}));
}

TEST_F(ServiceWatchTest, ALossIsASharePastAFewInTenMinutes) {
  input().records = 100;
  input().refused = 50;  // of an earlier run
  EXPECT_EQ(look(0), Problems{});
  input().records = 1100;
  input().refused = 59;
  EXPECT_EQ(look(1), Problems{}) << "nine are few";
  input().refused = 60;
  EXPECT_EQ(look(2), Problems{"loss logs"});
  input().records = 10'000;
  EXPECT_EQ(look(3), Problems{}) << "ten of thousands";
  input().refused = 160;
  EXPECT_EQ(look(4), Problems{"loss logs"});
  EXPECT_EQ(look(30), Problems{}) << "it is over once ten minutes have passed";
}

// Records from the future are a matter of clocks, not of forms.
TEST_F(ServiceWatchTest, ClocksAreToldApartFromLosses) {
  EXPECT_EQ(look(0), Problems{});
  input().records = 100;
  input().refused = 20;
  input().refused_by_cause[std::string(to_string(RefusalCause::kFuture))] = 20;
  live_.future_refused = 20;
  EXPECT_EQ(look(1), Problems{"clock"});
}

TEST_F(ServiceWatchTest, AnOutputThatFailsAFewTimesInARowIsAProblemUntilItDelivers) {
  outputs_.resize(2);
  outputs_[0].name = "soc";
  outputs_[1].name = "duty";
  outputs_[0].failed_in_row = 2;
  outputs_[0].failing_since = after(1);
  EXPECT_EQ(look(1), Problems{}) << "two are the weather";
  outputs_[0].failed_in_row = 3;
  outputs_[0].last_failure = "answered 401";
  EXPECT_EQ(look(1), Problems{"output soc"});
  EXPECT_NE(texts_.find("3 attempts in a row failed, the last one: answered 401"), std::string::npos) << texts_;
  outputs_[0].failed_in_row = 0;
  EXPECT_EQ(look(2), Problems{});
}

TEST_F(ServiceWatchTest, AnOutputThatRestsForLongAfterOneFailureIsAProblem) {
  outputs_.resize(1);
  outputs_[0].name = "soc";
  outputs_[0].failed_in_row = 1;
  outputs_[0].failing_since = after(1);
  outputs_[0].last_failure = "answered 429";
  EXPECT_EQ(look(3), Problems{});
  EXPECT_EQ(look(4), Problems{"output soc"});
}

TEST_F(ServiceWatchTest, DecisionsThatLagAreAProblem) {
  live_.behind_seconds = 120;
  EXPECT_EQ(look(1), Problems{});
  live_.behind_seconds = 121;
  EXPECT_EQ(look(1), Problems{"lag"});
}

TEST_F(ServiceWatchTest, ADeadLetterIsAProblemForTenMinutes) {
  store_.dead_letters = 3;
  EXPECT_EQ(look(0), Problems{}) << "of an earlier run";
  store_.dead_letters = 4;
  EXPECT_EQ(look(1), Problems{"output"});
  EXPECT_EQ(look(5), Problems{"output"});
  EXPECT_EQ(look(30), Problems{});
}

TEST_F(ServiceWatchTest, AListIsAProblemWhereItFailsOrHasBecomeOld) {
  live_.lists.push_back({"https://lists.example/tor", "tor", kStart, 30, ""});
  EXPECT_EQ(look(40), Problems{});
  EXPECT_EQ(look(41), Problems{"list https://lists.example/tor"});
  EXPECT_NE(texts_.find("every 30 minutes"), std::string::npos) << texts_;
  live_.lists.front().confirmed = after(41);
  EXPECT_EQ(look(42), Problems{});
  live_.lists.front().failure = "held back";
  EXPECT_EQ(look(42), Problems{"list https://lists.example/tor"});
  // A list that an earlier run had is asked for when this one starts.
  live_.lists.front() = {"https://lists.example/tor", "tor", after(-5000), 30, ""};
  EXPECT_EQ(look(39), Problems{});
}

}  // namespace
}  // namespace keyvigil
