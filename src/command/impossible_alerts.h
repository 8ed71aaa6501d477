// What a run asks for and cannot get: alerts for which a threat list is missing, severities that no alert has.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "catalogue/alert_type.h"
#include "catalogue/catalogue.h"
#include "intel/address_book.h"

namespace keyvigil {

// Of the types, those that can be raised with these lists.
[[nodiscard]] AlertTypes types_possible_with(const AlertTypes& types, const AddressBook& book);

// `only`: the words of --only, `types` what they stand for. Refused where single alerts were named and none is
// possible, else a sentence about those that are not; empty: all are.
[[nodiscard]] Result<std::string> warn_of_impossible(std::string_view only, const AlertTypes& types,
                                                     const AlertTypes& possible);

// Refuses a severity that none of the types has or exceeds.
[[nodiscard]] Result<void> check_fail_on(Severity severity, const AlertTypes& types);

}  // namespace keyvigil
