#include "engine/checkpoint.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>

#include "base/check.h"
#include "base/file_descriptor.h"
#include "base/hash.h"

namespace keyvigil {
namespace {

constexpr std::string_view kMagic = "KVSTATE\n";
constexpr std::size_t kChecksumBytes = 16;

template <typename T>
void append_value(std::string& out, T value) {
  const std::size_t at = out.size();
  out.resize(at + sizeof(T));
  std::memcpy(out.data() + at, &value, sizeof(T));
}

template <typename T>
bool take_value(std::string_view& bytes, T& value) {
  if (bytes.size() < sizeof(T)) { return false; }
  std::memcpy(&value, bytes.data(), sizeof(T));
  bytes.remove_prefix(sizeof(T));
  return true;
}

bool take_text(std::string_view& bytes, std::uint64_t size, std::string& text) {
  if (bytes.size() < size) { return false; }
  text.assign(bytes.substr(0, size));
  bytes.remove_prefix(size);
  return true;
}

std::string checksum(std::string_view bytes) {
  const Hash128 hash = hash128(bytes);
  std::string out;
  append_value(out, hash.low);
  append_value(out, hash.high);
  return out;
}

bool take_sections(std::string_view bytes, Checkpoint& checkpoint) {
  std::uint32_t count = 0;
  if (!take_value(bytes, count) || count > Checkpoint::kMostSections) { return false; }
  for (std::uint32_t i = 0; i < count; ++i) {
    std::uint32_t name_size = 0;
    std::uint64_t size = 0;
    std::string name;
    std::string section;
    if (!take_value(bytes, name_size) || !take_text(bytes, name_size, name) || !take_value(bytes, size) ||
        !take_text(bytes, size, section) || !checkpoint.sections.emplace(std::move(name), std::move(section)).second) {
      return false;
    }
  }
  return bytes.empty();
}

tl::unexpected<Error> system_error(std::string_view action, const std::string& path) {
  return fail(ErrorKind::kInputOutput,
              fmt::format("{} the state file {} failed: {}", action, path, std::strerror(errno)));
}

bool write_all(const FileDescriptor& file, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(file.get(), bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) { continue; }
    if (written < 0) { return false; }
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  return true;
}

}  // namespace

std::string encode_checkpoint(const Checkpoint& checkpoint) {
  CHECK(checkpoint.sections.size() <= Checkpoint::kMostSections);
  std::string out(kMagic);
  append_value(out, std::uint32_t{Checkpoint::kVersions.newest});
  append_value(out, static_cast<std::uint32_t>(checkpoint.sections.size()));
  for (const auto& [name, section] : checkpoint.sections) {
    append_value(out, static_cast<std::uint32_t>(name.size()));
    out.append(name);
    append_value(out, std::uint64_t{section.size()});
    out.append(section);
  }
  return out.append(checksum(out));
}

Result<Checkpoint> decode_checkpoint(std::string_view bytes, std::string_view place) {
  const auto refuse = [&](std::string_view found,
                          std::string_view way_out = "use an older copy, or delete the file to start without state") {
    return fail(ErrorKind::kInput, fmt::format("{}: expected a KeyVigil state file of {}, found {}; {}", place,
                                               version_words(Checkpoint::kVersions), found, way_out));
  };
  std::uint32_t version = 0;
  if (bytes.empty()) { return refuse("an empty file"); }
  if (bytes.substr(0, kMagic.size()) != kMagic.substr(0, bytes.size())) {
    return refuse("a file of another kind", "name another file; nothing was changed");
  }
  if (bytes.size() < kMagic.size()) { return refuse("a file that was cut short"); }
  std::string_view body = bytes.substr(kMagic.size());
  if (!take_value(body, version)) { return refuse("a file that was cut short"); }
  if (version > Checkpoint::kVersions.newest) {
    return refuse(fmt::format("version {}: {}", version, kWrittenByANewer), "nothing was changed");
  }
  if (!is_read(Checkpoint::kVersions, version)) { return refuse(fmt::format("version {}", version)); }
  if (body.size() < kChecksumBytes) { return refuse("a file that was cut short"); }
  const std::size_t checked = bytes.size() - kChecksumBytes;
  body.remove_suffix(kChecksumBytes);
  Checkpoint checkpoint;
  if (bytes.substr(checked) != checksum(bytes.substr(0, checked)) || !take_sections(body, checkpoint)) {
    return refuse(fmt::format("{} bytes whose checksum is wrong: cut short or damaged", bytes.size()));
  }
  return checkpoint;
}

Result<void> write_checkpoint(const std::string& path, const Checkpoint& checkpoint) {
  const std::string bytes = encode_checkpoint(checkpoint);
  std::string temporary = path + ".XXXXXX";
  {
    const FileDescriptor file(::mkostemp(temporary.data(), O_CLOEXEC));
    if (!file.valid()) { return system_error("creating a new copy of", path); }
    if (!write_all(file, bytes) || ::fsync(file.get()) != 0) {
      auto failed = system_error("writing", path);
      ::unlink(temporary.c_str());
      return failed;
    }
  }
  if (::rename(temporary.c_str(), path.c_str()) != 0) {
    auto failed = system_error("replacing", path);
    ::unlink(temporary.c_str());
    return failed;
  }
  const std::size_t slash = path.rfind('/');
  const std::string folder = slash == std::string::npos ? "." : path.substr(0, std::max<std::size_t>(slash, 1));
  const FileDescriptor directory(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!directory.valid() || ::fsync(directory.get()) != 0) { return system_error("making durable", path); }
  return {};
}

Result<Checkpoint> read_checkpoint(const std::string& path) {
  const FileDescriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  struct stat status {};
  if (!file.valid() || ::fstat(file.get(), &status) != 0) { return system_error("opening", path); }
  std::string bytes;
  bytes.resize(static_cast<std::size_t>(status.st_size));
  std::size_t had = 0;
  while (had < bytes.size()) {
    const ssize_t got = ::read(file.get(), bytes.data() + had, bytes.size() - had);
    if (got < 0 && errno == EINTR) { continue; }
    if (got < 0) { return system_error("reading", path); }
    if (got == 0) { break; }
    had += static_cast<std::size_t>(got);
  }
  bytes.resize(had);
  return decode_checkpoint(bytes, path);
}

}  // namespace keyvigil
