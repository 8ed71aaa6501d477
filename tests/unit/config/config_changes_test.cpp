#include "config/config_changes.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace keyvigil {
namespace {

using Keys = std::vector<std::string>;

Config config(const std::string& text) {
  auto parsed = parse_config(text, "test.yaml", "/etc");
  EXPECT_TRUE(parsed) << (parsed ? "" : parsed.error().message);
  return parsed.value_or(Config{});
}

TEST(ConfigChanges, NameTheKeysThatARunningServiceCannotTakeOver) {
  const Config before = config("serve:\n  listen: 127.0.0.1:1\n");
  EXPECT_EQ(config_changes(before, before).need_restart, Keys{});
  EXPECT_EQ(config_changes(before, before).taken_over, Keys{});
  const Config after = config(
      "serve:\n  listen: 127.0.0.1:2\n  store: other.db\n  tls: {certificate: b.pem, key: a.key}\n"
      "  public_url: https://keyvigil.example\n  body_limit_mebibytes: 2\n"
      "estates: [{location: westeurope}]\n");
  EXPECT_EQ(config_changes(before, after).need_restart,
            (Keys{"serve.store", "serve.listen", "serve.public_url", "serve.tls", "serve.body_limit_mebibytes",
                  "estates (location, tenant_id)"}));
}

TEST(ConfigChanges, NameTheKeysThatAreTakenOver) {
  const std::string certificate = "serve:\n  tls: {certificate: a.pem, key: a.key}\n";
  const Config after = config(
      "lists: {tor: [exits.txt], feeds: [{url: 'https://lists.example/tor', role: tor}]}\n"
      "lateness_minutes: 3\nlearning_days: 2\n"
      "outputs: [{name: lines, kind: file, path: alerts.jsonl}]\n"
      "serve:\n  tls: {certificate: b.pem, key: a.key}\n  silent_minutes: 5\n"
      "  inputs: [{folder: /logs}]\n"
      "  tokens:\n    - {name: one, roles: [reader], hash: 'sha256:00'}\n"
      "  issuers: [{tenant_id: t, audiences: [a]}]\n");
  const ConfigChanges changes = config_changes(config(certificate), after);
  EXPECT_EQ(changes.need_restart, Keys{});
  EXPECT_EQ(changes.taken_over,
            (Keys{"lists.tor", "lists.feeds", "lateness_minutes", "learning_days", "outputs", "serve.tls",
                  "serve.tokens", "serve.issuers", "serve.inputs", "serve.silent_minutes"}));
}

// A key that is added to the configuration, and forgotten here, would be taken over by nobody and told by nobody.
TEST(ConfigChanges, EveryKeyOfTheServiceIsOneOrTheOther) {
  for (const std::string key :
       {"store: x", "listen: '127.0.0.1:9'", "idle_seconds: 7", "checkpoint_seconds: 7", "journal_limit_mebibytes: 77",
        "body_limit_mebibytes: 7", "decompressed_limit_mebibytes: 7", "silent_minutes: 7", "lag_seconds: 77",
        "tls: {certificate: a, key: b}", "public_url: 'https://x'", "inputs: [{folder: x}]",
        "tokens: [{name: a, roles: [reader], hash: x}]", "issuers: [{tenant_id: t, audiences: [a]}]",
        "alert_retention_days: 7", "audit_retention_days: 7", "event_retention_days: 8", "event_limit_mebibytes: 7"}) {
    const ConfigChanges changes = config_changes(Config{}, config("serve: {" + key + "}\n"));
    EXPECT_EQ(changes.taken_over.size() + changes.need_restart.size(), 1U) << key;
  }
}

TEST(ConfigChanges, UntilThenTheRunningValuesHold) {
  const Config before = config("serve: {listen: '127.0.0.1:1'}\n");
  const Config after = config("lateness_minutes: 3\nserve: {listen: '127.0.0.1:2', body_limit_mebibytes: 77}\n");
  const Config merged = without_restart(before, after);
  EXPECT_EQ(merged.serve.listen, "127.0.0.1:1");
  EXPECT_EQ(merged.serve.body_limit_mebibytes, before.serve.body_limit_mebibytes);
  EXPECT_EQ(merged.lateness_minutes, 3);
  EXPECT_EQ(config_changes(merged, after).need_restart, (Keys{"serve.listen", "serve.body_limit_mebibytes"}))
      << "said each time";
}

}  // namespace
}  // namespace keyvigil
