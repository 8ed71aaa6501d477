#include "config/config.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "serve/service_secrets.h"

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

std::string refusal_of(const std::string& text) {
  const auto config = parse_config(text, "file", "/folder");
  return config ? "" : config.error().message;
}

TEST(Config, AKeyThatComesTwiceIsRefused) {
  EXPECT_NE(refusal_of("learning_days: 3\nlateness_minutes: 2\nlearning_days: 4\n").find("expected this key once"),
            std::string::npos);
  EXPECT_NE(refusal_of("serve:\n  lag_seconds: 20\n  lag_seconds: 20\n").find("file:3:3 (serve.lag_seconds)"),
            std::string::npos);
  EXPECT_NE(refusal_of("serve: {lag_seconds: 20}\nserve: {}\n"), "");
}

TEST(Config, ALocationIsPartOfAnIdAndNothingElse) {
  for (const char* location : {"west/../../x", "'west europe'", "'a?b'", "''", "\"a\\nb\"", "caf\xC3\xA9"}) {
    EXPECT_NE(refusal_of("estates:\n  - location: " + std::string(location) + "\n").find("expected a region"),
              std::string::npos)
        << location;
  }
  EXPECT_EQ(refusal_of("estates:\n  - location: westeurope\n"), "");
}

TEST(Config, SecretsGoOverTlsUnlessTheOperatorSaysOtherwise) {
  const std::string input = "serve:\n  inputs:\n    - container: http://127.0.0.1:1/a/b\n      sas: {file: sas}\n";
  EXPECT_NE(refusal_of(input).find("serve.inputs.container): http:// sends the secret in plain text"),
            std::string::npos)
      << refusal_of(input);
  EXPECT_EQ(refusal_of(input + "      plain_text: true\n"), "");
  const auto feed = [](const std::string& url, const std::string& more) {
    return "lists:\n  feeds:\n    - {url: '" + url + "', role: tor" + more + "}\n";
  };
  EXPECT_EQ(refusal_of(feed("http://lists.example/tor", "")), "") << "nothing of it is secret";
  for (const auto& [url, more] :
       std::vector<std::pair<std::string, std::string>>{{"http://lists.example/tor", ", authorization: {file: a}"},
                                                        {"http://lists.example/tor?token=a", ""},
                                                        {"http://name:word@lists.example/tor", ""}}) {
    EXPECT_NE(refusal_of(feed(url, more)).find("plain_text"), std::string::npos) << url << more;
    EXPECT_EQ(refusal_of(feed(url, more + ", plain_text: true")), "") << url << more;
  }
  const auto issuer = [](const std::string& url, const std::string& more) {
    return "serve:\n  issuers:\n    - {issuers: [a], audiences: [b], key_set_url: '" + url + "'" + more + "}\n";
  };
  EXPECT_EQ(refusal_of(issuer("https://keys.example/", "")), "");
  EXPECT_NE(refusal_of(issuer("http://keys.example/", "")).find("whoever changes the keys"), std::string::npos);
  EXPECT_NE(refusal_of(issuer("file:///keys", ", plain_text: true")), "");
  EXPECT_EQ(refusal_of(issuer("http://keys.example/", ", plain_text: true")), "");
}

TEST(Config, SecretsAndKeySetsThatAreNotThereAreSaid) {
  const auto check = [](const std::string& text) {
    const auto config = parse_config(text, "file", "/folder");
    EXPECT_TRUE(config) << config.error().message;
    const auto checked = check_secrets(*config);
    return checked ? std::string() : checked.error().message;
  };
  EXPECT_EQ(check("outputs: [{name: a, kind: file, path: b}]\n"), "");
  EXPECT_NE(check("outputs: [{name: a, kind: slack, secret: {file: /no/such}}]\n").find("outputs.a.secret: '/no/such'"),
            std::string::npos);
  EXPECT_NE(check("outputs: [{name: a, kind: slack, secret: {environment: KEYVIGIL_NO_SUCH}}]\n"), "");
  const auto issuer = [](const std::string& file) {
    return "serve: {issuers: [{issuers: [a], audiences: [b], key_set_file: " + file + "}]}\n";
  };
  EXPECT_NE(check(issuer("/no/such")).find("key_set_file"), std::string::npos);
  EXPECT_NE(check(issuer("/dev/null")).find("JSON Web Key Set"), std::string::npos);
}

}  // namespace
}  // namespace keyvigil
