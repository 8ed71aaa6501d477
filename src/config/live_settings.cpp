#include "config/live_settings.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/bounded_json.h"

namespace keyvigil {

LiveSettings live_settings(const Config& config) {
  LiveSettings settings;
  settings.lateness_minutes = config.lateness_minutes;
  settings.alerts_per_thousand_vault_days = config.alerts_per_thousand_vault_days;
  settings.learning_days = config.learning_days;
  settings.teams = config.teams;
  settings.first_party_apps = config.first_party_apps;
  for (const EstateConfig& estate : config.estates) {
    if (estate.name.empty()) { continue; }
    auto known = std::ranges::find(settings.estates, estate.name, &EstateConfig::name);
    if (known == settings.estates.end()) {
      settings.estates.push_back(estate);
    } else {
      known->subscriptions.insert(known->subscriptions.end(), estate.subscriptions.begin(), estate.subscriptions.end());
    }
  }
  return settings;
}

std::string to_json(const LiveSettings& settings) {
  nlohmann::ordered_json json;
  json["lateness_minutes"] = settings.lateness_minutes;
  json["alerts_per_1000_vault_days"] = settings.alerts_per_thousand_vault_days;
  json["learning_days"] = settings.learning_days;
  json["estates"] = nlohmann::ordered_json::array();
  for (const EstateConfig& estate : settings.estates) {
    json["estates"].push_back({{"name", estate.name}, {"subscriptions", estate.subscriptions}});
  }
  json["teams"] = nlohmann::ordered_json::array();
  for (const Team& team : settings.teams) {
    json["teams"].push_back({{"name", team.name}, {"callers", team.callers}, {"vaults", team.vaults}});
  }
  json["first_party_apps"] = nlohmann::ordered_json::array();
  for (const FirstPartyApp& app : settings.first_party_apps) {
    json["first_party_apps"].push_back({{"app_id", app.app_id}, {"routine", to_string(app.routine)}});
  }
  return json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

Result<LiveSettings> parse_live_settings(std::string_view text) {
  try {
    const auto json = parse_bounded_json(text);
    LiveSettings settings;
    settings.lateness_minutes = json.at("lateness_minutes").get<std::int64_t>();
    settings.alerts_per_thousand_vault_days = json.at("alerts_per_1000_vault_days").get<double>();
    settings.learning_days = json.at("learning_days").get<std::int64_t>();
    settings.estates.clear();
    for (const auto& estate : json.at("estates")) {
      settings.estates.push_back(
          {estate.at("name").get<std::string>(), estate.at("subscriptions").get<std::vector<std::string>>()});
    }
    // Settings that were journalled before there were teams have none.
    for (const auto& team : json.value("teams", nlohmann::json::array())) {
      settings.teams.push_back({team.at("name").get<std::string>(), team.at("callers").get<std::vector<std::string>>(),
                                team.at("vaults").get<std::vector<std::string>>()});
    }
    for (const auto& app : json.value("first_party_apps", nlohmann::json::array())) {
      settings.first_party_apps.push_back(
          {app.at("app_id").get<std::string>(),
           parse_routine(app.at("routine").get<std::string>()).value_or(Routine::kInventory)});
    }
    const bool sound = settings.lateness_minutes >= 0 && settings.alerts_per_thousand_vault_days > 0 &&
                       settings.learning_days >= 0 && !settings.estates.empty() &&
                       settings.estates.front().name.empty();
    if (sound) { return settings; }
  } catch (const nlohmann::json::exception&) {
    // Said below, as every other misfit.
  }
  return fail(ErrorKind::kInput,
              "expected the settings that were saved, found bytes that do not fit; restore the store from a backup");
}

}  // namespace keyvigil
