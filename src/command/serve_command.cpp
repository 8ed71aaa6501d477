#include "command/serve_command.h"

#include <fmt/format.h>
#include <malloc.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <ctime>
#include <system_error>
#include <thread>
#include <utility>

#include "command/commit_mark.h"
#include "command/start_guard.h"
#include "config/config.h"
#include "config/service_paths.h"
#include "serve/service.h"

namespace keyvigil {
namespace {

constexpr unsigned kThreadsByDefault = 4;
constexpr time_t kLookSeconds = 5;
constexpr int kGivenBackBytes = 1 << 20;

ExitCode report(const Error& error) {
  fmt::print(stderr, "keyvigil serve: {}\n", error.message);
  return exit_code_of(error);
}

std::string temporary_folder_of(const ServeOptions& options) {
  if (!options.temporary_folder.empty()) { return options.temporary_folder; }
  const char* folder = std::getenv("TMPDIR");
  return folder == nullptr || *folder == '\0' ? "/tmp" : folder;
}

// Configuration file and command line together.
Result<Config> full_config(const ServeOptions& options) {
  Config config;
  if (!options.config.empty()) {
    if (auto regular = expect_regular_file("--config", options.config); !regular) {
      return tl::unexpected(regular.error());
    }
    auto read = read_config(options.config);
    if (!read) { return read; }
    config = *std::move(read);
  }
  if (!options.listen.empty()) { config.serve.listen = options.listen; }
  if (!options.store.empty()) { config.serve.store = options.store; }
  if (auto checked = check_service_paths(config, options.config, options.state); !checked) {
    return tl::unexpected(checked.error());
  }
  return config;
}

// A buffer of this size or more (a body, a checkpoint) goes back to the system when it is freed. glibc raises the size
// by itself and then keeps what the peaks of each thread left behind: memory grows for as long as there are new peaks.
void give_large_buffers_back() {
  mallopt(M_MMAP_THRESHOLD, kGivenBackBytes);
}

void greet(const ServiceGreeting& greeting, const Config& config) {
  fmt::print("KeyVigil listens on {}\n", greeting.url);
  fmt::print("  store    {}\n", config.serve.store);
  if (!greeting.authority_path.empty()) {
    fmt::print("  trust    {}\n{}\n", greeting.authority_path, greeting.how_to_trust);
  }
  if (!greeting.token_path.empty()) {
    fmt::print("  token    {} (may read, operate and ingest)\n", greeting.token_path);
    fmt::print(
        "\nNext, in another terminal:\n"
        "  curl --cacert {0} -H \"Authorization: Bearer $(cat {1})\" --data-binary @PT1H.json {2}/v1/logs\n"
        "  curl --cacert {0} -H \"Authorization: Bearer $(cat {1})\" {2}/v1/alerts\n",
        greeting.authority_path, greeting.token_path, greeting.url);
  }
  fmt::print("\nStop with Ctrl-C: what was received is decided and kept.\n");
  std::fflush(stdout);
}

sigset_t watched_signals() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGHUP);
  return signals;
}

// The want of a thread comes as an exception, or ends the program on its way.
Result<ServiceGreeting> start(Service& service) {
  const StartGuard guard;
  try {
    return service.start();
  } catch (const std::system_error&) { StartGuard::give_up(); }
}

// Until a signal says to stop, or the loop has ended.
void watch(const ServeOptions& options, const sigset_t& signals, Service& service, ServiceLog& log) {
  while (service.is_running()) {
    const timespec wait{kLookSeconds, 0};
    const int signal = ::sigtimedwait(&signals, nullptr, &wait);
    if (signal == SIGTERM || signal == SIGINT) {
      log.info("stopping");
      return;
    }
    if (signal == SIGHUP) { service.reload(full_config(options)); }
    if (signal < 0) { service.look(); }
  }
}

}  // namespace

ExitCode run_serve(const ServeOptions& options) {
  auto config = full_config(options);
  if (!config) { return report(config.error()); }
  give_large_buffers_back();
  // Before any thread begins, so that all of them leave these signals to this one.
  const sigset_t signals = watched_signals();
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);

  ServiceLog log(wall_clock);
  ServiceOptions service_options;
  service_options.config = *config;
  service_options.dev = options.dev;
  service_options.state = options.state;
  service_options.temporary_folder = temporary_folder_of(options);
  service_options.threads = std::clamp(std::thread::hardware_concurrency(), 1U, kThreadsByDefault);
  if (const char* mark = std::getenv("KEYVIGIL_COMMIT_MARK"); mark != nullptr) {
    const char* die_at = std::getenv("KEYVIGIL_COMMIT_DIE_AT");
    service_options.on_commit = commit_mark(mark, die_at == nullptr ? "" : die_at);
  }
  Service service(std::move(service_options), log);
  auto greeting = start(service);
  if (!greeting) { return report(greeting.error()); }
  if (isatty(STDOUT_FILENO) != 0) { greet(*greeting, *config); }
  log.info("listening", {{"url", greeting->url}, {"store", config->serve.store}});
  watch(options, signals, service, log);
  if (auto stopped = service.stop(); !stopped) {
    log.error(stopped.error().message);
    return exit_code_of(stopped.error());
  }
  log.info("stopped");
  return ExitCode::kDone;
}

CLI::App* add_serve_command(CLI::App& app, ServeOptions& options) {
  CLI::App* command = app.add_subcommand("serve", "Run as a service: logs come in, alerts are kept, clients ask");
  command->add_option("--config", options.config, "Configuration file (YAML)")->type_name("FILE");
  command->add_flag("--dev", options.dev, "Make a local certificate authority and a token, to try it on this machine");
  command->add_option("--listen", options.listen, "Where to listen; default: 127.0.0.1:8443; port 0: any free one")
      ->type_name("ADDRESS:PORT");
  command->add_option("--store", options.store, "The store; default: keyvigil.db")->type_name("FILE");
  command->add_option("--state", options.state, "Begin with what `detect --state` learned; for a new store only")
      ->type_name("FILE");
  command->add_option("--tmp", options.temporary_folder, "Folder for temporary files; default: TMPDIR or /tmp")
      ->type_name("FOLDER");
  command->footer(
      "Examples:\n"
      "  keyvigil serve --dev\n"
      "  keyvigil serve --config /etc/keyvigil/keyvigil.yaml\n"
      "  keyvigil serve --config keyvigil.yaml --store new.db --state vaults.state\n"
      "SIGTERM and Ctrl-C stop it once what was received is decided; SIGHUP reads the configuration "
      "again, with lists, secrets and certificate.");
  return command;
}

}  // namespace keyvigil
