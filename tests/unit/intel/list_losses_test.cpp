#include "intel/list_losses.h"

#include <gtest/gtest.h>

namespace keyvigil {
namespace {

ThreatList parse(std::string_view content) {
  Result<ThreatList> list = parse_threat_list("feeds/list.dat", content, {});
  EXPECT_TRUE(list.has_value()) << list.error().message;
  return list ? std::move(*list) : ThreatList{};
}

TEST(ListLosses, AreSaidByCauseWithTheFirstLines) {
  EXPECT_EQ(losses_of(parse("203.0.113.7\n203.0.113.8-203.0.113.20\n10.0.0.0/8\n")),
            "2 of 3 entries were refused (1 not an address, 1 not global address space); line 2: "
            "\"203.0.113.8-203.0.113.20\"; line 3: \"10.0.0.0/8\"");
  const std::string many = losses_of(parse("203.0.113.7\na\nb\nc\nd\n"));
  EXPECT_NE(many.find("4 of 5 entries"), std::string::npos);
  EXPECT_EQ(many.find("\"d\""), std::string::npos);
  EXPECT_NE(many.find("intel check"), std::string::npos);
}

TEST(ListLosses, AreNothingWhereAllWasTaken) {
  EXPECT_EQ(losses_of(parse("203.0.113.7\n")), "");
}

}  // namespace
}  // namespace keyvigil
