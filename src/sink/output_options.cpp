#include "sink/output_options.h"

namespace keyvigil {

bool takes(const OutputFilter& filter, const Alert& alert, const AlertStanding& standing) {
  return severity_of(alert) >= filter.minimum_severity && (filter.types.empty() || filter.types.contains(alert.type)) &&
         (filter.subscriptions.empty() || filter.subscriptions.contains(alert.subscription_id)) &&
         (filter.learning || !alert.learning) && (filter.backfilled || !standing.backfilled) &&
         (filter.simulated || !standing.simulated);
}

}  // namespace keyvigil
