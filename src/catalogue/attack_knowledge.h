// Names and ids of the MITRE ATT&CK tactics and techniques that the catalogue speaks of.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "catalogue/catalogue.h"

namespace keyvigil {

struct AttackTactic {
  std::string_view intent;  // ARM's spelling: CredentialAccess
  std::string_view id;      // TA0006
  std::string_view name;    // Credential Access
};

struct AttackTechnique {
  std::string_view id;         // T1555, or T1555.006
  std::string_view name;       // of the technique
  std::string_view sub_name;   // of the sub-technique; empty where the id is a technique's
  std::string_view tactic_id;  // the tactic of the catalogue under which ATT&CK has it; empty: none of them
  [[nodiscard]] std::string parent_id() const { return std::string(id.substr(0, id.find('.'))); }
  [[nodiscard]] bool is_sub_technique() const { return !sub_name.empty(); }
};

// In the order of the row. Every intent and technique of the catalogue is known: held by a test.
[[nodiscard]] std::vector<AttackTactic> tactics_of(const CatalogueRow& row);
[[nodiscard]] std::vector<AttackTechnique> techniques_of(const CatalogueRow& row);

}  // namespace keyvigil
