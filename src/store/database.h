// Database: one connection to an SQLite file, with errors as values and statements kept prepared.
//
// Threads: one at a time. Values that are bound live until the call returns.
#pragma once

#include <cstdint>
#include <functional>
#include <initializer_list>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/format_versions.h"
#include "base/result.h"

struct sqlite3;
struct sqlite3_stmt;

namespace keyvigil {

// Of the file of kept events, beside the store's own.
inline constexpr std::string_view kEventsSuffix = ".events";

struct SqlValue {
  enum class Kind : std::uint8_t { kNull, kNumber, kText, kBlob };
  Kind kind = Kind::kNull;
  std::int64_t number = 0;
  std::string_view bytes;
};

[[nodiscard]] inline SqlValue sql_null() {
  return {};
}
template <typename T>
requires std::is_integral_v<T> || std::is_enum_v<T>
[[nodiscard]] SqlValue sql_number(T value) {
  return {SqlValue::Kind::kNumber, static_cast<std::int64_t>(value), {}};
}
[[nodiscard]] inline SqlValue sql_text(std::string_view text) {
  return {SqlValue::Kind::kText, 0, text};
}
[[nodiscard]] inline SqlValue sql_blob(std::string_view bytes) {
  return {SqlValue::Kind::kBlob, 0, bytes};
}

// The row that a statement stands on. Views live until the next row.
class SqlRow {
 public:
  explicit SqlRow(sqlite3_stmt* statement) : statement_(statement) {}
  [[nodiscard]] std::int64_t number(int column) const;
  [[nodiscard]] std::uint64_t count(int column) const { return static_cast<std::uint64_t>(number(column)); }
  [[nodiscard]] std::string_view bytes(int column) const;  // text or blob
  [[nodiscard]] std::string text(int column) const { return std::string(bytes(column)); }
  [[nodiscard]] bool is_null(int column) const;

 private:
  sqlite3_stmt* statement_;
};

enum class DatabaseMode : std::uint8_t {
  kCreate,         // read and write; made where it is not there
  kReadWrite,      // must be there
  kReadOnly,       // must be there
  kReadUnchecked,  // the same without looking at page checksums: to save what can be saved
};

class Database {
 public:
  [[nodiscard]] static Result<Database> open(const std::string& path, DatabaseMode mode);

  using OnRow = std::function<Result<void>(const SqlRow&)>;
  [[nodiscard]] Result<void> run(std::string_view sql, std::span<const SqlValue> values = {});
  [[nodiscard]] Result<void> run(std::string_view sql, std::initializer_list<SqlValue> values) {
    return run(sql, std::span(values.begin(), values.size()));
  }
  [[nodiscard]] Result<void> each(std::string_view sql, std::span<const SqlValue> values, const OnRow& on_row);
  [[nodiscard]] Result<void> each(std::string_view sql, std::initializer_list<SqlValue> values, const OnRow& on_row) {
    return each(sql, std::span(values.begin(), values.size()), on_row);
  }
  // The first column of the only row; 0 where there is none.
  [[nodiscard]] Result<std::int64_t> number(std::string_view sql, std::initializer_list<SqlValue> values = {});
  // The different values of a column of text that a key or an index begins with, in order, from one to the next: of
  // millions of rows with few values only as many are looked at. REQUIRES: names of the schema.
  [[nodiscard]] Result<std::vector<std::string>> different(std::string_view table, std::string_view column);
  // Many statements in a row, without values.
  [[nodiscard]] Result<void> script(const char* sql);

  [[nodiscard]] std::int64_t last_row() const;
  [[nodiscard]] std::int64_t changes() const;  // rows changed by the last statement
  [[nodiscard]] bool in_transaction() const;
  [[nodiscard]] sqlite3* handle() const { return connection_.get(); }
  [[nodiscard]] const std::string& path() const { return path_; }
  // What an SQLite result code means for a person.
  [[nodiscard]] Error error_of(int code) const;

 private:
  struct Close {
    void operator()(sqlite3* connection) const;
  };
  struct Finalize {
    void operator()(sqlite3_stmt* statement) const;
  };
  using Prepared = std::unique_ptr<sqlite3_stmt, Finalize>;

  Database(std::string path, sqlite3* connection) : path_(std::move(path)), connection_(connection) {}
  [[nodiscard]] Result<sqlite3_stmt*> prepare(std::string_view sql);
  [[nodiscard]] int bind(sqlite3_stmt* statement, std::span<const SqlValue> values) const;

  std::string path_;
  std::unique_ptr<sqlite3, Close> connection_;
  std::unordered_map<std::string, Prepared> prepared_;  // destroyed before the connection
};

// Begun at once (BEGIN IMMEDIATE); undone unless commit() succeeded.
class Transaction {
 public:
  [[nodiscard]] static Result<Transaction> begin(Database& database);
  Transaction(Transaction&& other) noexcept : database_(std::exchange(other.database_, nullptr)) {}
  Transaction& operator=(Transaction&&) = delete;
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;
  ~Transaction();
  [[nodiscard]] Result<void> commit();

 private:
  explicit Transaction(Database& database) : database_(&database) {}
  Database* database_;
};

// The sentence about a file that is not as it was written; `what` was found.
[[nodiscard]] Error damaged_store(const std::string& path, std::string_view what);
// The sentence about rows whose format is of no version that is read.
[[nodiscard]] Error unread_format(const std::string& path, const FormatVersions& known, std::int64_t found);

}  // namespace keyvigil
