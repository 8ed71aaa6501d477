// The alert as one syslog message (RFC 5424) whose text is its CEF line, without framing and without a line end.
//
// Facility 13 (log audit). Severity: High 3 (error), Medium 4 (warning), Low 5 (notice), Informational 6. The text is
// UTF-8 without a byte order mark, which readers of CEF do not expect.
#pragma once

#include <string>

#include "alert/alert.h"
#include "alert/alert_rendering.h"
#include "alert/alert_standing.h"
#include "catalogue/catalogue.h"

namespace keyvigil {

// 0 to 7, the higher the less severe (RFC 5424 6.2.1).
[[nodiscard]] int syslog_severity(Severity severity);

// `host`: of the sender; what is not printable ASCII in it becomes '-', and empty is the nil value.
[[nodiscard]] std::string syslog_message(const Alert& alert, const AlertRendering& rendering,
                                         const AlertStanding& standing = {}, const std::string& host = {});

}  // namespace keyvigil
