// Records to events: knows Azure's spellings, alone.
//
// One Decoder per thread; it owns a JSON parser and scratch space. Input is hostile: every refusal says what was
// expected and what was found; nothing here throws, logs or aborts on input.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/locale_time.h"
#include "event/access_event.h"

namespace keyvigil {

// Readable bytes that must follow every record handed to the decoder (simdjson reads ahead).
inline constexpr std::size_t kRecordPadding = 64;

enum class RefusalCause : std::uint8_t {
  kNotJson,     // not a complete JSON value, or bad UTF-8
  kNotARecord,  // JSON, but no dialect of the audit log
  kNoTime,      // time absent or unreadable
  kNoOperation,
  kNoVault,         // no resource id that names a vault
  kTooLong,         // longer than the record limit
  kTooDeep,         // nested deeper than the limit
  kBadTable,        // CSV or REST table: row does not fit its columns
  kBadCompression,  // gzip or zstd stream damaged or cut
  kUnknownForm,     // the input as a whole is no form that we know
  kFuture,          // more than the allowed distance ahead of the clock (serve)
  kCount,
};
[[nodiscard]] std::string_view to_string(RefusalCause cause);

enum class SkipCause : std::uint8_t {
  kOtherCategory,  // e.g. AzurePolicyEvaluationDetails, metrics
  kOtherService,   // of another resource provider, such as Attestation, whose records lie in the same containers
  kEventGrid,      // Event Grid notification events: no caller, no address
  kEmpty,          // blank line, empty envelope
  kActivity,       // Activity Log: no change of who may use a vault, or one that failed
  kCount,
};
[[nodiscard]] std::string_view to_string(SkipCause cause);

enum class DecodeKind : std::uint8_t { kEvent, kSkipped, kRefused, kEnvelope };

struct Decoded {
  DecodeKind kind = DecodeKind::kRefused;
  RefusalCause refusal = RefusalCause::kNotJson;
  SkipCause skip = SkipCause::kEmpty;
  std::string message;              // of a refusal: expected, found, what to do. Empty otherwise.
  bool address_unreadable = false;  // of an event: it names an address that is none
};

// The columns of a table (CSV header, or the REST answer's "columns"), resolved once per table.
class TableColumns {
 public:
  // Column names as the table spells them, e.g. "TimeGenerated [UTC]", "httpStatusCode_d", "CallerIpAddress".
  static TableColumns resolve(const std::vector<std::string>& names);
  // True where the table is an AzureDiagnostics, AZKVAuditLogs or AzureActivity export, that is: has a time and an
  // operation.
  [[nodiscard]] bool is_audit_table() const { return is_audit_table_; }
  [[nodiscard]] std::size_t size() const { return targets_.size(); }
  [[nodiscard]] std::uint8_t target(std::size_t column) const { return targets_[column]; }
  // The column of the time, where there is one.
  [[nodiscard]] std::optional<std::size_t> time_column() const { return time_column_; }

  // How the rows are written, where they are CSV.
  void set_separator(char separator) { separator_ = separator; }
  [[nodiscard]] char separator() const { return separator_; }
  // Times are in a locale's order of day and month, which was settled over the whole column.
  void set_date_order(DateOrder order) { date_order_ = order; }
  [[nodiscard]] std::optional<DateOrder> date_order() const { return date_order_; }
  // A collector's table, in which one column holds records as JSON text. Its rows are not for the decoder.
  void set_text_column(std::size_t column) { text_column_ = column; }
  [[nodiscard]] std::optional<std::size_t> text_column() const { return text_column_; }

 private:
  std::vector<std::uint8_t> targets_;  // column -> internal field, 0xFF = not read
  std::optional<std::size_t> time_column_;
  std::optional<DateOrder> date_order_;
  std::optional<std::size_t> text_column_;
  char separator_ = ',';
  bool is_audit_table_ = false;
};

class Decoder {
 public:
  Decoder();
  ~Decoder();
  Decoder(Decoder&&) noexcept;
  Decoder& operator=(Decoder&&) noexcept;

  // One JSON record: raw, AzureDiagnostics or AZKVAuditLogs (objects, dynamic columns as strings, or all strings),
  // Managed HSM. kEnvelope: the value is a {"records":[...]}, an array or a REST table; the caller splits it.
  // REQUIRES: kRecordPadding readable bytes after the record's end. `event` is written only for kEvent,
  // its place is left alone.
  [[nodiscard]] Decoded decode_json(std::string_view record, AccessEvent& event);

  // One row of a REST table: a JSON array text whose elements stand in the order of `columns`. Same padding.
  [[nodiscard]] Decoded decode_row_json(std::string_view row, const TableColumns& columns, AccessEvent& event);

  // One row of a CSV export, as it stands in the file, quotes included, without the line end. No padding needed.
  [[nodiscard]] Decoded decode_row_csv(std::string_view row, const TableColumns& columns, AccessEvent& event);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace keyvigil
