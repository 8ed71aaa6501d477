#include "catalogue/catalogue.h"

#include <set>
#include <string>

#include <gtest/gtest.h>

namespace keyvigil {
namespace {

TEST(Catalogue, HasFourteenTypesWithDistinctCodesAndNames) {
  std::set<std::string_view> codes;
  std::set<std::string_view> names;
  for (const CatalogueRow& row : catalogue()) {
    codes.insert(row.code);
    names.insert(row.display_name);
    EXPECT_FALSE(row.description.empty()) << row.code;
    EXPECT_FALSE(row.remediation.empty()) << row.code;
    EXPECT_TRUE(row.techniques.starts_with("T1")) << row.code;
    EXPECT_EQ(row.description.back(), '.') << row.code;
  }
  EXPECT_EQ(codes.size(), 14U);
  EXPECT_EQ(names.size(), 14U);
}

TEST(Catalogue, GivesTheDocumentedSeverities) {
  std::set<std::string_view> low;
  for (const CatalogueRow& row : catalogue()) {
    if (row.severity == Severity::kLow) { low.insert(row.code); }
    EXPECT_TRUE(row.severity == Severity::kLow || row.severity == Severity::kMedium) << row.code;
  }
  EXPECT_EQ(low, (std::set<std::string_view>{"KV_AccountVolumeAccessDeniedAnomaly", "KV_UserAccessDeniedAnomaly",
                                             "KV_SuspiciousIPAccessDenied"}));
}

TEST(Catalogue, JoinsTwoTacticsAsDotNetDoes) {
  EXPECT_EQ(catalogue_row(AlertType::kUserAccessDeniedAnomaly).intent, "InitialAccess, Discovery");
  EXPECT_EQ(catalogue_row(AlertType::kAccountVolumeAccessDeniedAnomaly).intent, "Discovery");
  EXPECT_EQ(catalogue_row(AlertType::kTORAccess).intent, "CredentialAccess");
}

TEST(Catalogue, FindsCodesWhateverTheirCase) {
  EXPECT_EQ(find_alert_type("kv_toraccess"), AlertType::kTORAccess);
  EXPECT_EQ(find_alert_type("KV_TORAcces"), std::nullopt);
  EXPECT_EQ(find_alert_type(""), std::nullopt);
}

TEST(Catalogue, ReadsItsOwnSeverities) {
  for (const Severity severity : {Severity::kInformational, Severity::kLow, Severity::kMedium, Severity::kHigh}) {
    EXPECT_EQ(parse_severity(to_string(severity)), severity);
  }
  EXPECT_EQ(parse_severity("HIGH"), Severity::kHigh);
  EXPECT_EQ(parse_severity("urgent"), std::nullopt);
}

TEST(Catalogue, LearnsAllButTheThreatListTypes) {
  std::set<std::string_view> by_list;
  for (const CatalogueRow& row : catalogue()) {
    if (!row.learned()) { by_list.insert(row.code); }
  }
  EXPECT_EQ(by_list,
            (std::set<std::string_view>{"KV_SuspiciousIPAccess", "KV_SuspiciousIPAccessDenied", "KV_TORAccess"}));
}

}  // namespace
}  // namespace keyvigil
