// Events of the Activity Log: a change of who may use vaults, written beside the vaults' own logs. Their vault_id() is
// what the change is about: one vault, or a scope that vaults lie in, in lower case.
#pragma once

#include <string_view>

#include "event/access_event.h"

namespace keyvigil {

// They are nobody's access of a vault: they open the time in which reads are looked at, and nothing else.
[[nodiscard]] bool is_of_activity_log(const AccessEvent& event);

// Whether a vault is the scope or lies in it. A management group covers all: what is in it, no log says.
[[nodiscard]] bool covers(std::string_view scope, std::string_view vault_id);

}  // namespace keyvigil
