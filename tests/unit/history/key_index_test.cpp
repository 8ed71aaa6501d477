#include "history/key_index.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include <map>
#include <set>
#include <vector>

namespace keyvigil {
namespace {

std::set<std::uint32_t> slots_under(const KeyIndex& index, std::uint64_t hash) {
  std::set<std::uint32_t> slots;
  (void)index.find(hash, [&](std::uint32_t slot) {
    slots.insert(slot);
    return false;
  });
  return slots;
}

TEST(KeyIndex, FindsNothingInAnEmptyOne) {
  const KeyIndex index;
  EXPECT_EQ(index.find(7, [](std::uint32_t) { return true; }), KeyIndex::kNone);
  EXPECT_EQ(index.guess(7), KeyIndex::kNone);
  EXPECT_EQ(index.size(), 0U);
}

TEST(KeyIndex, AsksWhichOfEqualHashesIsWanted) {
  KeyIndex index;
  for (std::uint32_t slot = 0; slot < 40; ++slot) { index.insert(99, slot); }
  EXPECT_EQ(index.find(99, [](std::uint32_t slot) { return slot == 31; }), 31U);
  index.erase(99, 31);
  EXPECT_EQ(index.find(99, [](std::uint32_t slot) { return slot == 31; }), KeyIndex::kNone);
  EXPECT_EQ(slots_under(index, 99).size(), 39U);
  EXPECT_LT(index.guess(99), 40U);
}

// Few hashes, so that they crowd; an ordered map is the twin.
RC_GTEST_PROP(KeyIndex, HoldsWhatWasInsertedAndNotErased, ()) {
  KeyIndex index;
  std::map<std::uint32_t, std::uint64_t> twin;
  const auto steps = *rc::gen::container<std::vector<std::pair<std::uint32_t, std::uint64_t>>>(
      200, rc::gen::pair(rc::gen::inRange(0U, 60U), rc::gen::inRange<std::uint64_t>(0, 12)));
  for (const auto& [slot, hash] : steps) {
    if (const auto known = twin.find(slot); known != twin.end()) {
      index.erase(known->second, slot);
      twin.erase(known);
    } else {
      index.insert(hash, slot);
      twin.emplace(slot, hash);
    }
    RC_ASSERT(index.size() == twin.size());
    for (std::uint64_t wanted = 0; wanted < 12; ++wanted) {
      const std::set<std::uint32_t> found = slots_under(index, wanted);
      for (const auto& [known_slot, known_hash] : twin) {
        RC_ASSERT(known_hash != wanted || found.contains(known_slot));
      }
    }
    for (const auto& [known_slot, known_hash] : twin) {
      const std::uint32_t wanted = known_slot;
      RC_ASSERT(index.find(known_hash, [wanted](std::uint32_t at) { return at == wanted; }) == wanted);
    }
  }
}

}  // namespace
}  // namespace keyvigil
