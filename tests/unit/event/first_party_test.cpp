#include "event/first_party.h"

#include <gtest/gtest.h>

#include "reference/event_builder.h"

namespace keyvigil {
namespace {

constexpr const char* kPolicyInsights = "1d78a85d-813d-46f0-b496-dd72f50a3ec0";
constexpr const char* kSecurity = "8edd93e1-2103-40b4-bd70-6e34e586362d";
constexpr const char* kCommandLine = "04b07795-8ddb-461a-bbee-02f9e1bf7b46";
constexpr const char* kOwn = "10000000-0000-4000-8000-000000000001";

AccessEvent of(std::string_view app_id, std::string_view operation, CallerKind kind = CallerKind::kFirstParty) {
  AccessEvent event = EventBuilder().app(app_id).operation(operation).build();
  event.caller_kind = kind;
  return event;
}

TEST(FirstParty, ScannersReadNamesAndPropertiesAndNoSecret) {
  const FirstPartyApps apps;
  for (const char* operation : {"VaultGet", "SecretList", "KeyList", "CertificateList", "KeyGet"}) {
    EXPECT_TRUE(apps.is_routine(of(kPolicyInsights, operation))) << operation;
    EXPECT_TRUE(apps.is_routine(of(kSecurity, operation))) << operation;
  }
  EXPECT_FALSE(apps.is_routine(of(kPolicyInsights, "SecretGet")));
  EXPECT_FALSE(apps.is_routine(of(kSecurity, "VaultPut")));
}

TEST(FirstParty, ATrustedServiceReadsWhatHoldsNoSecret) {
  const FirstPartyApps apps;
  AccessEvent list = of(kOwn, "SecretList");
  EXPECT_FALSE(apps.is_routine(list));
  list.network_path = NetworkPath::kTrustedService;
  EXPECT_TRUE(apps.is_routine(list));
  AccessEvent read = of(kOwn, "SecretGet");
  read.network_path = NetworkPath::kTrustedService;
  EXPECT_FALSE(apps.is_routine(read));
}

TEST(FirstParty, ClientsOfPeopleHaveNoRoutine) {
  EXPECT_FALSE(is_first_party_app(kCommandLine));
  EXPECT_FALSE(FirstPartyApps().is_routine(of(kCommandLine, "VaultGet")));
  EXPECT_EQ(known_app_name(kCommandLine), "Azure CLI");
}

TEST(FirstParty, ThoseOfAConfigurationComeOnTop) {
  const FirstPartyApps apps({{kOwn, Routine::kKeys}, {kPolicyInsights, Routine::kInventory}});
  EXPECT_TRUE(apps.is_routine(of(kOwn, "KeyUnwrap", CallerKind::kApp)));
  EXPECT_FALSE(apps.is_routine(of(kOwn, "SecretList", CallerKind::kApp)));
  EXPECT_FALSE(apps.is_routine(of(kOwn, "KeyUnwrap", CallerKind::kUser)));
  EXPECT_FALSE(apps.is_routine(of(kPolicyInsights, "SecretList")));
}

TEST(FirstParty, RoutinesHaveTheNamesOfTheConfiguration) {
  for (const char* name : {"inventory", "scan", "keys", "secrets", "backup"}) {
    EXPECT_EQ(to_string(parse_routine(name).value()), name);
  }
  EXPECT_FALSE(parse_routine("client"));
  EXPECT_EQ(to_string(Routine::kClient), "");
}

}  // namespace
}  // namespace keyvigil
