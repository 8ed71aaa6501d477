#include "history/operation_mix.h"

#include <gtest/gtest.h>

#include <numeric>
#include <vector>

#include "reference/event_builder.h"

namespace keyvigil {
namespace {

OperationMixWeights only(OperationClass operation, double count) {
  OperationMixWeights counts{};
  counts[static_cast<std::size_t>(operation)] = count;
  return counts;
}

double total(const OperationMixWeights& weights) {
  return std::accumulate(weights.begin(), weights.end(), 0.0);
}

EventTime second(std::int64_t number) {
  return EventTime{number * EventTime::kTicksPerSecond};
}

TEST(OperationClass, TellsKindsAndOutcomes) {
  const auto class_of = [](std::string_view name, std::uint16_t status) {
    return operation_class(EventBuilder().user("alice").operation(name).status(status).build());
  };
  EXPECT_EQ(class_of("SecretGet", 200), OperationClass::kSecretGet);
  EXPECT_EQ(class_of("SecretListVersions", 200), OperationClass::kSecretList);
  EXPECT_EQ(class_of("SecretSet", 200), OperationClass::kSecretSet);
  EXPECT_EQ(class_of("KeyPurge", 200), OperationClass::kDelete);
  EXPECT_EQ(class_of("CertificateBackup", 200), OperationClass::kBackup);
  EXPECT_EQ(class_of("KeyUnwrap", 200), OperationClass::kPrivateKeyUse);
  EXPECT_EQ(class_of("KeyEncrypt", 200), OperationClass::kPublicKeyUse);
  EXPECT_EQ(class_of("KeyList", 200), OperationClass::kKeyRead);
  EXPECT_EQ(class_of("KeyRotate", 200), OperationClass::kKeyWrite);
  EXPECT_EQ(class_of("CertificateGet", 200), OperationClass::kCertificateRead);
  EXPECT_EQ(class_of("CertificateImport", 200), OperationClass::kCertificateWrite);
  EXPECT_EQ(class_of("VaultGet", 200), OperationClass::kVaultGet);
  EXPECT_EQ(class_of("VaultPatch", 200), OperationClass::kVaultWrite);
  EXPECT_EQ(class_of("SecretGet", 403), OperationClass::kDenied);
  EXPECT_EQ(class_of("SecretGet", 404), OperationClass::kNotFound);
  EXPECT_EQ(class_of("SomethingElse", 200), OperationClass::kOther);
}

TEST(PopulationMix, SharesSumToOneAndWaitForTheHour) {
  PopulationMix mix;
  const double before = mix.shares()[static_cast<std::size_t>(OperationClass::kDelete)];
  mix.learn(only(OperationClass::kDelete, 1000));
  EXPECT_EQ(mix.shares()[static_cast<std::size_t>(OperationClass::kDelete)], before);
  mix.close_hour();
  EXPECT_GT(mix.shares()[static_cast<std::size_t>(OperationClass::kDelete)], 0.8);
  EXPECT_NEAR(total(mix.shares()), 1, 1e-12);
  for (const double share : mix.shares()) { EXPECT_GT(share, 0); }
}

TEST(OperationMix, IsTheClassUntilItHasLearned) {
  const PopulationMix population;
  OperationMix mix;
  EXPECT_NEAR(total(mix.weights(population.shares())), OperationMix::kPriorWeight, 1e-12);
  EXPECT_FALSE(mix.is_rare(OperationClass::kDelete)) << "nothing is rare for somebody unknown";
  mix.learn(only(OperationClass::kSecretGet, 30), false);
  EXPECT_NEAR(total(mix.weights(population.shares())), OperationMix::kPriorWeight + 30, 1e-5);
}

TEST(OperationMix, IsWorthNoMoreThanItsBound) {
  const PopulationMix population;
  OperationMix mix;
  for (int day = 0; day < 100; ++day) {
    mix.learn(only(OperationClass::kSecretGet, 500), false);
    mix.close_day();
  }
  EXPECT_NEAR(total(mix.weights(population.shares())), OperationMix::kMostWeight, 1e-3);
  EXPECT_TRUE(mix.is_rare(OperationClass::kDelete));
  EXPECT_FALSE(mix.is_rare(OperationClass::kSecretGet));
}

double share_of_sets(const OperationMixWeights& weights) {
  return weights[static_cast<std::size_t>(OperationClass::kSecretSet)] / total(weights);
}

// A poller that rotates a secret once in ten days: one operation in ten thousand, but no news.
TEST(OperationMix, RemembersByDaysWhatDrownsInOperations) {
  const PopulationMix population;
  OperationMix mix;
  for (int day = 0; day < 30; ++day) {
    mix.learn(only(OperationClass::kSecretGet, 1000), false);
    if (day % 10 == 3) { mix.learn(only(OperationClass::kSecretSet, 1), false); }
    mix.close_day();
  }
  EXPECT_LT(share_of_sets(mix.weights(population.shares())), 0.01);
  EXPECT_GT(share_of_sets(mix.weights_by_days(population.shares())), 0.07);
}

TEST(OperationMix, WhatAlertedTeachesATenth) {
  const PopulationMix population;
  OperationMix quiet;
  OperationMix alerted;
  quiet.learn(only(OperationClass::kDelete, 10), false);
  alerted.learn(only(OperationClass::kDelete, 10), true);
  for (OperationMix* mix : {&quiet, &alerted}) { mix->close_day(); }
  const auto own = [&](const OperationMixWeights& weights) { return total(weights) - OperationMix::kPriorWeight; };
  EXPECT_NEAR(own(alerted.weights(population.shares())), own(quiet.weights(population.shares())) / 10, 1e-5);
  EXPECT_NEAR(own(alerted.weights_by_days(population.shares())), own(quiet.weights_by_days(population.shares())) / 10,
              1e-5);
}

TEST(OperationSession, IsLookedAtAtGrowingCounts) {
  OperationSession session;
  std::vector<int> checks;
  for (int i = 1; i <= 45; ++i) {
    if (session.add(OperationClass::kSecretGet, second(i), false)) { checks.push_back(i); }
  }
  EXPECT_EQ(checks, (std::vector<int>{3, 5, 7, 10, 15, 22, 33}));
}

TEST(OperationSession, IsLookedAtWhereARareClassAppears) {
  OperationSession session;
  EXPECT_FALSE(session.add(OperationClass::kDelete, second(1), true)) << "one event is no session";
  EXPECT_TRUE(session.add(OperationClass::kDelete, second(2), true));
  EXPECT_EQ(session.counts()[static_cast<std::size_t>(OperationClass::kDelete)], 2);
}

TEST(OperationSession, EndsAfterAPauseOrWhenItIsFull) {
  OperationSession session;
  EXPECT_FALSE(session.is_over(second(0)));
  (void)session.add(OperationClass::kSecretGet, second(0), false);
  EXPECT_FALSE(session.is_over(second(899)));
  EXPECT_TRUE(session.is_over(second(900)));
  for (int i = 1; i < OperationSession::kMostEvents; ++i) {
    EXPECT_FALSE(session.is_over(second(i)));
    (void)session.add(OperationClass::kSecretGet, second(i), false);
  }
  EXPECT_TRUE(session.is_over(second(OperationSession::kMostEvents)));
}

}  // namespace
}  // namespace keyvigil
