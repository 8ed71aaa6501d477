// Principal: who asks, and what for.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>

namespace keyvigil {

enum class Role : std::uint8_t { kReader = 0, kOperator = 1, kIngest = 2 };

struct Principal {
  std::string name;  // of the token, or the JWT's subject; empty: nobody
  std::set<Role> roles;
  std::optional<std::set<std::string>> subscriptions;  // lower case; nothing: all

  [[nodiscard]] bool has(Role role) const { return roles.contains(role); }
  // Whether it may know of the subscription (lower case) at all.
  [[nodiscard]] bool sees(const std::string& subscription_id) const {
    return !subscriptions || subscriptions->contains(subscription_id);
  }
};

}  // namespace keyvigil
