// Verdict: what the judge makes of one suspicion, with the numbers that decided.
#pragma once

#include <tuple>

namespace keyvigil {

struct Verdict {
  double model_p = 0;         // the detector's
  double calibrated_p = 0;    // how often such a p really occurs
  double threshold = 1;       // at most this raises an alert
  double tests_per_day = 0;   // of this alert type in the estate
  double alerts_per_day = 0;  // the budget of all types
  bool passed = true;
  auto fields() { return std::tie(model_p, calibrated_p, threshold, tests_per_day, alerts_per_day, passed); }
  friend bool operator==(const Verdict&, const Verdict&) = default;
};

}  // namespace keyvigil
