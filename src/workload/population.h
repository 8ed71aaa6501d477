// The estate that stands still while time passes: vaults, applications, users, Microsoft's own services.
//
// Shape: teams of vaults (root of their number), one to four vaults per application, two or three per user, sizes
// skewed. Everything follows from the seed and the index alone. Names are contoso's; addresses of offices and homes are
// from 192.0.2.0/24, of applications from 20.0.0.0/8 or private; 198.51.100.0/24 and 203.0.113.0/24 stay free for
// attacks.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "workload/activity.h"
#include "workload/random.h"

namespace keyvigil::workload {

struct VaultProfile {
  Vault vault;
  std::uint32_t team = 0;
  std::uint32_t secrets = 0;
  std::uint32_t keys = 0;
  NetworkPath path = NetworkPath::kPublic;  // how applications reach it
  std::string subnet_id;
  std::string private_endpoint_id;
};

enum class AppHabit : std::uint8_t {
  kPoller,    // re-reads a few secrets at a fixed period
  kLoader,    // lists and reads everything when it starts
  kKeyUser,   // wraps, unwraps, decrypts with one key
  kPipeline,  // bursts of reads on working days, sometimes writes
  kRotation,  // lists and sets
  kBackup,    // lists and backs up everything
};

struct AppProfile {
  Caller caller;
  AppHabit habit = AppHabit::kPoller;
  std::vector<std::uint32_t> vaults;
  std::uint32_t secrets_read = 1;  // of each vault; loaders and backups read all
  std::uint32_t replicas = 1;
  std::uint32_t host_bits = 0;  // low 20 bits of its addresses, replica number is added
  std::string client_info;
  double weight = 0;  // share of the traffic of all applications
};

enum class UserRole : std::uint8_t { kDeveloper, kOperator, kAdministrator, kIdle };

struct UserProfile {
  Caller caller;
  UserRole role = UserRole::kDeveloper;
  std::vector<std::uint32_t> vaults;  // the first one is used most
  std::uint32_t office_address = 0;
  std::uint32_t home_address = 0;
  double weight = 0;
};

struct ServiceProfile {
  Caller caller;
  std::string client_info;
  std::uint32_t address_base = 0;
};

struct Population {
  std::vector<VaultProfile> vaults;
  std::vector<AppProfile> apps;
  std::vector<UserProfile> users;
  std::vector<ServiceProfile> services;  // first-party readers of inventory
};

struct PopulationSize {
  std::uint32_t vaults = 0;
  std::uint32_t apps = 0;
  std::uint32_t users = 0;
};

// REQUIRES: every size > 0.
[[nodiscard]] Population make_population(std::uint64_t seed, const PopulationSize& size);

// Version-4-shaped GUID and 32 hexadecimal digits, from 128 bits that the caller has mixed.
[[nodiscard]] std::string guid_text(std::uint64_t high, std::uint64_t low);
[[nodiscard]] std::string hex_text(std::uint64_t high, std::uint64_t low);
[[nodiscard]] std::string address_text(std::uint32_t ipv4);

// Object `number` of a vault: "orders-db-password-007".
[[nodiscard]] std::string object_name(std::uint32_t number);

}  // namespace keyvigil::workload
