#include "workload/population.h"

#include <algorithm>
#include <array>
#include <string_view>

#include <fmt/format.h>

namespace keyvigil::workload {
namespace {

constexpr std::array<std::string_view, 24> kTeams = {"billing", "orders", "search", "ledger", "claims", "portal",
                                                     "media",   "fleet",  "stock",  "labs",   "people", "sales",
                                                     "data",    "risk",   "mobile", "mail",   "maps",   "identity",
                                                     "orbits",  "supply", "retail", "energy", "travel", "care"};
constexpr std::array<std::string_view, 4> kEnvironments = {"prod", "prod", "test", "dev"};
constexpr std::array<std::string_view, 3> kLocations = {"westeurope", "northeurope", "francecentral"};
constexpr std::array<std::string_view, 8> kSubjects = {"orders", "customer", "payment", "catalog",
                                                       "event",  "storage",  "report",  "gateway"};
constexpr std::array<std::string_view, 8> kPurposes = {"db-password", "connection-string", "api-key", "client-secret",
                                                       "sas-token",   "signing-key",       "webhook", "smtp-login"};
constexpr std::array<std::string_view, 12> kFirstNames = {"alex",  "bruno", "chen",  "dana",  "elif", "farah",
                                                          "goran", "hanna", "ivana", "jonas", "kofi", "lena"};
constexpr std::array<std::string_view, 12> kLastNames = {"arnold", "baker", "costa", "dubois", "eriksen", "fischer",
                                                         "gupta",  "haas",  "ito",   "jensen", "kumar",   "lopez"};
constexpr std::array<std::string_view, 4> kAppClients = {
    "azsdk-net-Security.KeyVault.Secrets/4.6.0 (.NET 8.0.8; CBL-Mariner/Linux)",
    "azsdk-python-keyvault-secrets/4.8.0 Python/3.11.9 (Linux-5.15.0-azure)",
    "azsdk-java-azure-security-keyvault-secrets/4.8.3 (17.0.11; Linux)",
    "secrets-store-csi-driver-provider-azure/v1.5.3 (linux/amd64)"};

// Quantiles of a skewed size: median 10, one in sixteen above 45.
constexpr std::array<std::uint32_t, 16> kSecretCounts = {2, 3, 4, 5, 6, 7, 8, 9, 10, 12, 14, 17, 21, 27, 38, 60};

std::uint64_t stream_seed(std::uint64_t seed, std::uint64_t kind, std::uint64_t index) {
  return mix64(mix64(seed + 0x51ED270B27ULL) ^ mix64((kind << 48U) + index));
}

std::string random_guid(Random& random) {
  const std::uint64_t high = random.bits();
  return guid_text(high, random.bits());
}

template <std::size_t N>
std::string_view pick(const std::array<std::string_view, N>& words, Random& random) {
  return words[random.below(N)];
}

std::uint32_t team_count(std::uint32_t vaults) {
  std::uint32_t root = 1;
  while (root * root < vaults) { ++root; }
  return root;
}

// The vaults of a team are those with index = team modulo the number of teams.
std::uint32_t vault_of_team(std::uint32_t team, std::uint32_t teams, std::uint32_t vaults, Random& random) {
  const std::uint32_t members = (vaults - team + teams - 1) / teams;
  return team + teams * static_cast<std::uint32_t>(random.below(members));
}

std::vector<std::uint32_t> choose_vaults(std::uint32_t team, const PopulationSize& size, std::uint32_t wanted,
                                         Random& random) {
  std::vector<std::uint32_t> chosen;
  for (std::uint32_t i = 0; i < wanted; ++i) {
    const std::uint32_t vault = vault_of_team(team, team_count(size.vaults), size.vaults, random);
    if (std::find(chosen.begin(), chosen.end(), vault) == chosen.end()) { chosen.push_back(vault); }
  }
  return chosen;
}

// Two in ten vaults are reached by private link, one by service endpoint.
void choose_path(VaultProfile& profile, Random& random) {
  const std::uint64_t draw = random.below(10);
  if (draw > 2) { return; }
  const Vault& vault = profile.vault;
  const std::string network = "/subscriptions/" + vault.subscription_id + "/resourcegroups/" + vault.resource_group +
                              "/providers/microsoft.network/";
  if (draw == 0) {
    profile.path = NetworkPath::kServiceEndpoint;
    profile.subnet_id = network + "virtualnetworks/vnet-hub/subnets/apps";
  } else {
    profile.path = NetworkPath::kPrivateLink;
    profile.private_endpoint_id = network + "privateEndpoints/pe-" + vault.name;
  }
}

VaultProfile make_vault(std::uint64_t seed, std::uint32_t index, std::uint32_t teams, const std::string& tenant_id) {
  Random random(stream_seed(seed, 1, index));
  VaultProfile profile;
  profile.team = index % teams;
  const std::string_view team = kTeams[profile.team % kTeams.size()];
  const std::string_view environment = pick(kEnvironments, random);
  Random subscription(stream_seed(seed, 2, std::uint64_t{profile.team} * 2 + (environment == "prod" ? 1 : 0)));
  profile.vault.name = fmt::format("kv-{}-{}-{:05}", team, environment, index);
  profile.vault.subscription_id = random_guid(subscription);
  profile.vault.resource_group = fmt::format("rg-{}-{:03}-{}", team, profile.team, environment);
  profile.vault.tenant_id = tenant_id;
  profile.vault.location = pick(kLocations, random);
  profile.vault.rbac = random.chance(0.6);
  profile.secrets = kSecretCounts[random.below(kSecretCounts.size())];
  profile.keys = static_cast<std::uint32_t>(random.below(5)) + 1;
  choose_path(profile, random);
  return profile;
}

// The busiest applications poll or use keys; what starts, rotates or backs up once in a while stands further down.
AppHabit choose_habit(std::uint32_t rank, std::uint32_t apps, Random& random) {
  const std::uint64_t draw = random.below(100);
  if (rank * 10 < apps) { return draw < 70 ? AppHabit::kPoller : AppHabit::kKeyUser; }
  if (draw < 50) { return AppHabit::kPoller; }
  if (draw < 74) { return AppHabit::kLoader; }
  if (draw < 86) { return AppHabit::kKeyUser; }
  if (draw < 96) { return AppHabit::kPipeline; }
  return draw < 99 ? AppHabit::kRotation : AppHabit::kBackup;
}

Caller make_app_caller(const VaultProfile& home, std::uint32_t index, Random& random) {
  Caller caller;
  caller.object_id = random_guid(random);
  caller.app_id = random_guid(random);
  const std::string prefix =
      "/subscriptions/" + home.vault.subscription_id + "/resourcegroups/" + home.vault.resource_group + "/providers/";
  const std::uint64_t draw = random.below(10);
  caller.credential = draw < 7 ? "2" : "1";
  caller.kind = draw < 7 ? CallerKind::kManagedIdentity : CallerKind::kApp;
  if (draw < 4) {
    caller.managed_identity = prefix + fmt::format("Microsoft.Web/sites/app-{}-{:04}", home.vault.name, index);
  } else if (draw < 7) {
    caller.managed_identity =
        prefix + fmt::format("Microsoft.ManagedIdentity/userAssignedIdentities/id-{:04}-workload", index);
    caller.azure_resource = prefix + fmt::format("Microsoft.ContainerService/managedClusters/aks-{:03}", home.team);
  }
  return caller;
}

AppProfile make_app(std::uint64_t seed, std::uint32_t index, const PopulationSize& size, const Population& population) {
  Random random(stream_seed(seed, 3, index));
  AppProfile profile;
  const std::uint32_t team = static_cast<std::uint32_t>(random.below(team_count(size.vaults)));
  const std::uint64_t draw = random.below(10);
  profile.habit = choose_habit(index, size.apps, random);
  const std::uint32_t degree = draw < 6 ? 1 : draw < 9 ? 2 : 4;
  profile.vaults = choose_vaults(team, size, profile.habit == AppHabit::kPipeline ? 3 : degree, random);
  profile.secrets_read = static_cast<std::uint32_t>(random.below(6)) + 1;
  profile.replicas = static_cast<std::uint32_t>(random.below(random.chance(0.2) ? 12 : 2)) + 1;
  const VaultProfile& home = population.vaults[profile.vaults.front()];
  profile.host_bits = static_cast<std::uint32_t>(random.below(0x10000)) * 16;
  profile.client_info = pick(kAppClients, random);
  profile.caller = make_app_caller(home, index, random);
  profile.weight = 1.0 / (static_cast<double>(index) + 1.0);
  return profile;
}

UserRole choose_role(Random& random) {
  const std::uint64_t draw = random.below(100);
  if (draw < 55) { return UserRole::kDeveloper; }
  if (draw < 67) { return UserRole::kOperator; }
  return draw < 72 ? UserRole::kAdministrator : UserRole::kIdle;
}

UserProfile make_user(std::uint64_t seed, std::uint32_t index, const PopulationSize& size) {
  Random random(stream_seed(seed, 4, index));
  UserProfile profile;
  const std::uint32_t team = static_cast<std::uint32_t>(random.below(team_count(size.vaults)));
  profile.role = choose_role(random);
  profile.vaults = choose_vaults(team, size, 1 + static_cast<std::uint32_t>(random.below(3)), random);
  profile.office_address = 0xC0000201U + static_cast<std::uint32_t>(random.below(16));  // 192.0.2.1 .. .16
  profile.home_address = 0xC0000220U + static_cast<std::uint32_t>(random.below(160));   // 192.0.2.32 .. .191
  profile.caller.kind = CallerKind::kUser;
  profile.caller.object_id = random_guid(random);
  const std::string_view first_name = pick(kFirstNames, random);
  profile.caller.user_name = fmt::format("{}.{}{:04}@contoso.com", first_name, pick(kLastNames, random), index);
  profile.caller.credential = "0";
  const double idleness = profile.role == UserRole::kIdle ? 0.1 : 1.0;
  profile.weight = idleness / (static_cast<double>(index) + 30.0);
  return profile;
}

ServiceProfile make_service(std::uint64_t seed, std::uint64_t index, std::string app_id, std::string client_info) {
  Random random(stream_seed(seed, 5, index));
  ServiceProfile profile;
  profile.caller.kind = CallerKind::kFirstParty;
  profile.caller.app_id = std::move(app_id);
  profile.caller.object_id = random_guid(random);
  profile.caller.credential = "2";
  profile.client_info = std::move(client_info);
  profile.address_base = 0x14C00000U + static_cast<std::uint32_t>(index) * 0x100U;
  return profile;
}

template <typename Profile>
void normalise_weights(std::vector<Profile>& profiles) {
  double sum = 0;
  for (const Profile& profile : profiles) { sum += profile.weight; }
  for (Profile& profile : profiles) { profile.weight /= sum; }
}

char* put_hex(char* out, std::uint64_t bits, int digits) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  for (int shift = digits * 4 - 4; shift >= 0; shift -= 4) { *out++ = kDigits[(bits >> shift) & 0xF]; }
  return out;
}

}  // namespace

std::string hex_text(std::uint64_t high, std::uint64_t low) {
  std::string out(32, '0');
  put_hex(put_hex(out.data(), high, 16), low, 16);
  return out;
}

std::string guid_text(std::uint64_t high, std::uint64_t low) {
  std::string out(36, '-');
  char* at = put_hex(out.data(), high >> 32U, 8) + 1;
  at = put_hex(at, (high >> 16U) & 0xFFFF, 4) + 1;
  at = put_hex(at, (high & 0x0FFF) | 0x4000, 4) + 1;
  at = put_hex(at, ((low >> 48U) & 0x3FFF) | 0x8000, 4) + 1;
  put_hex(at, low & 0xFFFFFFFFFFFFULL, 12);
  return out;
}

std::string address_text(std::uint32_t ipv4) {
  return fmt::format("{}.{}.{}.{}", ipv4 >> 24U, (ipv4 >> 16U) & 0xFF, (ipv4 >> 8U) & 0xFF, ipv4 & 0xFF);
}

std::string object_name(std::uint32_t number) {
  const std::uint64_t mixed = mix64(number);
  return fmt::format("{}-{}-{:03}", kSubjects[mixed % kSubjects.size()], kPurposes[(mixed >> 8U) % kPurposes.size()],
                     number);
}

Population make_population(std::uint64_t seed, const PopulationSize& size) {
  Population population;
  const std::uint32_t teams = team_count(size.vaults);
  Random random(stream_seed(seed, 6, 0));
  const std::string tenant_id = random_guid(random);
  for (std::uint32_t i = 0; i < size.vaults; ++i) {
    population.vaults.push_back(make_vault(seed, i, teams, tenant_id));
  }
  for (std::uint32_t i = 0; i < size.apps; ++i) { population.apps.push_back(make_app(seed, i, size, population)); }
  for (std::uint32_t i = 0; i < size.users; ++i) { population.users.push_back(make_user(seed, i, size)); }
  population.services.push_back(make_service(seed, 0, "509e4652-da8d-478d-a730-e9d4a1996ca4",
                                             "AzureResourceGraph.IngestionWorkerService.global/1.24.1.391"));
  population.services.push_back(
      make_service(seed, 1, "8cae6e77-e04e-42ce-b5cb-50d82bce26b1", "Microsoft.PolicyInsights.DataPlane/2.11"));
  normalise_weights(population.apps);
  normalise_weights(population.users);
  return population;
}

}  // namespace keyvigil::workload
