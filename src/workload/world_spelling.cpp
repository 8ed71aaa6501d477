#include "workload/world_state.h"

#include <fmt/format.h>
#include <array>

namespace keyvigil::workload {
namespace {

struct StepShape {
  std::string_view operation;
  std::string_view collection;
  std::string_view uri_verb;
  bool names_object;
  bool version_in_uri;
};

constexpr std::array<StepShape, 14> kShapes = {{
    {"Authentication", "secrets", "", true, false},
    {"SecretGet", "secrets", "", true, false},
    {"SecretList", "secrets", "", false, false},
    {"SecretSet", "secrets", "", true, false},
    {"SecretBackup", "secrets", "backup", true, false},
    {"SecretDelete", "secrets", "", true, false},
    {"SecretPurge", "deletedsecrets", "", true, false},
    {"KeyGet", "keys", "", true, false},
    {"KeyWrap", "keys", "wrapkey", true, true},
    {"KeyUnwrap", "keys", "unwrapkey", true, true},
    {"KeyDecrypt", "keys", "decrypt", true, true},
    {"VaultGet", "", "", false, false},
    {"VaultPut", "", "", false, false},
    {"VaultPut", "", "", false, false},
}};

constexpr std::string_view kPortalArmApp = "c44b4083-3bb0-49c1-b47d-974e53cbdf3c";
constexpr std::string_view kPortalVaultApp = "3686488a-04fc-4d8a-b967-61f98ec41efe";
constexpr std::string_view kCliApp = "04b07795-8ddb-461a-bbee-02f9e1bf7b46";
constexpr std::string_view kPowerShellApp = "1950a258-227b-4e31-a9cf-717495945fc2";

}  // namespace

void World::State::spell_caller(const Planned& event, Random& details, Activity& activity) const {
  const bool vault_operation = event.step >= Step::kVaultGet;
  activity.tls_version = vault_operation ? "" : details.chance(0.7) ? "TLS1_3" : "TLS1_2";
  activity.uri_query.clear();
  activity.api_version = vault_operation ? "2023-07-01" : "7.4";
  std::string_view client_app;
  switch (event.client) {
    case Client::kOwn:
      activity.client_info = event.who == Who::kApp ? population.apps[event.caller].client_info
                                                    : population.services[event.caller].client_info;
      break;
    case Client::kPortal:
      client_app = vault_operation ? kPortalArmApp : kPortalVaultApp;
      activity.client_info =
          "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/128.0.0.0 "
          "Safari/537.36 Edg/128.0.0.0";
      if (!vault_operation) {
        activity.api_version = "7.0";
        const std::string_view page = event.step == Step::kSecretList ? "maxresults=25&_=" : "_=";
        activity.uri_query = fmt::format("{}{}", page, event.time.milliseconds());
      }
      break;
    case Client::kCli:
      client_app = kCliApp;
      activity.client_info = vault_operation ? "AZURECLI/2.64.0"
                                             : "azsdk-python-keyvault-secrets/4.7.0 Python/3.11.8 "
                                               "(Windows-10-10.0.19045-SP0) AZURECLI/2.64.0 (MSI)";
      break;
    case Client::kPowerShell:
      client_app = kPowerShellApp;
      activity.client_info = "AzurePowershell/v12.3.0 PSVersion/v7.4.5 Az.KeyVault/6.2.0 azsdk-net-Security.KeyVault";
      break;
    case Client::kForeignClient:
      client_app = "1fec8e78-bce4-4aaf-ab1b-5451cc387264";
      activity.client_info = "python-requests/2.31.0";
      break;
    case Client::kScript:
      client_app = kCliApp;
      activity.client_info = "python-requests/2.31.0";
      break;
  }
  if (event.step == Step::kChallenge) {
    activity.caller = Caller{};
    return;
  }
  switch (event.who) {
    case Who::kApp:
      activity.caller = population.apps[event.caller].caller;
      break;
    case Who::kUser:
      activity.caller = population.users[event.caller].caller;
      break;
    case Who::kService:
      activity.caller = population.services[event.caller].caller;
      break;
  }
  if (event.who == Who::kUser) {
    activity.caller.app_id = client_app;
    activity.caller.token_address = address_text(population.users[event.caller].office_address);
  }
  // Tokens for Azure Resource Manager do not carry the managed identity into the record.
  if (vault_operation && event.who == Who::kApp) {
    activity.caller.kind = CallerKind::kApp;
    activity.caller.managed_identity.clear();
    activity.caller.azure_resource.clear();
  }
}

void World::State::spell_object(const Planned& event, Activity& activity) const {
  const StepShape& shape = kShapes[static_cast<std::size_t>(event.step)];
  activity.operation = shape.operation;
  activity.collection = shape.collection;
  activity.uri_verb = shape.uri_verb;
  activity.version_in_uri = shape.version_in_uri;
  activity.object.clear();
  activity.version.clear();
  activity.key_type.clear();
  activity.algorithm.clear();
  if (!shape.names_object) { return; }
  const bool key = shape.collection == "keys";
  activity.object = key ? fmt::format("key-{:02}", event.object) : object_name(event.object);
  if (key) {
    activity.key_type = "RSA";
    if (shape.version_in_uri) { activity.algorithm = "RSA-OAEP-256"; }
  }
  // A version lives for 60 days, each object changing on its own day.
  const std::uint64_t identity = mix64(mix64(options.seed + event.vault) + event.object + (key ? 1'000'000 : 0));
  const std::int64_t epoch = (event.time.day() + static_cast<std::int64_t>(identity % 60)) / 60;
  const bool backup = event.step == Step::kSecretBackup;
  if (!backup) { activity.version = hex_text(identity, mix64(identity + static_cast<std::uint64_t>(epoch))); }
}

// Applications reach a vault by its own path; people and attackers come over the Internet.
void World::State::spell_network(const Planned& event, Activity& activity) const {
  const VaultProfile& vault = population.vaults[event.vault];
  activity.path = NetworkPath::kPublic;
  activity.subnet_id.clear();
  activity.private_endpoint_id.clear();
  activity.address = address_text(event.address);
  const bool attack = event.campaign != 0 && !campaigns[event.campaign - 1].twin;
  if (event.who != Who::kApp || attack) { return; }
  const bool vault_operation = event.step >= Step::kVaultGet;
  if (vault.path == NetworkPath::kPrivateLink && !vault_operation) {
    activity.path = NetworkPath::kPrivateLink;
    activity.private_endpoint_id = vault.private_endpoint_id;
    activity.address = address_text(0x0A000000U + event.address);  // 10.0.0.0/12
    return;
  }
  activity.address = address_text(0x14200000U + event.address);  // 20.32.0.0/12
  if (vault.path == NetworkPath::kServiceEndpoint && !vault_operation) {
    activity.path = NetworkPath::kServiceEndpoint;
    activity.subnet_id = vault.subnet_id;
  }
}

void World::State::spell_label(const Planned& event, AttackLabel& label) const {
  const Campaign& campaign = campaigns[event.campaign - 1];
  label.kind = campaign.twin ? to_string(twin_of(campaign.kind, campaign.app)) : to_string(campaign.kind);
  label.campaign = event.campaign;
  label.strength = to_string(campaign.strength);
  label.benign = campaign.twin;
  label.app = campaign.app;
  label.caller = campaign.app ? population.apps[campaign.caller].caller.object_id
                              : population.users[campaign.caller].caller.object_id;
  for (const std::string_view code : expected_alerts(campaign.kind, campaign.app)) { label.alerts.emplace_back(code); }
}

void World::State::spell(const Planned& event, Activity& activity) const {
  Random details(mix64(options.seed ^ (event.sequence * 0x9E3779B97F4A7C15ULL)));
  const VaultProfile& vault = population.vaults[event.vault];
  activity.time = event.time;
  activity.vault = vault.vault;
  activity.http_status = event.status;
  activity.denial = event.denial;
  activity.duration_milliseconds = static_cast<int>(8 + details.below(60) + (details.chance(0.03) ? 300 : 0));
  const std::uint64_t high = details.bits();
  activity.correlation_id = guid_text(high, details.bits());
  spell_object(event, activity);
  spell_caller(event, details, activity);
  spell_network(event, activity);
  activity.role_assignment_id = hex_text(mix64(event.vault), mix64(event.caller + 77));
  activity.configuration = VaultConfiguration{};
  if (event.step == Step::kAddPolicy) {
    activity.configuration.added_policy =
        AccessPolicy{vault.vault.tenant_id, activity.caller.object_id, {}, {"get", "list"}, {}};
  }
  if (vault.path != NetworkPath::kPublic) {
    activity.configuration.network_acls = NetworkAcls{"AzureServices", "Deny"};
  }
  activity.attack = AttackLabel{};
  if (event.campaign != 0) { spell_label(event, activity.attack); }
}

}  // namespace keyvigil::workload
