// Under which resource id a record's vault is known. Room-internal.
//
// Azure's own id where the record has it: in its resource id, its columns, or a management URI that it names. Queries
// often leave these out; names of vaults are unique in Azure, so such a vault is known by its name alone, as
// "/providers/microsoft.keyvault/vaults/kv-contoso": another id than the whole one, which no file can give later.
#pragma once

#include <string>
#include <string_view>

#include "event/record_fields.h"

namespace keyvigil {

// Empty: the record names no vault. Otherwise as the record spells it; ids are compared in lower case. `made` holds the
// text where the record does not.
[[nodiscard]] std::string_view vault_id_of(const RecordFields& fields, std::string& made);

// The resource id up to and with the vault's name, of a longer path: "/subscriptions/../vaults/kv/accessPolicies/add".
// Empty where the path is none of a vault's.
[[nodiscard]] std::string_view vault_part(std::string_view path);

// Whether a resource id is of another service than Key Vault.
[[nodiscard]] bool is_of_other_service(std::string_view resource_id);

}  // namespace keyvigil
