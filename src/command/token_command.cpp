#include "command/token_command.h"

#include <fmt/format.h>

#include <ostream>

#include "api/access.h"

namespace keyvigil {

void run_token(const TokenOptions& options, std::ostream& out) {
  const NewToken made = new_token();
  out << fmt::format(
      "Give the client this token. It is shown once:\n\n"
      "{}\n\n"
      "Put this under serve.tokens of the configuration. The hash does not give the token away:\n\n"
      "    - name: {}\n"
      "      hash: {}\n"
      "      roles: [{}]\n",
      made.token, options.name, made.hash, fmt::join(options.roles, ", "));
  if (options.subscriptions.empty()) { return; }
  out << fmt::format("      subscriptions: [{}]\n", fmt::join(options.subscriptions, ", "));
}

CLI::App* add_token_command(CLI::App& app, TokenOptions& options) {
  CLI::App* command = app.add_subcommand("token", "Bearer tokens for clients of the service");
  command->require_subcommand(1);
  command->footer("Example:\n  keyvigil token new --name siem --role reader");
  CLI::App* make = command->add_subcommand("new", "Print a new token, and its hash for the configuration");
  // What YAML takes for a plain word.
  const CLI::Validator is_word(
      [](const std::string& text) {
        constexpr std::string_view kWord = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_";
        return text.empty() || text.find_first_not_of(kWord) != std::string::npos
                   ? "expected letters, digits, '-' and '_', found '" + text + "'"
                   : std::string();
      },
      "WORD");
  make->add_option("--name", options.name, "Who it is for, in logs and audit lines")
      ->check(is_word)
      ->capture_default_str();
  make->add_option("--role", options.roles, "reader, operator or ingest; may be repeated")
      ->check(CLI::IsMember({"reader", "operator", "ingest"}))
      ->capture_default_str();
  make->add_option("--subscription", options.subscriptions, "All it may know of; may be repeated (default: all)")
      ->check(is_word);
  make->footer("Example:\n  keyvigil token new --name functions --role ingest");
  return make;
}

}  // namespace keyvigil
