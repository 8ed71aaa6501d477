#include "source/find_inputs.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <filesystem>
#include <set>
#include <system_error>
#include <utility>

#include <glob.h>
#include <sys/stat.h>

#include <fmt/format.h>

namespace keyvigil {

namespace {

namespace fs = std::filesystem;

constexpr std::size_t kFolderDepthLimit = 256;

// "y=2026" to 2026 where the name is `name`.
std::optional<int> path_number(std::string_view segment, std::string_view name) {
  if (!segment.starts_with(name)) return std::nullopt;
  segment.remove_prefix(name.size());
  int number = 0;
  const auto [end, failure] = std::from_chars(segment.data(), segment.data() + segment.size(), number);
  if (failure != std::errc{} || end != segment.data() + segment.size()) return std::nullopt;
  return number;
}

std::vector<std::string_view> path_segments(std::string_view path) {
  std::vector<std::string_view> segments;
  while (!path.empty()) {
    const std::size_t slash = std::min(path.find('/'), path.size());
    if (slash > 0) segments.push_back(path.substr(0, slash));
    path.remove_prefix(std::min(slash + 1, path.size()));
  }
  return segments;
}

bool is_url(std::string_view text) {
  return text.starts_with("https://") || text.starts_with("http://") || text.starts_with("abfss://");
}

bool has_glob(std::string_view text) {
  return text.find_first_of("*?[") != std::string_view::npos;
}

// Paths that a pattern matches, by name.
std::vector<std::string> match_glob(const std::string& pattern) {
  glob_t found{};
  std::vector<std::string> paths;
  if (::glob(pattern.c_str(), GLOB_NOSORT, nullptr, &found) == 0) {
    paths.assign(found.gl_pathv, found.gl_pathv + found.gl_pathc);
  }
  ::globfree(&found);
  std::sort(paths.begin(), paths.end());
  return paths;
}

class Finder {
 public:
  explicit Finder(const FindOptions& options) : options_(options) {}

  Result<void> add_argument(const std::string& argument) {
    if (argument == "-") return add_stdin();
    if (is_url(argument)) {
      return fail(ErrorKind::kUsage,
                  fmt::format("{} is a URL: blob URLs are not supported yet in this version; download "
                              "the container (azcopy) and name the folder",
                              argument));
    }
    struct stat status {};
    if (::stat(argument.c_str(), &status) == 0) return add_path(argument, status, true, 0);
    if (!has_glob(argument)) {
      return fail(ErrorKind::kInputOutput,
                  fmt::format("expected a file, a folder, a glob or -, found nothing at {}; check the path", argument));
    }
    const std::vector<std::string> paths = match_glob(argument);
    if (paths.empty()) {
      return fail(ErrorKind::kUsage, fmt::format("the glob {} matches no file; check the pattern", argument));
    }
    for (const std::string& path : paths) {
      if (::stat(path.c_str(), &status) != 0) {
        ++list_.other_skipped;
      } else if (auto added = add_path(path, status, true, 0); !added) {
        return added;
      }
    }
    return {};
  }

  [[nodiscard]] InputList take() { return std::move(list_); }

 private:
  Result<void> add_stdin() {
    for (const InputFile& file : list_.files) {
      if (file.is_stdin) return fail(ErrorKind::kUsage, "- (stdin) is named twice; it can be read once");
    }
    return add_file(InputFile{"-", "stdin", 0, std::nullopt, true, true});
  }

  Result<void> add_path(const std::string& path, const struct stat& status, bool named, std::size_t depth) {
    if (S_ISDIR(status.st_mode)) return add_folder(path, status, depth);
    const bool is_pipe = S_ISFIFO(status.st_mode) || S_ISCHR(status.st_mode) || S_ISSOCK(status.st_mode);
    // A pipe that the user names is meant (bash's <(...)); one in a folder would hang the run.
    if (!S_ISREG(status.st_mode) && !(named && is_pipe)) {
      ++list_.other_skipped;
      if (options_.goes_on) note_failure(fmt::format("{} is no file but a pipe, a device or a socket", path));
      return {};
    }
    if (S_ISREG(status.st_mode)) {
      if (status.st_size == 0) {
        ++list_.empty_skipped;
        return {};
      }
      if (!seen_files_.emplace(status.st_dev, status.st_ino).second) {
        ++list_.repeated_skipped;
        return {};
      }
    }
    const std::uint64_t size = is_pipe ? 0 : static_cast<std::uint64_t>(status.st_size);
    return add_file(InputFile{path, path, size, blob_path_time(path), false, is_pipe, status.st_dev, status.st_ino});
  }

  Result<void> add_file(InputFile file) {
    if (list_.files.size() >= options_.limit_files) {
      return fail(ErrorKind::kLimit,
                  fmt::format("more than {} input files; name a part of them", options_.limit_files));
    }
    list_.files.push_back(std::move(file));
    return {};
  }

  Result<void> add_folder(const std::string& path, const struct stat& status, std::size_t depth) {
    if (depth > kFolderDepthLimit) {
      return fail(ErrorKind::kLimit, fmt::format("folders are nested deeper than {} at {}", kFolderDepthLimit, path));
    }
    // Also what makes loops of symbolic links end.
    if (!seen_folders_.emplace(status.st_dev, status.st_ino).second) {
      ++list_.repeated_skipped;
      return {};
    }
    Result<std::vector<std::string>> names = entries_of(path);
    if (!names) return tl::unexpected(names.error());
    for (const std::string& name : *names) {
      if (name.starts_with('.')) {
        ++list_.hidden_skipped;
        continue;
      }
      const std::string entry = path.ends_with('/') ? path + name : path + "/" + name;
      struct stat entry_status {};
      if (::stat(entry.c_str(), &entry_status) != 0) {
        ++list_.other_skipped;
        const bool is_gone = errno == ENOENT || errno == ELOOP;
        if (options_.goes_on && !is_gone) note_failure(fmt::format("{}: {}", entry, std::strerror(errno)));
      } else if (auto added = add_path(entry, entry_status, false, depth + 1); !added) {
        if (!options_.goes_on) return added;
        note_failure(added.error().message);
      }
    }
    return {};
  }

  void note_failure(std::string what) {
    if (list_.failed_skipped++ == 0) list_.failed_first = std::move(what);
  }

  Result<std::vector<std::string>> entries_of(const std::string& path) const {
    std::vector<std::string> names;
    std::error_code failure;
    fs::directory_iterator entry(path, failure);
    for (; !failure && entry != fs::directory_iterator(); entry.increment(failure)) {
      if (names.size() >= options_.limit_files) {
        return fail(ErrorKind::kLimit,
                    fmt::format("more than {} entries in {}; name a part of them", options_.limit_files, path));
      }
      names.push_back(entry->path().filename().string());
    }
    if (failure) {
      return fail(ErrorKind::kInputOutput, fmt::format("cannot read the folder {}: {}", path, failure.message()));
    }
    std::sort(names.begin(), names.end());
    return names;
  }

  FindOptions options_;
  InputList list_;
  std::set<std::pair<dev_t, ino_t>> seen_files_;
  std::set<std::pair<dev_t, ino_t>> seen_folders_;
};

}  // namespace

std::optional<EventTime> blob_path_time(std::string_view path) {
  constexpr std::array<std::string_view, 5> kNames{"y=", "m=", "d=", "h=", "m="};
  const std::vector<std::string_view> segments = path_segments(path);
  std::optional<EventTime> found;
  for (std::size_t first = 0; first + kNames.size() <= segments.size(); ++first) {
    std::array<int, kNames.size()> numbers{};
    bool fits = true;
    for (std::size_t i = 0; fits && i < kNames.size(); ++i) {
      const std::optional<int> number = path_number(segments[first + i], kNames[i]);
      fits = number.has_value();
      numbers[i] = number.value_or(0);
    }
    CivilTime civil;
    civil.year = numbers[0];
    civil.month = numbers[1];
    civil.day = numbers[2];
    civil.hour = numbers[3];
    const bool minute_fits = numbers[4] >= 0 && numbers[4] < 60;
    if (fits && minute_fits) found = from_civil(civil);
  }
  return found;
}

Result<InputList> find_inputs(const std::vector<std::string>& arguments, const FindOptions& options) {
  Finder finder(options);
  for (const std::string& argument : arguments) {
    if (auto added = finder.add_argument(argument); !added) return tl::unexpected(added.error());
  }
  return finder.take();
}

}  // namespace keyvigil
