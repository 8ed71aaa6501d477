#include "history/teams.h"

#include <gtest/gtest.h>

namespace keyvigil {
namespace {

constexpr std::string_view kPay = "/subscriptions/1/resourcegroups/rg/providers/microsoft.keyvault/vaults/kv-pay";
constexpr std::string_view kShop = "/subscriptions/1/resourcegroups/rg/providers/microsoft.keyvault/vaults/kv-shop";
constexpr std::string_view kOther = "/subscriptions/1/resourcegroups/rg/providers/microsoft.keyvault/vaults/kv-other";

Teams two_teams() {
  return Teams({{"payments", {"Alice@Contoso.com", "app-1"}, {"KV-Pay", "kv-pay-test"}},
                {"shop", {"bob"}, {std::string(kShop)}}});
}

TEST(Teams, SayNothingWhereNothingIsDeclared) {
  EXPECT_TRUE(Teams().empty());
  EXPECT_EQ(Teams().popularity({"alice"}, kPay, {}), std::nullopt);
  EXPECT_EQ(two_teams().popularity({"alice@contoso.com"}, kOther, {}), std::nullopt);
  EXPECT_EQ(two_teams().popularity({"stranger"}, kPay, {}), std::nullopt);
}

TEST(Teams, HoldADeclaredCallerNearTheVaultsOfTheTeamAndFarFromOthers) {
  const Teams teams = two_teams();
  EXPECT_EQ(teams.popularity({"object-id", "alice@contoso.com"}, kPay, {}), 0.5);
  EXPECT_EQ(teams.popularity({"object-id", "alice@contoso.com"}, kShop, {}), 0.0);
  EXPECT_EQ(teams.popularity({"bob", ""}, kShop, {}), 1.0);
}

TEST(Teams, TakeACallerWithoutATeamForOneOfThoseWhoseVaultsItUses) {
  const std::vector<std::string_view> used = {kPay, kOther};
  EXPECT_EQ(two_teams().popularity({"stranger"}, kPay, used), 0.25);
  EXPECT_EQ(two_teams().popularity({"stranger"}, kShop, used), 0.0);
}

TEST(Teams, ShareACallerOfSeveral) {
  const Teams teams({{"a", {"carol"}, {"kv-pay"}}, {"b", {"carol"}, {"kv-shop"}}});
  EXPECT_EQ(teams.popularity({"carol"}, kPay, {}), 0.5);
  EXPECT_EQ(teams.popularity({"carol"}, kShop, {}), 0.5);
}

}  // namespace
}  // namespace keyvigil
