#include "evaluation/evaluation.h"

#include <gtest/gtest.h>

namespace keyvigil::evaluation {
namespace {

constexpr std::string_view kAttack =
    R"({"campaign":1,"kind":"attack","name":"own-dump","strength":"human","callerClass":"user","caller":"u-1",)"
    R"("vaults":["kv-a"],"expected":["KV_ListGetAnomaly"],"mustNot":[],"records":[)"
    R"({"time":"2026-09-20T10:00:00.000Z","correlationId":"c-1","operation":"SecretList","status":200},)"
    R"({"time":"2026-09-20T10:01:00.000Z","correlationId":"c-2","operation":"SecretGet","status":200},)"
    R"({"time":"2026-09-20T10:02:00.000Z","correlationId":"c-3","operation":"SecretGet","status":200}]})";
constexpr std::string_view kTwin =
    R"({"campaign":2,"kind":"benign","name":"portal-visit","strength":"human","callerClass":"user","caller":"u-2",)"
    R"("vaults":["kv-a"],"expected":[],"mustNot":["KV_ListGetAnomaly"],"records":[)"
    R"({"time":"2026-09-21T10:00:00.000Z","correlationId":"c-4","operation":"SecretGet","status":200}]})";

RaisedAlert alert(const std::string& type, const std::string& caller, std::string_view fired) {
  return RaisedAlert{type, caller, "kv-a", parse_iso_time(fired).value(), {}};
}

TEST(Evaluation, CountsWhatWasFoundAndWhatWasFalse) {
  const std::vector<CampaignLabel> labels = {parse_label(kAttack).value(), parse_label(kTwin).value()};
  RaisedAlert by_record = alert("KV_ListGetAnomaly", "", "2026-09-20T10:02:00.000Z");
  by_record.records = {{labels[0].records[2].time, "c-3"}};
  const std::vector<RaisedAlert> alerts = {by_record, alert("KV_ListGetAnomaly", "u-2", "2026-09-21T10:00:00.000Z"),
                                           alert("KV_AppAnomaly", "u-9", "2026-09-21T10:00:00.000Z"),
                                           alert("KV_ListGetAnomaly", "u-1", "2026-09-22T10:00:00.000Z")};
  Evaluation evaluation;
  add_run(evaluation, alerts, labels, 450);
  ASSERT_EQ(evaluation.scenarios.size(), 1U);
  const ScenarioScore& score = evaluation.scenarios.begin()->second;
  EXPECT_EQ(score.campaigns, 1U);
  EXPECT_EQ(score.found, 1U);
  EXPECT_EQ(score.found_by.at("KV_ListGetAnomaly"), 1U);
  EXPECT_EQ(median(score.events), 3);
  EXPECT_EQ(median(score.seconds), 120);
  EXPECT_EQ(median(score.credential_reads), 1);
  const TypeScore& list_get = evaluation.types.at("KV_ListGetAnomaly");
  EXPECT_EQ(list_get.fired, 1U);
  EXPECT_EQ(list_get.on_users, 1U);
  EXPECT_EQ(list_get.false_in_twins, 1U);
  EXPECT_EQ(list_get.false_elsewhere, 1U);  // more than a day after the attack
  EXPECT_EQ(evaluation.types.at("KV_AppAnomaly").false_elsewhere, 1U);
}

// What somebody does as usual between two rounds of a routine is no part of the routine.
TEST(Evaluation, AnAlertBetweenTwoRoundsOfATwinIsNotTheTwins) {
  CampaignLabel twin = parse_label(kTwin).value();
  twin.records.push_back(twin.records.front());
  twin.records.back().time.ticks += 7 * EventTime::kTicksPerDay;
  const auto false_in_twins = [&](std::string_view fired) {
    Evaluation evaluation;
    add_run(evaluation, {alert("KV_ListGetAnomaly", "u-2", fired)}, {twin}, 1);
    return evaluation.types.at("KV_ListGetAnomaly").false_in_twins;
  };
  EXPECT_EQ(false_in_twins("2026-09-21T09:59:59.000Z"), 0U);
  EXPECT_EQ(false_in_twins("2026-09-22T10:00:00.000Z"), 1U);
  EXPECT_EQ(false_in_twins("2026-09-24T10:00:00.000Z"), 0U);
  EXPECT_EQ(false_in_twins("2026-09-28T11:00:00.000Z"), 1U);
}

TEST(Evaluation, CountsInHowManyRunsATypeFired) {
  const std::vector<CampaignLabel> labels = {parse_label(kAttack).value(), parse_label(kTwin).value()};
  const RaisedAlert found = alert("KV_ListGetAnomaly", "u-1", "2026-09-20T10:02:00.000Z");
  const RaisedAlert wrong = alert("KV_ListGetAnomaly", "u-2", "2026-09-21T10:00:00.000Z");
  Evaluation evaluation;
  add_run(evaluation, {found, found}, labels, 1);
  add_run(evaluation, {found, wrong}, labels, 1);
  add_run(evaluation, {}, labels, 1);
  EXPECT_EQ(evaluation.runs, 3U);
  const TypeScore& score = evaluation.types.at("KV_ListGetAnomaly");
  EXPECT_EQ(score.on_users, 3U);
  EXPECT_EQ(score.runs_on_users, 2U);
  EXPECT_EQ(score.runs_on_apps, 0U);
  EXPECT_EQ(score.runs_in_twins, 1U);
}

TEST(Evaluation, AnUnexpectedAlertDoesNotFindAnAttack) {
  Evaluation evaluation;
  add_run(evaluation, {alert("KV_PutGetAnomaly", "u-1", "2026-09-20T10:01:00.000Z")}, {parse_label(kAttack).value()},
          0);
  EXPECT_EQ(evaluation.scenarios.begin()->second.found, 0U);
  EXPECT_EQ(evaluation.types.at("KV_PutGetAnomaly").fired, 1U);
}

// Garwood's table: 0 -> 0 to 3.689, 1 -> 0.0253 to 5.572, 10 -> 4.795 to 18.390.
TEST(Evaluation, PoissonIntervalsAreExact) {
  EXPECT_EQ(poisson_interval(0)[0], 0);
  EXPECT_NEAR(poisson_interval(0)[1], 3.6889, 1e-4);
  EXPECT_NEAR(poisson_interval(1)[0], 0.0253, 1e-4);
  EXPECT_NEAR(poisson_interval(1)[1], 5.5716, 1e-4);
  EXPECT_NEAR(poisson_interval(10)[0], 4.7954, 1e-4);
  EXPECT_NEAR(poisson_interval(10)[1], 18.3904, 1e-4);
}

TEST(Evaluation, RefusesLinesThatAreSomethingElse) {
  EXPECT_FALSE(parse_label("{}").has_value());
  EXPECT_FALSE(parse_label("not json").has_value());
  EXPECT_FALSE(parse_alert("[]").has_value());
  EXPECT_EQ(median({}), 0);
  EXPECT_EQ(median({4, 1, 3, 2}), 2.5);
}

}  // namespace
}  // namespace keyvigil::evaluation
