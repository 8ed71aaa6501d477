// The words of alerts about behaviour: what was unusual, beside what is usual, in numbers.
#pragma once

#include <string>
#include <string_view>

#include "alert/alert.h"
#include "catalogue/catalogue.h"

namespace keyvigil {

struct BehaviourCode {
  std::string_view code;   // stable: "FirstTouchOfVault"
  std::string_view brief;  // one sentence without a full stop, in the style of Defender's "Alert Reasons"
};

// REQUIRES: not one of the two codes of threat lists.
[[nodiscard]] BehaviourCode behaviour_code(ReasonCode code);

[[nodiscard]] std::string behaviour_sentence(const Alert& alert, const Reason& reason);

// What would have kept the alert from being raised.
[[nodiscard]] std::string behaviour_counterfactual(const Alert& alert);

// The harmless story that fits best.
[[nodiscard]] std::string behaviour_explanation(const Alert& alert);

// From the bound on the chance of an attack that the calibrated p allows, one case in 1000 being one: above 0.9 High,
// above 0.5 Medium.
[[nodiscard]] Severity behaviour_confidence(const Alert& alert);

// "1 in 25,000"
[[nodiscard]] std::string odds_in_words(double probability);

}  // namespace keyvigil
