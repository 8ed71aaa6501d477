// The keys `serve.inputs` and `lists.feeds` of the configuration file: what the service follows by itself.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/secret_reference.h"
#include "config/config_reader.h"
#include "intel/list_feed_config.h"
#include "source/followed_input.h"

namespace keyvigil {

struct InputConfig {
  std::string folder;     // exactly one of folder and container
  std::string container;  // URL without a SAS
  SecretReference sas;    // of a container: exactly one of sas and key
  SecretReference key;
  std::string prefix;
  std::string ca_file;
  std::optional<EventTime> from;
  std::int64_t poll_seconds = 10;
  friend bool operator==(const InputConfig&, const InputConfig&) = default;
};

struct FeedConfig {
  ListFeedConfig feed;  // without its authorization
  SecretReference authorization;
  friend bool operator==(const FeedConfig&, const FeedConfig&) = default;
};

void read_input_config(ConfigReader& reader, const YAML::Node& node, std::vector<InputConfig>& out);
void read_feed_config(ConfigReader& reader, const YAML::Node& node, std::vector<FeedConfig>& out);

// With its secrets, read now.
[[nodiscard]] Result<FollowedInput> followed_input(const InputConfig& config);
[[nodiscard]] Result<ListFeedConfig> list_feed(const FeedConfig& config);

}  // namespace keyvigil
