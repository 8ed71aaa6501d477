// keyvigil serve: the service. Logs come in, alerts are kept and go out, clients of Azure's alerts API ask.
#pragma once

#include <CLI/CLI.hpp>
#include <string>

#include "command/exit_code.h"

namespace keyvigil {

struct ServeOptions {
  std::string config;
  bool dev = false;    // a local certificate authority and a token of its own
  std::string listen;  // empty: as configured
  std::string store;
  std::string state;  // of `detect`, for a store that is new
  std::string temporary_folder;
};

CLI::App* add_serve_command(CLI::App& app, ServeOptions& options);

// Until SIGTERM or SIGINT; SIGHUP reads configuration and lists again.
[[nodiscard]] ExitCode run_serve(const ServeOptions& options);

}  // namespace keyvigil
