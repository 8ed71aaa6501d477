#include "command/impossible_alerts.h"

#include <fmt/format.h>

#include <algorithm>

#include "command/type_selection.h"

namespace keyvigil {
namespace {

bool has(const AlertTypes& types, AlertType type) {
  return types.test(static_cast<std::size_t>(type));
}

std::string_view missing_lists(const AlertTypes& impossible) {
  if (!has(impossible, AlertType::kTORAccess)) { return "--suspicious FILE"; }
  return impossible.count() == 1 ? "--tor FILE" : "--tor FILE and --suspicious FILE";
}

}  // namespace

AlertTypes types_possible_with(const AlertTypes& types, const AddressBook& book) {
  AlertTypes possible = types & ~types_without_history();
  for (const CatalogueRow& row : catalogue()) {
    const auto place = static_cast<std::size_t>(row.type);
    if (!types.test(place) || row.learned()) { continue; }
    const ListRole role = row.type == AlertType::kTORAccess ? ListRole::kTor : ListRole::kSuspicious;
    if (book.has_role(role)) { possible.set(place); }
  }
  return possible;
}

Result<std::string> warn_of_impossible(std::string_view only, const AlertTypes& types, const AlertTypes& possible) {
  const AlertTypes impossible = types & ~possible;
  if (impossible.none()) { return std::string(); }
  const std::string sentence = fmt::format("--only: {} cannot be raised without a list; add {}", to_string(impossible),
                                           missing_lists(impossible));
  const bool names_a_group = only.find("threat-lists") != std::string_view::npos;
  if (possible.none() && !names_a_group) { return fail(ErrorKind::kUsage, sentence); }
  return sentence;
}

Result<void> check_fail_on(Severity severity, const AlertTypes& types) {
  Severity highest = Severity::kInformational;
  for (const CatalogueRow& row : catalogue()) {
    if (types.test(static_cast<std::size_t>(row.type))) { highest = std::max(highest, row.severity); }
  }
  if (severity <= highest) { return {}; }
  return fail(ErrorKind::kUsage,
              fmt::format("--fail-on {}: none of the alerts that this run can raise is so severe, so it would never be "
                          "met; the highest is {}",
                          to_string(severity), to_string(highest)));
}

}  // namespace keyvigil
