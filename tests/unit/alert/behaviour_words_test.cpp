#include "alert/behaviour_words.h"

#include <gtest/gtest.h>

#include "alert/alert.h"

namespace keyvigil {
namespace {

TEST(BehaviourWords, SayHowManyObjectsTheCallerHadNotReadBefore) {
  Alert alert;
  alert.caller_kind = CallerKind::kApp;
  Reason reason;
  reason.code = ReasonCode::kReadsOfNewObjects;
  reason.observed = 7;
  reason.expected = 0.02;
  reason.days_known = 1.2;
  const std::string some = behaviour_sentence(alert, reason);
  EXPECT_TRUE(some.starts_with("7 of these had not been read by ")) << some;
  EXPECT_TRUE(some.ends_with("usual after a list are 0.02, over 1 learned list.")) << some;
  reason.observed = 0;
  EXPECT_EQ(behaviour_sentence(alert, reason), "The caller had read all of these within the 90 days before.");
  EXPECT_EQ(behaviour_code(reason.code).code, "ReadsOfNewObjects");
}

}  // namespace
}  // namespace keyvigil
