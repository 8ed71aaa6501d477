#include "event/access_scope.h"

namespace keyvigil {

bool is_of_activity_log(const AccessEvent& event) {
  return event.operation_kind == OperationKind::kPolicy && event.operation_name().starts_with("Microsoft.");
}

bool covers(std::string_view scope, std::string_view vault_id) {
  if (scope == "/" || scope.starts_with("/providers/microsoft.management/")) { return true; }
  return vault_id.starts_with(scope) && (vault_id.size() == scope.size() || vault_id[scope.size()] == '/');
}

}  // namespace keyvigil
