// Law: what is counted of callers and vaults does not depend on others that share no caller, client or address with
// them. What is usual of a class does, and is frozen here by a hook.
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "history/estate_history.h"
#include "reference/random_estate.h"
#include "reference/raw_counts.h"

namespace keyvigil {
namespace {

// Of the events of `mine` among all of them; a role may be assigned on what all vaults lie in.
std::vector<std::string> counted(const std::vector<AccessEvent>& events, std::string_view mine) {
  EstateHistory history;
  history.freeze_classes();
  std::vector<std::string> texts;
  Facts facts;
  for (const AccessEvent& event : events) {
    (void)history.advance(event.time);
    history.observe(event, facts);
    if (event.caller_key().find(mine) != std::string_view::npos) { texts.push_back(raw_counts(facts)); }
    history.learn(event, facts, {});
  }
  return texts;
}

std::vector<AccessEvent> together(const std::vector<AccessEvent>& mine, const std::vector<AccessEvent>& others) {
  std::vector<AccessEvent> all = mine;
  all.insert(all.end(), others.begin(), others.end());
  std::ranges::stable_sort(all, {}, &AccessEvent::time);
  return all;
}

RC_GTEST_PROP(Isolation, RawCountsDoNotDependOnStrangers, ()) {
  const auto seed = *rc::gen::inRange<std::uint32_t>(0, 1'000'000);
  const auto mine = random_estate({.seed = seed, .days = 12, .events_per_day = 40, .name = "mine"});
  const auto others =
      random_estate({.seed = seed + 1, .days = 12, .events_per_day = 40, .name = "other", .network = "198.51."});
  const auto alone = counted(mine, "mine");
  const auto among_others = counted(together(mine, others), "mine");
  RC_ASSERT(alone.size() == mine.size());
  RC_ASSERT(among_others == alone);
}

// The law has something to say: the streams have every kind of fact, and classes that learn do change counts.
TEST(Isolation, TheStreamsHaveEveryKindOfFact) {
  std::string all;
  for (std::uint32_t seed = 5; seed < 10; ++seed) {
    for (const std::string& text : counted(random_estate({.seed = seed, .days = 40, .name = "mine"}), "mine")) {
      all += text + "\n";
    }
  }
  for (const std::string_view kind : {" vault[", " refused[", " vaults-of-day ", " client[", " pair[", " volume[vault",
                                      " volume[caller", " volume[caller 2 2 ", " session[", " destruction ", " list[",
                                      " policy[", " address[", "reverted true", "principal true", "throttled true"}) {
    EXPECT_NE(all.find(kind), std::string::npos) << kind;
  }
}

}  // namespace
}  // namespace keyvigil
