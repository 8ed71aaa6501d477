#include "source/json_tables.h"

#include <array>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/bounded_json.h"

namespace keyvigil {

namespace {

using Json = nlohmann::json;

// "TimeGenerated", {"name":"TimeGenerated","type":"datetime"} or {"ColumnName":"TimeGenerated",...}.
const Json* name_of(const Json& column) {
  constexpr std::array kNames{"name", "Name", "ColumnName", "columnName"};
  if (column.is_string()) return &column;
  if (!column.is_object()) return nullptr;
  for (const char* const name : kNames) {
    const auto found = column.find(name);
    if (found != column.end() && found->is_string()) return &*found;
  }
  return nullptr;
}

std::optional<std::vector<std::string>> column_names(std::string_view text) {
  const Json columns = parse_bounded_json(text);
  if (!columns.is_array()) return std::nullopt;
  std::vector<std::string> names;
  for (const Json& column : columns) {
    const Json* const name = name_of(column);
    if (name == nullptr) return std::nullopt;
    names.push_back(name->get<std::string>());
  }
  return names;
}

}  // namespace

void JsonTables::take_columns(FrameWindow& window, const FrameSpan& columns) {
  state_ = State::kGivenUp;
  const std::optional<std::vector<std::string>> names = column_names(window.text(columns.begin, columns.end));
  if (!names) {
    window.refuse(RefusalCause::kBadTable, columns,
                  fmt::format("expected \"columns\" to be an array of names or of {{\"name\":...}} objects, found "
                              "something else at line {}; the rows are skipped",
                              columns.line));
    return;
  }
  TableColumns resolved = TableColumns::resolve(*names);
  if (!resolved.is_audit_table()) {
    if (!other_table_) {
      other_table_ = window.refusal(
          RefusalCause::kUnknownForm, columns,
          fmt::format("the table at line {} is no AzureDiagnostics or AZKVAuditLogs table: it has no time and "
                      "operation columns; its rows are skipped",
                      columns.line));
    }
    return;
  }
  form_ = FrameForm{RecordForm::kRowJson, ++tables_, std::move(resolved)};
  state_ = State::kResolved;
  found_audit_table_ = true;
}

bool JsonTables::begin_rows(FrameWindow& window, const FrameSpan& place) {
  if (state_ == State::kNoColumns) {
    window.refuse(RefusalCause::kBadTable, place,
                  fmt::format("the table's \"rows\" at line {} stand before its \"columns\"; expected the columns "
                              "first, as the Log Analytics API writes them; the rows are skipped",
                              place.line));
  }
  return state_ == State::kResolved;
}

void JsonTables::end_answer(FrameWindow& window) {
  if (other_table_ && !found_audit_table_) window.refuse(*std::move(other_table_));
  other_table_.reset();
  found_audit_table_ = false;
}

}  // namespace keyvigil
