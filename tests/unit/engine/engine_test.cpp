#include "engine/engine.h"

#include <gtest/gtest.h>

#include "reference/order_events.h"

namespace keyvigil {
namespace {

using reference::make_event;

TEST(Engine, RaisesNothingWithoutListsButLearnsEveryOperation) {
  const AddressBook book;
  Engine engine(book);
  Decision decision;
  const AccessEvent read = make_event({.milliseconds = 1000});
  const AccessEvent challenge = make_event({.milliseconds = 2000, .operation = 2});
  engine.decide(read, Timeliness::kInTime, decision);
  EXPECT_TRUE(decision.findings.empty());
  EXPECT_TRUE(decision.vault_operations.empty());
  EXPECT_FALSE(decision.late);
  engine.decide(challenge, Timeliness::kLate, decision);
  EXPECT_TRUE(decision.late);
  EXPECT_EQ(engine.recent_operations().of_vault(read.vault_id(), read.time),
            (std::map<std::string, std::uint64_t>{{"Authentication", 1}, {"SecretGet", 1}}));
}

TEST(Engine, LearnsNothingBeyondTheLateHorizonAndGoesOnFromItsState) {
  const AddressBook book;
  Engine engine(book);
  Decision decision;
  const AccessEvent read = make_event({.milliseconds = 1000});
  engine.decide(read, Timeliness::kInTime, decision);
  engine.decide(read, Timeliness::kBeyondHorizon, decision);
  EXPECT_TRUE(decision.late);
  Engine next(book);
  ASSERT_TRUE(next.load(engine.save()).has_value());
  next.decide(read, Timeliness::kInTime, decision);
  EXPECT_EQ(next.recent_operations().of_vault(read.vault_id(), read.time),
            (std::map<std::string, std::uint64_t>{{"SecretGet", 2}}));
}

}  // namespace
}  // namespace keyvigil
