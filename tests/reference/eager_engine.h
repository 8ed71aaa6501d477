// An engine for small estates that raises alerts early and often, so that tests have many to look at.
#pragma once

#include <cstdint>

#include "engine/engine.h"

namespace keyvigil {

inline EngineOptions eager_options(std::int64_t learning_days) {
  EngineOptions options;
  options.learning_days = learning_days;
  options.alerts_per_thousand_vault_days = 500;
  options.limits = {.callers = 1000, .vaults = 1000, .edges = 10'000, .prefixes = 1000};
  return options;
}

}  // namespace keyvigil
