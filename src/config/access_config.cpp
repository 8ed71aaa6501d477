#include "config/access_config.h"

#include <fmt/format.h>

#include <set>

#include "api/http_message.h"
#include "base/event_time.h"
#include "client/http_client.h"
#include "source/byte_stream.h"

namespace keyvigil {
namespace {

constexpr std::size_t kKeySetBytes = std::size_t{1} << 20;

std::set<Role> read_roles(ConfigReader& reader, const YAML::Node& node, const std::string& path) {
  std::set<Role> roles;
  for (const std::string& name : reader.read_texts(node, path)) {
    if (const auto role = role_of(name)) {
      roles.insert(*role);
    } else {
      reader.refuse(node, path, fmt::format("expected reader, operator or ingest, found '{}'", name));
    }
  }
  return roles;
}

std::set<std::string> read_subscriptions(ConfigReader& reader, const YAML::Node& node, const std::string& path) {
  std::set<std::string> subscriptions;
  for (const std::string& id : reader.read_texts(node, path)) { subscriptions.insert(lower_case(id)); }
  return subscriptions;
}

TokenGrant read_token(ConfigReader& reader, const YAML::Node& node) {
  TokenGrant token;
  reader.read_map(
      node, "serve.tokens",
      {{"name", [&](const YAML::Node& value) { token.name = reader.read_text(value, "serve.tokens.name"); }},
       {"hash", [&](const YAML::Node& value) { token.hash = reader.read_text(value, "serve.tokens.hash"); }},
       {"roles", [&](const YAML::Node& value) { token.roles = read_roles(reader, value, "serve.tokens.roles"); }},
       {"subscriptions",
        [&](const YAML::Node& value) {
          token.subscriptions = read_subscriptions(reader, value, "serve.tokens.subscriptions");
        }},
       {"expires", [&](const YAML::Node& value) {
          token.expires = parse_iso_time(reader.read_text(value, "serve.tokens.expires"));
          if (!token.expires) {
            reader.refuse(value, "serve.tokens.expires", "expected a date such as 2027-06-30, found something else");
          }
        }}});
  if (token.name.empty() || token.hash.empty() || token.roles.empty()) {
    reader.refuse(node, "serve.tokens", "expected name, hash and roles, found one of them missing");
  }
  return token;
}

JwtGrant read_grant(ConfigReader& reader, const YAML::Node& node) {
  JwtGrant grant;
  const std::string path = "serve.issuers.grants";
  reader.read_map(
      node, path,
      {{"app_role", [&](const YAML::Node& value) { grant.app_role = reader.read_text(value, path + ".app_role"); }},
       {"object_id", [&](const YAML::Node& value) { grant.object_id = reader.read_text(value, path + ".object_id"); }},
       {"roles", [&](const YAML::Node& value) { grant.roles = read_roles(reader, value, path + ".roles"); }},
       {"subscriptions", [&](const YAML::Node& value) {
          grant.subscriptions = read_subscriptions(reader, value, path + ".subscriptions");
        }}});
  return grant;
}

IssuerConfig read_issuer(ConfigReader& reader, const YAML::Node& node) {
  IssuerConfig issuer;
  const std::string path = "serve.issuers";
  bool plain_text = false;
  const auto text = [&](std::string& to, const char* name) {
    return [&reader, &to, full = path + "." + name](const YAML::Node& value) { to = reader.read_text(value, full); };
  };
  const auto texts = [&](std::vector<std::string>& to, const char* name) {
    return [&reader, &to, full = path + "." + name](const YAML::Node& value) { to = reader.read_texts(value, full); };
  };
  const auto file = [&](std::string& to, const char* name) {
    return [&reader, &to, full = path + "." + name](const YAML::Node& value) { to = reader.read_file(value, full); };
  };
  reader.read_map(
      node, path,
      {{"tenant_id", text(issuer.tenant_id, "tenant_id")},
       {"issuers", texts(issuer.issuers, "issuers")},
       {"audiences", texts(issuer.audiences, "audiences")},
       {"key_set_url", text(issuer.key_set_url, "key_set_url")},
       {"key_set_file", file(issuer.key_set_file, "key_set_file")},
       {"ca_file", file(issuer.ca_file, "ca_file")},
       {"plain_text", [&](const YAML::Node& value) { plain_text = reader.read_truth(value, path + ".plain_text"); }},
       {"skew_seconds",
        [&](const YAML::Node& value) {
          issuer.skew_seconds = reader.read_number(value, path + ".skew_seconds", 0, 3600);
        }},
       {"grants", [&](const YAML::Node& value) {
          reader.read_list(value, path + ".grants",
                           [&](const YAML::Node& grant) { issuer.grants.push_back(read_grant(reader, grant)); });
        }}});
  if (issuer.tenant_id.empty() && (issuer.issuers.empty() || (issuer.key_set_url + issuer.key_set_file).empty())) {
    reader.refuse(node, path, "expected tenant_id, or issuers and one of key_set_url and key_set_file");
  }
  if (!issuer.key_set_url.empty() && !issuer.key_set_url.starts_with("https://") &&
      !(plain_text && issuer.key_set_url.starts_with("http://"))) {
    reader.refuse(
        node, path + ".key_set_url",
        "expected https://: whoever changes the keys on their way makes tokens; or say `plain_text: true` for "
        "http://");
  }
  if (issuer.audiences.empty()) { reader.refuse(node, path, "expected audiences, found none"); }
  return issuer;
}

Result<std::string> fetch(const std::string& url, const std::string& ca_file) {
  HttpClient client;
  HttpCall call;
  call.url = url;
  call.ca_file = ca_file;
  call.answer_limit_bytes = kKeySetBytes;
  auto answer = client.send(call);
  if (!answer) { return tl::unexpected(answer.error()); }
  if (answer->status == 200) { return std::move(answer->body); }
  return fail(ErrorKind::kInputOutput, fmt::format("expected a key set at {}, found status {}", url, answer->status));
}

}  // namespace

void read_tokens(ConfigReader& reader, const YAML::Node& node, AccessConfig& out) {
  reader.read_list(node, "serve.tokens",
                   [&](const YAML::Node& token) { out.tokens.push_back(read_token(reader, token)); });
}

void read_issuers(ConfigReader& reader, const YAML::Node& node, AccessConfig& out) {
  reader.read_list(node, "serve.issuers",
                   [&](const YAML::Node& issuer) { out.issuers.push_back(read_issuer(reader, issuer)); });
}

AccessOptions access_options(const AccessConfig& config) {
  AccessOptions options;
  options.tokens = config.tokens;
  for (const IssuerConfig& from : config.issuers) {
    JwtIssuer issuer;
    issuer.issuers = from.issuers;
    issuer.audiences = from.audiences;
    issuer.grants = from.grants;
    issuer.skew_seconds = from.skew_seconds;
    std::string url = from.key_set_url;
    if (!from.tenant_id.empty()) {
      const std::string authority = "https://login.microsoftonline.com/" + from.tenant_id;
      issuer.issuers.push_back(authority + "/v2.0");
      issuer.issuers.push_back("https://sts.windows.net/" + from.tenant_id + "/");
      if (url.empty()) { url = authority + "/discovery/v2.0/keys"; }
    }
    if (from.key_set_file.empty()) {
      issuer.key_set = [url, ca_file = from.ca_file] { return fetch(url, ca_file); };
      issuer.key_set_place = url + " " + from.ca_file;
    } else {
      issuer.key_set = [file = from.key_set_file] { return read_whole_file(file, kKeySetBytes); };
    }
    options.issuers.push_back(std::move(issuer));
  }
  return options;
}

}  // namespace keyvigil
