// The alert as the body of a Slack incoming webhook.
//
// Every text is plain_text, in which Slack finds no markup, and `&`, `<` and `>` are escaped beside that: nobody who
// chooses a user agent can mention a channel or disguise a link. Sizes stay below Slack's: header 150, section 3000,
// field 2000 characters, 10 fields.
#pragma once

#include "alert/alert.h"
#include "alert/alert_document.h"
#include "alert/alert_rendering.h"
#include "alert/alert_standing.h"

namespace keyvigil {

[[nodiscard]] Json slack_message(const Alert& alert, const AlertRendering& rendering,
                                 const AlertStanding& standing = {});

}  // namespace keyvigil
