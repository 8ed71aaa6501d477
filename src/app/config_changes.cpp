#include "app/config_changes.h"

#include <utility>

namespace keyvigil {
namespace {

// Everything that reload() of the service does not take over.
template <typename Visit>
void for_each_fixed_key(const Config& running, Config& fresh, const Visit& visit) {
  visit("serve.store", running.serve.store, fresh.serve.store);
  visit("serve.listen", running.serve.listen, fresh.serve.listen);
  visit("serve.public_url", running.serve.public_url, fresh.serve.public_url);
  visit("serve.tls", running.serve.tls, fresh.serve.tls);
  visit("serve.inputs", running.serve.inputs, fresh.serve.inputs);
  visit("serve.idle_seconds", running.serve.idle_seconds, fresh.serve.idle_seconds);
  visit("serve.checkpoint_seconds", running.serve.checkpoint_seconds, fresh.serve.checkpoint_seconds);
  visit("serve.journal_limit_mebibytes", running.serve.journal_limit_mebibytes, fresh.serve.journal_limit_mebibytes);
  visit("serve.body_limit_mebibytes", running.serve.body_limit_mebibytes, fresh.serve.body_limit_mebibytes);
  visit("serve.decompressed_limit_mebibytes", running.serve.decompressed_limit_mebibytes,
        fresh.serve.decompressed_limit_mebibytes);
  visit("serve.silent_minutes", running.serve.silent_minutes, fresh.serve.silent_minutes);
  visit("serve.lag_seconds", running.serve.lag_seconds, fresh.serve.lag_seconds);
  visit("serve.alert_retention_days", running.serve.alert_retention_days, fresh.serve.alert_retention_days);
  visit("serve.audit_retention_days", running.serve.audit_retention_days, fresh.serve.audit_retention_days);
  visit("serve.event_retention_days", running.serve.event_retention_days, fresh.serve.event_retention_days);
  visit("serve.event_limit_mebibytes", running.serve.event_limit_mebibytes, fresh.serve.event_limit_mebibytes);
  visit("serve.issuers", running.serve.access.issuers, fresh.serve.access.issuers);
  visit("lists.feeds", running.lists.feeds, fresh.lists.feeds);
  visit("estates (location, tenant_id)", running.rendering, fresh.rendering);
}

}  // namespace

std::vector<std::string> keys_that_need_a_restart(const Config& running, const Config& fresh) {
  std::vector<std::string> keys;
  Config other = fresh;
  for_each_fixed_key(running, other, [&](const char* key, const auto& before, const auto& after) {
    if (!(before == after)) { keys.emplace_back(key); }
  });
  return keys;
}

Config without_restart(const Config& running, Config fresh) {
  for_each_fixed_key(running, fresh, [](const char*, const auto& before, auto& after) { after = before; });
  return fresh;
}

}  // namespace keyvigil
