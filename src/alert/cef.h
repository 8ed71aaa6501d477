// The alert as one line of the ArcSight Common Event Format, version 0.
//
// Header: `|` and `\` are escaped. Extension: `=`, `\` and line ends are. Other control characters and the marks that
// turn or hide text become visible escapes (printable.h) before that, so no text from outside ends a field or a line.
// Values are cut at the sizes of the CEF dictionary.
#pragma once

#include <string>

#include "alert/alert.h"
#include "alert/alert_rendering.h"
#include "alert/alert_standing.h"

namespace keyvigil {

// Without a line end.
[[nodiscard]] std::string cef_line(const Alert& alert, const AlertRendering& rendering,
                                   const AlertStanding& standing = {});

// Informational 1, Low 3, Medium 5, High 8: of CEF's 0 to 10.
[[nodiscard]] int cef_severity(Severity severity);

}  // namespace keyvigil
