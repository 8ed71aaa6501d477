// $filter of Graph's alerts: `severity eq 'high' and createdDateTime ge 2026-09-01T00:00:00Z and status in ('new')`.
#pragma once

#include <string_view>

#include "base/result.h"
#include "store/stored_alert.h"

namespace keyvigil {

struct GraphFilter {
  AlertFilter alerts;
  bool nothing = false;  // the conditions exclude every alert of this service
};

// Narrows `filter`. Errors say what is understood.
[[nodiscard]] Result<void> narrow_by_graph(std::string_view text, GraphFilter& filter);

}  // namespace keyvigil
