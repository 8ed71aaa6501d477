// The alert as a GELF 1.1 message, the form of Graylog (go2docs.graylog.org, "GELF Payload Specification").
//
// A flat object: values are strings and numbers, names of our own begin with '_', and `_id` is not allowed. The level
// is that of syslog. No name depends on the input.
#pragma once

#include "alert/alert.h"
#include "alert/alert_document.h"
#include "alert/alert_rendering.h"
#include "alert/alert_standing.h"

namespace keyvigil {

[[nodiscard]] Json gelf_json(const Alert& alert, const AlertRendering& rendering, const AlertStanding& standing = {});

}  // namespace keyvigil
