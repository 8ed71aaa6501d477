#include "config/config.h"

#include <fmt/format.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <filesystem>
#include <utility>

#include "base/ascii.h"
#include "config/config_reader.h"
#include "config/output_config.h"
#include "source/byte_stream.h"

namespace keyvigil {
namespace {

void read_lists(ConfigReader& reader, const YAML::Node& node, ListConfig& lists) {
  reader.read_map(
      node, "lists",
      {{"tor", [&](const YAML::Node& value) { lists.tor = reader.read_files(value, "lists.tor"); }},
       {"suspicious",
        [&](const YAML::Node& value) { lists.suspicious = reader.read_files(value, "lists.suspicious"); }},
       {"service_tags",
        [&](const YAML::Node& value) { lists.service_tags = reader.read_files(value, "lists.service_tags"); }},
       {"minimum_confidence",
        [&](const YAML::Node& value) {
          lists.minimum_confidence = static_cast<int>(reader.read_number(value, "lists.minimum_confidence", 0, 100));
        }},
       {"allow_non_global",
        [&](const YAML::Node& value) { lists.allow_non_global = reader.read_truth(value, "lists.allow_non_global"); }},
       {"feeds", [&](const YAML::Node& value) { read_feed_config(reader, value, lists.feeds); }}});
}

// It becomes part of resource ids.
bool is_location(std::string_view text) {
  return !text.empty() && text.size() <= 64 && std::ranges::all_of(text, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-';
  });
}

void read_estate(ConfigReader& reader, const YAML::Node& node, Config& config) {
  EstateConfig estate;
  SubscriptionRendering rendering;
  reader.read_map(
      node, "estates",
      {{"name", [&](const YAML::Node& value) { estate.name = reader.read_text(value, "estates.name"); }},
       {"location", [&](const YAML::Node& value) { rendering.location = reader.read_text(value, "estates.location"); }},
       {"tenant_id",
        [&](const YAML::Node& value) { rendering.tenant_id = reader.read_text(value, "estates.tenant_id"); }},
       {"subscriptions",
        [&](const YAML::Node& value) { estate.subscriptions = reader.read_texts(value, "estates.subscriptions"); }}});
  if (!is_location(rendering.location)) {
    reader.refuse(node, "estates.location",
                  fmt::format("expected a region such as westeurope, in letters, digits and '-', found '{}'",
                              rendering.location));
  }
  if (estate.subscriptions.empty()) { config.rendering.otherwise = rendering; }
  for (std::string& id : estate.subscriptions) {
    id = lower_case(id);
    if (!config.rendering.subscriptions.emplace(id, rendering).second) {
      reader.refuse(node, "estates.subscriptions", fmt::format("subscription '{}' stands in two estates", id));
    }
  }
  config.estates.push_back(std::move(estate));
}

void read_team(ConfigReader& reader, const YAML::Node& node, Config& config) {
  Team team;
  reader.read_map(
      node, "teams",
      {{"name", [&](const YAML::Node& value) { team.name = reader.read_text(value, "teams.name"); }},
       {"callers", [&](const YAML::Node& value) { team.callers = reader.read_texts(value, "teams.callers"); }},
       {"vaults", [&](const YAML::Node& value) { team.vaults = reader.read_texts(value, "teams.vaults"); }}});
  if (team.vaults.empty()) {
    reader.refuse(node, "teams.vaults", "expected the names or resource ids of the team's vaults, found none");
  }
  config.teams.push_back(std::move(team));
}

void read_first_party_app(ConfigReader& reader, const YAML::Node& node, Config& config) {
  FirstPartyApp app;
  std::string routine = "inventory";
  reader.read_map(
      node, "first_party_apps",
      {{"app_id", [&](const YAML::Node& value) { app.app_id = reader.read_text(value, "first_party_apps.app_id"); }},
       {"routine", [&](const YAML::Node& value) { routine = reader.read_text(value, "first_party_apps.routine"); }}});
  app.app_id = lower_case(app.app_id);
  const auto parsed = parse_routine(routine);
  if (app.app_id.empty()) { reader.refuse(node, "first_party_apps.app_id", "expected an application id, found none"); }
  if (!parsed) {
    reader.refuse(node, "first_party_apps.routine",
                  fmt::format("expected inventory, scan, keys, secrets or backup, found '{}'", routine));
  }
  app.routine = parsed.value_or(Routine::kInventory);
  config.first_party_apps.push_back(std::move(app));
}

Result<Config> read_root(ConfigReader& reader, const YAML::Node& root) {
  Config config;
  if (root.IsNull()) { return config; }
  reader.read_map(
      root, "",
      {{"lists", [&](const YAML::Node& node) { read_lists(reader, node, config.lists); }},
       {"lateness_minutes",
        [&](const YAML::Node& node) {
          config.lateness_minutes = reader.read_number(node, "lateness_minutes", 0, 1440);
        }},
       {"alerts_per_1000_vault_days",
        [&](const YAML::Node& node) {
          config.alerts_per_thousand_vault_days =
              static_cast<double>(reader.read_number(node, "alerts_per_1000_vault_days", 1, 1000));
        }},
       {"learning_days",
        [&](const YAML::Node& node) { config.learning_days = reader.read_number(node, "learning_days", 0, 365); }},
       {"estates",
        [&](const YAML::Node& node) {
          reader.read_list(node, "estates", [&](const YAML::Node& estate) { read_estate(reader, estate, config); });
        }},
       {"teams",
        [&](const YAML::Node& node) {
          reader.read_list(node, "teams", [&](const YAML::Node& team) { read_team(reader, team, config); });
        }},
       {"first_party_apps",
        [&](const YAML::Node& node) {
          reader.read_list(node, "first_party_apps",
                           [&](const YAML::Node& app) { read_first_party_app(reader, app, config); });
        }},
       {"outputs", [&](const YAML::Node& node) { read_output_config(reader, node, config.outputs); }},
       {"serve", [&](const YAML::Node& node) { read_serve_config(reader, node, config.serve); }}});
  if (reader.misfit()) { return fail(ErrorKind::kUsage, *reader.misfit()); }
  return config;
}

}  // namespace

Result<Config> parse_config(const std::string& text, const std::string& place, const std::string& folder) {
  try {
    ConfigReader reader(place, folder);
    return read_root(reader, YAML::Load(text));
  } catch (const YAML::Exception& error) {
    return fail(ErrorKind::kUsage, fmt::format("{}:{}:{}: expected YAML, found: {}", place, error.mark.line + 1,
                                               error.mark.column + 1, error.msg));
  }
}

Result<Config> read_config(const std::string& path) {
  constexpr std::size_t kLimitBytes = std::size_t{1} << 20;
  auto text = read_whole_file(path, kLimitBytes);
  if (!text) { return fail(ErrorKind::kUsage, text.error().message); }
  return parse_config(*text, path, std::filesystem::path(path).parent_path().string());
}

}  // namespace keyvigil
