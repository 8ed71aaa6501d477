// Alerts as CSV rows (RFC 4180, CRLF), for spreadsheets. A cell that a spreadsheet would take for a formula (it starts
// with = + - @, a tab or a line end) is preceded by an apostrophe: user agents are chosen by attackers.
#pragma once

#include <string>

#include "alert/alert.h"
#include "alert/alert_rendering.h"
#include "alert/alert_standing.h"

namespace keyvigil {

[[nodiscard]] std::string csv_header();
[[nodiscard]] std::string csv_row(const Alert& alert, const AlertRendering& rendering,
                                  const AlertStanding& standing = {});

}  // namespace keyvigil
