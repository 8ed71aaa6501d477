#include "config/serve_config.h"

namespace keyvigil {
namespace {

TlsFiles read_tls(ConfigReader& reader, const YAML::Node& node) {
  TlsFiles files;
  reader.read_map(
      node, "serve.tls",
      {{"certificate",
        [&](const YAML::Node& value) { files.certificate_path = reader.read_file(value, "serve.tls.certificate"); }},
       {"key", [&](const YAML::Node& value) { files.key_path = reader.read_file(value, "serve.tls.key"); }}});
  if (files.certificate_path.empty() || files.key_path.empty()) {
    reader.refuse(node, "serve.tls", "expected certificate and key, found one of them missing");
  }
  return files;
}

}  // namespace

void read_serve_config(ConfigReader& reader, const YAML::Node& node, ServeConfig& out) {
  const auto number = [&](std::int64_t& to, const char* path, std::int64_t least, std::int64_t most) {
    return [&reader, &to, path, least, most](const YAML::Node& value) {
      to = reader.read_number(value, path, least, most);
    };
  };
  reader.read_map(
      node, "serve",
      {{"store", [&](const YAML::Node& value) { out.store = reader.read_file(value, "serve.store"); }},
       {"listen", [&](const YAML::Node& value) { out.listen = reader.read_text(value, "serve.listen"); }},
       {"idle_seconds", number(out.idle_seconds, "serve.idle_seconds", 1, 86'400)},
       {"checkpoint_seconds", number(out.checkpoint_seconds, "serve.checkpoint_seconds", 1, 300)},
       {"journal_limit_mebibytes", number(out.journal_limit_mebibytes, "serve.journal_limit_mebibytes", 64, 1'048'576)},
       {"body_limit_mebibytes", number(out.body_limit_mebibytes, "serve.body_limit_mebibytes", 1, 1024)},
       {"decompressed_limit_mebibytes",
        number(out.decompressed_limit_mebibytes, "serve.decompressed_limit_mebibytes", 1, 4096)},
       {"silent_minutes", number(out.silent_minutes, "serve.silent_minutes", 1, 100'000)},
       {"lag_seconds", number(out.lag_seconds, "serve.lag_seconds", 10, 86'400)},
       {"tls", [&](const YAML::Node& value) { out.tls = read_tls(reader, value); }},
       {"public_url", [&](const YAML::Node& value) { out.public_url = reader.read_text(value, "serve.public_url"); }},
       {"tokens", [&](const YAML::Node& value) { read_tokens(reader, value, out.access); }},
       {"inputs", [&](const YAML::Node& value) { read_input_config(reader, value, out.inputs); }},
       {"issuers", [&](const YAML::Node& value) { read_issuers(reader, value, out.access); }},
       {"alert_retention_days", number(out.alert_retention_days, "serve.alert_retention_days", 0, 36'500)},
       {"audit_retention_days", number(out.audit_retention_days, "serve.audit_retention_days", 0, 36'500)},
       {"event_retention_days", number(out.event_retention_days, "serve.event_retention_days", 0, 3650)},
       {"event_limit_mebibytes", number(out.event_limit_mebibytes, "serve.event_limit_mebibytes", 1, 1'048'576)}});
}

}  // namespace keyvigil
