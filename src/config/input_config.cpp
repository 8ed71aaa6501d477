#include "config/input_config.h"

#include <array>
#include <utility>

namespace keyvigil {
namespace {

constexpr std::string_view kPlainText =
    "http:// sends the secret in plain text; use https://, or say `plain_text: true`";

InputConfig read_input(ConfigReader& reader, const YAML::Node& node) {
  const std::string path = "serve.inputs";
  InputConfig input;
  bool plain_text = false;
  const auto secret = [&](SecretReference& to, const char* name) {
    return [&reader, &to, full = path + "." + name](const YAML::Node& value) {
      to = reader.read_secret_reference(value, full);
    };
  };
  reader.read_map(
      node, path,
      {{"folder", [&](const YAML::Node& value) { input.folder = reader.read_file(value, path + ".folder"); }},
       {"container", [&](const YAML::Node& value) { input.container = reader.read_text(value, path + ".container"); }},
       {"sas", secret(input.sas, "sas")},
       {"key", secret(input.key, "key")},
       {"prefix", [&](const YAML::Node& value) { input.prefix = reader.read_text(value, path + ".prefix"); }},
       {"ca_file", [&](const YAML::Node& value) { input.ca_file = reader.read_file(value, path + ".ca_file"); }},
       {"from",
        [&](const YAML::Node& value) {
          input.from = parse_iso_time(reader.read_text(value, path + ".from"));
          if (!input.from) { reader.refuse(value, path + ".from", "expected a date such as 2026-09-01"); }
        }},
       {"poll_seconds",
        [&](const YAML::Node& value) {
          input.poll_seconds = reader.read_number(value, path + ".poll_seconds", 1, 3600);
        }},
       {"plain_text", [&](const YAML::Node& value) { plain_text = reader.read_truth(value, path + ".plain_text"); }}});
  if (input.folder.empty() == input.container.empty()) {
    reader.refuse(node, path, "expected one of folder and container");
  } else if (!input.container.empty() && input.sas.empty() == input.key.empty()) {
    reader.refuse(node, path, "expected one of sas and key for a container");
  } else if (input.container.find('?') != std::string::npos) {
    reader.refuse(node, path, "expected the container's URL without a query; a SAS belongs into `sas`");
  } else if (input.container.starts_with("http://") && !plain_text) {
    reader.refuse(node, path + ".container", std::string(kPlainText));
  }
  return input;
}

constexpr std::array<ListRole, 3> kRoles = {ListRole::kTor, ListRole::kSuspicious, ListRole::kServiceTags};

ListRole read_role(ConfigReader& reader, const YAML::Node& node, const std::string& path) {
  const std::string name = reader.read_text(node, path);
  for (const ListRole role : kRoles) {
    if (to_string(role) == name) { return role; }
  }
  reader.refuse(node, path, "expected tor, suspicious or service_tags, found '" + name + "'");
  return ListRole::kSuspicious;
}

FeedConfig read_feed(ConfigReader& reader, const YAML::Node& node) {
  const std::string path = "lists.feeds";
  FeedConfig config;
  ListFeedConfig& feed = config.feed;
  bool has_role = false;
  bool plain_text = false;
  reader.read_map(
      node, path,
      {{"url", [&](const YAML::Node& value) { feed.url = reader.read_text(value, path + ".url"); }},
       {"role",
        [&](const YAML::Node& value) {
          has_role = true;
          feed.role = read_role(reader, value, path + ".role");
        }},
       {"taxii", [&](const YAML::Node& value) { feed.taxii = reader.read_truth(value, path + ".taxii"); }},
       {"authorization",
        [&](const YAML::Node& value) {
          config.authorization = reader.read_secret_reference(value, path + ".authorization");
        }},
       {"ca_file", [&](const YAML::Node& value) { feed.ca_file = reader.read_file(value, path + ".ca_file"); }},
       {"interval_minutes",
        [&](const YAML::Node& value) {
          feed.interval_minutes = reader.read_number(value, path + ".interval_minutes", 1, 10'080);
        }},
       {"stale_hours",
        [&](const YAML::Node& value) { feed.stale_hours = reader.read_number(value, path + ".stale_hours", 1, 8760); }},
       {"may_shrink",
        [&](const YAML::Node& value) { feed.may_shrink = reader.read_truth(value, path + ".may_shrink"); }},
       {"plain_text", [&](const YAML::Node& value) { plain_text = reader.read_truth(value, path + ".plain_text"); }}});
  if (!has_role || !(feed.url.starts_with("https://") || feed.url.starts_with("http://"))) {
    reader.refuse(node, path, "expected url (https://...) and role (tor, suspicious or service_tags)");
  }
  // A query or a user in the URL may be one too.
  const bool has_secret = !config.authorization.empty() || feed.url.find_first_of("?@") != std::string::npos;
  if (feed.url.starts_with("http://") && has_secret && !plain_text) {
    reader.refuse(node, path + ".url", std::string(kPlainText));
  }
  return config;
}

}  // namespace

void read_input_config(ConfigReader& reader, const YAML::Node& node, std::vector<InputConfig>& out) {
  reader.read_list(node, "serve.inputs", [&](const YAML::Node& input) { out.push_back(read_input(reader, input)); });
}

void read_feed_config(ConfigReader& reader, const YAML::Node& node, std::vector<FeedConfig>& out) {
  reader.read_list(node, "lists.feeds", [&](const YAML::Node& feed) { out.push_back(read_feed(reader, feed)); });
}

Result<FollowedInput> followed_input(const InputConfig& config) {
  FollowedInput input;
  input.folder = config.folder;
  input.container.url = config.container;
  input.container.prefix = config.prefix;
  input.container.ca_file = config.ca_file;
  input.from = config.from;
  input.poll_seconds = config.poll_seconds;
  if (!config.sas.empty()) {
    auto sas = read_secret(config.sas);
    if (!sas) { return tl::unexpected(sas.error()); }
    input.container.url += (sas->starts_with('?') ? "" : "?") + *sas;
  }
  if (!config.key.empty()) {
    auto key = read_secret(config.key);
    if (!key) { return tl::unexpected(key.error()); }
    input.container.key = *std::move(key);
  }
  return input;
}

Result<ListFeedConfig> list_feed(const FeedConfig& config) {
  ListFeedConfig feed = config.feed;
  if (config.authorization.empty()) { return feed; }
  auto secret = read_secret(config.authorization);
  if (!secret) { return tl::unexpected(secret.error()); }
  feed.authorization = *std::move(secret);
  return feed;
}

}  // namespace keyvigil
