#include "config/config_changes.h"

#include <utility>

namespace keyvigil {
namespace {

template <typename Visit>
void for_each_fixed_key(const Config& running, Config& fresh, const Visit& visit) {
  visit("serve.store", running.serve.store, fresh.serve.store);
  visit("serve.listen", running.serve.listen, fresh.serve.listen);
  visit("serve.public_url", running.serve.public_url, fresh.serve.public_url);
  // From one certificate to another, but not between HTTPS and HTTP.
  if (running.serve.tls.has_value() != fresh.serve.tls.has_value()) {
    visit("serve.tls", running.serve.tls, fresh.serve.tls);
  }
  visit("serve.body_limit_mebibytes", running.serve.body_limit_mebibytes, fresh.serve.body_limit_mebibytes);
  visit("estates (location, tenant_id)", running.rendering, fresh.rendering);
}

template <typename Visit>
void for_each_other_key(const Config& running, const Config& fresh, const Visit& visit) {
  const ServeConfig& before = running.serve;
  const ServeConfig& after = fresh.serve;
  visit("lists.tor", running.lists.tor, fresh.lists.tor);
  visit("lists.suspicious", running.lists.suspicious, fresh.lists.suspicious);
  visit("lists.service_tags", running.lists.service_tags, fresh.lists.service_tags);
  visit("lists.minimum_confidence", running.lists.minimum_confidence, fresh.lists.minimum_confidence);
  visit("lists.allow_non_global", running.lists.allow_non_global, fresh.lists.allow_non_global);
  visit("lists.feeds", running.lists.feeds, fresh.lists.feeds);
  visit("lateness_minutes", running.lateness_minutes, fresh.lateness_minutes);
  visit("alerts_per_1000_vault_days", running.alerts_per_thousand_vault_days, fresh.alerts_per_thousand_vault_days);
  visit("learning_days", running.learning_days, fresh.learning_days);
  visit("estates", running.estates, fresh.estates);
  visit("teams", running.teams, fresh.teams);
  visit("first_party_apps", running.first_party_apps, fresh.first_party_apps);
  visit("outputs", running.outputs, fresh.outputs);
  if (before.tls && after.tls) { visit("serve.tls", before.tls, after.tls); }
  visit("serve.tokens", before.access.tokens, after.access.tokens);
  visit("serve.issuers", before.access.issuers, after.access.issuers);
  visit("serve.inputs", before.inputs, after.inputs);
  visit("serve.idle_seconds", before.idle_seconds, after.idle_seconds);
  visit("serve.checkpoint_seconds", before.checkpoint_seconds, after.checkpoint_seconds);
  visit("serve.journal_limit_mebibytes", before.journal_limit_mebibytes, after.journal_limit_mebibytes);
  visit("serve.decompressed_limit_mebibytes", before.decompressed_limit_mebibytes, after.decompressed_limit_mebibytes);
  visit("serve.silent_minutes", before.silent_minutes, after.silent_minutes);
  visit("serve.lag_seconds", before.lag_seconds, after.lag_seconds);
  visit("serve.alert_retention_days", before.alert_retention_days, after.alert_retention_days);
  visit("serve.audit_retention_days", before.audit_retention_days, after.audit_retention_days);
  visit("serve.event_retention_days", before.event_retention_days, after.event_retention_days);
  visit("serve.event_limit_mebibytes", before.event_limit_mebibytes, after.event_limit_mebibytes);
}

}  // namespace

ConfigChanges config_changes(const Config& running, const Config& fresh) {
  ConfigChanges changes;
  const auto into = [](std::vector<std::string>& keys) {
    return [&keys](const char* key, const auto& before, const auto& after) {
      if (!(before == after)) { keys.emplace_back(key); }
    };
  };
  Config other = fresh;
  for_each_fixed_key(running, other, into(changes.need_restart));
  for_each_other_key(running, fresh, into(changes.taken_over));
  return changes;
}

Config without_restart(const Config& running, Config fresh) {
  for_each_fixed_key(running, fresh, [](const char*, const auto& before, auto& after) { after = before; });
  return fresh;
}

}  // namespace keyvigil
