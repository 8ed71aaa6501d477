// Law: what is saved again and again, repeating the blocks that no change has stamped, is what is saved whole.
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <map>
#include <optional>
#include <string>
#include <utility>

#include "engine/engine.h"
#include "reference/random_estate.h"

namespace keyvigil {
namespace {

// Keeps blocks as their bytes.
class BlockKeeper {
 public:
  template <typename Save>
  [[nodiscard]] std::string saved(const Save& save) {
    std::string bytes;
    std::size_t begin = 0;
    std::map<Place, Kept> next;
    SnapshotBlocks blocks;
    blocks.known_bytes = [&](const SnapshotBlock& block) -> std::optional<std::uint64_t> {
      const Kept* kept = find(block);
      return kept == nullptr ? std::nullopt : std::optional<std::uint64_t>(kept->bytes.size());
    };
    blocks.repeat = [&](const SnapshotBlock& block) {
      ++repeated_;
      bytes += find(block)->bytes;
      next[{block.table, block.number}] = *find(block);
    };
    blocks.begin = [&] { begin = bytes.size(); };
    blocks.end = [&](const SnapshotBlock& block) {
      ++written_;
      next[{block.table, block.number}] = {block.stamp, bytes.substr(begin)};
    };
    SnapshotWriter writer([&](std::string_view piece) { bytes += piece; }, blocks);
    save(writer);
    writer.hand_on();
    kept_ = std::move(next);
    return bytes;
  }
  [[nodiscard]] std::size_t repeated() const { return repeated_; }
  [[nodiscard]] std::size_t written() const { return written_; }

 private:
  using Place = std::pair<std::uint32_t, std::uint32_t>;
  struct Kept {
    std::uint64_t stamp = 0;
    std::string bytes;
  };
  [[nodiscard]] const Kept* find(const SnapshotBlock& block) const {
    const auto found = kept_.find({block.table, block.number});
    return found == kept_.end() || found->second.stamp != block.stamp ? nullptr : &found->second;
  }

  std::map<Place, Kept> kept_;
  std::size_t repeated_ = 0;
  std::size_t written_ = 0;
};

// Many callers and vaults for few slots, so that these change hands.
AccessEvent spread(const AccessEvent& event, std::size_t place) {
  EventBuilder builder(event);
  const std::string copy = std::to_string(place / 7 % 90);
  builder.set(TextField::kVaultId, std::string(event.vault_id()) + copy);
  return builder.set(TextField::kCallerKey, std::string(event.caller_key()) + copy).build();
}

RC_GTEST_PROP(SnapshotBlocks, WhatIsRepeatedIsWhatWouldBeWritten, ()) {
  const auto seed = *rc::gen::inRange<std::uint32_t>(0, 1'000'000);
  const auto room = *rc::gen::elementOf(std::vector<std::size_t>{40, 400});
  const auto every = *rc::gen::elementOf(std::vector<std::size_t>{1, 7, 60});
  EngineOptions options;
  options.learning_days = 3;
  options.limits = {.callers = room, .vaults = room, .edges = room * 4, .prefixes = room, .known_objects = 1024};
  const AddressBook book;
  Engine engine(book, options);
  BlockKeeper keeper;
  Decision decision;
  const auto events = random_estate({.seed = seed, .days = 12, .events_per_day = 50, .name = "a"});
  const std::size_t first = every == 1 && events.size() > 200 ? events.size() - 200 : 0;
  for (std::size_t i = 0; i < events.size(); ++i) {
    engine.decide(spread(events[i], i), Timeliness::kInTime, decision);
    if (i < first || i % every != 0) { continue; }
    const std::string found = keeper.saved([&](SnapshotWriter& writer) { engine.save(writer); });
    if (found != engine.save()) { RC_FAIL("after event " + std::to_string(i)); }
    if (i % (every * 20) == 0) {  // what was loaded is another one, though it is equal
      const std::string bytes = engine.save();
      RC_ASSERT(engine.load(bytes).has_value());
      RC_ASSERT(keeper.saved([&](SnapshotWriter& writer) { engine.save(writer); }) == engine.save());
    }
  }
  RC_ASSERT(every == 60 || keeper.repeated() > 0);
  RC_ASSERT(keeper.written() > 0);
}

}  // namespace
}  // namespace keyvigil
