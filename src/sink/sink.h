// AlertSink: where alerts go. One of the three abstract classes of the project, all at its edge.
#pragma once

#include <span>

#include "alert/alert.h"
#include "base/result.h"

namespace keyvigil {

class AlertSink {
 public:
  virtual ~AlertSink() = default;
  // In order. An error means that the alerts, or some of them, did not arrive; nothing may be written after one.
  [[nodiscard]] virtual Result<void> write(std::span<const Alert> alerts) = 0;
  // Call once after the last write: only then is everything in its place.
  [[nodiscard]] virtual Result<void> close() = 0;
};

}  // namespace keyvigil
