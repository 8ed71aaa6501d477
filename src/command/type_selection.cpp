#include "command/type_selection.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/nearest_name.h"
#include "catalogue/catalogue.h"

namespace keyvigil {
namespace {

constexpr std::string_view kThreatLists = "threat-lists";

std::string_view trimmed(std::string_view text) {
  while (text.starts_with(' ')) { text.remove_prefix(1); }
  while (text.ends_with(' ')) { text.remove_suffix(1); }
  return text;
}

}  // namespace

std::vector<std::string_view> alert_type_names() {
  std::vector<std::string_view> names{kThreatLists};
  for (const CatalogueRow& row : catalogue()) { names.push_back(row.code); }
  return names;
}

Result<AlertTypes> parse_alert_types(std::string_view text) {
  AlertTypes types;
  while (true) {
    const std::size_t comma = std::min(text.find(','), text.size());
    const std::string_view name = trimmed(text.substr(0, comma));
    const auto type = find_alert_type(name);
    if (type) { types.set(static_cast<std::size_t>(*type)); }
    if (name == kThreatLists) { types |= types_without_history(); }
    if (!type && name != kThreatLists) {
      return fail(ErrorKind::kUsage,
                  fmt::format("--only: expected alert types as in `keyvigil catalogue`, or {}, joined by commas; found "
                              "'{}'; the nearest known one is '{}'",
                              kThreatLists, name, nearest_name(name, alert_type_names())));
    }
    if (comma == text.size()) { return types; }
    text.remove_prefix(comma + 1);
  }
}

std::string to_string(const AlertTypes& types) {
  std::string out;
  for (const CatalogueRow& row : catalogue()) {
    if (!types.test(static_cast<std::size_t>(row.type))) { continue; }
    out += fmt::format("{}{}", out.empty() ? "" : ", ", row.code);
  }
  return out;
}

}  // namespace keyvigil
