// Rows of the two Log Analytics tables, made from a raw record as Azure's pipeline does.
//
// Columns and types: table references of AzureDiagnostics and AZKVAuditLogs. AzureDiagnostics flattens everything and
// adds the type as a suffix (_s, _d, _b, _g, _t); AZKVAuditLogs keeps nested values in dynamic columns. A row has no
// members for nulls. Only the columns listed here appear in the forms with a fixed header; what has no column of its
// own stands in AdditionalFields, or in Properties.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

namespace keyvigil::workload {

struct Column {
  std::string_view name;
  std::string_view type;  // as the REST answer names it: string, datetime, real, long, int, bool, guid, dynamic
};

[[nodiscard]] const std::vector<Column>& diagnostics_columns();
[[nodiscard]] const std::vector<Column>& audit_columns();

// `record` is a raw vault record.
[[nodiscard]] nlohmann::ordered_json diagnostics_row(const nlohmann::ordered_json& record);
[[nodiscard]] nlohmann::ordered_json audit_row(const nlohmann::ordered_json& record);

}  // namespace keyvigil::workload
