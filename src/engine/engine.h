// Engine: observe, decide, learn; one event at a time, in the order of engine/order.h. One estate, one thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/snapshot.h"
#include "catalogue/alert_type.h"
#include "detect/observation.h"
#include "engine/decision.h"
#include "engine/timeliness.h"
#include "event/access_event.h"
#include "event/first_party.h"
#include "history/estate_history.h"
#include "history/recent_operations.h"
#include "intel/address_book.h"
#include "judge/judge.h"

namespace keyvigil {

struct EngineOptions {
  double alerts_per_thousand_vault_days = AlertBudget::kDefaultAlertsPerThousandVaultDays;
  std::int64_t learning_days = 14;  // of an estate, during which behaviour raises no alert
  bool show_learning = false;       // hand out what these days would have raised, marked as such
  // The alerts that are wanted. Where none of them compares behaviour, no history is kept; else all are decided, as
  // alerts join each other: whoever hands alerts out leaves the others aside.
  AlertTypes types = AlertTypes().set();
  EstateHistoryLimits limits;
  std::vector<Team> teams;                      // declared; see history/teams.h
  std::vector<FirstPartyApp> first_party_apps;  // added to those that are built in

  [[nodiscard]] bool keeps_histories() const;
};

struct EngineStatistics {
  std::uint64_t held_back = 0;  // findings about behaviour while the estate was being learned
  auto fields() { return std::tie(held_back); }
};

class Engine {
 public:
  // The book must outlive the engine and what it decides.
  explicit Engine(const AddressBook& book, const EngineOptions& options = {});

  // Says that an event will be decided soon, so that what it needs of a large memory is on its way meanwhile: first
  // this many events ahead, then once more so many. Changes nothing.
  static constexpr std::size_t kFarAhead = 8;
  static constexpr std::size_t kNearAhead = 4;
  void prefetch_far(const AccessEvent& event) const;
  void prefetch_near(const AccessEvent& event) const;

  // `out` is reused. An event beyond the late horizon is decided by the threat lists and teaches nothing.
  void decide(const AccessEvent& event, Timeliness timeliness, Decision& out);

  // Of the event decided last.
  [[nodiscard]] const Facts& facts() const { return facts_; }
  [[nodiscard]] const RecentOperations& recent_operations() const { return recent_operations_; }
  [[nodiscard]] const EstateHistory& history() const { return history_; }
  [[nodiscard]] const Judge& judge() const { return judge_; }
  [[nodiscard]] const EngineStatistics& statistics() const { return statistics_; }
  // Behaviour raises alerts from then on; nothing before the first event.
  [[nodiscard]] std::optional<EventTime> learned_at() const;

  void save(SnapshotWriter& writer) const;
  [[nodiscard]] std::string save() const {
    return snapshot_bytes([this](SnapshotWriter& writer) { save(writer); });
  }
  [[nodiscard]] Result<void> load(std::string_view bytes);

 private:
  void learn_operation(const AccessEvent& event);
  void decide_by_lists(const Observation& seen, Decision& out) const;
  void decide_by_behaviour(Observation& seen, bool learning, Decision& out);
  // A public address that service tags would name, were it one of Microsoft's.
  [[nodiscard]] bool is_from_elsewhere(const AccessEvent& event, const AddressFacts& address) const;
  [[nodiscard]] LearningGuard guard(const Decision& decision) const;

  const AddressBook* book_;
  EngineOptions options_;
  bool keeps_histories_;
  bool service_tags_known_;
  RecentOperations recent_operations_;
  EstateHistory history_;
  Judge judge_;
  std::int64_t first_event_ticks_ = INT64_MAX;
  EngineStatistics statistics_;

  Facts facts_;
};

}  // namespace keyvigil
