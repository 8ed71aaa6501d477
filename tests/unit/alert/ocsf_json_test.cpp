#include "alert/ocsf_json.h"

#include <array>
#include <set>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "reference/alert_samples.h"

namespace keyvigil {
namespace {

// What OCSF 1.8.0 requires of each object that we write (its `requirement: required` and its at_least_one constraints),
// by the path at which we write it.
struct Requirement {
  std::string path;
  std::vector<std::string> all;
  std::vector<std::string> one_of;
};
const std::vector<Requirement> kRequirements = {
    {"",
     {"activity_id", "category_uid", "class_uid", "type_uid", "severity_id", "time", "metadata", "finding_info"},
     {}},
    {"/metadata", {"product", "version"}, {}},
    {"/metadata/product", {}, {"name", "uid"}},
    {"/cloud", {"provider"}, {}},  // by profile cloud
    {"/cloud/account", {}, {"name", "uid"}},
    {"/finding_info", {"uid"}, {}},
    {"/finding_info/analytic", {"type_id"}, {"name", "uid"}},
    {"/remediation", {"desc"}, {}},
};

void expect_met(const Requirement& requirement, const Json& object) {
  for (const std::string& name : requirement.all) { EXPECT_TRUE(object.contains(name)) << requirement.path << name; }
  if (requirement.one_of.empty()) { return; }
  bool any = false;
  for (const std::string& name : requirement.one_of) { any = any || object.contains(name); }
  EXPECT_TRUE(any) << requirement.path;
}

void expect_valid(const Json& finding) {
  for (const Requirement& requirement : kRequirements) {
    expect_met(requirement, finding.at(Json::json_pointer(requirement.path)));
  }
  EXPECT_EQ(finding.at("type_uid"), 2004 * 100 + finding.at("activity_id").get<int>());
  for (const Json& attack : finding.at("finding_info").at("attacks")) {
    expect_met({"attacks", {}, {"tactic", "technique", "sub_technique"}}, attack);
  }
  for (const Json& evidence : finding.at("evidences")) {
    expect_met({"evidences", {}, {"actor", "api", "src_endpoint"}}, evidence);
    if (evidence.contains("api")) { EXPECT_TRUE(evidence.at("api").contains("operation")); }
    if (evidence.contains("src_endpoint")) { EXPECT_TRUE(evidence.at("src_endpoint").contains("ip")); }
    if (!evidence.contains("actor")) { continue; }
    expect_met({"actor", {}, {"user", "app_uid"}}, evidence.at("actor"));
    if (evidence.at("actor").contains("user")) {
      expect_met({"user", {}, {"name", "uid"}}, evidence.at("actor").at("user"));
    }
  }
  for (const Json& resource : finding.at("resources")) { EXPECT_TRUE(resource.contains("uid")); }
  for (const Json& observable : finding.at("observables")) { EXPECT_TRUE(observable.contains("type_id")); }
}

TEST(OcsfJson, HasWhatTheClassRequires) {
  for (const Alert& alert : {tor_alert(), denied_alert(), behaviour_alert()}) { expect_valid(ocsf_json(alert, {})); }
}

TEST(OcsfJson, HasWhatTheClassRequiresOfEveryAlertType) {
  Alert alert = behaviour_alert();
  for (const CatalogueRow& row : catalogue()) {
    alert.type = row.type;
    expect_valid(ocsf_json(alert, {}));
  }
}

TEST(OcsfJson, HasWhatTheClassRequiresWhereNobodyIsNamedAndNothingIsKnown) {
  Alert alert;
  alert.id = "00000000-0000-4000-8000-000000000001";
  expect_valid(ocsf_json(alert, {}));
  EXPECT_EQ(ocsf_json(alert, {}).at("evidences")[0].at("api").at("operation"), "unknown");
}

TEST(OcsfJson, SaysWhoWhatWhereAndHowSure) {
  const Alert alert = tor_alert();
  const Json finding = ocsf_json(alert, {});
  EXPECT_EQ(finding.at("severity_id"), 3);
  EXPECT_EQ(finding.at("confidence_id"), 3);
  EXPECT_EQ(finding.at("time"), alert.generated.milliseconds());
  EXPECT_EQ(finding.at("finding_info").at("uid"), alert_name(alert));
  EXPECT_EQ(finding.at("finding_info").at("analytic").at("type"), "Rule");
  EXPECT_EQ(finding.at("finding_info").at("attacks")[0].at("tactic").at("uid"), "TA0006");
  EXPECT_EQ(finding.at("finding_info").at("attacks")[0].at("sub_technique").at("uid"), "T1555.006");
  EXPECT_FALSE(finding.at("finding_info").at("attacks")[1].contains("tactic"));
  EXPECT_EQ(finding.at("evidences")[0].at("src_endpoint").at("ip"), "203.0.113.7");
  EXPECT_EQ(finding.at("evidences")[0].at("actor").at("user").at("name"), "alice@contoso.com");
  EXPECT_EQ(finding.at("evidences")[0].at("http_request").at("user_agent"), "curl/8.0");
  EXPECT_EQ(finding.at("evidences")[1].at("api").at("response").at("code"), 200);
  EXPECT_EQ(finding.at("resources")[0].at("name"), "kv-a");
  EXPECT_EQ(finding.at("unmapped").at("keyvigil").at("rotation_list").at("objects")[0].at("object"), "secrets/db");
  EXPECT_EQ(ocsf_json(behaviour_alert(), {}).at("finding_info").at("analytic").at("type"), "Statistical");
}

TEST(OcsfJson, FollowsTheAlertThroughItsLife) {
  struct Step {
    AlertStanding standing;
    int activity_id;
    int status_id;
  };
  const std::vector<Step> steps = {{{}, 1, 1},
                                   {{.earlier_revision_sent = true}, 2, 1},
                                   {{.status = AlertStatus::kInProgress, .earlier_revision_sent = true}, 2, 2},
                                   {{.status = AlertStatus::kResolved}, 3, 4},
                                   {{.status = AlertStatus::kDismissed}, 3, 3}};
  for (const Step& step : steps) {
    const Json finding = ocsf_json(tor_alert(), {}, step.standing);
    EXPECT_EQ(finding.at("activity_id"), step.activity_id);
    EXPECT_EQ(finding.at("status_id"), step.status_id);
    EXPECT_EQ(finding.at("is_alert"), step.activity_id != 3);
  }
}

TEST(OcsfJson, KeepsOneEvidenceForEachRecordUpToALimit) {
  Alert alert = tor_alert();
  alert.records.assign(100, alert.records.front());
  EXPECT_EQ(ocsf_json(alert, {}).at("evidences").size(), 21U);
}

}  // namespace
}  // namespace keyvigil
