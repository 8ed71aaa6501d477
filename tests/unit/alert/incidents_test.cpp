#include "alert/incidents.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <string>
#include <vector>

#include "reference/made_alert.h"

namespace keyvigil {
namespace {

// Nothing in common with any other.
Alert alone(std::uint64_t number, std::string_view time) {
  Alert alert = made_alert(number);
  alert.first_event = parse_iso_time(time).value();
  alert.last_suspicious = alert.first_event;
  alert.caller.key = fmt::format("caller-{}", number);
  alert.vaults.items = {fmt::format("vault-{}", number)};
  alert.addresses.items = {fmt::format("20.{}.0.1", number)};
  return alert;
}

std::vector<Incident> group(const std::vector<Alert>& alerts) {
  Incidents incidents;
  for (const Alert& alert : alerts) { incidents.add(alert); }
  return incidents.group();
}

TEST(Incidents, LeaveAloneWhatSharesNothing) {
  EXPECT_TRUE(group({alone(1, "2026-09-28T10:00:00Z"), alone(2, "2026-09-28T10:00:01Z")}).empty());
  EXPECT_TRUE(group({}).empty());
}

TEST(Incidents, JoinOneCallersAlertsOfADay) {
  Alert first = alone(1, "2026-09-28T10:00:00Z");
  Alert second = alone(2, "2026-09-29T10:00:00Z");
  second.caller.key = first.caller.key;
  const std::vector<Incident> found = group({second, first});
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].alerts, (std::vector<std::string>{alert_name(first), alert_name(second)}));
  EXPECT_EQ(found[0].links, std::set<IncidentLink>{IncidentLink::kCaller});
  EXPECT_EQ(found[0].vaults, (std::set<std::string>{"vault-1", "vault-2"}));
  EXPECT_EQ(found[0].credential_reads, first.credential_reads + second.credential_reads);
  second.first_event.ticks += 1;
  EXPECT_TRUE(group({first, second}).empty());
}

TEST(Incidents, JoinAVaultsAlertsAndANetworksWithinTwoHours) {
  Alert first = alone(1, "2026-09-28T10:00:00Z");
  Alert second = alone(2, "2026-09-28T12:00:00Z");
  Alert third = alone(3, "2026-09-28T13:59:00Z");
  second.vaults.items = first.vaults.items;
  third.addresses.items = {"20.2.0.200"};  // the network of the second
  const std::vector<Incident> found = group({third, first, second});
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].alerts.size(), 3U);
  EXPECT_EQ(found[0].links, (std::set<IncidentLink>{IncidentLink::kVault, IncidentLink::kNetwork}));
  second.first_event.ticks += 1;
  second.last_suspicious = second.first_event;
  EXPECT_EQ(group({first, second, third})[0].alerts, (std::vector<std::string>{alert_name(second), alert_name(third)}));
}

TEST(Incidents, MeasureFromTheEndOfWhateverLastsLongest) {
  Alert first = alone(1, "2026-09-28T10:00:00Z");
  first.last_suspicious = parse_iso_time("2026-09-28T18:00:00Z").value();
  Alert second = alone(2, "2026-09-28T11:00:00Z");
  Alert third = alone(3, "2026-09-28T19:00:00Z");
  second.vaults.items = third.vaults.items = first.vaults.items;
  EXPECT_EQ(group({first, second, third})[0].alerts.size(), 3U);
}

TEST(Incidents, DoNotTakePrivateAddressesOrNobodyForOneThing) {
  Alert first = alone(1, "2026-09-28T10:00:00Z");
  Alert second = alone(2, "2026-09-28T10:00:00Z");
  first.addresses.items = second.addresses.items = {"10.0.0.5"};
  first.caller.key = second.caller.key = "";
  EXPECT_TRUE(group({first, second}).empty());
}

TEST(Incidents, DoNotDependOnTheOrderAndTakeALaterRevisionOnce) {
  std::mt19937 random(7);
  std::vector<Alert> alerts;
  for (std::uint64_t i = 0; i < 60; ++i) {
    Alert alert = alone(i, "2026-09-28T00:00:00Z");
    alert.first_event.ticks += static_cast<std::int64_t>(random() % 72) * EventTime::kTicksPerHour;
    alert.last_suspicious.ticks = alert.first_event.ticks + static_cast<std::int64_t>(random() % 3'000'000'000);
    alert.caller.key = fmt::format("caller-{}", random() % 20);
    alert.vaults.items = {fmt::format("vault-{}", random() % 30)};
    alerts.push_back(alert);
  }
  const auto lines = [](const std::vector<Incident>& incidents) {
    std::string text;
    for (const Incident& incident : incidents) { text += to_json_line(incident_json(incident)) + "\n"; }
    return text;
  };
  const std::string expected = lines(group(alerts));
  EXPECT_NE(expected, "");
  for (int round = 0; round < 10; ++round) {
    std::ranges::shuffle(alerts, random);
    alerts.push_back(alerts.front());
    EXPECT_EQ(lines(group(alerts)), expected) << "round " << round;
    alerts.pop_back();
  }
}

}  // namespace
}  // namespace keyvigil
