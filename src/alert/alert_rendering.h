// AlertRendering: what the outward shapes of an alert need and no log carries.
#pragma once

#include <map>
#include <string>

namespace keyvigil {

struct SubscriptionRendering {
  std::string location = "global";  // ARM region under which alerts are listed
  std::string tenant_id;            // empty: the fields that need it are left out
  friend bool operator==(const SubscriptionRendering&, const SubscriptionRendering&) = default;
};

struct AlertRendering {
  SubscriptionRendering otherwise;                             // for subscriptions without an entry
  std::map<std::string, SubscriptionRendering> subscriptions;  // by id, lower case
  std::string portal = "keyvigil://alerts";                    // what alert links start with

  friend bool operator==(const AlertRendering&, const AlertRendering&) = default;
  [[nodiscard]] const SubscriptionRendering& of(const std::string& subscription_id) const {
    const auto found = subscriptions.find(subscription_id);
    return found == subscriptions.end() ? otherwise : found->second;
  }
};

}  // namespace keyvigil
