// The words of an alert: what is said to a person about its facts. Every sentence is made of values of the Alert.
#pragma once

#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "alert/alert.h"
#include "catalogue/catalogue.h"

namespace keyvigil {

// One sentence with numbers: its detector's, or for a list which one, which line, how many requests, with what result.
[[nodiscard]] std::string reason_sentence(const Alert& alert, const Reason& reason);

// The catalogue's description, and what the vault gave away in this case.
[[nodiscard]] std::string description(const Alert& alert);

// "s" of more or less than one.
[[nodiscard]] std::string_view plural(std::uint64_t count);
// "3 objects: secrets/a, secrets/b, secrets/c" or why nothing was read.
[[nodiscard]] std::string what_was_read(const Alert& alert);
// Vault and object of what was read in the suspicious part. Versions of an object are one here; the rotation list tells
// them apart. Of the alert's own texts.
[[nodiscard]] std::set<std::pair<std::string_view, std::string_view>> distinct_objects(const Alert& alert);

// How sure the lists are that the address is bad, not how bad the access was: High on a Tor list (membership is a
// plain fact), else by the best confidence that a list states (>= 80 High, >= 50 Medium, below Low), else Medium. For
// alerts about behaviour: from the bound on the chance of an attack that the calibrated p allows, one case in 1000
// being one: above 0.9 High, above 0.5 Medium.
[[nodiscard]] Severity confidence(const Alert& alert);

// What would have kept the alert from being raised.
[[nodiscard]] std::string counterfactual(const Alert& alert);

// The harmless story that fits best, with its numbers; empty where there is none to tell.
[[nodiscard]] std::string nearest_explanation(const Alert& alert);

// What to do, first things first: by alert type, by caller kind, and by what was read.
[[nodiscard]] std::vector<std::string> remediation_steps(const Alert& alert);

// "user alice@contoso.com", "nobody named", "3 callers, none of whom did half of it".
[[nodiscard]] std::string caller_in_words(const Alert& alert);

// Of an alert about a vault, the busiest first; and in percent of all suspicious events, rounded down to a tenth.
[[nodiscard]] std::vector<const Contributor*> contributors_by_share(const Alert& alert);
[[nodiscard]] double share_percent(const Alert& alert, const Contributor& contributor);

// "9 succeeded, 3 denied"; "none" for no event.
[[nodiscard]] std::string outcomes_in_words(const OutcomeCounts& outcomes);

// "[SecretGet:3, SecretList:5]".
[[nodiscard]] std::string operations_in_brackets(const OperationCounts& counts);

[[nodiscard]] std::uint64_t total(const OutcomeCounts& outcomes);

}  // namespace keyvigil
