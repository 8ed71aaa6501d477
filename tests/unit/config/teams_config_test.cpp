// Teams from the configuration file to what is journalled by the service.
#include <gtest/gtest.h>

#include "config/config.h"
#include "config/live_settings.h"

namespace keyvigil {
namespace {

TEST(TeamsConfig, AreReadAndJournalled) {
  const auto config = parse_config(
      "teams:\n"
      "  - name: payments\n"
      "    callers: [ana@contoso.com, 33333333-3333-3333-3333-333333333333]\n"
      "    vaults: [kv-pay-prod, kv-pay-test]\n"
      "  - vaults: kv-shop\n",
      "here.yaml", ".");
  ASSERT_TRUE(config.has_value()) << config.error().message;
  ASSERT_EQ(config->teams.size(), 2U);
  EXPECT_EQ(config->teams[0].callers.size(), 2U);
  EXPECT_EQ(config->teams[1].vaults, (std::vector<std::string>{"kv-shop"}));
  const LiveSettings settings = live_settings(*config);
  const auto again = parse_live_settings(to_json(settings));
  ASSERT_TRUE(again.has_value()) << again.error().message;
  EXPECT_EQ(again->teams, config->teams);
  EXPECT_EQ(to_json(*again), to_json(settings));
}

TEST(TeamsConfig, SettingsFromBeforeThereWereTeamsHaveNone) {
  const auto settings =
      parse_live_settings(R"({"lateness_minutes":15,"alerts_per_1000_vault_days":5.0,"learning_days":14,)"
                          R"("estates":[{"name":"","subscriptions":[]}]})");
  ASSERT_TRUE(settings.has_value()) << settings.error().message;
  EXPECT_TRUE(settings->teams.empty());
}

TEST(TeamsConfig, ATeamWithoutVaultsIsRefusedWithItsPlace) {
  const auto config = parse_config("teams:\n  - name: payments\n    callers: [ana@contoso.com]\n", "here.yaml", ".");
  ASSERT_FALSE(config.has_value());
  EXPECT_NE(config.error().message.find("here.yaml:2"), std::string::npos) << config.error().message;
  EXPECT_NE(config.error().message.find("teams.vaults"), std::string::npos) << config.error().message;
}

}  // namespace
}  // namespace keyvigil
