#include "store/database.h"

#include <fmt/format.h>
#include <sqlite3.h>

#include <cerrno>
#include <utility>

#include "base/check.h"
#include "store/page_checksums.h"

namespace keyvigil {
namespace {

constexpr std::size_t kMostPrepared = 200;
constexpr int kBusyMilliseconds = 10'000;

// What a connection needs before anything else. secure_delete=FAST: deleted values are overwritten where that costs no
// further writing.
constexpr const char* kConnectionSettings =
    "PRAGMA synchronous=FULL;"
    "PRAGMA secure_delete=FAST;"
    "PRAGMA cell_size_check=ON;"
    "PRAGMA trusted_schema=OFF;"
    "PRAGMA mmap_size=0;"
    "PRAGMA temp_store=MEMORY;"
    "PRAGMA cache_size=-16384;"
    "PRAGMA wal_autocheckpoint=2000;"
    "PRAGMA journal_size_limit=67108864;";

}  // namespace

Error damaged_store(const std::string& path, std::string_view what) {
  const std::string way_out =
      path.ends_with(kEventsSuffix)
          ? "Timelines come from this file, and nothing is decided by it: move it away, and they begin anew"
          : fmt::format(
                "Put the last backup in its place, or save what can be read with `keyvigil backup --damaged {} "
                "NEW-FILE` and start with the new file",
                path);
  return {ErrorKind::kInputOutput,
          fmt::format("expected the store '{}' as KeyVigil wrote it, found {}; nothing was changed. {}", path, what,
                      way_out)};
}

Error unread_format(const std::string& path, const FormatVersions& known, std::int64_t found) {
  if (found < known.oldest) { return damaged_store(path, fmt::format("{} of version {}", known.name, found)); }
  return {ErrorKind::kInputOutput,
          fmt::format("expected {} of {} in the store '{}', found version {}: {}; nothing was changed", known.name,
                      version_words(known), path, found, kWrittenByANewer)};
}

std::int64_t SqlRow::number(int column) const {
  return sqlite3_column_int64(statement_, column);
}

std::string_view SqlRow::bytes(int column) const {
  const void* data = sqlite3_column_blob(statement_, column);
  const int size = sqlite3_column_bytes(statement_, column);
  return data == nullptr ? std::string_view{}
                         : std::string_view(static_cast<const char*>(data), static_cast<std::size_t>(size));
}

bool SqlRow::is_null(int column) const {
  return sqlite3_column_type(statement_, column) == SQLITE_NULL;
}

void Database::Close::operator()(sqlite3* connection) const {
  sqlite3_close_v2(connection);
}
void Database::Finalize::operator()(sqlite3_stmt* statement) const {
  sqlite3_finalize(statement);
}

Error Database::error_of(int code) const {
  const int kind = code & 0xff;
  const std::string words = connection_ ? sqlite3_errmsg(connection_.get()) : sqlite3_errstr(code);
  const int system_code = connection_ ? sqlite3_system_errno(connection_.get()) : 0;
  const bool no_room = system_code == ENOSPC || system_code == EDQUOT || system_code == EFBIG;
  if (kind == SQLITE_FULL || (kind == SQLITE_IOERR && no_room)) {
    return {ErrorKind::kNoRoom,
            fmt::format("expected room for the store '{}', found the disk full; free some space, and it goes on by "
                        "itself",
                        path_)};
  }
  if (code == SQLITE_IOERR_DATA) {
    return damaged_store(path_, "that a page is damaged or was written by another program");
  }
  if (kind == SQLITE_CORRUPT || kind == SQLITE_NOTADB) {
    return damaged_store(path_, fmt::format("damage ({})", words));
  }
  if (kind == SQLITE_READONLY || kind == SQLITE_PERM || kind == SQLITE_CANTOPEN) {
    return {ErrorKind::kInputOutput,
            fmt::format("expected to open and write the store '{}', found: {}; the file and its folder must be "
                        "writable",
                        path_, words)};
  }
  return {ErrorKind::kInputOutput, fmt::format("expected to read or write the store '{}', found: {}", path_, words)};
}

Result<Database> Database::open(const std::string& path, DatabaseMode mode) {
  const int access = mode == DatabaseMode::kCreate      ? SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE
                     : mode == DatabaseMode::kReadWrite ? SQLITE_OPEN_READWRITE
                                                        : SQLITE_OPEN_READONLY;
  const char* vfs = mode == DatabaseMode::kReadUnchecked ? "unix" : checked_vfs();
  sqlite3* connection = nullptr;
  const int code =
      sqlite3_open_v2(path.c_str(), &connection, access | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE, vfs);
  Database database(path, connection);
  if (code != SQLITE_OK) { return tl::unexpected(database.error_of(code)); }
  sqlite3_busy_timeout(connection, kBusyMilliseconds);
  sqlite3_db_config(connection, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
  if (auto set = database.script(kConnectionSettings); !set) { return tl::unexpected(set.error()); }
  return database;
}

Result<sqlite3_stmt*> Database::prepare(std::string_view sql) {
  const std::string key(sql);
  const auto found = prepared_.find(key);
  if (found != prepared_.end()) { return found->second.get(); }
  if (prepared_.size() >= kMostPrepared) { prepared_.clear(); }
  sqlite3_stmt* statement = nullptr;
  const int code = sqlite3_prepare_v3(connection_.get(), key.c_str(), static_cast<int>(key.size()),
                                      SQLITE_PREPARE_PERSISTENT, &statement, nullptr);
  if (code != SQLITE_OK) { return tl::unexpected(error_of(code)); }
  CHECK(statement != nullptr);
  prepared_.emplace(key, Prepared(statement));
  return statement;
}

int Database::bind(sqlite3_stmt* statement, std::span<const SqlValue> values) const {
  int code = SQLITE_OK;
  for (int i = 0; i < static_cast<int>(values.size()) && code == SQLITE_OK; ++i) {
    const SqlValue& value = values[static_cast<std::size_t>(i)];
    const char* data = value.bytes.data() == nullptr ? "" : value.bytes.data();
    switch (value.kind) {
      case SqlValue::Kind::kNull:
        code = sqlite3_bind_null(statement, i + 1);
        break;
      case SqlValue::Kind::kNumber:
        code = sqlite3_bind_int64(statement, i + 1, value.number);
        break;
      case SqlValue::Kind::kText:
        code = sqlite3_bind_text64(statement, i + 1, data, value.bytes.size(), nullptr, SQLITE_UTF8);
        break;
      case SqlValue::Kind::kBlob:
        code = sqlite3_bind_blob64(statement, i + 1, data, value.bytes.size(), nullptr);
        break;
    }
  }
  return code;
}

Result<void> Database::each(std::string_view sql, std::span<const SqlValue> values, const OnRow& on_row) {
  auto statement = prepare(sql);
  if (!statement) { return tl::unexpected(statement.error()); }
  int code = bind(*statement, values);
  Result<void> result;
  if (code == SQLITE_OK) {
    while (result && (code = sqlite3_step(*statement)) == SQLITE_ROW) { result = on_row(SqlRow(*statement)); }
  }
  if (result && code != SQLITE_DONE) { result = tl::unexpected(error_of(code)); }
  sqlite3_reset(*statement);
  sqlite3_clear_bindings(*statement);
  return result;
}

Result<void> Database::run(std::string_view sql, std::span<const SqlValue> values) {
  return each(sql, values, [](const SqlRow&) { return Result<void>{}; });
}

Result<std::int64_t> Database::number(std::string_view sql, std::initializer_list<SqlValue> values) {
  std::int64_t found = 0;
  auto done = each(sql, values, [&](const SqlRow& row) {
    found = row.number(0);
    return Result<void>{};
  });
  if (!done) { return tl::unexpected(done.error()); }
  return found;
}

Result<std::vector<std::string>> Database::different(std::string_view table, std::string_view column) {
  std::vector<std::string> values;
  auto read = each(fmt::format("WITH RECURSIVE value(one) AS (SELECT min({1}) FROM {0} UNION ALL "
                               "SELECT (SELECT min({1}) FROM {0} WHERE {1} > value.one) FROM value "
                               "WHERE value.one IS NOT NULL) SELECT one FROM value WHERE one IS NOT NULL",
                               table, column),
                   {}, [&](const SqlRow& row) {
                     values.push_back(row.text(0));
                     return Result<void>{};
                   });
  if (!read) { return tl::unexpected(read.error()); }
  return values;
}

Result<void> Database::script(const char* sql) {
  const int code = sqlite3_exec(connection_.get(), sql, nullptr, nullptr, nullptr);
  if (code != SQLITE_OK) { return tl::unexpected(error_of(code)); }
  return {};
}

std::int64_t Database::last_row() const {
  return sqlite3_last_insert_rowid(connection_.get());
}
std::int64_t Database::changes() const {
  return sqlite3_changes64(connection_.get());
}
bool Database::in_transaction() const {
  return sqlite3_get_autocommit(connection_.get()) == 0;
}

Result<Transaction> Transaction::begin(Database& database) {
  if (auto begun = database.run("BEGIN IMMEDIATE"); !begun) { return tl::unexpected(begun.error()); }
  return Transaction(database);
}

Result<void> Transaction::commit() {
  auto done = database_->run("COMMIT");
  if (done) { database_ = nullptr; }
  return done;
}

Transaction::~Transaction() {
  // After some errors SQLite has already undone it.
  if (database_ != nullptr && database_->in_transaction()) { (void)database_->run("ROLLBACK"); }
}

}  // namespace keyvigil
