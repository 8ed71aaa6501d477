#include "app/config_changes.h"

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
  const Config before = config("serve:\n  listen: 127.0.0.1:1\n  tls: {certificate: a.pem, key: a.key}\n");
  EXPECT_EQ(keys_that_need_a_restart(before, before), Keys{});
  const Config after = config(
      "serve:\n  listen: 127.0.0.1:2\n  tls: {certificate: b.pem, key: a.key}\n  silent_minutes: 5\n"
      "  inputs: [{folder: /logs}]\n"
      "lists:\n  feeds: [{url: 'https://lists.example/tor', role: tor}]\n"
      "estates: [{location: westeurope}]\n");
  EXPECT_EQ(keys_that_need_a_restart(before, after),
            (Keys{"serve.listen", "serve.tls", "serve.inputs", "serve.silent_minutes", "lists.feeds",
                  "estates (location, tenant_id)"}));
}

TEST(ConfigChanges, WhatIsTakenOverNeedsNone) {
  const Config after = config(
      "lists: {tor: [exits.txt]}\nlateness_minutes: 3\nlearning_days: 2\n"
      "outputs: [{name: lines, kind: file, path: alerts.jsonl}]\n"
      "serve:\n  tokens:\n    - {name: one, roles: [reader], hash: 'sha256:00'}\n");
  EXPECT_EQ(keys_that_need_a_restart(Config{}, after), Keys{});
}

TEST(ConfigChanges, UntilThenTheRunningValuesHold) {
  const Config before = config("serve: {listen: '127.0.0.1:1'}\n");
  const Config after = config("lateness_minutes: 3\nserve: {listen: '127.0.0.1:2', lag_seconds: 77}\n");
  const Config merged = without_restart(before, after);
  EXPECT_EQ(merged.serve.listen, "127.0.0.1:1");
  EXPECT_EQ(merged.serve.lag_seconds, before.serve.lag_seconds);
  EXPECT_EQ(merged.lateness_minutes, 3);
  EXPECT_EQ(keys_that_need_a_restart(merged, after), (Keys{"serve.listen", "serve.lag_seconds"})) << "said each time";
}

}  // namespace
}  // namespace keyvigil
