// Who stands behind the count of a vault.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "history/estate_history.h"
#include "reference/event_builder.h"

namespace keyvigil {
namespace {

class Contributors : public testing::Test {
 protected:
  void read(std::string_view user, std::string_view vault, int second) {
    event_ = EventBuilder()
                 .user(user)
                 .vault(vault)
                 .at(fmt::format("2026-09-28T10:00:{:02}Z", second))
                 .object("secrets/a")
                 .status(200)
                 .build();
    (void)history_.advance(event_.time);
    history_.observe(event_, facts_);
    history_.learn(event_, facts_, {});
  }
  std::vector<Contributor> of_hour() {
    const auto fact = std::ranges::find_if(facts_.volumes, [](const VolumeFact& known) {
      return known.of_vault && known.measure == VolumeMeasure::kOperations && known.window == VolumeWindow::kHour;
    });
    if (fact == facts_.volumes.end()) { return {}; }
    return history_.contributors(event_, *fact);
  }

  EstateHistory history_;
  Facts facts_;
  AccessEvent event_;
};

TEST_F(Contributors, AreThoseWhoDidMostTheBusiestFirst) {
  read("bob", "kv-b", 0);
  read("carol", "kv-c", 1);
  for (int i = 2; i < 5; ++i) { read("alice", "kv-a", i); }
  read("bob", "kv-a", 6);
  const std::vector<Contributor> found = of_hour();
  ASSERT_EQ(found.size(), 2U) << "carol was elsewhere";
  EXPECT_EQ(found[0].count, 3);
  EXPECT_FALSE(found[0].elsewhere);
  EXPECT_EQ(found[1].caller, event_.caller_key());
  EXPECT_EQ(found[1].count, 2) << "on all of its vaults";
  EXPECT_TRUE(found[1].elsewhere);
}

TEST_F(Contributors, AreAtMostAFew) {
  for (int i = 0; i < 12; ++i) { read(fmt::format("user-{}", i), "kv-a", i); }
  // Looked at again each time the count has grown by a quarter.
  for (int i = 12; i < 30 && of_hour().empty(); ++i) { read("user-0", "kv-a", i); }
  EXPECT_EQ(of_hour().size(), EstateHistory::kContributors);
}

}  // namespace
}  // namespace keyvigil
