#include "history/vault_scope.h"

#include <gtest/gtest.h>

#include <string>

namespace keyvigil {
namespace {

std::string vault(const std::string& subscription, const std::string& group, const std::string& name) {
  return "/subscriptions/" + subscription + "/resourcegroups/" + group + "/providers/microsoft.keyvault/vaults/" + name;
}

// Which of the three scopes two vaults share: group, stem, subscription.
std::string shared(const std::string& left, const std::string& right) {
  const VaultScopes one = scopes_of(left);
  const VaultScopes other = scopes_of(right);
  std::string scopes;
  for (std::size_t i = 0; i < one.size(); ++i) {
    if (one[i] == other[i]) { scopes += "gts"[i]; }
  }
  return scopes;
}

TEST(VaultScope, OneGroupIsAllThree) {
  EXPECT_EQ(shared(vault("s1", "rg-pay-prod", "kv-a"), vault("s1", "rg-pay-prod", "kv-b")), "gts");
}

TEST(VaultScope, EnvironmentsOfOneGroupShareTheStemInAnySubscription) {
  EXPECT_EQ(shared(vault("s1", "rg-pay-dev", "kv-a"), vault("s2", "rg-pay-prod", "kv-b")), "t");
  EXPECT_EQ(shared(vault("s1", "dev_rg.pay", "kv-a"), vault("s2", "rg-pay-uat", "kv-b")), "t");
  EXPECT_EQ(shared(vault("s1", "rg-pay", "kv-a"), vault("s2", "rg-pay-stage", "kv-b")), "t");
}

TEST(VaultScope, WordsInsideOthersAreNoEnvironment) {
  EXPECT_EQ(shared(vault("s1", "rg-devices", "kv-a"), vault("s2", "rg-ices", "kv-b")), "");
  EXPECT_EQ(shared(vault("s1", "rg-product", "kv-a"), vault("s2", "rg", "kv-b")), "");
}

TEST(VaultScope, OtherGroupsShareTheSubscription) {
  EXPECT_EQ(shared(vault("s1", "rg-pay", "kv-a"), vault("s1", "rg-mail", "kv-b")), "s");
  EXPECT_EQ(shared(vault("s1", "rg-pay", "kv-a"), vault("s2", "rg-mail", "kv-b")), "");
}

TEST(VaultScope, GroupsThatAreOnlyAnEnvironmentHaveNoStem) {
  EXPECT_EQ(shared(vault("s1", "prod", "kv-a"), vault("s2", "dev", "kv-b")), "");
}

TEST(VaultScope, IdsWithoutPartsShareNothing) {
  for (const std::string id : {"", "/", "kv-a", "/subscriptions", "/subscriptions//resourcegroups//x"}) {
    EXPECT_EQ(shared(id, vault("s1", "rg-pay", "kv-b")), "") << id;
  }
  EXPECT_EQ(shared("kv-a", "kv-b"), "");
}

}  // namespace
}  // namespace keyvigil
