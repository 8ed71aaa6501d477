#include "store/backup.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sqlite3.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "base/file_descriptor.h"
#include "store/database.h"
#include "store/page_checksums.h"
#include "store/schema.h"

namespace keyvigil {
namespace {

tl::unexpected<Error> system_error(std::string_view expected, const std::string& path) {
  return fail(ErrorKind::kInputOutput,
              fmt::format("expected to {} '{}', found: {}", expected, path, std::strerror(errno)));
}

// As SQLite reads file names with parameters.
std::string uri_of(const std::string& path) {
  std::string uri = "file:";
  for (const char c : path) {
    if (c == '%' || c == '?' || c == '#') {
      uri += fmt::format("%{:02x}", static_cast<unsigned char>(c));
    } else {
      uri += c;
    }
  }
  return uri + "?vfs=" + checked_vfs();
}

Result<void> copy(const std::string& from, const std::string& to, const BackupOptions& options) {
  auto database = Database::open(from, options.damaged ? DatabaseMode::kReadUnchecked : DatabaseMode::kReadOnly);
  if (!database) { return tl::unexpected(database.error()); }
  // What another program salvaged may have pages of another size, and no room for checksums.
  const std::string page_size = fmt::format("PRAGMA page_size={}", kPageBytes);
  if (auto set = database->script(page_size.c_str()); !set) { return set; }
  int reserved = kPageChecksumBytes;
  sqlite3_file_control(database->handle(), "main", SQLITE_FCNTL_RESERVE_BYTES, &reserved);
  // Not page by page: what is there is written anew, and free pages, which may hold anything, stay behind.
  const std::string uri = uri_of(to);
  return database->run("VACUUM INTO ?", {sql_text(uri)});
}

Result<void> check(const std::string& path) {
  if (auto head = check_head(path, store_form()); !head) { return head; }
  auto database = Database::open(path, DatabaseMode::kReadOnly);
  if (!database) { return tl::unexpected(database.error()); }
  std::string found;
  auto checked = database->each("PRAGMA integrity_check(1)", {}, [&](const SqlRow& row) {
    found = row.text(0);
    return Result<void>{};
  });
  if (checked && found != "ok") { return tl::unexpected(damaged_store(path, found)); }
  return checked;
}

Result<void> make_durable(const std::string& unfinished, const std::string& to) {
  const FileDescriptor file(::open(unfinished.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file.valid() || ::fsync(file.get()) != 0) { return system_error("make durable", unfinished); }
  if (::rename(unfinished.c_str(), to.c_str()) != 0) { return system_error("make", to); }
  const std::size_t slash = to.rfind('/');
  const std::string folder = slash == std::string::npos ? "." : to.substr(0, slash + 1);
  const FileDescriptor directory(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!directory.valid() || ::fsync(directory.get()) != 0) { return system_error("make durable", to); }
  return {};
}

}  // namespace

std::string unfinished_backup(const std::string& to) {
  return to + ".unfinished";
}

std::vector<std::string> store_files(const std::string& path) {
  return {path, path + "-wal", path + "-shm"};
}

Result<void> back_up_store(const std::string& from, const std::string& to, const BackupOptions& options) {
  if (::access(from.c_str(), R_OK) != 0) { return system_error("read the store", from); }
  if (auto head = check_head(from, store_form()); !head && !options.damaged) { return head; }
  if (::access(to.c_str(), F_OK) == 0) {
    return fail(ErrorKind::kUsage,
                fmt::format("expected to make the new file '{}', found that there is one; name another", to));
  }
  const std::string unfinished = unfinished_backup(to);
  (void)::unlink(unfinished.c_str());
  // Nobody else is to read it, not even while it grows.
  { const FileDescriptor made(::open(unfinished.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600)); }
  auto done = copy(from, unfinished, options);
  if (done) { done = check(unfinished); }
  if (done) { done = make_durable(unfinished, to); }
  if (!done) { (void)::unlink(unfinished.c_str()); }
  return done;
}

}  // namespace keyvigil
