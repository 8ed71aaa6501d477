#include "api/known_subscriptions.h"

#include "api/arm_answer.h"
#include "api/http_message.h"

namespace keyvigil {
std::string subscription_in(std::string_view resource_id) {
  constexpr std::string_view kStart = "/subscriptions/";
  if (!equal_without_case(resource_id.substr(0, kStart.size()), kStart)) { return {}; }
  resource_id.remove_prefix(kStart.size());
  return lower_case(resource_id.substr(0, resource_id.find('/')));
}

Result<std::set<std::string>> known_subscriptions(const AlertRendering& rendering, const Store& store,
                                                  const Principal& principal) {
  auto known = store.subscriptions();
  if (!known) { return known; }
  if (principal.subscriptions) { known->insert(principal.subscriptions->begin(), principal.subscriptions->end()); }
  for (const auto& [id, place] : rendering.subscriptions) { known->insert(id); }
  std::erase_if(*known, [&](const std::string& id) { return !is_guid(id) || !principal.sees(id); });
  return known;
}

}  // namespace keyvigil
