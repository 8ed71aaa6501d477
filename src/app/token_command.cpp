#include "app/token_command.h"

#include <fmt/format.h>

#include <ostream>

#include "api/access.h"

namespace keyvigil {

void run_token(std::ostream& out) {
  const NewToken made = new_token();
  out << fmt::format(
      "token (shown once; give it to the client): {}\n"
      "hash (for serve.tokens of the configuration): {}\n",
      made.token, made.hash);
}

CLI::App* add_token_command(CLI::App& app) {
  CLI::App* command = app.add_subcommand("token", "Make a bearer token for clients of the service");
  command->footer("Example:\n  keyvigil token");
  return command;
}

}  // namespace keyvigil
