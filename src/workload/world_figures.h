// WorldFigures: what a generated stream is like, counted from the stream itself and shown with every result.
//
// Memory grows with callers, vaults and their pairs, not with the length of the stream.
#pragma once

#include <cstdint>
#include <string>
#include <unordered_map>
#include <unordered_set>

#include "workload/activity.h"

namespace keyvigil::workload {

struct WorldFigures {
  std::uint64_t events = 0;
  std::uint64_t bytes = 0;  // as rendered
  double days = 0;          // from the first event to the last
  std::uint64_t vaults = 0;
  std::uint64_t callers = 0;
  std::uint64_t applications = 0;
  std::uint64_t users = 0;
  std::uint64_t edges = 0;       // pairs of caller and vault
  double busiest_share = 0;      // of the events, by the busiest 1 % of the callers
  double first_edge_share = 0;   // pairs first seen after the first day, of the events after it
  double challenge_share = 0;    // 401 without identity
  double denied_share = 0;       // 403
  double human_share = 0;        // by users
  double mean_record_bytes = 0;  // of the rendered form
  std::uint64_t attack_events = 0;
  std::uint64_t attack_campaigns = 0;
};

class FigureCounter {
 public:
  void add(const Activity& activity, std::size_t record_bytes);
  [[nodiscard]] WorldFigures figures() const;

 private:
  std::uint64_t events_ = 0;
  std::uint64_t bytes_ = 0;
  std::uint64_t challenges_ = 0;
  std::uint64_t denied_ = 0;
  std::uint64_t by_users_ = 0;
  std::uint64_t after_first_day_ = 0;
  std::uint64_t first_edges_after_first_day_ = 0;
  std::uint64_t attack_events_ = 0;
  EventTime first_;
  EventTime last_;
  std::unordered_map<std::uint64_t, std::uint64_t> events_of_caller_;
  std::unordered_set<std::uint64_t> vaults_;
  std::unordered_set<std::uint64_t> applications_;
  std::unordered_set<std::uint64_t> users_;
  std::unordered_set<std::uint64_t> edges_;
  std::unordered_set<std::uint64_t> campaigns_;
};

// A few lines for a person.
[[nodiscard]] std::string describe(const WorldFigures& figures);

}  // namespace keyvigil::workload
