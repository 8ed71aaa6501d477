// Alerts for a terminal: one aligned line each, and under it one line that says why. Column widths depend on the
// width alone, so alerts that come one by one stay aligned. Text from outside cannot act on the terminal.
#pragma once

#include <cstddef>
#include <string>

#include "alert/alert.h"

namespace keyvigil {

struct TableStyle {
  std::size_t width_columns = 120;  // narrower than 80 counts as 80
  bool colour = false;
};

[[nodiscard]] std::string table_header(const TableStyle& style);
[[nodiscard]] std::string table_row(const Alert& alert, const TableStyle& style);

}  // namespace keyvigil
