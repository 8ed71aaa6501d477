// CSV rows, RFC 4180: quoted cells, doubled quotes, line ends inside quotes. The mark between cells is a comma, or
// what a spreadsheet puts there.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace keyvigil {

// Cells of one row (without its line end). Cells with doubled quotes are unescaped into `scratch`; the views point into
// `row` or `scratch` and live until either changes. False where a quote is not closed or text follows a closing quote.
[[nodiscard]] bool split_csv_row(std::string_view row, std::string& scratch, std::vector<std::string_view>& cells,
                                 char separator = ',');

}  // namespace keyvigil
