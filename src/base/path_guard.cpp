#include "base/path_guard.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <system_error>

namespace keyvigil {
namespace {

namespace fs = std::filesystem;

constexpr int kLinksLimit = 40;  // as the system's

bool keeps_bytes(const struct stat& status) {
  return S_ISREG(status.st_mode) || S_ISBLK(status.st_mode);
}

// Links are followed to their end, those that lead nowhere too.
fs::path place_to_make(const std::string& path) {
  fs::path place(path);
  std::error_code failed;
  for (int links = 0; links < kLinksLimit && fs::is_symlink(fs::symlink_status(place, failed)); ++links) {
    const fs::path target = fs::read_symlink(place, failed);
    if (failed) { break; }
    place = place.parent_path() / target;  // an absolute target stands for itself
  }
  return place;
}

}  // namespace

std::string final_path(const std::string& path) {
  std::error_code failed;
  const fs::path place = fs::weakly_canonical(place_to_make(path), failed);
  return failed ? path : place.string();
}

// False: nothing that could be lost, such as a pipe.
bool PathGuard::find(const std::string& path, int standard_stream, Identity& identity) {
  if (path.empty()) { return false; }
  struct stat status {};
  const bool exists = path == "-" ? ::fstat(standard_stream, &status) == 0 : ::stat(path.c_str(), &status) == 0;
  if (exists) {
    identity = {status.st_dev, status.st_ino, ""};
    return keeps_bytes(status);
  }
  if (path == "-") { return false; }
  const fs::path place = place_to_make(path);
  const fs::path folder = place.has_parent_path() ? place.parent_path() : fs::path(".");
  if (::stat(folder.c_str(), &status) == 0) {
    identity = {status.st_dev, status.st_ino, place.filename().string()};
  } else {
    identity = {0, 0, fs::absolute(place).lexically_normal().string()};
  }
  return true;
}

Result<void> PathGuard::refuse_match(std::string_view role, const std::string& path, const Identity& identity) const {
  const auto found = written_.find(identity);
  if (found == written_.end()) { return {}; }
  const Named& written = found->second;
  return fail(ErrorKind::kUsage, fmt::format("{}: expected a file that the command uses for nothing else, found '{}', "
                                             "which is also '{}' of {}: writing it would destroy the other; nothing "
                                             "was touched; name another file",
                                             written.role, written.path, path, role));
}

Result<void> PathGuard::writes(std::string_view role, const std::string& path) {
  Identity identity;
  if (!find(path, STDOUT_FILENO, identity)) { return {}; }
  if (auto free = refuse_match(role, path, identity); !free) { return free; }
  written_.emplace(std::move(identity), Named{std::string(role), path});
  return {};
}

Result<void> PathGuard::writes_in_the_end(std::string_view role, const std::string& path) {
  if (auto free = writes(role, path); !free) { return free; }
  struct stat status {};
  const bool direct = path.empty() || path == "-" || (::stat(path.c_str(), &status) == 0 && !S_ISREG(status.st_mode));
  return direct ? Result<void>{} : writes(role, path + ".partial");
}

Result<void> PathGuard::reads(std::string_view role, const std::string& path) const {
  Identity identity;
  return find(path, STDIN_FILENO, identity) ? refuse_match(role, path, identity) : Result<void>{};
}

Result<void> PathGuard::reads(std::string_view role, const std::string& path, std::uint64_t device,
                              std::uint64_t inode) const {
  return refuse_match(role, path, {device, inode, ""});
}

Result<void> PathGuard::reads_folder(std::string_view role, const std::string& folder) const {
  std::error_code failed;
  const fs::path within = fs::weakly_canonical(folder, failed);
  if (failed) { return {}; }  // who follows it says so
  for (const auto& [identity, written] : written_) {
    const fs::path place(final_path(written.path));
    const auto [end, ignored] = std::mismatch(within.begin(), within.end(), place.begin(), place.end());
    if (end != within.end()) { continue; }
    return fail(ErrorKind::kUsage,
                fmt::format("{}: expected a place outside of '{}', whose files are read by {}, found '{}'; name "
                            "another folder",
                            written.role, folder, role, written.path));
  }
  return {};
}

}  // namespace keyvigil
