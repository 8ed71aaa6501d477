#include "config/config_reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <set>
#include <utility>

#include "base/nearest_name.h"

namespace keyvigil {

ConfigReader::ConfigReader(std::string place, std::string folder)
    : place_(std::move(place)), folder_(std::move(folder)) {}

void ConfigReader::refuse(const YAML::Node& node, std::string_view path, const std::string& sentence) {
  if (misfit_) { return; }
  misfit_ = fmt::format("{}:{}:{} ({}): {}", place_, node.Mark().line + 1, node.Mark().column + 1, path, sentence);
}

void ConfigReader::read_map(const YAML::Node& node, const std::string& path, const std::vector<Key>& keys) {
  if (!node.IsMap()) {
    refuse(node, path.empty() ? "top" : path, "expected keys and values, found something else");
    return;
  }
  std::set<std::string> seen;
  for (const auto& item : node) {
    const auto name = item.first.as<std::string>();
    const auto key = std::ranges::find(keys, name, &Key::name);
    const std::string full = path.empty() ? name : path + "." + name;
    if (!seen.insert(name).second) { refuse(item.first, full, "expected this key once, found it again"); }
    if (key == keys.end()) {
      std::vector<std::string_view> names(keys.size());
      std::ranges::transform(keys, names.begin(), &Key::name);
      refuse(item.first, full, fmt::format("unknown key; the nearest known one is '{}'", nearest_name(name, names)));
    }
    if (key != keys.end() && !item.second.IsNull()) { key->read(item.second); }
  }
}

void ConfigReader::read_list(const YAML::Node& node, const std::string& path,
                             const std::function<void(const YAML::Node&)>& read) {
  if (!node.IsSequence()) {
    refuse(node, path, "expected a list, found something else");
    return;
  }
  for (const auto& item : node) { read(item); }
}

std::string ConfigReader::read_text(const YAML::Node& node, const std::string& path) {
  if (node.IsScalar()) { return node.as<std::string>(); }
  refuse(node, path, "expected a text, found a list or keys");
  return {};
}

std::vector<std::string> ConfigReader::read_texts(const YAML::Node& node, const std::string& path) {
  if (node.IsScalar()) { return {read_text(node, path)}; }
  std::vector<std::string> texts;
  if (!node.IsSequence()) {
    refuse(node, path, "expected a list of texts, found something else");
    return texts;
  }
  for (const auto& item : node) { texts.push_back(read_text(item, path)); }
  return texts;
}

std::int64_t ConfigReader::read_number(const YAML::Node& node, const std::string& path, std::int64_t least,
                                       std::int64_t most) {
  std::int64_t number = 0;
  if (!node.IsScalar() || !YAML::convert<std::int64_t>::decode(node, number) || number < least || number > most) {
    refuse(node, path,
           fmt::format("expected a whole number from {} to {}, found '{}'", least, most,
                       node.IsScalar() ? node.Scalar() : "a list or keys"));
  }
  return number;
}

bool ConfigReader::read_truth(const YAML::Node& node, const std::string& path) {
  bool truth = false;
  if (!node.IsScalar() || !YAML::convert<bool>::decode(node, truth)) {
    refuse(node, path, "expected true or false, found something else");
  }
  return truth;
}

SecretReference ConfigReader::read_secret_reference(const YAML::Node& node, const std::string& path) {
  SecretReference secret;
  read_map(
      node, path,
      {{"environment", [&](const YAML::Node& value) { secret.environment = read_text(value, path + ".environment"); }},
       {"file", [&](const YAML::Node& value) { secret.file = read_file(value, path + ".file"); }}});
  if (secret.environment.empty() == secret.file.empty()) {
    refuse(node, path, "expected either `environment: NAME` or `file: PATH`; the secret itself does not belong here");
  }
  return secret;
}

std::string ConfigReader::read_file(const YAML::Node& node, const std::string& path) {
  return (std::filesystem::path(folder_) / read_text(node, path)).lexically_normal().string();
}

std::vector<std::string> ConfigReader::read_files(const YAML::Node& node, const std::string& path) {
  std::vector<std::string> files = read_texts(node, path);
  for (std::string& file : files) { file = (std::filesystem::path(folder_) / file).lexically_normal().string(); }
  return files;
}

}  // namespace keyvigil
