#include "config/service_paths.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <utility>
#include <vector>

#include "base/path_guard.h"
#include "store/backup.h"

namespace keyvigil {
namespace {

using NamedPaths = std::vector<std::pair<std::string, std::string>>;  // role and path

NamedPaths written_paths(const Config& config) {
  NamedPaths paths;
  for (std::string& file : store_files(config.serve.store)) { paths.emplace_back("serve.store", std::move(file)); }
  for (const OutputOptions& output : config.outputs) {
    if (output.kind == OutputKind::kFile) { paths.emplace_back("outputs." + output.name, output.target); }
  }
  return paths;
}

void add_secret(std::string role, const SecretReference& secret, NamedPaths& paths) {
  paths.emplace_back(std::move(role), secret.file);
}

NamedPaths read_paths(const Config& config) {
  NamedPaths paths;
  const ListConfig& lists = config.lists;
  for (const auto& [role, files] :
       {std::pair("lists.tor", &lists.tor), std::pair("lists.suspicious", &lists.suspicious),
        std::pair("lists.service_tags", &lists.service_tags)}) {
    for (const std::string& file : *files) { paths.emplace_back(role, file); }
  }
  for (const FeedConfig& feed : lists.feeds) { add_secret("lists.feeds", feed.authorization, paths); }
  const ServeConfig& serve = config.serve;
  if (serve.tls) {
    paths.emplace_back("serve.tls.certificate", serve.tls->certificate_path);
    paths.emplace_back("serve.tls.key", serve.tls->key_path);
  }
  for (const IssuerConfig& issuer : serve.access.issuers) {
    paths.emplace_back("serve.issuers", issuer.key_set_file);
    paths.emplace_back("serve.issuers", issuer.ca_file);
  }
  for (const InputConfig& input : serve.inputs) {
    add_secret("serve.inputs", input.sas, paths);
    add_secret("serve.inputs", input.key, paths);
    paths.emplace_back("serve.inputs", input.ca_file);
  }
  for (const OutputOptions& output : config.outputs) {
    add_secret("outputs." + output.name, output.secret, paths);
    paths.emplace_back("outputs." + output.name, output.ca_file);
  }
  return paths;
}

}  // namespace

Result<void> expect_regular_file(std::string_view role, const std::string& path) {
  struct stat status {};
  if (path.empty() || ::stat(path.c_str(), &status) != 0 || S_ISREG(status.st_mode)) { return {}; }
  const char* found = S_ISDIR(status.st_mode) ? "a folder" : S_ISFIFO(status.st_mode) ? "a pipe" : "a device or socket";
  return fail(ErrorKind::kUsage,
              fmt::format("{}: expected a regular file, found {} at '{}'; the service reads its files again, and would "
                          "wait for somebody to write: copy the content into a file",
                          role, found, path));
}

Result<void> check_service_paths(const Config& config, const std::string& config_path, const std::string& state) {
  PathGuard guard;
  for (const std::string& file : store_files(config.serve.store)) {
    if (auto regular = expect_regular_file("serve.store", file); !regular) { return regular; }
  }
  for (const auto& [role, path] : written_paths(config)) {
    if (auto free = guard.writes(role, path); !free) { return free; }
  }
  NamedPaths read = read_paths(config);
  read.emplace_back("--config", config_path);
  read.emplace_back("--state", state);
  for (const auto& [role, path] : read) {
    if (auto regular = expect_regular_file(role, path); !regular) { return regular; }
    if (auto free = guard.reads(role, path); !free) { return free; }
  }
  for (const InputConfig& input : config.serve.inputs) {
    if (input.folder.empty()) { continue; }
    if (auto free = guard.reads_folder("serve.inputs", input.folder); !free) { return free; }
  }
  return {};
}

}  // namespace keyvigil
