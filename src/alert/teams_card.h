// The alert as the body of a Teams workflow webhook: a message with one Adaptive Card 1.4.
//
// Texts from outside stand in text runs, in which Teams finds no markup (text blocks and facts are Markdown), and a
// "{{" is broken up, since cards take it for a function. The whole stays below 28,000 bytes, Teams' limit.
#pragma once

#include "alert/alert.h"
#include "alert/alert_document.h"
#include "alert/alert_rendering.h"
#include "alert/alert_standing.h"

namespace keyvigil {

[[nodiscard]] Json teams_card(const Alert& alert, const AlertRendering& rendering, const AlertStanding& standing = {});

}  // namespace keyvigil
