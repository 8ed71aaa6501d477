#include "command/type_selection.h"

#include <gtest/gtest.h>

#include "catalogue/catalogue.h"

namespace keyvigil {
namespace {

TEST(TypeSelection, KnowsEveryCodeOfTheCatalogue) {
  AlertTypes all;
  for (const CatalogueRow& row : catalogue()) {
    const auto types = parse_alert_types(row.code);
    ASSERT_TRUE(types) << row.code;
    EXPECT_EQ(types->count(), 1U) << row.code;
    EXPECT_EQ(to_string(*types), row.code);
    all |= *types;
  }
  EXPECT_TRUE(all.all());
}

TEST(TypeSelection, ThreatListsAreTheThreeThatNeedNoHistory) {
  const auto types = parse_alert_types("threat-lists");
  ASSERT_TRUE(types);
  EXPECT_EQ(to_string(*types), "KV_SuspiciousIPAccess, KV_TORAccess, KV_SuspiciousIPAccessDenied");
}

TEST(TypeSelection, NamesAreJoinedByCommasWhateverTheirCase) {
  const auto types = parse_alert_types("threat-lists, kv_useranomaly,KV_TORAccess");
  ASSERT_TRUE(types);
  EXPECT_EQ(to_string(*types), "KV_SuspiciousIPAccess, KV_TORAccess, KV_UserAnomaly, KV_SuspiciousIPAccessDenied");
}

TEST(TypeSelection, AnUnknownNameIsRefusedWithTheNearest) {
  const auto types = parse_alert_types("KV_TORAccess,KV_UserAnomly");
  ASSERT_FALSE(types);
  EXPECT_EQ(types.error().kind, ErrorKind::kUsage);
  EXPECT_NE(types.error().message.find("found 'KV_UserAnomly'"), std::string::npos) << types.error().message;
  EXPECT_NE(types.error().message.find("'KV_UserAnomaly'"), std::string::npos) << types.error().message;
}

TEST(TypeSelection, AnEmptyNameIsRefused) {
  for (const std::string_view text : {"", ",", "KV_TORAccess,", ",threat-lists", " "}) {
    EXPECT_FALSE(parse_alert_types(text)) << text;
  }
}

}  // namespace
}  // namespace keyvigil
