#include "event/first_party.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <span>

namespace keyvigil {
namespace {

// What a service does in vaults on its own, by the documentation of each service's use of customer-managed keys,
// certificates or inventory.
enum class Routine : std::uint8_t {
  kClient,     // no service: people sign in with it
  kInventory,  // reads the properties of vaults
  kKeys,       // wraps and unwraps with customer-managed keys
  kSecrets,    // fetches certificates and secrets that were bound to it
  kBackup,     // backs keys and secrets up
};

struct AppRow {
  std::string_view app_id;
  std::string_view name;
  Routine routine;
};

constexpr std::array<std::string_view, 1> kInventoryOperations = {"VaultGet"};
constexpr std::array<std::string_view, 4> kKeyOperations = {"VaultGet", "KeyGet", "KeyWrap", "KeyUnwrap"};
constexpr std::array<std::string_view, 4> kSecretOperations = {"VaultGet", "SecretGet", "CertificateGet", "SecretList"};
constexpr std::array<std::string_view, 6> kBackupOperations = {"VaultGet",  "KeyGet",       "SecretGet",
                                                               "KeyBackup", "SecretBackup", "SecretListVersions"};

std::span<const std::string_view> operations_of(Routine routine) {
  switch (routine) {
    case Routine::kClient:
      return {};
    case Routine::kInventory:
      return kInventoryOperations;
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
    {"1950a258-227b-4e31-a9cf-717495945fc2", "Azure PowerShell", Routine::kClient},
    {"1d78a85d-813d-46f0-b496-dd72f50a3ec0", "Azure Policy Insights", Routine::kInventory},
    {"205478c0-bd83-4e1b-a9d6-db63a3e1e1c8", "Azure Front Door", Routine::kSecrets},
    {"262044b1-e2ce-469f-a196-69ab7ada62d3", "Backup Management Service", Routine::kBackup},
    {"2ff814a6-3304-4ab8-85cb-cd0e6f879c1d", "Azure Databricks", Routine::kSecrets},
    {"3686488a-04fc-4d8a-b967-61f98ec41efe", "Azure Portal (Key Vault)", Routine::kClient},
    {"509e4652-da8d-478d-a730-e9d4a1996ca4", "Azure Resource Graph", Routine::kInventory},
    {"579d9c9d-4c83-4efc-8124-7eba65ed3356", "Azure Compute", Routine::kSecrets},
    {"589d5083-6f11-4d30-a62a-a4b316a14abf", "Azure Key Vault Managed HSM", Routine::kKeys},
    {"60e6cd67-9c8c-4951-9b3c-23c25a2169af", "Managed Disks Resource Provider", Routine::kKeys},
    {"7cd684f4-8a78-49b0-91ec-6a35d38739ba", "Azure Logic Apps", Routine::kSecrets},
    {"8cae6e77-e04e-42ce-b5cb-50d82bce26b1", "Microsoft Policy Insights", Routine::kInventory},
    {"a232010e-820c-4083-83bb-3ace5fc29d0b", "Azure Cosmos DB", Routine::kKeys},
    {"abfa0a7c-a6b6-4736-8310-5855508787cd", "Azure App Service", Routine::kSecrets},
    {"ad0e1c7e-6d38-4ba4-9efd-0bc77ba9f037", "Azure Front Door", Routine::kSecrets},
    {"aebc6443-996d-45c2-90f0-388ff96faa56", "Visual Studio Code", Routine::kClient},
    {"b8340c3b-9267-498f-b21a-15d5547fd85e", "Hyper-V Recovery Manager", Routine::kKeys},
    {"c44b4083-3bb0-49c1-b47d-974e53cbdf3c", "Azure Portal", Routine::kClient},
    {"cfa8b339-82a2-471a-a3c9-0fc0be7a4093", "Azure Key Vault", Routine::kInventory},
    {"e406a681-f3d4-42a8-90b6-c2b029497af1", "Azure Storage", Routine::kKeys},
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

bool is_first_party_routine(std::string_view app_id, std::string_view operation) {
  const AppRow* app = find_app(app_id);
  return app != nullptr &&
         std::ranges::find(operations_of(app->routine), operation) != operations_of(app->routine).end();
}

std::string_view known_app_name(std::string_view app_id) {
  const AppRow* app = find_app(app_id);
  return app == nullptr ? std::string_view{} : app->name;
}

}  // namespace keyvigil
