// The figures of the running service in Prometheus' text format (version 0.0.4).
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "api/http_server.h"
#include "api/live_view.h"
#include "base/event_time.h"
#include "serve/outbox_dispatcher.h"
#include "store/store.h"

namespace keyvigil {

// Reloads of the configuration, since the start.
struct ReloadFigures {
  std::uint64_t done = 0;
  std::uint64_t refused = 0;
  std::optional<EventTime> last;  // wall clock
  std::string failure;            // why the last one was refused; empty: it was not
};

struct ServiceFigures {
  LiveFigures live;
  StoreFigures store;
  std::optional<HttpFigures> http;
  std::vector<OutputFigures> outputs;
  std::uint64_t orphaned_revisions = 0;  // given up since the start: their outputs are gone from the configuration
  ReloadFigures reloads;
  std::uint64_t warnings_left_out = 0;  // of the log, since they had been said a moment ago
  std::uint64_t journal_waiting_bytes = 0;
  std::uint64_t resident_bytes = 0;  // of the process
  EventTime started;                 // wall clock, as the next
  EventTime now;
};

[[nodiscard]] std::string metrics_text(const ServiceFigures& figures);
// What one who is bound to subscriptions may know: the stored alerts of these.
[[nodiscard]] std::string metrics_text(const std::map<AlertType, std::uint64_t>& alerts);

}  // namespace keyvigil
