// AlertFacts: an alert in a few labelled lines for a person, as chat, cards and mail show it.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "alert/alert.h"
#include "alert/alert_rendering.h"
#include "alert/alert_standing.h"

namespace keyvigil {

struct AlertFact {
  std::string_view label;
  std::string value;  // one line, harmless (printable.h), at most kFactLimitBytes before escapes
};

inline constexpr std::size_t kFactLimitBytes = 400;

struct AlertFacts {
  std::string title;  // with severity and vault
  std::string what;   // the description
  std::vector<AlertFact> facts;
  std::string link;  // http or https; empty: there is none that a browser could open
};

[[nodiscard]] AlertFacts alert_facts(const Alert& alert, const AlertRendering& rendering,
                                     const AlertStanding& standing);

}  // namespace keyvigil
