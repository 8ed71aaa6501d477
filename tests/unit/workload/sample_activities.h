// Activities that between them use every part of a record.
#pragma once

#include <vector>

#include "workload/activity.h"

namespace keyvigil::workload::testing {

inline Vault sample_vault() {
  Vault vault;
  vault.name = "kv-Orders-prod-01";
  vault.subscription_id = "11111111-aaaa-4bbb-8ccc-222222222222";
  vault.resource_group = "rg-Orders";
  vault.tenant_id = "33333333-aaaa-4bbb-8ccc-444444444444";
  return vault;
}

inline Caller sample_user() {
  Caller user;
  user.kind = CallerKind::kUser;
  user.object_id = "55555555-aaaa-4bbb-8ccc-666666666666";
  user.user_name = "dana.ito@contoso.com";
  user.app_id = "04b07795-8ddb-461a-bbee-02f9e1bf7b46";
  user.credential = "0";
  user.token_address = "192.0.2.7";
  return user;
}

inline Caller sample_managed_identity() {
  Caller identity;
  identity.kind = CallerKind::kManagedIdentity;
  identity.object_id = "77777777-aaaa-4bbb-8ccc-888888888888";
  identity.app_id = "99999999-aaaa-4bbb-8ccc-000000000000";
  identity.credential = "2";
  identity.managed_identity =
      "/subscriptions/11111111-aaaa-4bbb-8ccc-222222222222/resourcegroups/rg-Orders/providers/Microsoft.Web/sites/app";
  return identity;
}

inline Activity sample_read() {
  Activity activity;
  activity.time = EventTime{1'790'592'127'000LL * EventTime::kTicksPerMillisecond};  // 2026-09-28T10:42:07.000Z
  activity.vault = sample_vault();
  activity.operation = "SecretGet";
  activity.collection = "secrets";
  activity.object = "db-password";
  activity.version = "0123456789abcdef0123456789abcdef";
  activity.api_version = "7.4";
  activity.caller = sample_user();
  activity.address = "203.0.113.9";
  activity.client_info = "tool \"quoted\", with comma\tand tab";
  activity.correlation_id = "aaaaaaaa-1111-4222-8333-bbbbbbbbbbbb";
  activity.duration_milliseconds = 42;
  activity.tls_version = "TLS1_3";
  return activity;
}

inline Activity sample_rbac_denial() {
  Activity activity = sample_read();
  activity.time.ticks += EventTime::kTicksPerHour * 3;
  activity.vault.rbac = true;
  activity.http_status = 403;
  activity.denial = DenialKind::kRbac;
  activity.correlation_id = "aaaaaaaa-1111-4222-8333-cccccccccccc";
  return activity;
}

inline Activity sample_policy_denial() {
  Activity activity = sample_read();
  activity.time.ticks -= EventTime::kTicksPerHour * 10;  // 00:42:07
  activity.operation = "SecretList";
  activity.object.clear();
  activity.version.clear();
  activity.http_status = 403;
  activity.denial = DenialKind::kPolicy;
  return activity;
}

inline Activity sample_firewall_denial() {
  Activity activity = sample_read();
  activity.http_status = 403;
  activity.denial = DenialKind::kFirewall;
  return activity;
}

inline Activity sample_challenge() {
  Activity activity = sample_read();
  activity.operation = "Authentication";
  activity.caller = Caller{};
  activity.http_status = 401;
  activity.path = NetworkPath::kServiceEndpoint;
  activity.subnet_id = "/subscriptions/x/resourcegroups/rg/providers/microsoft.network/virtualnetworks/v/subnets/s";
  return activity;
}

inline Activity sample_key_use() {
  Activity activity = sample_read();
  activity.vault.rbac = true;
  activity.role_assignment_id = "fedcba9876543210fedcba9876543210";
  activity.operation = "KeyUnwrap";
  activity.collection = "keys";
  activity.object = "Master";
  activity.uri_verb = "unwrapkey";
  activity.version_in_uri = true;
  activity.caller = sample_managed_identity();
  activity.address = "10.1.2.3";
  activity.path = NetworkPath::kPrivateLink;
  activity.private_endpoint_id = "/subscriptions/x/resourcegroups/rg/providers/microsoft.network/privateEndpoints/pe";
  activity.key_type = "RSA";
  activity.algorithm = "RSA-OAEP-256";
  return activity;
}

inline Activity sample_policy_change() {
  Activity activity = sample_read();
  activity.operation = "VaultPut";
  activity.collection.clear();
  activity.object.clear();
  activity.version.clear();
  activity.tls_version.clear();
  activity.api_version = "2023-07-01";
  activity.configuration.network_acls = NetworkAcls{"AzureServices", "Deny"};
  activity.configuration.added_policy =
      AccessPolicy{activity.vault.tenant_id, activity.caller.object_id, {}, {"get", "list"}, {}};
  return activity;
}

inline Activity sample_miss() {
  Activity activity = sample_read();
  activity.http_status = 404;
  activity.uri_query = "_=1790592127000";
  return activity;
}

inline std::vector<Activity> sample_activities() {
  return {sample_read(),      sample_rbac_denial(), sample_policy_denial(), sample_firewall_denial(),
          sample_challenge(), sample_key_use(),     sample_policy_change(), sample_miss()};
}

}  // namespace keyvigil::workload::testing
