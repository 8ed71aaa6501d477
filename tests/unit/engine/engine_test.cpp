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
  EXPECT_FALSE(decision.marks.first_touch);
  EXPECT_TRUE(decision.behaviour_known);
  EXPECT_FALSE(decision.marks.late);
  engine.decide(challenge, Timeliness::kLate, decision);
  EXPECT_TRUE(decision.marks.late);
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
  EXPECT_TRUE(decision.marks.late);
  Engine next(book);
  ASSERT_TRUE(next.load(engine.save()).has_value());
  next.decide(read, Timeliness::kInTime, decision);
  EXPECT_EQ(next.recent_operations().of_vault(read.vault_id(), read.time),
            (std::map<std::string, std::uint64_t>{{"SecretGet", 2}}));
}

TEST(Engine, KeepsHistoriesOnlyWhereATypeComparesBehaviour) {
  const AddressBook book;
  const AccessEvent read = make_event({.milliseconds = 1000});
  for (const AlertType type : {AlertType::kTORAccess, AlertType::kUserAnomaly}) {
    EngineOptions options;
    options.types = AlertTypes().set(static_cast<std::size_t>(type));
    const bool behaviour = type == AlertType::kUserAnomaly;
    EXPECT_EQ(options.keeps_histories(), behaviour);
    Engine engine(book, options);
    Decision decision;
    engine.decide(read, Timeliness::kInTime, decision);
    EXPECT_EQ(engine.learned_at().has_value(), behaviour);
    if (!behaviour) { EXPECT_EQ(engine.history().vaults().size(), 0U); }
    EXPECT_FALSE(engine.recent_operations().of_vault(read.vault_id(), read.time).empty());
  }
  EXPECT_TRUE(EngineOptions().keeps_histories());
}

}  // namespace
}  // namespace keyvigil
