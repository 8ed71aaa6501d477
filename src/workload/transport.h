// Transport: the way from the vault to the blob, which delays some records and delivers some twice.
//
// Azure documents at most 10 minutes as a rule, later now and then, no order across sources, and duplicates where two
// settings export one vault. Every other record arrives at once. Memory: what is under way.
#pragma once

#include <cstdint>
#include <queue>
#include <vector>

#include "workload/random.h"
#include "workload/world.h"

namespace keyvigil::workload {

struct TransportOptions {
  std::uint64_t seed = 1;
  double disorder_share = 0;   // of the records: delayed by up to 10 minutes, one in a hundred of them by up to 2 hours
  double duplicate_share = 0;  // of the records: delivered again within 5 minutes
};

struct Delivery {
  Activity activity;
  EventTime arrived;
  bool duplicate = false;
};

class Transport {
 public:
  Transport(World world, const TransportOptions& options);

  // In order of arrival. False at the end.
  [[nodiscard]] bool next(Delivery& delivery);

 private:
  struct UnderWay {
    Delivery delivery;
    std::uint64_t sequence;
  };
  struct Later {
    bool operator()(const UnderWay& left, const UnderWay& right) const;
  };

  void send(const Activity& activity, std::int64_t delay_ticks, bool duplicate);
  void take_next();

  World world_;
  TransportOptions options_;
  Random random_;
  Activity upcoming_;
  bool has_upcoming_ = false;
  std::uint64_t sequence_ = 0;
  std::priority_queue<UnderWay, std::vector<UnderWay>, Later> under_way_;
};

}  // namespace keyvigil::workload
