#include "serve/vault_rhythm.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <random>

#include "base/hash.h"
#include "base/snapshot.h"

namespace keyvigil {
namespace {

constexpr std::int64_t kHour = EventTime::kTicksPerHour;
constexpr std::int64_t kDay = EventTime::kTicksPerDay;
constexpr std::int64_t kBegin = 20'000 * kDay;

AccessEvent event(const std::string& vault, std::int64_t ticks) {
  AccessEvent event;
  event.time = EventTime{kBegin + ticks};
  event.hashes.known = true;
  event.hashes.vault = hash64(vault);
  return event;
}

// Vaults that speak every so many ticks, together.
class VaultRhythmTest : public testing::Test {
 protected:
  void speak(const std::string& vault, std::int64_t from, std::int64_t to, std::int64_t every) {
    for (std::int64_t at = from; at < to; at += every) { events_[at].push_back(vault); }
  }
  void see_all() {
    for (const auto& [at, vaults] : events_) {
      for (const std::string& vault : vaults) { rhythm_.see(event(vault, at)); }
    }
    events_.clear();
  }
  std::vector<std::uint64_t> silent() const {
    std::vector<std::uint64_t> vaults;
    for (const VaultRhythm::Silence& one : rhythm_.silent()) { vaults.push_back(one.vault); }
    return vaults;
  }
  using Vaults = std::vector<std::uint64_t>;

  VaultRhythm rhythm_;
  std::map<std::int64_t, std::vector<std::string>> events_;
};

TEST_F(VaultRhythmTest, TellsAVaultThatStopsWhileAnotherGoesOn) {
  speak("busy", 0, 20 * kDay, kHour);
  speak("other", 0, 20 * kDay + 3 * kHour, kHour);
  see_all();
  EXPECT_EQ(silent(), Vaults{}) << "three hours are no silence yet";
  speak("other", 20 * kDay + 3 * kHour, 20 * kDay + 6 * kHour, kHour);
  see_all();
  ASSERT_EQ(silent(), Vaults{hash64("busy")});
  EXPECT_EQ(rhythm_.silent()[0].longest_ticks, kHour);
  EXPECT_EQ(rhythm_.silent()[0].last.ticks, kBegin + 20 * kDay - kHour);
  // And no more once it speaks again.
  speak("busy", 20 * kDay + 6 * kHour, 20 * kDay + 7 * kHour, kHour);
  see_all();
  EXPECT_EQ(silent(), Vaults{});
}

TEST_F(VaultRhythmTest, SaysNothingOfAVaultThatPausesOfItself) {
  speak("other", 0, 100 * kDay, kHour);
  // Working days: quiet at night and at the end of the week.
  for (std::int64_t day = 0; day < 75; ++day) {
    if (day % 7 < 5) { speak("working days", day * kDay + 8 * kHour, day * kDay + 17 * kHour, kHour / 4); }
  }
  speak("monthly", 0, 100 * kDay, 30 * kDay);
  speak("once", 50 * kDay, 50 * kDay + 1, 1);
  see_all();
  ASSERT_EQ(silent(), Vaults{hash64("working days")}) << "it has stopped 25 days before";
}

TEST_F(VaultRhythmTest, NeedsAWeekToKnowAVault) {
  speak("young", 0, 6 * kDay, kHour);
  speak("other", 0, 20 * kDay, kHour);
  see_all();
  EXPECT_EQ(silent(), Vaults{});
}

TEST_F(VaultRhythmTest, DoesNotTellForEverNorOfAVaultThatWasDeleted) {
  speak("unused", 0, 20 * kDay, kHour);
  speak("deleted", 0, 20 * kDay, kHour);
  speak("other", 0, 30 * kDay, kHour);
  see_all();
  EXPECT_EQ(silent().size(), 2U);
  AccessEvent gone = event("deleted", 30 * kDay);
  gone.outcome = Outcome::kSuccess;
  gone.operation = find_operation("VaultDelete");
  rhythm_.see(gone);
  EXPECT_EQ(silent(), Vaults{hash64("unused")});
  speak("other", 30 * kDay, 51 * kDay, kHour);
  see_all();
  EXPECT_EQ(silent(), Vaults{});
}

TEST_F(VaultRhythmTest, IsNotTaughtToBeSilentInOneGo) {
  speak("taught", 0, 20 * kDay, kHour);
  speak("taught", 29 * kDay, 35 * kDay, kHour);
  speak("other", 0, 36 * kDay, kHour);
  see_all();
  ASSERT_EQ(silent(), Vaults{hash64("taught")});
  EXPECT_EQ(rhythm_.silent()[0].longest_ticks, 2 * kHour);
}

TEST_F(VaultRhythmTest, IsBoundedAndKeepsThoseItKnowsThroughAFloodOfMadeUpVaults) {
  speak("busy", 0, 20 * kDay, kHour);
  speak("other", 0, 25 * kDay, kHour);
  see_all();
  for (std::size_t i = 0; i < VaultRhythm::kVaultsLimit + 1000; ++i) {
    rhythm_.see(event(fmt::format("made up {}", i), 25 * kDay));
  }
  EXPECT_GT(rhythm_.left_out(), 900U);
  EXPECT_EQ(silent(), Vaults{hash64("busy")});
  rhythm_.see(event("new", 27 * kDay));
  const std::uint64_t left_out = rhythm_.left_out();
  rhythm_.see(event("newer", 27 * kDay));
  EXPECT_EQ(rhythm_.left_out(), left_out) << "there is room again";
}

// Whatever the vaults do, what is saved and loaded says the same.
TEST_F(VaultRhythmTest, SaysTheSameAfterItWasSaved) {
  for (unsigned seed = 1; seed <= 5; ++seed) {
    SCOPED_TRACE(fmt::format("seed {}", seed));
    std::mt19937 random(seed);
    VaultRhythm rhythm;
    std::int64_t at = 0;
    for (int i = 0; i < 20'000; ++i) {
      at += static_cast<std::int64_t>(random() % 3'600'000'000ULL);
      rhythm.see(event(fmt::format("vault {}", random() % (1 + random() % 30)), at));
    }
    SnapshotWriter writer;
    writer.write(rhythm);
    VaultRhythm loaded;
    const std::string bytes = writer.bytes();
    SnapshotReader reader(bytes);
    ASSERT_TRUE(reader.read(loaded) && reader.at_end());
    for (int i = 0; i < 1000; ++i) {
      at += kHour;
      rhythm.see(event("vault 0", at));
      loaded.see(event("vault 0", at));
      ASSERT_EQ(rhythm.silent().size(), loaded.silent().size());
    }
  }
}

}  // namespace
}  // namespace keyvigil
