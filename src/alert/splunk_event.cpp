#include "alert/splunk_event.h"

#include "alert/product.h"

namespace keyvigil {

Json splunk_event(const Alert& alert, Json document, const std::string& index) {
  constexpr double kMillisecondsPerSecond = 1000;
  Json event;
  event["time"] = static_cast<double>(alert.generated.milliseconds()) / kMillisecondsPerSecond;
  event["source"] = kProductShortName;
  event["sourcetype"] = "keyvigil:alert";
  if (!index.empty()) { event["index"] = index; }
  event["event"] = std::move(document);
  event["fields"] = {{"alert_id", alert.id}, {"revision", std::to_string(alert.revision)}};
  return event;
}

}  // namespace keyvigil
