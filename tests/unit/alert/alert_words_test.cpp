#include "alert/alert_words.h"

#include <gtest/gtest.h>

#include "detect/reasons.h"

namespace keyvigil {
namespace {

const ReasonNames kNames = {"application 1111", "kv-a"};

Reason reads_of_new_objects(double observed, double usual, double lists) {
  Reason reason;
  reason.code = ReasonCode::kReadsOfNewObjects;
  reason.with(Quantity::kObserved, observed).with(Quantity::kUsual, usual).with(Quantity::kLearnedWindows, lists);
  return reason;
}

TEST(AlertWords, SayHowManyObjectsTheCallerHadNotReadBefore) {
  EXPECT_EQ(reads_of_new_objects_sentence(reads_of_new_objects(7, 0.02, 1.2), kNames),
            "7 of these had not been read by application 1111 in kv-a within the 90 days before. After its lists 0.02 "
            "such are usual, learned over about 1 list.");
  EXPECT_EQ(reads_of_new_objects_sentence(reads_of_new_objects(0, 2, 9), kNames),
            "application 1111 had read all of these in kv-a within the 90 days before.");
}

TEST(AlertWords, NameNoUsualThatIsNoReason) {
  const std::string more_than_now = reads_of_new_objects_sentence(reads_of_new_objects(1, 6.04, 9), kNames);
  EXPECT_EQ(more_than_now.find("usual"), std::string::npos) << more_than_now;
  const std::string never_learned = reads_of_new_objects_sentence(reads_of_new_objects(7, 2, 0.3), kNames);
  EXPECT_EQ(never_learned.find("usual"), std::string::npos) << never_learned;
}

TEST(AlertWords, TellAProbabilityAsAFrequency) {
  EXPECT_EQ(frequency_in_words(0.9, "active day"), "on nearly every active day");
  EXPECT_EQ(frequency_in_words(0.6, "active day"), "once in 2 active days");
  EXPECT_EQ(frequency_in_words(0.01, "active day"), "once in 100 active days");
  EXPECT_EQ(frequency_in_words(1 / 1234.0, "active day"), "once in 1,200 active days");
  EXPECT_EQ(frequency_in_words(2e-11, "active day"), "practically never (less than once in a million active days)");
  EXPECT_EQ(frequency_in_words(0, "active day"), "practically never (less than once in a million active days)");
}

TEST(AlertWords, NameTheVaultOfAReasonAndNotOfTheAlert) {
  Alert alert;
  alert.type = AlertType::kPutGetAnomaly;
  alert.vault_name = "kv-here";
  alert.caller.kind = CallerKind::kUser;
  alert.caller.key = "u1";
  alert.caller.user_name = "ann@contoso.com";
  Reason reason;
  reason.code = ReasonCode::kFirstRefusal;
  reason.vault = "/subscriptions/s/resourcegroups/g/providers/microsoft.keyvault/vaults/kv-there";
  reason.with(Quantity::kDaysSeen, 3).with(Quantity::kVaultsOfCaller, 1).with(Quantity::kProbability, 0.01);
  const std::string sentence = reason_sentence(alert, reason);
  EXPECT_NE(sentence.find("was refused by kv-there"), std::string::npos) << sentence;
  EXPECT_EQ(sentence.find("kv-here"), std::string::npos) << sentence;
}

TEST(AlertWords, CountAnObjectOfEachVaultAndItsVersionsOnce) {
  Alert alert;
  alert.credential_reads = 4;
  alert.objects_read = {{"kv-a", "secrets/db", ""}, {"kv-a", "secrets/db", "0123"}};
  EXPECT_EQ(what_was_read(alert), "1 object: secrets/db");
  alert.objects_read.insert({"kv-b", "secrets/db", ""});
  EXPECT_EQ(what_was_read(alert), "2 objects: secrets/db of kv-a, secrets/db of kv-b");
}

TEST(AlertWords, BlameNobodyForWhatManyDid) {
  Alert alert;
  alert.type = AlertType::kOperationVolumeAnomaly;
  alert.subject = SubjectKind::kVault;
  alert.suspicious_events = 9;
  for (const char* name : {"a", "b", "c"}) {
    alert.contributors[name].who.key = name;
    alert.contributors[name].events = 3;
  }
  EXPECT_EQ(caller_in_words(alert), "3 callers, none of whom did half of it");
  double shares = 0;
  for (const Contributor* contributor : contributors_by_share(alert)) { shares += share_percent(alert, *contributor); }
  EXPECT_LE(shares, 100);
  EXPECT_GT(shares, 99);
}

}  // namespace
}  // namespace keyvigil
