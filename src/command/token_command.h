// keyvigil token new: a new bearer token, and what of it goes into the configuration.
#pragma once

#include <CLI/CLI.hpp>
#include <iosfwd>
#include <string>
#include <vector>

namespace keyvigil {

struct TokenOptions {
  std::string name = "client";
  std::vector<std::string> roles = {"reader"};
  std::vector<std::string> subscriptions;  // empty: all
};

// The command that was parsed where a token is wanted.
CLI::App* add_token_command(CLI::App& app, TokenOptions& options);
// The token and, as YAML, its grant.
void run_token(const TokenOptions& options, std::ostream& out);

}  // namespace keyvigil
