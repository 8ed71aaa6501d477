// ConfigReader: reads the nodes of a YAML file, and says of the first misfit where it is, what was expected, what was
// found.
//
// A section of the file is a function `void read_x(ConfigReader&, const YAML::Node&, const std::string& path, X& out)`
// in a file of its own; it may stop at nothing, for the first misfit is kept and the rest goes on without effect.
#pragma once

#include <yaml-cpp/yaml.h>

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/secret_reference.h"

namespace keyvigil {

class ConfigReader {
 public:
  // `place`: the file, for messages. Relative paths in it are taken from `folder`.
  ConfigReader(std::string place, std::string folder);

  struct Key {
    std::string_view name;
    std::function<void(const YAML::Node&)> read;
  };
  // Unknown keys are refused with the nearest known one; a key without a value, such as a section of which all is
  // commented out, is none. `path`: of the map; empty: the whole file.
  void read_map(const YAML::Node& node, const std::string& path, const std::vector<Key>& keys);
  // Calls `read` for each element of a list.
  void read_list(const YAML::Node& node, const std::string& path, const std::function<void(const YAML::Node&)>& read);

  [[nodiscard]] std::string read_text(const YAML::Node& node, const std::string& path);
  // One text stands for a list of one.
  [[nodiscard]] std::vector<std::string> read_texts(const YAML::Node& node, const std::string& path);
  [[nodiscard]] std::int64_t read_number(const YAML::Node& node, const std::string& path, std::int64_t least,
                                         std::int64_t most);
  [[nodiscard]] bool read_truth(const YAML::Node& node, const std::string& path);
  // Paths, made absolute or relative to the working directory.
  [[nodiscard]] std::string read_file(const YAML::Node& node, const std::string& path);
  [[nodiscard]] std::vector<std::string> read_files(const YAML::Node& node, const std::string& path);

  // {environment: NAME} or {file: PATH}.
  [[nodiscard]] SecretReference read_secret_reference(const YAML::Node& node, const std::string& path);

  // The first misfit is the one to tell; reading goes on, and its result is not used.
  void refuse(const YAML::Node& node, std::string_view path, const std::string& sentence);
  [[nodiscard]] const std::optional<std::string>& misfit() const { return misfit_; }

 private:
  std::string place_;
  std::string folder_;
  std::optional<std::string> misfit_;
};

}  // namespace keyvigil
