#include "history/access_graph.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include <map>
#include <set>

namespace keyvigil {
namespace {

using Touch = EdgeFacts::Touch;

EventTime hours(std::int64_t count) {
  return EventTime{count * EventTime::kTicksPerHour};
}

AccessGraph graph_of(const std::vector<std::pair<std::string, std::vector<std::string>>>& edges) {
  AccessGraph graph;
  for (const auto& [caller, vaults] : edges) {
    for (const std::string& vault : vaults) { graph.learn(caller, vault, hours(1), true); }
  }
  graph.close_hour(2);
  return graph;
}

AccessGraph five_callers() {
  return graph_of({{"alice", {"kv1", "kv2"}},
                   {"bob", {"kv1", "kv3"}},
                   {"carol", {"kv1", "kv3"}},
                   {"dave", {"kv4"}},
                   {"erin", {"kv2", "kv3", "kv4"}}});
}

TEST(AccessGraph, AnEdgeIsFirstThenKnownThenDormantThenForgotten) {
  AccessGraph graph;
  EXPECT_EQ(graph.edge("alice", "kv1", hours(5)).touch, Touch::kFirst);
  graph.learn("alice", "kv1", hours(5), true);
  EXPECT_EQ(graph.edge("alice", "kv1", hours(5)).touch, Touch::kKnown);
  EXPECT_EQ(graph.edge("alice", "kv1", hours(5 + 90 * 24 - 1)).touch, Touch::kKnown);
  EXPECT_EQ(graph.edge("alice", "kv1", hours(5 + 90 * 24)).touch, Touch::kDormant);
  EXPECT_EQ(graph.edge("alice", "kv1", hours(5 + 180 * 24)).touch, Touch::kFirst);
  EXPECT_EQ(graph.edge("alice", "kv2", hours(5)).touch, Touch::kFirst);
  EXPECT_EQ(graph.edge("bob", "kv1", hours(5)).touch, Touch::kFirst);
}

TEST(AccessGraph, CountsDaysWithAVisit) {
  AccessGraph graph;
  for (const std::int64_t hour : {1, 2, 23, 25, 26, 20, 100}) { graph.learn("alice", "kv1", hours(hour), true); }
  EXPECT_EQ(graph.edge("alice", "kv1", hours(100)).visit_days, 3U);
}

// Values worked out by hand: /alice, kv3/ = 1/2 (1/2 (1/2 + 1/2) + 1/3).
TEST(AccessGraph, WalksThreeStepsAndLeavesTheCallerOut) {
  const AccessGraph graph = five_callers();
  const auto walk = [&](const char* caller, const char* vault) {
    return graph.walk(caller, vault, hours(2)).probability;
  };
  EXPECT_DOUBLE_EQ(walk("alice", "kv3"), 5.0 / 12);
  EXPECT_DOUBLE_EQ(walk("alice", "kv4"), 1.0 / 6);
  EXPECT_DOUBLE_EQ(walk("dave", "kv1"), 0);
  EXPECT_DOUBLE_EQ(walk("dave", "kv2"), 1.0 / 3);
  EXPECT_DOUBLE_EQ(walk("bob", "kv2"), 5.0 / 24);
  EXPECT_DOUBLE_EQ(walk("bob", "kv4"), 1.0 / 12);
}

TEST(AccessGraph, NamesTheVaultThroughWhichItIsNearest) {
  const AccessGraph graph = five_callers();
  const WalkFacts near = graph.walk("alice", "kv3", hours(2));
  EXPECT_EQ(near.nearest_vault, "kv1");
  EXPECT_EQ(near.sharing, 2U);
  EXPECT_EQ(near.sharing_and_using, 2U);
  const WalkFacts far = graph.walk("bob", "kv9", hours(2));
  EXPECT_EQ(far.probability, 0);
  EXPECT_EQ(far.vaults, 2U);
  EXPECT_EQ(far.sharing, 2U);
  EXPECT_EQ(far.sharing_and_using, 0U);
  EXPECT_EQ(graph.walk("nobody", "kv1", hours(2)).vaults, 0U);
}

TEST(AccessGraph, PeersAreSeenOnlyAfterTheHour) {
  AccessGraph graph;
  graph.learn("alice", "kv1", hours(1), true);
  graph.learn("bob", "kv1", hours(1), true);
  graph.learn("bob", "kv2", hours(1), true);
  EXPECT_EQ(graph.walk("alice", "kv2", hours(1)).probability, 0);
  graph.close_hour(2);
  EXPECT_DOUBLE_EQ(graph.walk("alice", "kv2", hours(2)).probability, 0.5);
}

TEST(AccessGraph, AnUnconfirmedEdgeMakesNoPeerUntilAWeekLater) {
  AccessGraph graph;
  graph.learn("alice", "kv1", hours(0), true);
  graph.learn("mallory", "kv1", hours(0), true);
  graph.learn("mallory", "kv2", hours(0), false);
  graph.close_hour(1);
  EXPECT_EQ(graph.walk("alice", "kv2", hours(1)).probability, 0);
  graph.learn("mallory", "kv2", hours(7 * 24 - 1), true);
  graph.close_hour(7 * 24);
  EXPECT_EQ(graph.walk("alice", "kv2", hours(7 * 24)).probability, 0);
  graph.learn("mallory", "kv2", hours(7 * 24), true);
  graph.close_hour(7 * 24 + 1);
  EXPECT_DOUBLE_EQ(graph.walk("alice", "kv2", hours(7 * 24 + 1)).probability, 0.5);
}

TEST(AccessGraph, WhoStaysAwayForNinetyDaysIsNobodysPeer) {
  AccessGraph graph;
  for (const char* vault : {"kv1", "kv2"}) { graph.learn("bob", vault, hours(0), true); }
  graph.learn("alice", "kv1", hours(0), true);
  graph.close_hour(1);
  EXPECT_DOUBLE_EQ(graph.walk("alice", "kv2", hours(1)).probability, 0.5);
  graph.learn("alice", "kv1", hours(91 * 24), true);
  graph.close_hour(91 * 24 + 1);
  EXPECT_EQ(graph.walk("alice", "kv2", hours(91 * 24 + 1)).probability, 0);
  graph.close_hour(181 * 24);
  EXPECT_EQ(graph.callers().find("bob"), std::nullopt);
  EXPECT_TRUE(graph.callers().find("alice").has_value());
}

TEST(AccessGraph, AHubIsNobodysPeerOnceItsEdgesAreTwoWeeksOld) {
  AccessGraph graph;
  graph.learn("alice", "vault 1", hours(0), true);
  for (int vault = 0; vault < 300; ++vault) {
    graph.learn("scanner", "vault " + std::to_string(vault), hours(0), true);
  }
  graph.close_hour(1);
  EXPECT_FALSE(graph.is_hub("scanner"));
  EXPECT_GT(graph.walk("alice", "vault 2", hours(1)).probability, 0);
  const std::int64_t later = 14 * 24;
  graph.learn("alice", "vault 1", hours(later), true);
  graph.learn("scanner", "vault 1", hours(later), true);
  graph.close_hour(later + 1);
  EXPECT_TRUE(graph.is_hub("scanner"));
  EXPECT_EQ(graph.walk("alice", "vault 2", hours(later + 1)).probability, 0);
}

TEST(AccessGraph, AFloodOfFreshCallersVaultsAndEdgesStaysInBoundsAndKeepsTheSlowAttacker) {
  AccessGraph graph({.callers = 100, .vaults = 40, .edges = 200});
  for (const std::int64_t day : {0, 5, 9}) { graph.learn("slow attacker", "production", hours(day * 24), true); }
  graph.close_hour(10 * 24);
  for (int i = 0; i < 20'000; ++i) {
    graph.learn("flood " + std::to_string(i % 5000), "vault " + std::to_string(i), hours(10 * 24 + i / 500), true);
    if (i % 500 == 499) { graph.close_hour(10 * 24 + i / 500 + 1); }
  }
  EXPECT_EQ(graph.edge("slow attacker", "production", hours(12 * 24)).touch, Touch::kKnown);
  EXPECT_LE(graph.callers().size(), 100U);
  EXPECT_LE(graph.vaults().size(), 40U);
  EXPECT_LE(graph.statistics().edges, 200U);
  AccessGraph copy({.callers = 100, .vaults = 40, .edges = 200});
  EXPECT_TRUE(copy.load(graph.save()));
}

TEST(AccessGraph, OneCallerWithTooManyVaultsLosesItsOwnOldestEdges) {
  AccessGraph graph;
  const int vaults = static_cast<int>(AccessGraph::kEdgesPerCaller) + 10;
  for (int vault = 0; vault < vaults; ++vault) {
    graph.learn("scanner", "vault " + std::to_string(vault), hours(vault), true);
  }
  EXPECT_EQ(graph.statistics().edges, AccessGraph::kEdgesPerCaller);
  EXPECT_EQ(graph.statistics().edges_replaced, 10U);
  EXPECT_EQ(graph.edge("scanner", "vault 0", hours(vaults)).touch, Touch::kFirst);
  EXPECT_EQ(graph.edge("scanner", "vault 10", hours(10)).touch, Touch::kKnown);
}

TEST(AccessGraph, DefinedOverGapsOfYearsAndTimesThatRunBackwards) {
  AccessGraph graph;
  const std::int64_t decade = 10 * 365 * 24;
  for (const std::int64_t hour : {decade, std::int64_t{0}, -decade, 2 * decade}) {
    graph.learn("alice", "kv1", hours(hour), true);
    graph.close_hour(hour + 1);
    EXPECT_GE(graph.walk("alice", "kv2", hours(hour)).probability, 0);
  }
  EXPECT_EQ(graph.edge("alice", "kv1", hours(2 * decade)).touch, Touch::kKnown);
  EXPECT_EQ(graph.statistics().edges, 1U);
}

TEST(AccessGraph, EveryCutAndManyFlippedBitsOfASavedGraphAreRefusedOrHarmless) {
  const std::string bytes = five_callers().save();
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    AccessGraph graph;
    EXPECT_FALSE(graph.load(std::string_view(bytes).substr(0, size))) << size;
    EXPECT_EQ(graph.callers().size(), 0U);
  }
  for (std::size_t at = 0; at < bytes.size(); ++at) {
    std::string damaged = bytes;
    damaged[at] = static_cast<char>(damaged[at] ^ 0x10);
    AccessGraph graph;
    if (!graph.load(damaged)) { continue; }
    graph.learn("alice", "kv1", hours(9), true);
    graph.close_hour(10);
    EXPECT_GE(graph.walk("alice", "kv3", hours(10)).probability, 0) << at;
  }
}

// Recomputes everything from the visits themselves; no bounds, no frozen copies but one snapshot an hour.
class NaiveGraph {
 public:
  void learn(const std::string& caller, const std::string& vault, std::int64_t hour, bool confirmed) {
    auto [found, added] = edges_[caller].try_emplace(vault, Edge{hour, hour, confirmed});
    Edge& edge = found->second;
    if (!added && hour - edge.last >= AccessGraph::kForgottenHours) {
      edge = Edge{hour, hour, confirmed};
      return;
    }
    edge.first = std::min(edge.first, hour);
    edge.last = std::max(edge.last, hour);
    if (!added && confirmed && hour - edge.first >= AccessGraph::kConfirmedHours) { edge.confirmed = true; }
  }
  void close_hour() { frozen_ = edges_; }

  [[nodiscard]] double walk(const std::string& caller, const std::string& vault, std::int64_t hour) const {
    const auto own = edges_.find(caller);
    if (own == edges_.end()) { return 0; }
    double sum = 0;
    int followed = 0;
    for (const auto& [from, edge] : own->second) {
      if (!edge.confirmed || from == vault || hour - edge.last >= AccessGraph::kDormantHours) { continue; }
      ++followed;
      double reached = 0;
      int sharing = 0;
      for (const auto& [peer, theirs] : frozen_) {
        if (peer == caller || !uses(theirs, from)) { continue; }
        ++sharing;
        if (!uses(theirs, vault)) { continue; }
        int degree = 0;
        for (const auto& [any, peer_edge] : theirs) { degree += peer_edge.confirmed ? 1 : 0; }
        reached += 1.0 / degree;
      }
      if (sharing > 0) { sum += reached / sharing; }
    }
    return followed == 0 ? 0 : sum / followed;
  }

 private:
  struct Edge {
    std::int64_t first = 0;
    std::int64_t last = 0;
    bool confirmed = false;
  };
  using Edges = std::map<std::string, Edge>;
  static bool uses(const Edges& edges, const std::string& vault) {
    const auto found = edges.find(vault);
    return found != edges.end() && found->second.confirmed;
  }
  std::map<std::string, Edges> edges_;
  std::map<std::string, Edges> frozen_;
};

RC_GTEST_PROP(AccessGraph, WalksLikeAnObviousGraphAndSurvivesSavingAtAnyEvent, ()) {
  const auto visits = *rc::gen::container<std::vector<std::tuple<int, int, int, bool>>>(rc::gen::tuple(
      rc::gen::inRange(0, 8), rc::gen::inRange(0, 8), rc::gen::inRange(0, 30), rc::gen::arbitrary<bool>()));
  const auto stop = *rc::gen::inRange<std::size_t>(0, visits.size() + 1);
  AccessGraph graph;
  NaiveGraph naive;
  std::int64_t hour = 0;
  for (std::size_t i = 0; i < visits.size(); ++i) {
    const auto& [caller, vault, ahead, confirmed] = visits[i];
    if (i == stop) {
      const std::string bytes = graph.save();
      AccessGraph loaded;
      RC_ASSERT(loaded.load(bytes).has_value());
      RC_ASSERT(loaded.save() == bytes);
      graph = std::move(loaded);
    }
    if (ahead > 0) {
      hour += ahead;
      graph.close_hour(hour);
      naive.close_hour();
    }
    const std::string caller_key = "caller " + std::to_string(caller);
    const std::string vault_id = "vault " + std::to_string(vault);
    const double expected = naive.walk(caller_key, vault_id, hour);
    RC_ASSERT(std::abs(graph.walk(caller_key, vault_id, hours(hour)).probability - expected) < 1e-12);
    graph.learn(caller_key, vault_id, hours(hour), confirmed);
    naive.learn(caller_key, vault_id, hour, confirmed);
  }
}

}  // namespace
}  // namespace keyvigil
