#include "workload/transport.h"

#include <utility>

namespace keyvigil::workload {

Transport::Transport(World world, const TransportOptions& options)
    : world_(std::move(world)), options_(options), random_(mix64(options.seed ^ 0x7472616E73706F72ULL)) {
  take_next();
}

bool Transport::Later::operator()(const UnderWay& left, const UnderWay& right) const {
  return std::pair(left.delivery.arrived, left.sequence) > std::pair(right.delivery.arrived, right.sequence);
}

void Transport::take_next() {
  has_upcoming_ = world_.next(upcoming_);
}

void Transport::send(const Activity& activity, std::int64_t delay_ticks, bool duplicate) {
  under_way_.push(UnderWay{{activity, EventTime{activity.time.ticks + delay_ticks}, duplicate}, sequence_++});
}

bool Transport::next(Delivery& delivery) {
  while (has_upcoming_ && (under_way_.empty() || upcoming_.time <= under_way_.top().delivery.arrived)) {
    const bool duplicated = random_.chance(options_.duplicate_share);
    if (duplicated) { send(upcoming_, random_.between(1, 5 * EventTime::kTicksPerMinute), true); }
    if (!random_.chance(options_.disorder_share)) {
      delivery.activity = upcoming_;
      delivery.arrived = upcoming_.time;
      delivery.duplicate = false;
      take_next();
      return true;
    }
    const std::int64_t longest = random_.chance(0.01) ? 2 * EventTime::kTicksPerHour : 10 * EventTime::kTicksPerMinute;
    send(upcoming_, random_.between(1, longest), false);
    take_next();
  }
  if (under_way_.empty()) { return false; }
  delivery = under_way_.top().delivery;
  under_way_.pop();
  return true;
}

}  // namespace keyvigil::workload
