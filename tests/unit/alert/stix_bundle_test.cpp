#include "alert/stix_bundle.h"

#include <map>
#include <regex>
#include <set>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "reference/alert_samples.h"

namespace keyvigil {
namespace {

// What STIX 2.1 requires of each type that we write.
const std::map<std::string, std::vector<std::string>> kRequired = {
    {"identity", {"created", "modified", "name"}},
    {"ipv4-addr", {"value"}},
    {"ipv6-addr", {"value"}},
    {"user-account", {}},
    {"observed-data", {"created", "modified", "first_observed", "last_observed", "number_observed", "object_refs"}},
    {"attack-pattern", {"created", "modified", "name"}},
    {"indicator", {"created", "modified", "pattern", "pattern_type", "valid_from"}},
    {"relationship", {"created", "modified", "relationship_type", "source_ref", "target_ref"}},
    {"sighting", {"created", "modified", "sighting_of_ref"}}};

void check_references(const Json& object, const std::set<std::string>& ids) {
  for (const auto& [key, value] : object.items()) {
    if (key.ends_with("_ref")) { EXPECT_TRUE(ids.contains(value.get<std::string>())) << key; }
    if (!key.ends_with("_refs")) { continue; }
    EXPECT_FALSE(value.empty()) << key;
    for (const Json& one : value) { EXPECT_TRUE(ids.contains(one.get<std::string>())) << key; }
  }
}

void expect_valid(const Json& bundle) {
  static const std::regex kIdentifier(
      "[a-z0-9-]+--[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}");
  EXPECT_EQ(bundle.at("type"), "bundle");
  std::set<std::string> ids;
  for (const Json& object : bundle.at("objects")) {
    const std::string id = object.at("id");
    EXPECT_TRUE(std::regex_match(id, kIdentifier)) << id;
    EXPECT_TRUE(id.starts_with(object.at("type").get<std::string>() + "--"));
    EXPECT_TRUE(ids.insert(id).second) << id;
  }
  std::size_t sightings = 0;
  for (const Json& object : bundle.at("objects")) {
    EXPECT_EQ(object.at("spec_version"), "2.1");
    const std::string type = object.at("type");
    ASSERT_TRUE(kRequired.contains(type)) << type;
    for (const std::string& name : kRequired.at(type)) { EXPECT_TRUE(object.contains(name)) << type << " " << name; }
    check_references(object, ids);
    if (object.contains("modified")) {
      EXPECT_LE(object.at("created").get<std::string>(), object.at("modified").get<std::string>());
    }
    if (type != "sighting") { continue; }
    ++sightings;
    EXPECT_LE(object.at("first_seen").get<std::string>(), object.at("last_seen").get<std::string>());
    const std::string of = object.at("sighting_of_ref");
    EXPECT_TRUE(of.starts_with("indicator--") || of.starts_with("attack-pattern--")) << of;
  }
  EXPECT_GT(sightings, 0U);
}

std::vector<Json> of_type(const Json& bundle, std::string_view type) {
  std::vector<Json> found;
  for (const Json& object : bundle.at("objects")) {
    if (object.at("type") == type) { found.push_back(object); }
  }
  return found;
}

TEST(StixBundle, IsValidForEveryAlertType) {
  for (const CatalogueRow& row : catalogue()) {
    Alert alert = behaviour_alert();
    alert.type = row.type;
    expect_valid(stix_bundle(alert, {}));
  }
  expect_valid(stix_bundle(tor_alert(), {}));
  Alert bare;
  bare.id = "00000000-0000-4000-8000-000000000001";
  expect_valid(stix_bundle(bare, {}));
}

TEST(StixBundle, SightsTheAddressOfAThreatList) {
  const Json bundle = stix_bundle(tor_alert(), {});
  const auto indicators = of_type(bundle, "indicator");
  ASSERT_EQ(indicators.size(), 1U);
  EXPECT_EQ(indicators[0].at("pattern"), "[ipv4-addr:value = '203.0.113.7']");
  EXPECT_EQ(indicators[0].at("indicator_types"), Json({"anonymization"}));
  EXPECT_EQ(of_type(bundle, "sighting")[0].at("sighting_of_ref"), indicators[0].at("id"));
  EXPECT_EQ(of_type(bundle, "observed-data")[0].at("number_observed"), 1);
}

TEST(StixBundle, SightsTheAttackPatternsOfBehaviour) {
  const Json bundle = stix_bundle(behaviour_alert(), {});
  EXPECT_TRUE(of_type(bundle, "indicator").empty());
  EXPECT_EQ(of_type(bundle, "attack-pattern")[0].at("external_references")[0].at("external_id"), "T1555.006");
  EXPECT_EQ(of_type(bundle, "ipv6-addr")[0].at("value"), "2001:db8::17");
}

TEST(StixBundle, KeepsTheIdsOfWhatStaysTheSame) {
  Alert alert = tor_alert();
  const Json first = stix_bundle(alert, {});
  EXPECT_EQ(to_json_line(first), to_json_line(stix_bundle(alert, {})));
  alert.revision = 2;
  alert.last_event.ticks += EventTime::kTicksPerHour;
  const Json second = stix_bundle(alert, {});
  EXPECT_NE(first.at("id"), second.at("id"));
  EXPECT_EQ(of_type(first, "sighting")[0].at("id"), of_type(second, "sighting")[0].at("id"));
  EXPECT_LT(of_type(first, "sighting")[0].at("modified").get<std::string>(),
            of_type(second, "sighting")[0].at("modified").get<std::string>());
  EXPECT_EQ(of_type(first, "sighting")[0].at("created"), of_type(second, "sighting")[0].at("created"));
}

TEST(StixBundle, RevokesWhatWasDismissed) {
  EXPECT_EQ(of_type(stix_bundle(tor_alert(), {}, {.status = AlertStatus::kDismissed}), "sighting")[0].at("revoked"),
            true);
}

}  // namespace
}  // namespace keyvigil
