#include "api/open_alerts.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "reference/made_alert.h"

namespace keyvigil {
namespace {

StoredAlert stored(std::uint64_t number, bool open) {
  StoredAlert one;
  one.alert = made_alert(number);
  one.alert.open = open;
  one.status = AlertStatus::kInProgress;
  return one;
}

TEST(OpenAlerts, AreShownAsTheyAreWithTheStatusThatTheyHave) {
  std::vector<StoredAlert> page = {stored(1, true), stored(2, false), stored(3, true), stored(4, true)};
  page[3].simulated = true;
  std::vector<std::string> asked;
  LiveView live;
  live.open_alerts = [&](const std::vector<OpenAlertKey>& keys) -> Result<std::vector<Alert>> {
    for (const OpenAlertKey& key : keys) { asked.push_back(key.id); }
    EXPECT_EQ(keys.at(0).generated, made_alert(1).generated);
    Alert now = made_alert(3);
    now.suspicious_events = 77;
    return std::vector<Alert>{now};  // the first has closed meanwhile
  };
  bring_up_to_date(page, live);
  EXPECT_EQ(asked, (std::vector<std::string>{made_alert(1).id, made_alert(3).id}));
  EXPECT_EQ(page[0].alert.suspicious_events, made_alert(1).suspicious_events);
  EXPECT_EQ(page[1].alert.suspicious_events, made_alert(2).suspicious_events);
  EXPECT_EQ(page[2].alert.suspicious_events, 77U);
  EXPECT_EQ(page[2].status, AlertStatus::kInProgress);
}

TEST(OpenAlerts, AreShownAsTheyWereStoredWhereTheEngineIsBusy) {
  std::vector<StoredAlert> page = {stored(1, true)};
  bring_up_to_date(page, LiveView());
  LiveView busy;
  busy.open_alerts = [](const std::vector<OpenAlertKey>&) -> Result<std::vector<Alert>> {
    return fail(ErrorKind::kLimit, "the engine is busy");
  };
  bring_up_to_date(page, busy);
  EXPECT_EQ(page[0].alert.suspicious_events, made_alert(1).suspicious_events);
}

TEST(OpenAlerts, NobodyIsAskedWhereNoneIsOpen) {
  std::vector<StoredAlert> page = {stored(1, false)};
  LiveView live;
  live.open_alerts = [](const std::vector<OpenAlertKey>&) -> Result<std::vector<Alert>> {
    ADD_FAILURE() << "asked";
    return std::vector<Alert>{};
  };
  bring_up_to_date(page, live);
  EXPECT_EQ(page.size(), 1U);
}

}  // namespace
}  // namespace keyvigil
