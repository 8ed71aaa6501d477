#include "history/facts.h"

namespace keyvigil {

void Facts::clear() {
  caller_class = CallerClass::kUser;
  behaviour_known = false;
  caller_first_today = false;
  vault_first_today = false;
  throttled = false;
  operation_class = OperationClass::kOther;
  new_vault.reset();
  new_denied_vault.reset();
  new_vaults_day.reset();
  denied_vaults_day.reset();
  new_client.reset();
  client_new_to_pair_only = false;
  volumes.clear();
  opens_episode = false;
  first_touch = false;
  first_refusal = false;
  policy_change = false;
  session.reset();
  destruction.reset();
  list_episode.reset();
  policy_episode.reset();
  new_address.reset();
  address_since_ticks = 0;
  address_prefix.clear();
  network_visit.reset();
}

bool has_something_to_say(const Facts& facts) {
  return facts.new_vault || facts.new_denied_vault || facts.new_client || !facts.volumes.empty() || facts.session ||
         facts.destruction || facts.list_episode || facts.policy_episode || facts.new_address || facts.network_visit;
}

}  // namespace keyvigil
