#include "catalogue/attack_knowledge.h"

#include <algorithm>
#include <array>

#include "base/check.h"

namespace keyvigil {
namespace {

constexpr std::array<AttackTactic, 3> kTactics = {{
    {"InitialAccess", "TA0001", "Initial Access"},
    {"CredentialAccess", "TA0006", "Credential Access"},
    {"Discovery", "TA0007", "Discovery"},
}};

constexpr std::array<AttackTechnique, 6> kTechniques = {{
    {"T1078.004", "Valid Accounts", "Cloud Accounts", "TA0001"},
    {"T1090.003", "Proxy", "Multi-hop Proxy", ""},
    {"T1098", "Account Manipulation", "", ""},
    {"T1526", "Cloud Service Discovery", "", "TA0007"},
    {"T1555.006", "Credentials from Password Stores", "Cloud Secrets Management Stores", "TA0006"},
    {"T1580", "Cloud Infrastructure Discovery", "", "TA0007"},
}};

std::vector<std::string_view> items_of(std::string_view joined) {
  std::vector<std::string_view> items;
  while (!joined.empty()) {
    const std::size_t comma = joined.find(", ");
    items.push_back(joined.substr(0, comma));
    joined.remove_prefix(comma == std::string_view::npos ? joined.size() : comma + 2);
  }
  return items;
}

}  // namespace

std::vector<AttackTactic> tactics_of(const CatalogueRow& row) {
  std::vector<AttackTactic> tactics;
  for (const std::string_view intent : items_of(row.intent)) {
    const auto* const found = std::ranges::find(kTactics, intent, &AttackTactic::intent);
    CHECK(found != kTactics.end());
    tactics.push_back(*found);
  }
  return tactics;
}

std::vector<AttackTechnique> techniques_of(const CatalogueRow& row) {
  std::vector<AttackTechnique> techniques;
  for (const std::string_view id : items_of(row.techniques)) {
    const auto* const found = std::ranges::find(kTechniques, id, &AttackTechnique::id);
    CHECK(found != kTechniques.end());
    techniques.push_back(*found);
  }
  return techniques;
}

}  // namespace keyvigil
