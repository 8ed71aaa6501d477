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

std::string mark_of(const struct stat& status) {
  return fmt::format("{}:{}", status.st_dev, status.st_ino);
}

Result<FollowedList> list_folder(const std::string& folder) {
  FindOptions options;
  options.goes_on = true;
  auto found = find_inputs({folder}, options);
  if (!found) { return tl::unexpected(found.error()); }
  FollowedList list;
  list.not_listed = found->failed_skipped;
  list.not_listed_first = std::move(found->failed_first);
  list.items.reserve(found->files.size());
  for (const InputFile& file : found->files) {
    struct stat status {};
    // One that has gone since is not there at the next look.
    if (file.is_pipe || ::stat(file.path.c_str(), &status) != 0) { continue; }
    list.items.push_back({.name = file.path,
                          .size_bytes = static_cast<std::uint64_t>(status.st_size),
                          .mark = mark_of(status),
                          .not_before = file.not_before});
  }
  return list;
}

FollowedBytes read_file(const FollowedItem& item, std::uint64_t from, std::size_t most) {
  const auto failed = [] {
    const bool is_gone = errno == ENOENT || errno == ENOTDIR;
    return tl::unexpected(ReadFailure{is_gone ? ReadFailure::Kind::kGone : ReadFailure::Kind::kItem,
                                      fmt::format("{}; check its owner and its mode", std::strerror(errno))});
  };
  // A pipe would wait for somebody who writes to it.
  const FileDescriptor file(::open(item.name.c_str(), O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
  if (!file.valid()) { return failed(); }
  struct stat status {};
  if (::fstat(file.get(), &status) != 0) { return failed(); }
  if (!S_ISREG(status.st_mode)) {
    return tl::unexpected(ReadFailure{ReadFailure::Kind::kItem, "expected a regular file, found something else"});
  }
  // Another one than was listed: the next list shows it.
  if (mark_of(status) != item.mark) { return tl::unexpected(ReadFailure{ReadFailure::Kind::kGone, "replaced"}); }
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
