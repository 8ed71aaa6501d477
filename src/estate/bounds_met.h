// Every bound of what one estate knows, with what it cost: for the summary, the metrics and the overview.
#pragma once

#include <vector>

#include "alert/repeats.h"
#include "base/bound_met.h"
#include "engine/engine.h"
#include "engine/order.h"

namespace keyvigil {

// Always the same rows in the same order, also where nothing was lost.
[[nodiscard]] std::vector<BoundMet> bounds_met(const Engine& engine, const Order& order, const Repeats& repeats);

// Row by row. REQUIRES: both come from bounds_met(), or `to` is empty.
void add_bounds(const std::vector<BoundMet>& from, std::vector<BoundMet>& to);

}  // namespace keyvigil
