#include "event/first_party.h"

#include <algorithm>
#include <array>

namespace keyvigil {
namespace {

struct AppRow {
  std::string_view app_id;
  std::string_view name;
  bool first_party_service;  // false: a client that people sign in with
};

// Application ids are public facts of Microsoft Entra (Microsoft Learn, "Verify first-party Microsoft applications in
// sign-in reports"). Ordered by id.
constexpr auto kApps = std::to_array<AppRow>({
    {"022907d3-0f1b-48f7-badc-1ba6abab6d66", "Azure SQL Database", true},
    {"04b07795-8ddb-461a-bbee-02f9e1bf7b46", "Azure CLI", false},
    {"04f0c124-f2bc-4f59-8241-bf6df9866bbd", "Visual Studio", false},
    {"1950a258-227b-4e31-a9cf-717495945fc2", "Azure PowerShell", false},
    {"1d78a85d-813d-46f0-b496-dd72f50a3ec0", "Azure Policy Insights", true},
    {"205478c0-bd83-4e1b-a9d6-db63a3e1e1c8", "Azure Front Door", true},
    {"262044b1-e2ce-469f-a196-69ab7ada62d3", "Backup Management Service", true},
    {"2ff814a6-3304-4ab8-85cb-cd0e6f879c1d", "Azure Databricks", true},
    {"3686488a-04fc-4d8a-b967-61f98ec41efe", "Azure Portal (Key Vault)", false},
    {"509e4652-da8d-478d-a730-e9d4a1996ca4", "Azure Resource Graph", true},
    {"579d9c9d-4c83-4efc-8124-7eba65ed3356", "Azure Compute", true},
    {"589d5083-6f11-4d30-a62a-a4b316a14abf", "Azure Key Vault Managed HSM", true},
    {"60e6cd67-9c8c-4951-9b3c-23c25a2169af", "Managed Disks Resource Provider", true},
    {"7cd684f4-8a78-49b0-91ec-6a35d38739ba", "Azure Logic Apps", true},
    {"8cae6e77-e04e-42ce-b5cb-50d82bce26b1", "Microsoft Policy Insights", true},
    {"a232010e-820c-4083-83bb-3ace5fc29d0b", "Azure Cosmos DB", true},
    {"abfa0a7c-a6b6-4736-8310-5855508787cd", "Azure App Service", true},
    {"ad0e1c7e-6d38-4ba4-9efd-0bc77ba9f037", "Azure Front Door", true},
    {"aebc6443-996d-45c2-90f0-388ff96faa56", "Visual Studio Code", false},
    {"b8340c3b-9267-498f-b21a-15d5547fd85e", "Hyper-V Recovery Manager", true},
    {"c44b4083-3bb0-49c1-b47d-974e53cbdf3c", "Azure Portal", false},
    {"cfa8b339-82a2-471a-a3c9-0fc0be7a4093", "Azure Key Vault", true},
    {"e406a681-f3d4-42a8-90b6-c2b029497af1", "Azure Storage", true},
    {"fc75330b-179d-49af-87dd-3b1acf6827fa", "Azure Automation", true},
});
static_assert(std::ranges::is_sorted(kApps, {}, &AppRow::app_id));

const AppRow* find_app(std::string_view app_id) {
  const auto at = std::ranges::lower_bound(kApps, app_id, {}, &AppRow::app_id);
  return at != kApps.end() && at->app_id == app_id ? &*at : nullptr;
}

}  // namespace

bool is_first_party_app(std::string_view app_id) {
  const AppRow* app = find_app(app_id);
  return app != nullptr && app->first_party_service;
}

std::string_view known_app_name(std::string_view app_id) {
  const AppRow* app = find_app(app_id);
  return app == nullptr ? std::string_view{} : app->name;
}

}  // namespace keyvigil
