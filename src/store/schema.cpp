#include "store/schema.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sqlite3.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <string_view>
#include <utility>

#include "base/check.h"
#include "store/page_checksums.h"
#include "store/write_ahead_log.h"

namespace keyvigil {
namespace {

// Numbers of enumerations are those of the headers. Times are ticks (EventTime).
constexpr const char* kFirstVersion = R"sql(
CREATE TABLE journal(
  sequence INTEGER PRIMARY KEY AUTOINCREMENT,
  kind INTEGER NOT NULL,
  input TEXT NOT NULL,
  item TEXT NOT NULL,
  offset INTEGER NOT NULL,
  received INTEGER NOT NULL,
  backfill INTEGER NOT NULL,
  packed INTEGER NOT NULL,        -- 1: body is pack(what was received)
  body BLOB NOT NULL
) STRICT;
CREATE TABLE input_position(
  input TEXT NOT NULL,
  item TEXT NOT NULL,
  offset INTEGER NOT NULL,
  mark TEXT NOT NULL,
  PRIMARY KEY(input, item)
) STRICT, WITHOUT ROWID;

CREATE TABLE checkpoint(          -- one row, or none yet
  only INTEGER PRIMARY KEY CHECK(only = 1),
  number INTEGER NOT NULL,
  consumed_to INTEGER NOT NULL
) STRICT;
CREATE TABLE section(
  name TEXT PRIMARY KEY,
  chunks BLOB NOT NULL            -- per chunk: number (8 bytes), size (8 bytes), SHA-256 (32 bytes)
) STRICT;
CREATE TABLE chunk(
  number INTEGER PRIMARY KEY,
  bytes BLOB NOT NULL             -- packed
) STRICT;

CREATE TABLE alert(
  number INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,
  revision INTEGER NOT NULL,      -- the newest
  type INTEGER NOT NULL,
  severity INTEGER NOT NULL,
  status INTEGER NOT NULL,
  generated INTEGER NOT NULL,
  subscription TEXT NOT NULL,
  resource_group TEXT NOT NULL,
  caller TEXT NOT NULL,
  vault TEXT NOT NULL,
  open INTEGER NOT NULL,
  simulated INTEGER NOT NULL,
  backfilled INTEGER NOT NULL,
  processed INTEGER NOT NULL,
  dismissed_by_rule TEXT NOT NULL
) STRICT;
CREATE INDEX alert_by_time ON alert(generated, id);
CREATE INDEX alert_by_subscription ON alert(subscription, generated, id);
CREATE INDEX alert_by_resource_group ON alert(subscription, resource_group, generated, id);
CREATE INDEX alert_by_caller ON alert(caller, generated, id);
CREATE INDEX alert_by_vault ON alert(vault, generated, id);
CREATE INDEX alert_by_type ON alert(type, generated, id);
CREATE INDEX alert_by_severity ON alert(severity, generated, id);
CREATE INDEX alert_by_status ON alert(status, generated, id);
CREATE INDEX alert_by_processed ON alert(processed);
CREATE TABLE alert_revision(
  alert INTEGER NOT NULL,
  revision INTEGER NOT NULL,
  format INTEGER NOT NULL,        -- of the snapshot's bytes
  snapshot BLOB NOT NULL,         -- packed
  PRIMARY KEY(alert, revision)
) STRICT;
CREATE TABLE alert_change(
  number INTEGER PRIMARY KEY AUTOINCREMENT,  -- a cursor for whoever follows
  alert INTEGER NOT NULL,
  at INTEGER NOT NULL,
  who TEXT NOT NULL,
  revision INTEGER NOT NULL,
  status INTEGER NOT NULL,
  note TEXT NOT NULL
) STRICT;
CREATE INDEX alert_change_by_alert ON alert_change(alert, number);
CREATE VIRTUAL TABLE alert_text USING fts5(words, tokenize = 'unicode61');

CREATE TABLE suppression_rule(
  subscription TEXT NOT NULL,
  name TEXT NOT NULL,             -- lower case
  format INTEGER NOT NULL,
  snapshot BLOB NOT NULL,
  PRIMARY KEY(subscription, name)
) STRICT;

CREATE TABLE outbox(
  number INTEGER PRIMARY KEY AUTOINCREMENT,
  output TEXT NOT NULL,
  alert INTEGER NOT NULL,
  revision INTEGER NOT NULL,
  due INTEGER NOT NULL,           -- 0: at once
  attempts INTEGER NOT NULL,
  why TEXT NOT NULL               -- of the last failure
) STRICT;
CREATE INDEX outbox_by_due ON outbox(output, due, number);
CREATE INDEX outbox_by_alert ON outbox(alert, output, number);
CREATE TABLE dead_letter(
  number INTEGER PRIMARY KEY,
  output TEXT NOT NULL,
  alert INTEGER NOT NULL,
  revision INTEGER NOT NULL,
  at INTEGER NOT NULL,
  attempts INTEGER NOT NULL,
  why TEXT NOT NULL
) STRICT;
CREATE INDEX dead_letter_by_alert ON dead_letter(alert);

CREATE TABLE audit_line(
  number INTEGER PRIMARY KEY,
  at INTEGER NOT NULL,
  done INTEGER NOT NULL,          -- 0: refused
  who TEXT NOT NULL,
  address TEXT NOT NULL,
  action TEXT NOT NULL,
  target TEXT NOT NULL,
  outcome TEXT NOT NULL
) STRICT;
CREATE INDEX audit_line_by_done ON audit_line(done, at);
)sql";

// Nothing but the number: checkpoints of state version 8 lie in it, which an older program must not read.
constexpr const char* kStateOfVersionEight = "-- state version 8";

constexpr std::array kSteps = {kFirstVersion, kStateOfVersionEight};

constexpr std::size_t kHeadBytes = 100;  // SQLite's file format, section 1.3
constexpr std::string_view kMagic("SQLite format 3\0", 16);

std::uint32_t big_endian(std::string_view bytes, std::size_t at, std::size_t size) {
  std::uint32_t value = 0;
  for (std::size_t i = 0; i < size; ++i) { value = (value << 8U) | static_cast<unsigned char>(bytes[at + i]); }
  return value;
}

tl::unexpected<Error> system_error(std::string_view expected, const std::string& path) {
  return fail(ErrorKind::kInputOutput,
              fmt::format("expected to {} '{}', found: {}", expected, path, std::strerror(errno)));
}

std::string folder_of(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  return slash == std::string::npos ? "." : path.substr(0, std::max<std::size_t>(slash, 1));
}

// Root may write anything: what somebody took the permission from is left alone all the same.
Result<void> check_writable(const std::string& path, std::string_view what) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) { return system_error(fmt::format("find the {}", what), path); }
  if ((status.st_mode & 0222U) == 0 || ::access(path.c_str(), W_OK) != 0) {
    return fail(ErrorKind::kInputOutput,
                fmt::format("expected to write to the {} '{}', found it read-only; make it writable, or name another "
                            "place for the store",
                            what, path));
  }
  return {};
}

bool exists(const std::string& path) {
  return ::access(path.c_str(), F_OK) == 0;
}

Result<void> check_version(const std::string& path, std::int64_t version, const FileForm& form) {
  const FormatVersions known = versions_of(form, "schema");
  if (version <= known.newest) { return {}; }
  const std::string_view other_way_out =
      path.ends_with(kEventsSuffix) ? ", or move this file away: timelines come from it, and begin anew" : "";
  return fail(ErrorKind::kInputOutput,
              fmt::format("expected the store '{}' to have a schema of {}, found {}: {}{}; nothing was changed", path,
                          version_words(known), version, kWrittenByANewer, other_way_out));
}

Result<FileDescriptor> lock(const std::string& path) {
  const std::string name = path + ".lock";
  FileDescriptor file(::open(name.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  if (!file.valid()) { return system_error("make the lock file", name); }
  if (::flock(file.get(), LOCK_EX | LOCK_NB) != 0) {
    return fail(ErrorKind::kInputOutput,
                fmt::format("expected to be the only one that serves from the store '{}', found that another process "
                            "does; stop it first",
                            path));
  }
  return file;
}

Result<void> sync_folder(const std::string& path) {
  const FileDescriptor folder(::open(folder_of(path).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!folder.valid() || ::fsync(folder.get()) != 0) { return system_error("make durable", path); }
  return {};
}

Result<void> fill_new_file(const std::string& path, const FileForm& form) {
  auto database = Database::open(path, DatabaseMode::kCreate);
  if (!database) { return tl::unexpected(database.error()); }
  int reserved = kPageChecksumBytes;
  CHECK(sqlite3_file_control(database->handle(), "main", SQLITE_FCNTL_RESERVE_BYTES, &reserved) == SQLITE_OK);
  auto filled =
      database->script(fmt::format("PRAGMA page_size={}; PRAGMA auto_vacuum=INCREMENTAL; PRAGMA application_id={};",
                                   kPageBytes, form.application_id)
                           .c_str());
  if (filled) { filled = migrate(*database, form.steps); }
  // Last: until here everything is in the file itself, which is what gets its name below.
  return filled ? database->script("PRAGMA journal_mode=WAL") : filled;
}

// What lies beside a store that was there is not the beginning of an empty one.
Result<void> check_none_was_there(const std::string& path) {
  struct Left {
    std::string_view suffix, what, name;
  };
  for (const Left& left : {Left{"-wal", "write-ahead log", "log"}, Left{kEventsSuffix, "events", "events"}}) {
    if (const std::string file = fmt::format("{}{}", path, left.suffix); exists(file)) {
      return fail(ErrorKind::kInputOutput,
                  fmt::format("expected the store '{}' beside its {} '{}', found the {} alone; put the store or a "
                              "backup back, or move the {} away to start with an empty store",
                              path, left.what, file, left.name, left.name));
    }
  }
  return {};
}

// Whole or not there: a new name is given to a finished file.
Result<void> create(const std::string& path, const FileForm& form) {
  if (auto checked = check_none_was_there(path); !checked) { return checked; }
  const std::string unfinished = path + ".new";
  for (const char* end : {"", "-wal", "-shm", "-journal"}) { (void)::unlink((unfinished + end).c_str()); }
  if (auto filled = fill_new_file(unfinished, form); !filled) {
    (void)::unlink(unfinished.c_str());
    return filled;
  }
  if (::chmod(unfinished.c_str(), 0600) != 0) { return system_error("keep others from reading", unfinished); }
  if (::rename(unfinished.c_str(), path.c_str()) != 0) { return system_error("make", path); }
  return sync_folder(path);
}

Result<void> check_pages(Database& database, const WriteAheadLog& log) {
  // Pages that a crash left half written are in the log as a whole: it goes first, or, on a full disk, stays.
  auto emptied = database.run("PRAGMA wal_checkpoint(TRUNCATE)");
  if (!emptied && emptied.error().kind != ErrorKind::kNoRoom) { return emptied; }
  const auto damaged = first_damaged_page(database.handle(), emptied ? std::set<std::uint32_t>() : log.pages);
  if (!damaged) { return tl::unexpected(damaged.error()); }
  if (*damaged != 0) {
    return tl::unexpected(damaged_store(
        database.path(), fmt::format("that page {} (of {} bytes each) is damaged or was written by another program",
                                     *damaged, kPageBytes)));
  }
  std::string found;
  auto checked = database.each("PRAGMA quick_check(1)", {}, [&](const SqlRow& row) {
    found = row.text(0);
    return Result<void>{};
  });
  if (!checked) { return checked; }
  if (found != "ok") { return tl::unexpected(damaged_store(database.path(), found)); }
  return {};
}

Result<void> check_place(const std::string& path, const FileForm& form) {
  if (auto writable = check_writable(folder_of(path), "folder"); !writable || !exists(path)) { return writable; }
  if (auto writable = check_writable(path, "store"); !writable) { return writable; }
  return check_head(path, form);
}

}  // namespace

FileForm store_form() {
  return {0x4B565631, kSteps, true};
}  // "KVV1"

FormatVersions versions_of(const FileForm& form, std::string_view name) {
  return {name, 1, static_cast<std::int64_t>(form.steps.size())};
}

Result<void> check_head(const std::string& path, const FileForm& form) {
  const FileDescriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file.valid()) { return system_error("open the store", path); }
  std::array<char, kHeadBytes> head{};
  const ssize_t got = ::pread(file.get(), head.data(), head.size(), 0);
  if (got < 0) { return system_error("read the store", path); }
  const std::string_view bytes(head.data(), static_cast<std::size_t>(got));
  if (bytes.size() < kHeadBytes || !bytes.starts_with(kMagic)) {
    return tl::unexpected(damaged_store(path, bytes.empty() ? "an empty file" : "a file of another kind"));
  }
  if (big_endian(bytes, 68, 4) != form.application_id) {
    return fail(ErrorKind::kInputOutput, fmt::format("expected a KeyVigil store, found that '{}' is another program's "
                                                     "SQLite file; name another place for the store",
                                                     path));
  }
  if (auto known = check_version(path, big_endian(bytes, 60, 4), form); !known) { return known; }
  if (big_endian(bytes, 16, 2) != kPageBytes || big_endian(bytes, 20, 1) != kPageChecksumBytes) {
    return tl::unexpected(damaged_store(path, "a store without page checksums"));
  }
  return {};
}

Result<void> migrate(Database& database, std::span<const char* const> steps) {
  const auto version = database.number("PRAGMA user_version");
  if (!version) { return tl::unexpected(version.error()); }
  CHECK(*version >= 0 && *version <= static_cast<std::int64_t>(steps.size()));
  for (auto step = static_cast<std::size_t>(*version); step < steps.size(); ++step) {
    auto transaction = Transaction::begin(database);
    if (!transaction) { return tl::unexpected(transaction.error()); }
    if (auto done = database.script(steps[step]); !done) { return done; }
    if (auto done = database.script(fmt::format("PRAGMA user_version={}", step + 1).c_str()); !done) { return done; }
    if (auto done = transaction->commit(); !done) { return done; }
  }
  return {};
}

Result<Database> open_file(const std::string& path, const FileForm& form) {
  auto checked = check_place(path, form);
  if (checked && !exists(path)) { checked = create(path, form); }
  if (!checked) { return tl::unexpected(checked.error()); }
  // Before anybody opens it: the first one takes the log up, and forgets what it does not understand.
  const auto log = form.check_all ? check_write_ahead_log(path) : WriteAheadLog();
  if (!log) { return tl::unexpected(log.error()); }
  auto writer = Database::open(path, DatabaseMode::kReadWrite);
  if (!writer) { return writer; }
  // The log may hold a newer head than the file.
  const auto version = writer->number("PRAGMA user_version");
  if (!version) { return tl::unexpected(version.error()); }
  checked = check_version(path, *version, form);
  if (checked && form.check_all) { checked = check_pages(*writer, *log); }
  if (checked) { checked = migrate(*writer, form.steps); }
  if (!checked) { return tl::unexpected(checked.error()); }
  return writer;
}

Result<OpenedStore> open_store_file(const std::string& path) {
  // Before the lock leaves a file beside what is refused.
  if (auto checked = check_place(path, store_form()); !checked) { return tl::unexpected(checked.error()); }
  auto held = lock(path);
  if (!held) { return tl::unexpected(held.error()); }
  auto writer = open_file(path, store_form());
  if (!writer) { return tl::unexpected(writer.error()); }
  return OpenedStore{*std::move(held), *std::move(writer)};
}

}  // namespace keyvigil
