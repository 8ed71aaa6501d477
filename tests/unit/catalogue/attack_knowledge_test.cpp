#include "catalogue/attack_knowledge.h"

#include <gtest/gtest.h>

namespace keyvigil {
namespace {

TEST(AttackKnowledge, KnowsEverythingThatTheCatalogueNames) {
  for (const CatalogueRow& row : catalogue()) {
    EXPECT_FALSE(tactics_of(row).empty()) << row.code;
    EXPECT_FALSE(techniques_of(row).empty()) << row.code;
  }
}

TEST(AttackKnowledge, SplitsASubTechniqueFromItsParent) {
  const auto techniques = techniques_of(catalogue_row(AlertType::kTORAccess));
  ASSERT_EQ(techniques.size(), 2U);
  EXPECT_EQ(techniques[0].parent_id(), "T1555");
  EXPECT_EQ(techniques[0].name, "Credentials from Password Stores");
  EXPECT_EQ(techniques[0].sub_name, "Cloud Secrets Management Stores");
  const auto discovery = techniques_of(catalogue_row(AlertType::kAccountVolumeAccessDeniedAnomaly));
  EXPECT_FALSE(discovery[0].is_sub_technique());
  EXPECT_EQ(discovery[0].parent_id(), discovery[0].id);
}

TEST(AttackKnowledge, HasBothTacticsOfARefusedFirstTouch) {
  const auto tactics = tactics_of(catalogue_row(AlertType::kUserAccessDeniedAnomaly));
  ASSERT_EQ(tactics.size(), 2U);
  EXPECT_EQ(tactics[0].id, "TA0001");
  EXPECT_EQ(tactics[1].name, "Discovery");
}

}  // namespace
}  // namespace keyvigil
