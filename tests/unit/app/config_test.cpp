#include "app/config.h"

#include <gtest/gtest.h>

#include <filesystem>

namespace keyvigil {
namespace {

TEST(Config, TheFileOfThePackageIsAccepted) {
  const std::filesystem::path file =
      std::filesystem::path(KEYVIGIL_TESTS_FOLDER).parent_path() / "packaging" / "keyvigil.yaml";
  const auto config = read_config(file.string());
  ASSERT_TRUE(config.has_value()) << config.error().message;
  EXPECT_EQ(config->serve.store, "/var/lib/keyvigil/keyvigil.db");
  EXPECT_TRUE(config->lists.tor.empty());
}

TEST(Config, AKeyWithoutAValueIsAsIfItWereNotThere) {
  const auto config = parse_config(
      "lists:\n  # all of it\nserve:\n  tokens:\n  listen:\n  # tls:\noutputs:\nestates:\nteams:\nlearning_days:\n",
      "here", ".");
  ASSERT_TRUE(config.has_value()) << config.error().message;
  EXPECT_EQ(config->serve.listen, Config().serve.listen);
  EXPECT_EQ(config->learning_days, 14);
}

TEST(Config, AnUnknownKeyWithoutAValueIsRefused) {
  const auto config = parse_config("lists:\n  torr:\n", "here", ".");
  ASSERT_FALSE(config.has_value());
  EXPECT_NE(config.error().message.find("here:2:3 (lists.torr): unknown key; the nearest known one is 'tor'"),
            std::string::npos)
      << config.error().message;
}

TEST(Config, WhatASectionNeedsIsStillAskedFor) {
  EXPECT_FALSE(parse_config("serve:\n  tls:\n    certificate: a\n    key:\n", "here", ".").has_value());
  EXPECT_FALSE(parse_config("teams:\n  - name: x\n    vaults:\n", "here", ".").has_value());
}

}  // namespace
}  // namespace keyvigil
