// Activity: the ground truth of one access to a vault, before it is rendered in some form of the log.
//
// A plain value. Texts are kept as Azure would hold them before its pipeline changes their case; empty means absent.
// It shares the vocabulary of the canonical event (kinds, denials, paths), so that a decoded record can be compared
// with it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/event_time.h"
#include "event/access_event.h"

namespace keyvigil::workload {

struct Vault {
  std::string name;
  std::string subscription_id;
  std::string resource_group;
  std::string tenant_id;
  std::string location = "westeurope";
  bool rbac = false;         // permission model: role assignments, else access policies
  bool managed_hsm = false;  // MANAGEDHSMS resource id and record shape
};

struct Caller {
  CallerKind kind = CallerKind::kAnonymous;
  std::string object_id;
  std::string user_name;  // upn; users only
  std::string app_id;
  std::string managed_identity;     // xms_mirid
  std::string azure_resource;       // xms_az_rid
  std::string credential;           // appidacr: "0" public client, "1" secret, "2" certificate or managed identity
  std::string token_address;        // ipaddr: where the token was issued
  bool names_identity_type = true;  // idtyp, which older tokens do not carry
};

struct AccessPolicy {
  std::string tenant_id;
  std::string object_id;
  std::vector<std::string> key_permissions;
  std::vector<std::string> secret_permissions;
  std::vector<std::string> certificate_permissions;
};

struct NetworkAcls {
  std::string bypass;
  std::string default_action;
};

// What a Vault* record tells about the vault's configuration.
struct VaultConfiguration {
  std::optional<NetworkAcls> network_acls;
  std::optional<AccessPolicy> added_policy;
  std::optional<AccessPolicy> removed_policy;
  std::string added_ip_rule;
};

// Which planted attack or harmless twin an activity belongs to; `kind` is empty for ordinary traffic.
struct AttackLabel {
  std::string kind;            // name of the attack or of the twin
  std::uint64_t campaign = 0;  // counts from 1
  std::string strength;
  bool benign = false;
  bool app = false;                 // class of the caller, known for challenges too
  std::string caller;               // object id
  std::vector<std::string> alerts;  // any of them finds the attack; none of them may follow the twin
};

struct Activity {
  EventTime time;
  Vault vault;
  std::string operation;    // "SecretGet"
  std::string collection;   // "secrets", "deletedkeys", ...; empty for Vault* operations
  std::string object;       // empty for lists
  std::string version;      // 32 hexadecimal digits
  std::string uri_verb;     // "backup", "unwrapkey", "versions", ...
  std::string uri_query;    // after the api-version, without the leading &
  std::string api_version;  // also the operationVersion
  bool version_in_uri = false;
  Caller caller;
  std::string address;  // callerIpAddress
  int http_status = 200;
  DenialKind denial = DenialKind::kNone;
  std::string client_info;  // user agent
  std::string correlation_id;
  int duration_milliseconds = 0;
  NetworkPath path = NetworkPath::kPublic;
  std::string subnet_id;
  std::string private_endpoint_id;
  std::string trusted_service;
  std::string role_assignment_id;  // appliedAssignmentId, 32 hexadecimal digits
  std::string tls_version;         // "TLS1_3"
  std::string key_type;            // "RSA"; key operations
  std::string algorithm;           // "RSA-OAEP-256"; use of keys
  VaultConfiguration configuration;
  AttackLabel attack;
};

}  // namespace keyvigil::workload
