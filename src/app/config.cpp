#include "app/config.h"

#include <fmt/format.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <filesystem>
#include <functional>
#include <numeric>
#include <optional>
#include <utility>

#include "source/byte_stream.h"

namespace keyvigil {
namespace {

std::size_t edit_distance(std::string_view left, std::string_view right) {
  std::vector<std::size_t> row(right.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 0; i < left.size(); ++i) {
    std::size_t diagonal = std::exchange(row[0], i + 1);
    for (std::size_t j = 0; j < right.size(); ++j) {
      const std::size_t replaced = diagonal + (left[i] == right[j] ? 0 : 1);
      diagonal = row[j + 1];
      row[j + 1] = std::min({replaced, row[j] + 1, row[j + 1] + 1});
    }
  }
  return row.back();
}

class ConfigReader {
 public:
  ConfigReader(std::string place, std::string folder) : place_(std::move(place)), folder_(std::move(folder)) {}

  Result<Config> read(const YAML::Node& root) {
    Config config;
    if (root.IsNull()) { return config; }
    read_map(
        root, "",
        {{"lists", [&](const YAML::Node& node) { read_lists(node, config.lists); }},
         {"lateness_minutes",
          [&](const YAML::Node& node) { config.lateness_minutes = read_number(node, "lateness_minutes", 0, 1440); }},
         {"alerts_per_1000_vault_days",
          [&](const YAML::Node& node) {
            config.alerts_per_thousand_vault_days = read_number(node, "alerts_per_1000_vault_days", 1, 1000);
          }},
         {"learning_days",
          [&](const YAML::Node& node) { config.learning_days = read_number(node, "learning_days", 0, 365); }},
         {"estates", [&](const YAML::Node& node) { read_estates(node, config.rendering); }}});
    if (misfit_) { return fail(ErrorKind::kUsage, *misfit_); }
    return config;
  }

 private:
  struct Key {
    std::string_view name;
    std::function<void(const YAML::Node&)> read;
  };

  [[nodiscard]] std::string where(const YAML::Node& node, std::string_view path) const {
    return fmt::format("{}:{}:{} ({})", place_, node.Mark().line + 1, node.Mark().column + 1, path);
  }
  // The first misfit is the one to tell; reading goes on, and its result is not used.
  void refuse(const YAML::Node& node, std::string_view path, const std::string& sentence) {
    if (!misfit_) { misfit_ = fmt::format("{}: {}", where(node, path), sentence); }
  }

  void read_map(const YAML::Node& node, const std::string& path, const std::vector<Key>& keys) {
    if (!node.IsMap()) {
      refuse(node, path.empty() ? "top" : path, "expected keys and values, found something else");
      return;
    }
    for (const auto& item : node) {
      const auto name = item.first.as<std::string>();
      const auto key = std::ranges::find(keys, name, &Key::name);
      const std::string full = path.empty() ? name : path + "." + name;
      if (key == keys.end()) {
        const auto nearest =
            std::ranges::min_element(keys, {}, [&](const Key& known) { return edit_distance(name, known.name); });
        refuse(item.first, full, fmt::format("unknown key; the nearest known one is '{}'", nearest->name));
      }
      if (key != keys.end()) { key->read(item.second); }
    }
  }

  [[nodiscard]] std::string read_text(const YAML::Node& node, const std::string& path) {
    if (node.IsScalar()) { return node.as<std::string>(); }
    refuse(node, path, "expected a text, found a list or keys");
    return {};
  }
  [[nodiscard]] std::vector<std::string> read_texts(const YAML::Node& node, const std::string& path) {
    if (node.IsScalar()) { return {read_text(node, path)}; }
    std::vector<std::string> texts;
    if (!node.IsSequence()) {
      refuse(node, path, "expected a list of texts, found something else");
      return texts;
    }
    for (const auto& item : node) { texts.push_back(read_text(item, path)); }
    return texts;
  }
  [[nodiscard]] int read_number(const YAML::Node& node, const std::string& path, int least, int most) {
    int number = 0;
    if (!node.IsScalar() || !YAML::convert<int>::decode(node, number) || number < least || number > most) {
      refuse(node, path,
             fmt::format("expected a whole number from {} to {}, found '{}'", least, most,
                         node.IsScalar() ? node.Scalar() : "a list or keys"));
    }
    return number;
  }
  [[nodiscard]] bool read_truth(const YAML::Node& node, const std::string& path) {
    bool truth = false;
    if (!node.IsScalar() || !YAML::convert<bool>::decode(node, truth)) {
      refuse(node, path, "expected true or false, found something else");
    }
    return truth;
  }

  [[nodiscard]] std::vector<std::string> read_files(const YAML::Node& node, const std::string& path) {
    std::vector<std::string> files = read_texts(node, path);
    for (std::string& file : files) { file = (std::filesystem::path(folder_) / file).lexically_normal().string(); }
    return files;
  }

  void read_lists(const YAML::Node& node, ListConfig& lists) {
    read_map(
        node, "lists",
        {{"tor", [&](const YAML::Node& value) { lists.tor = read_files(value, "lists.tor"); }},
         {"suspicious", [&](const YAML::Node& value) { lists.suspicious = read_files(value, "lists.suspicious"); }},
         {"service_tags",
          [&](const YAML::Node& value) { lists.service_tags = read_files(value, "lists.service_tags"); }},
         {"minimum_confidence",
          [&](const YAML::Node& value) {
            lists.minimum_confidence = read_number(value, "lists.minimum_confidence", 0, 100);
          }},
         {"allow_non_global",
          [&](const YAML::Node& value) { lists.allow_non_global = read_truth(value, "lists.allow_non_global"); }}});
  }

  void read_estates(const YAML::Node& node, AlertRendering& rendering) {
    if (!node.IsSequence()) {
      refuse(node, "estates", "expected a list of estates, found something else");
      return;
    }
    for (const auto& estate : node) {
      SubscriptionRendering subscription;
      std::vector<std::string> subscriptions;
      read_map(
          estate, "estates",
          {{"name", [&](const YAML::Node& value) { (void)read_text(value, "estates.name"); }},
           {"location", [&](const YAML::Node& value) { subscription.location = read_text(value, "estates.location"); }},
           {"tenant_id",
            [&](const YAML::Node& value) { subscription.tenant_id = read_text(value, "estates.tenant_id"); }},
           {"subscriptions",
            [&](const YAML::Node& value) { subscriptions = read_texts(value, "estates.subscriptions"); }}});
      if (subscriptions.empty()) { rendering.otherwise = subscription; }
      for (std::string& id : subscriptions) {
        std::ranges::transform(id, id.begin(),
                               [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
        if (!rendering.subscriptions.emplace(id, subscription).second) {
          refuse(estate, "estates.subscriptions", fmt::format("subscription '{}' stands in two estates", id));
        }
      }
    }
  }

  std::string place_;
  std::string folder_;
  std::optional<std::string> misfit_;
};

}  // namespace

Result<Config> parse_config(const std::string& text, const std::string& place, const std::string& folder) {
  try {
    return ConfigReader(place, folder).read(YAML::Load(text));
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
