// HttpOutput: alerts to a receiver that takes HTTP: webhook, Slack, Teams, Splunk's event collector, Elasticsearch.
//
// 2xx is delivered. The receiver is away where there is no answer, and at 408, 425, 429, 5xx, 3xx, 401, 403, 404: a
// token that ran out or a receiver that moved must not cost alerts. 400, 405, 410, 411, 413, 414, 415, 422 refuse the
// alert itself: never. Retry-After is honoured, in seconds or as a date. Elasticsearch answers for each alert by
// itself. One owner.
#pragma once

#include <atomic>
#include <span>
#include <vector>

#include "alert/alert_document.h"
#include "alert/alert_rendering.h"
#include "base/event_time.h"
#include "client/http_client.h"
#include "sink/attempt.h"
#include "sink/output_options.h"

namespace keyvigil {

class HttpOutput {
 public:
  // REQUIRES: a kind that is named above.
  HttpOutput(OutputOptions options, AlertRendering rendering);

  // `now`: wall clock. Ends soon after `stop` is set.
  [[nodiscard]] std::vector<Attempt> deliver(std::span<const OutgoingAlert> alerts, EventTime now,
                                             const std::atomic<bool>& stop);

 private:
  [[nodiscard]] Result<HttpCall> call_for(const OutgoingAlert& one, const std::string& secret, EventTime now) const;
  [[nodiscard]] std::vector<Attempt> deliver_bulk(std::span<const OutgoingAlert> alerts, const std::string& secret,
                                                  EventTime now, const std::atomic<bool>& stop);
  [[nodiscard]] HttpCall base_call() const;
  [[nodiscard]] Json document_of(const OutgoingAlert& one) const;

  OutputOptions options_;
  AlertRendering rendering_;
  HttpClient client_;
};

// What an answer means for the alert that was sent; `now` is what a date in Retry-After is compared with.
[[nodiscard]] Attempt judge_answer(const HttpAnswer& answer, const std::string& origin, EventTime now);

}  // namespace keyvigil
