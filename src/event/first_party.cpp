#include "event/first_party.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <span>
#include <utility>

namespace keyvigil {
namespace {

struct AppRow {
  std::string_view app_id;
  std::string_view name;
  Routine routine;
};

constexpr std::array<std::string_view, 2> kInventoryOperations = {"VaultGet", "VaultList"};
constexpr std::array<std::string_view, 12> kScanOperations = {"VaultGet",
                                                              "VaultList",
                                                              "KeyGet",
                                                              "KeyList",
                                                              "KeyListVersions",
                                                              "KeyRotationPolicyGet",
                                                              "SecretList",
                                                              "SecretListVersions",
                                                              "CertificateGet",
                                                              "CertificateList",
                                                              "CertificateListVersions",
                                                              "CertificatePolicyGet"};
constexpr std::array<std::string_view, 4> kKeyOperations = {"VaultGet", "KeyGet", "KeyWrap", "KeyUnwrap"};
constexpr std::array<std::string_view, 4> kSecretOperations = {"VaultGet", "SecretGet", "CertificateGet", "SecretList"};
constexpr std::array<std::string_view, 6> kBackupOperations = {"VaultGet",  "KeyGet",       "SecretGet",
                                                               "KeyBackup", "SecretBackup", "SecretListVersions"};

struct RoutineRow {
  std::string_view name;
  Routine routine;
};
constexpr auto kRoutines = std::to_array<RoutineRow>({{"inventory", Routine::kInventory},
                                                      {"scan", Routine::kScan},
                                                      {"keys", Routine::kKeys},
                                                      {"secrets", Routine::kSecrets},
                                                      {"backup", Routine::kBackup}});

std::span<const std::string_view> operations_of(Routine routine) {
  switch (routine) {
    case Routine::kClient:
      return {};
    case Routine::kInventory:
      return kInventoryOperations;
    case Routine::kScan:
      return kScanOperations;
    case Routine::kKeys:
      return kKeyOperations;
    case Routine::kSecrets:
      return kSecretOperations;
    case Routine::kBackup:
      return kBackupOperations;
  }
  return {};
}

// Application ids are public facts of Microsoft Entra (Microsoft Learn, "Verify first-party Microsoft applications in
// sign-in reports"). Ordered by id.
constexpr auto kApps = std::to_array<AppRow>({
    {"022907d3-0f1b-48f7-badc-1ba6abab6d66", "Azure SQL Database", Routine::kKeys},
    {"04b07795-8ddb-461a-bbee-02f9e1bf7b46", "Azure CLI", Routine::kClient},
    {"04f0c124-f2bc-4f59-8241-bf6df9866bbd", "Visual Studio", Routine::kClient},
    {"080765e3-9336-4461-b934-310acccb907d", "Defender for Storage", Routine::kInventory},
    {"0c7668b5-3260-4ad0-9f53-34ed54fa19b2", "Defender for Cloud Servers Scanner", Routine::kKeys},
    {"11c174dc-1945-4a9a-a36b-c79a0f246b9b", "Azure Monitor System", Routine::kInventory},
    {"1950a258-227b-4e31-a9cf-717495945fc2", "Azure PowerShell", Routine::kClient},
    {"1d78a85d-813d-46f0-b496-dd72f50a3ec0", "Azure Policy Insights", Routine::kScan},
    {"205478c0-bd83-4e1b-a9d6-db63a3e1e1c8", "Azure Front Door", Routine::kSecrets},
    {"262044b1-e2ce-469f-a196-69ab7ada62d3", "Backup Management Service", Routine::kBackup},
    {"2746ea77-4702-4b45-80ca-3c97e680e8b7", "Azure Data Explorer", Routine::kKeys},
    {"2ff814a6-3304-4ab8-85cb-cd0e6f879c1d", "Azure Databricks", Routine::kSecrets},
    {"3686488a-04fc-4d8a-b967-61f98ec41efe", "Azure Portal (Key Vault)", Routine::kClient},
    {"3734c1a4-2bed-4998-a37a-ff1a9e7bf019", "Azure Container Apps Data Plane", Routine::kSecrets},
    {"3f6aecb4-6dbf-4e45-9141-440abdced562", "Defender for Cloud XDR", Routine::kInventory},
    {"509e4652-da8d-478d-a730-e9d4a1996ca4", "Azure Resource Graph", Routine::kInventory},
    {"579d9c9d-4c83-4efc-8124-7eba65ed3356", "Azure Compute", Routine::kSecrets},
    {"589d5083-6f11-4d30-a62a-a4b316a14abf", "Azure Key Vault Managed HSM", Routine::kKeys},
    {"5f6aefe1-a8d4-4a7d-a461-6c70cb361014", "Azure Security Insights Management", Routine::kInventory},
    {"60e6cd67-9c8c-4951-9b3c-23c25a2169af", "Managed Disks Resource Provider", Routine::kKeys},
    {"6a0a243c-0886-468a-a4c2-eff52c7445da", "Application Insights Configuration Service", Routine::kInventory},
    {"6b5b3617-ba00-46f6-8770-1849282a189a", "Microsoft Defender for Cloud", Routine::kScan},
    {"73c2949e-da2d-457a-9607-fcc665198967", "Azure Purview", Routine::kInventory},
    {"797f4846-ba00-4fd7-ba43-dac1f8f63013", "Azure Resource Manager", Routine::kInventory},
    {"7cd684f4-8a78-49b0-91ec-6a35d38739ba", "Azure Logic Apps", Routine::kSecrets},
    {"7e3bc4fd-85a3-4192-b177-5b8bfc87f42c", "Azure Container Apps Control Plane", Routine::kSecrets},
    {"80369ed6-5f11-4dd9-bef3-692475845e77", "Azure Event Hubs", Routine::kKeys},
    {"81172f0f-5d81-47c7-96f6-49c58b60d192", "Defender for Cloud Multicloud Onboarding", Routine::kInventory},
    {"8cae6e77-e04e-42ce-b5cb-50d82bce26b1", "Microsoft Policy Insights", Routine::kScan},
    {"8edd93e1-2103-40b4-bd70-6e34e586362d", "Windows Azure Security Resource Provider", Routine::kScan},
    {"98785600-1bb7-4fb9-b9fa-19afe2c8a360", "Azure Security Insights", Routine::kInventory},
    {"a1b76039-a76c-499f-a2dd-846b4cc32627", "Managed HSM Key Governance Service", Routine::kKeys},
    {"a232010e-820c-4083-83bb-3ace5fc29d0b", "Azure Cosmos DB", Routine::kKeys},
    {"a6aa9161-5291-40bb-8c5c-923b567bee3b", "Storage Resource Provider", Routine::kKeys},
    {"a70c8393-7c0c-4c1e-916a-811bd476ee11", "Defender for Cloud CIEM", Routine::kInventory},
    {"abfa0a7c-a6b6-4736-8310-5855508787cd", "Azure App Service", Routine::kSecrets},
    {"ad0e1c7e-6d38-4ba4-9efd-0bc77ba9f037", "Azure Front Door", Routine::kSecrets},
    {"aebc6443-996d-45c2-90f0-388ff96faa56", "Visual Studio Code", Routine::kClient},
    {"b8340c3b-9267-498f-b21a-15d5547fd85e", "Hyper-V Recovery Manager", Routine::kKeys},
    {"bceea168-88ac-4736-95dc-4ce488ffe324", "Microsoft Defender for Cloud", Routine::kScan},
    {"c39c9bac-9d1f-4dfb-aa29-27f6365e5cb7", "Azure Advisor", Routine::kInventory},
    {"c44b4083-3bb0-49c1-b47d-974e53cbdf3c", "Azure Portal", Routine::kClient},
    {"c505e273-0ba0-47e7-a0bd-f48042b4524d", "Azure Backup WBCM Service", Routine::kBackup},
    {"ceecbdd6-288c-4be9-8445-74f139e5db19", "Azure SQL Database Control Plane", Routine::kKeys},
    {"cfa8b339-82a2-471a-a3c9-0fc0be7a4093", "Azure Key Vault", Routine::kInventory},
    {"e0ccf59d-5a20-4a87-a122-f42842cdb86a", "Defender for Cloud Scanner Resource Provider", Routine::kScan},
    {"e406a681-f3d4-42a8-90b6-c2b029497af1", "Azure Storage", Routine::kKeys},
    {"e807d0e2-91da-40d6-8cee-e33c91a0b051", "Defender for Cloud Athena", Routine::kInventory},
    {"e81c7467-0fc3-4866-b814-c973488361cd", "Azure Backup Fabric Service", Routine::kBackup},
    {"e933bd07-d2ee-4f1d-933c-3752b819567b", "Azure Monitor Control Service", Routine::kInventory},
    {"e935b4a5-8968-416d-8414-caed51c782a9", "Microsoft Guest Configuration", Routine::kInventory},
    {"ee45196f-bd15-4010-9a66-c8497a97a873", "Defender for Cloud Discovery", Routine::kInventory},
    {"fc75330b-179d-49af-87dd-3b1acf6827fa", "Azure Automation", Routine::kInventory},
});
static_assert(std::ranges::is_sorted(kApps, {}, &AppRow::app_id));

const AppRow* find_app(std::string_view app_id) {
  const auto at = std::ranges::lower_bound(kApps, app_id, {}, &AppRow::app_id);
  return at != kApps.end() && at->app_id == app_id ? &*at : nullptr;
}

}  // namespace

bool is_first_party_app(std::string_view app_id) {
  const AppRow* app = find_app(app_id);
  return app != nullptr && app->routine != Routine::kClient;
}

std::string_view to_string(Routine routine) {
  const auto* row = std::ranges::find(kRoutines, routine, &RoutineRow::routine);
  return row == kRoutines.end() ? std::string_view{} : row->name;
}

std::optional<Routine> parse_routine(std::string_view name) {
  const auto* row = std::ranges::find(kRoutines, name, &RoutineRow::name);
  return row == kRoutines.end() ? std::nullopt : std::optional(row->routine);
}

FirstPartyApps::FirstPartyApps(std::vector<FirstPartyApp> more) : more_(std::move(more)) {
  std::ranges::stable_sort(more_, {}, &FirstPartyApp::app_id);
}

std::optional<Routine> FirstPartyApps::routine_of(const AccessEvent& event) const {
  if (event.caller_kind != CallerKind::kFirstParty && (more_.empty() || event.caller_kind != CallerKind::kApp)) {
    return std::nullopt;
  }
  const auto added = std::ranges::lower_bound(more_, event.app_id(), {}, &FirstPartyApp::app_id);
  if (added != more_.end() && added->app_id == event.app_id()) { return added->routine; }
  const AppRow* app = event.caller_kind == CallerKind::kFirstParty ? find_app(event.app_id()) : nullptr;
  return app == nullptr || app->routine == Routine::kClient ? std::nullopt : std::optional(app->routine);
}

bool FirstPartyApps::is_routine(const AccessEvent& event) const {
  const bool service = event.caller_kind == CallerKind::kFirstParty;
  if (!service && (more_.empty() || event.caller_kind != CallerKind::kApp)) { return false; }
  const bool holds_no_secret =
      event.operation_kind == OperationKind::kMetadata || event.operation_kind == OperationKind::kList;
  if (service && event.network_path == NetworkPath::kTrustedService && holds_no_secret) { return true; }
  const auto routine = routine_of(event);
  if (!routine) { return false; }
  const std::string_view operation = event.operation_name();
  return std::ranges::find(kInventoryOperations, operation) != kInventoryOperations.end() ||
         std::ranges::find(operations_of(*routine), operation) != operations_of(*routine).end();
}

std::string_view known_app_name(std::string_view app_id) {
  const AppRow* app = find_app(app_id);
  return app == nullptr ? std::string_view{} : app->name;
}

}  // namespace keyvigil
