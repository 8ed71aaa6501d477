// Output: one configured place that alerts go to, whatever its kind. One owner, one thread at a time.
#pragma once

#include <atomic>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "alert/alert_rendering.h"
#include "base/event_time.h"
#include "client/message_connection.h"
#include "sink/attempt.h"
#include "sink/http_output.h"
#include "sink/line_file.h"
#include "sink/output_options.h"

namespace keyvigil {

// `host`: of this machine, for syslog.
class Output {
 public:
  Output(OutputOptions options, const AlertRendering& rendering, std::string host);

  // One attempt for each alert, in their order; revisions of one alert must not be in one batch. `now`: wall clock.
  // Ends soon after `stop` is set; what was not tried then says so.
  [[nodiscard]] std::vector<Attempt> deliver(std::span<const OutgoingAlert> alerts, EventTime now,
                                             const std::atomic<bool>& stop);

  [[nodiscard]] const OutputOptions& options() const { return options_; }

 private:
  struct Mail {};
  [[nodiscard]] std::vector<Attempt> deliver_syslog(MessageConnection& connection,
                                                    std::span<const OutgoingAlert> alerts,
                                                    const std::atomic<bool>& stop);
  [[nodiscard]] std::vector<Attempt> deliver_mail(std::span<const OutgoingAlert> alerts, EventTime now,
                                                  const std::atomic<bool>& stop);

  OutputOptions options_;
  AlertRendering rendering_;
  std::string host_;
  std::variant<Mail, LineFile, HttpOutput, MessageConnection> way_;
};

}  // namespace keyvigil
