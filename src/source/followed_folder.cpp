#include "source/followed_folder.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "base/file_descriptor.h"
#include "source/find_inputs.h"

namespace keyvigil {
namespace {

Result<std::vector<FollowedItem>> list_folder(const std::string& folder) {
  auto found = find_inputs({folder});
  if (!found) { return tl::unexpected(found.error()); }
  std::vector<FollowedItem> items;
  items.reserve(found->files.size());
  for (const InputFile& file : found->files) {
    struct stat status {};
    // One that has gone since is not there at the next look.
    if (file.is_pipe || ::stat(file.path.c_str(), &status) != 0) { continue; }
    items.push_back({.name = file.path,
                     .size_bytes = static_cast<std::uint64_t>(status.st_size),
                     .mark = fmt::format("{}:{}", status.st_dev, status.st_ino),
                     .not_before = file.not_before});
  }
  return items;
}

Result<std::string> read_file(const FollowedItem& item, std::uint64_t from, std::size_t most) {
  const auto failed = [&] {
    return fail(ErrorKind::kInputOutput, fmt::format("reading {}: {}", item.name, std::strerror(errno)));
  };
  const FileDescriptor file(::open(item.name.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file.valid()) { return failed(); }
  std::string bytes(most, '\0');
  std::size_t had = 0;
  while (had < most) {
    const ssize_t got = ::pread(file.get(), bytes.data() + had, most - had, static_cast<off_t>(from + had));
    if (got < 0 && errno == EINTR) { continue; }
    if (got < 0) { return failed(); }
    if (got == 0) { break; }
    had += static_cast<std::size_t>(got);
  }
  bytes.resize(had);
  return bytes;
}

}  // namespace

FollowAccess follow_folder(std::string folder) {
  return {.list = [folder = std::move(folder)] { return list_folder(folder); }, .read = read_file};
}

}  // namespace keyvigil
