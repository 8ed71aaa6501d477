// AccessGraph: which caller has touched which vault, when, and how near a vault is to a caller.
//
// Edges are live for 90 days after their last visit, dormant for 90 more, then forgotten. An edge that alerted is
// unconfirmed: its caller is nobody's peer through it until a visit at least 7 days after the first one (detection
// methods 2.1, "Learning policy"). Peers are frozen: what is learned in an hour is seen by walk() after close_hour(),
// so decisions do not depend on the order within the hour (design section 5). Edges themselves are live.
// Bounds: AccessGraphLimits; evictions follow history/settled_table.h, edges follow their caller, a vault keeps the
// members with the smallest hashes. 32 bytes an edge, 16 a membership. Threads: one owner.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "base/event_time.h"
#include "base/result.h"
#include "base/snapshot.h"
#include "base/stamped_vector.h"
#include "history/settled_table.h"

namespace keyvigil {

struct AccessGraphLimits {
  std::size_t callers = 1'000'000;
  std::size_t vaults = 100'000;
  std::size_t edges = 10'000'000;
};

struct EdgeFacts {
  enum class Touch : std::uint8_t { kKnown, kDormant, kFirst };
  Touch touch = Touch::kFirst;
  std::int64_t hours_since_last = 0;  // where known or dormant
  std::uint32_t visit_days = 0;       // days with a visit, today not counted before its first one
  bool confirmed = false;
};

// How likely a step caller -> a vault of theirs -> another caller of it -> this vault is.
struct WalkFacts {
  double probability = 0;               // mean over the caller's vaults; 0 where no peer uses the vault
  std::uint32_t vaults = 0;             // live edges of the caller that were followed
  std::string nearest_vault;            // of the caller's: the one whose other callers reach the vault best
  std::uint32_t sharing = 0;            // other callers of nearest_vault
  std::uint32_t sharing_and_using = 0;  // of these: callers of the vault in question
};

// One visited vault of a caller, or one caller of a vault.
struct GraphLink {
  std::string_view key;  // valid until the graph changes
  EventTime first;       // whole hours
  EventTime last;
  std::uint32_t visit_days = 0;
  bool confirmed = false;
};

struct AccessGraphStatistics {
  std::uint64_t edges = 0;
  std::uint64_t edges_replaced = 0;  // a caller's edge idle longest went for a new one of theirs
  std::uint64_t edges_left_out = 0;  // there was no room and nothing of theirs to replace
  auto fields() { return std::tie(edges, edges_replaced, edges_left_out); }
  friend bool operator==(const AccessGraphStatistics&, const AccessGraphStatistics&) = default;
};

class AccessGraph {
 public:
  static constexpr std::int64_t kDormantHours = std::int64_t{90} * 24;
  static constexpr std::int64_t kForgottenHours = std::int64_t{180} * 24;
  static constexpr std::int64_t kConfirmedHours = std::int64_t{7} * 24;
  static constexpr std::size_t kEdgesPerCaller = 4096;
  static constexpr std::size_t kMembersPerVault = 512;
  static constexpr std::size_t kHubEdges = 256;  // with more settled edges than this a caller is a hub
  static constexpr std::int64_t kHubEdgeHours = std::int64_t{14} * 24;  // an edge counts for that once it is this old
  static constexpr std::size_t kVaultsWalked = 48;                      // those visited last
  static constexpr std::size_t kPeersWalked = 192;                      // of each vault: those with the smallest hashes

  // REQUIRES: callers >= 4, vaults >= 4.
  explicit AccessGraph(const AccessGraphLimits& limits = {});

  [[nodiscard]] EdgeFacts edge(const TableKey& caller, const TableKey& vault, EventTime at) const;
  [[nodiscard]] WalkFacts walk(const TableKey& caller, const TableKey& vault, EventTime at) const;
  // As of the last close_hour(): more than kHubEdges old, confirmed edges. Hubs are nobody's peers.
  [[nodiscard]] bool is_hub(const TableKey& caller) const;

  // The caller's live, confirmed vaults but `aside`, visited last first, at most kVaultsWalked.
  [[nodiscard]] std::vector<std::string_view> vaults_of(const TableKey& caller, const TableKey& aside,
                                                        EventTime at) const;
  // Callers that are members of the vault, at most kMembersPerVault; 0 where it is not known.
  [[nodiscard]] std::uint64_t callers_of(const TableKey& vault) const;
  // For people, visited last first: what the caller visited within kForgottenHours before `at`, and who visits the
  // vault, which are its members: confirmed callers but hubs, as of the last close_hour().
  [[nodiscard]] std::vector<GraphLink> links_of_caller(const TableKey& caller, EventTime at) const;
  [[nodiscard]] std::vector<GraphLink> links_of_vault(const TableKey& vault) const;
  // As of the last close_hour().
  [[nodiscard]] std::uint64_t closed_edges() const { return closed_edges_; }
  [[nodiscard]] std::uint64_t closed_vaults() const { return closed_vaults_; }

  // Asks the memory for the caller's edges.
  void prefetch_edges(const SlotHint& caller) const;

  // REQUIRES: caller and vault are not empty. Events may be late.
  void learn(const TableKey& caller, const TableKey& vault, EventTime at, bool confirmed);
  // Makes what was learned so far visible to walk() and is_hub(), as of the start of `hour`.
  void close_hour(std::int64_t hour);

  [[nodiscard]] const SettledTable& callers() const { return callers_; }
  [[nodiscard]] const SettledTable& vaults() const { return vaults_; }
  [[nodiscard]] const AccessGraphStatistics& statistics() const { return statistics_; }

  // Equal graphs give equal bytes. load() replaces everything but the limits; on an error the graph is empty.
  void save(SnapshotWriter& writer) const;
  [[nodiscard]] std::string save() const {
    return snapshot_bytes([this](SnapshotWriter& writer) { save(writer); });
  }
  [[nodiscard]] Result<void> load(std::string_view bytes);

 private:
  struct Edge {
    std::uint32_t vault = 0;
    std::uint32_t vault_tenancy = 0;  // of the slot when the edge was made: another one means another vault
    std::int32_t first_hour = 0;
    std::int32_t last_hour = 0;
    std::uint32_t visit_days = 0;
    bool confirmed = false;
    bool published = false;  // offered to the vault as a membership
    auto fields() { return std::tie(vault, vault_tenancy, first_hour, last_hour, visit_days, confirmed, published); }
  };
  struct Caller {
    std::vector<Edge> edges;   // by vault slot
    std::uint32_t degree = 0;  // confirmed edges, as of the last close_hour()
    bool hub = false;
    bool touched = false;  // is in touched_
    auto fields() { return std::tie(edges, degree, hub, touched); }
  };
  struct Member {
    std::uint64_t hash = 0;
    std::uint32_t caller = 0;
    auto fields() { return std::tie(hash, caller); }
    friend auto operator<=>(const Member&, const Member&) = default;
  };
  struct Vault {
    std::uint32_t tenancy = 0;  // how many vaults the slot has held before
    std::vector<Member> members;
    auto fields() { return std::tie(tenancy, members); }
  };

  [[nodiscard]] std::uint32_t admit_caller(const TableKey& key, std::int64_t day);
  [[nodiscard]] std::uint32_t admit_vault(const TableKey& key, std::int64_t day);
  void forget_caller(std::uint32_t slot);
  void forget_vault(std::uint32_t slot);
  void forget_idle(std::int64_t hour);
  void add_edge(std::uint32_t caller, const Edge& edge);
  [[nodiscard]] std::uint32_t tenancy_of(std::uint32_t vault) const { return vault_records_[vault].tenancy; }
  [[nodiscard]] bool is_same_vault(const Edge& edge) const;
  [[nodiscard]] static GraphLink link(std::string_view key, const Edge& edge);
  void touch(std::uint32_t caller);
  void publish(std::uint32_t caller, std::int64_t hour);
  void join(std::uint32_t caller, Edge& edge);
  void leave(std::uint32_t caller, Edge& edge);
  [[nodiscard]] std::vector<const Edge*> edges_to_walk(const Caller& caller, std::uint32_t aside,
                                                       std::int64_t hour) const;
  struct Step {
    double probability = 0;
    std::uint32_t sharing = 0;
    std::uint32_t sharing_and_using = 0;
  };
  [[nodiscard]] Step step(std::uint32_t caller, const Vault& from, const Vault* to) const;
  [[nodiscard]] bool is_sound() const;
  void clear();

  AccessGraphLimits limits_;
  SettledTable callers_;
  SettledTable vaults_;
  StampedVector<Caller, 128> caller_records_;  // by slot
  StampedVector<Vault, 64> vault_records_;     // by slot
  std::vector<std::uint32_t> touched_;         // callers whose edges changed since the last close_hour()
  std::int64_t swept_day_ = INT64_MIN;         // idle callers and vaults were forgotten up to here
  std::uint64_t closed_edges_ = 0;
  std::uint64_t closed_vaults_ = 0;
  AccessGraphStatistics statistics_;
};

}  // namespace keyvigil
