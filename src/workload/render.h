// Renders activities in every form in which a vault's audit log reaches its owner.
//
// Source of the shapes: Azure Monitor resource logs schema, Key Vault logging reference, table references of
// AzureDiagnostics and AZKVAuditLogs. The raw form is appended by hand, because it also makes the gigabytes of the
// bench world; every other form is made from the raw record, as Azure's own pipeline does. US-time CSV keeps whole
// milliseconds only: activities that must be equal in every form use whole milliseconds.
// Threads: free functions and values.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"
#include "workload/activity.h"

namespace keyvigil::workload {

enum class Form : std::uint8_t {
  kRaw,               // JSON lines, as in a blob
  kRecords,           // {"records":[...]}
  kArray,             // [...]
  kPretty,            // single objects over many lines, one after the other
  kDiagnostics,       // AzureDiagnostics rows as JSON lines
  kAudit,             // AZKVAuditLogs rows as JSON lines, dynamic columns as objects
  kAuditStrings,      // the same, dynamic columns as JSON text
  kQueryDiagnostics,  // az monitor log-analytics query: a JSON array in which every value is a string
  kQueryAudit,
  kRestDiagnostics,  // {"tables":[{"name","columns","rows"}]}
  kRestAudit,
  kCsvDiagnostics,  // portal export, ISO times
  kCsvAudit,
  kCsvDiagnosticsUs,  // portal export, times as 9/28/2026, 10:42:07.000 AM
  kCsvAuditUs,
  kHsm,            // raw records of a Managed HSM, JSON lines
  kCsvSemicolons,  // the portal's CSV, saved by a spreadsheet of another locale
  kTabs,           // copied from Data Explorer
  kSdk,            // {"tables":[...]}, columns as plain names
  kKusto,          // frames of a Kusto v2 answer
  kResults,        // {"Results":[...]}, as PowerShell writes it
  kMessages,       // raw records as JSON text in a collector's lines
};
inline constexpr std::size_t kFormCount = 22;

// "raw", "records", ..., "csv-audit-us": the words of --form, in the order of the enumeration.
[[nodiscard]] const std::array<std::string_view, kFormCount>& form_names();
[[nodiscard]] std::string_view to_string(Form form);
[[nodiscard]] std::optional<Form> find_form(std::string_view name);

// One raw record without line end, appended: the vault's shape, or the HSM's where activity.vault.managed_hsm.
void append_raw_record(std::string& out, const Activity& activity);

// A whole document piece by piece: begin, add..., end; each appends to `out`, which the caller may empty in between.
class Renderer {
 public:
  explicit Renderer(Form form) : form_(form) {}
  void begin(std::string& out);
  void add(std::string& out, const Activity& activity);
  void end(std::string& out);

 private:
  Form form_;
  bool first_ = true;
};

[[nodiscard]] std::string render(Form form, std::span<const Activity> activities);

// resourceId=/SUBSCRIPTIONS/.../VAULTS/V/y=2026/m=09/d=28/h=10/m=00/PT1H.json. `hour` counts since 1970, UTC.
[[nodiscard]] std::string blob_path(const Vault& vault, std::int64_t hour);

// One gzip member, one zstd frame. Several, one after the other, are again a valid file.
[[nodiscard]] Result<std::string> compress_gzip(std::string_view bytes);
[[nodiscard]] Result<std::string> compress_zstd(std::string_view bytes);

}  // namespace keyvigil::workload
