#include "workload/render.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>
#include <zlib.h>
#include <zstd.h>

#include "base/bounded_json.h"
#include "workload/table_rows.h"

namespace keyvigil::workload {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::array<std::string_view, kFormCount> kFormNames = {
    "raw",        "records", "array",        "pretty",   "diagnostics",    "audit",
    "audit-text", "query",   "query-audit",  "rest",     "rest-audit",     "csv",
    "csv-audit",  "csv-us",  "csv-audit-us", "hsm",      "csv-semicolons", "tabs",
    "sdk",        "kusto",   "results",      "messages",
};

bool is_csv(Form form) {
  return form == Form::kCsvDiagnostics || form == Form::kCsvAudit || form == Form::kCsvDiagnosticsUs ||
         form == Form::kCsvAuditUs || form == Form::kCsvSemicolons || form == Form::kTabs;
}

char separator_of(Form form) {
  if (form == Form::kTabs) { return '\t'; }
  return form == Form::kCsvSemicolons ? ';' : ',';
}

// Tables whose rows are JSON arrays.
bool is_rest(Form form) {
  return form == Form::kRestDiagnostics || form == Form::kRestAudit || form == Form::kSdk || form == Form::kKusto;
}

bool is_audit_table(Form form) {
  return form == Form::kAudit || form == Form::kAuditStrings || form == Form::kQueryAudit || form == Form::kRestAudit ||
         form == Form::kCsvAudit || form == Form::kCsvAuditUs || form == Form::kSdk || form == Form::kResults;
}

bool has_us_times(Form form) {
  return form == Form::kCsvDiagnosticsUs || form == Form::kCsvAuditUs;
}

const std::vector<Column>& columns_of(Form form) {
  return is_audit_table(form) ? audit_columns() : diagnostics_columns();
}

Json parsed_record(const Activity& activity) {
  std::string raw;
  append_raw_record(raw, activity);
  return parse_bounded_json<Json>(raw);
}

Json table_row(Form form, const Activity& activity) {
  const Json record = parsed_record(activity);
  return is_audit_table(form) ? audit_row(record) : diagnostics_row(record);
}

// Client-chosen text may hold bytes that are not UTF-8; they are shown as U+FFFD rather than refused.
std::string dump(const Json& value, int indent = -1) {
  return value.dump(indent, ' ', false, Json::error_handler_t::replace);
}

bool is_nested(const Json& value) {
  return value.is_object() || value.is_array();
}

Json with_nested_as_text(Json row) {
  for (auto& [name, value] : row.items()) {
    if (is_nested(value)) { value = dump(value); }
  }
  return row;
}

const Json* find(const Json& row, std::string_view name) {
  const auto found = row.find(std::string(name));
  return found == row.end() ? nullptr : &*found;
}

// As the Azure CLI prints cells: Python's words for nothing, true and false.
std::string query_text(const Json* value) {
  if (value == nullptr || value->is_null()) { return "None"; }
  if (value->is_boolean()) { return value->get<bool>() ? "True" : "False"; }
  return value->is_string() ? value->get<std::string>() : dump(*value);
}

Json query_row(Form form, const Activity& activity) {
  const Json row = table_row(form, activity);
  Json out = Json::object();
  out["TableName"] = "PrimaryResult";
  for (const Column& column : columns_of(form)) { out[std::string(column.name)] = query_text(find(row, column.name)); }
  return out;
}

Json rest_row(Form form, const Activity& activity) {
  const Json row = table_row(form, activity);
  Json cells = Json::array();
  for (const Column& column : columns_of(form)) {
    const Json* value = find(row, column.name);
    if (value == nullptr) {
      cells.push_back(nullptr);
    } else {
      cells.push_back(is_nested(*value) ? Json(dump(*value)) : *value);
    }
  }
  return cells;
}

std::string rest_head(Form form) {
  Json columns = Json::array();
  for (const Column& column : columns_of(form)) {
    if (form == Form::kSdk) {
      columns.push_back(column.name);
    } else {
      const bool kusto = form == Form::kKusto;
      columns.push_back({{kusto ? "ColumnName" : "name", column.name}, {kusto ? "ColumnType" : "type", column.type}});
    }
  }
  if (form == Form::kKusto) {
    return R"([{"FrameType":"DataSetHeader","IsProgressive":false,"Version":"v2.0"},)"
           R"({"FrameType":"DataTable","TableId":1,"TableKind":"PrimaryResult","Columns":)" +
           dump(columns) + ",\"Rows\":[";
  }
  return "{\"tables\":[{\"name\":\"PrimaryResult\",\"columns\":" + dump(columns) + ",\"rows\":[";
}

std::string us_time(EventTime time) {
  const CivilTime civil = to_civil(time);
  const int hour = civil.hour % 12 == 0 ? 12 : civil.hour % 12;
  return fmt::format("{}/{}/{}, {}:{:02}:{:02}.{:03} {}", civil.month, civil.day, civil.year, hour, civil.minute,
                     civil.second, civil.tick / EventTime::kTicksPerMillisecond, civil.hour < 12 ? "AM" : "PM");
}

void append_csv_cell(std::string& out, std::string_view text, char separator) {
  if (text.find_first_of("\"\r\n") == std::string_view::npos && text.find(separator) == std::string_view::npos) {
    out += text;
    return;
  }
  out += '"';
  for (const char byte : text) {
    if (byte == '"') { out += '"'; }
    out += byte;
  }
  out += '"';
}

void append_csv_head(std::string& out, Form form) {
  out += "\xEF\xBB\xBF";
  std::string separator;
  for (const Column& column : columns_of(form)) {
    out += separator;
    out += column.name == "TimeGenerated" ? "TimeGenerated [UTC]" : column.name;
    separator = separator_of(form);
  }
  out += "\r\n";
}

std::string csv_text(Form form, const Activity& activity, std::string_view column, const Json& value) {
  if (column == "TimeGenerated" && has_us_times(form)) { return us_time(activity.time); }
  return value.is_string() ? value.get<std::string>() : dump(value);
}

void append_csv_row(std::string& out, Form form, const Activity& activity) {
  const Json row = table_row(form, activity);
  std::string separator;
  for (const Column& column : columns_of(form)) {
    out += separator;
    if (const Json* value = find(row, column.name)) {
      append_csv_cell(out, csv_text(form, activity, column.name, *value), separator_of(form));
    }
    separator = separator_of(form);
  }
  out += "\r\n";
}

void append_hsm_line(std::string& out, Activity activity) {
  activity.vault.managed_hsm = true;
  append_raw_record(out, activity);
}

bool stands_in_array(Form form) {
  return form == Form::kRecords || form == Form::kArray || form == Form::kQueryDiagnostics ||
         form == Form::kQueryAudit || form == Form::kResults || is_rest(form);
}

}  // namespace

const std::array<std::string_view, kFormCount>& form_names() {
  return kFormNames;
}

std::string_view to_string(Form form) {
  return kFormNames[static_cast<std::size_t>(form)];
}

std::optional<Form> find_form(std::string_view name) {
  const auto found = std::find(kFormNames.begin(), kFormNames.end(), name);
  if (found == kFormNames.end()) { return std::nullopt; }
  return static_cast<Form>(found - kFormNames.begin());
}

void Renderer::begin(std::string& out) {
  first_ = true;
  if (form_ == Form::kRecords) { out += "{\"records\":["; }
  if (form_ == Form::kArray || form_ == Form::kQueryDiagnostics || form_ == Form::kQueryAudit) { out += '['; }
  if (form_ == Form::kResults) { out += "{\"Results\":["; }
  if (is_rest(form_)) { out += rest_head(form_); }
  if (is_csv(form_)) { append_csv_head(out, form_); }
}

void Renderer::add(std::string& out, const Activity& activity) {
  if (stands_in_array(form_) && !first_) { out += ",\n"; }
  first_ = false;
  switch (form_) {
    case Form::kRaw:
    case Form::kRecords:
    case Form::kArray:
      append_raw_record(out, activity);
      break;
    case Form::kPretty:
      out += dump(parsed_record(activity), 4);
      break;
    case Form::kDiagnostics:
    case Form::kAudit:
    case Form::kResults:
      out += dump(table_row(form_, activity));
      break;
    case Form::kAuditStrings:
      out += dump(with_nested_as_text(table_row(form_, activity)));
      break;
    case Form::kQueryDiagnostics:
    case Form::kQueryAudit:
      out += dump(query_row(form_, activity));
      break;
    case Form::kRestDiagnostics:
    case Form::kRestAudit:
    case Form::kSdk:
    case Form::kKusto:
      out += dump(rest_row(form_, activity));
      break;
    case Form::kCsvDiagnostics:
    case Form::kCsvAudit:
    case Form::kCsvDiagnosticsUs:
    case Form::kCsvAuditUs:
    case Form::kCsvSemicolons:
    case Form::kTabs:
      append_csv_row(out, form_, activity);
      return;
    case Form::kHsm:
      append_hsm_line(out, activity);
      break;
    case Form::kMessages:
      out += dump(Json{{"@timestamp", to_iso_milliseconds(activity.time)}, {"message", dump(parsed_record(activity))}});
      break;
  }
  if (!stands_in_array(form_)) { out += '\n'; }
}

void Renderer::end(std::string& out) {
  if (form_ == Form::kRecords || form_ == Form::kResults) { out += "]}\n"; }
  if (form_ == Form::kArray || form_ == Form::kQueryDiagnostics || form_ == Form::kQueryAudit) { out += "]\n"; }
  if (form_ == Form::kKusto) {
    out += "]},{\"FrameType\":\"DataSetCompletion\",\"HasErrors\":false}]\n";
  } else if (is_rest(form_)) {
    out += "]}]}\n";
  }
}

std::string render(Form form, std::span<const Activity> activities) {
  std::string out;
  Renderer renderer(form);
  renderer.begin(out);
  for (const Activity& activity : activities) { renderer.add(out, activity); }
  renderer.end(out);
  return out;
}

Result<std::string> compress_gzip(std::string_view bytes) {
  constexpr int kGzipWindowBits = 15 + 16;  // zlib's way to ask for the gzip header
  constexpr int kMemoryLevel = 8;
  z_stream stream{};
  if (deflateInit2(&stream, Z_BEST_SPEED, Z_DEFLATED, kGzipWindowBits, kMemoryLevel, Z_DEFAULT_STRATEGY) != Z_OK) {
    return fail(ErrorKind::kInputOutput, "gzip: zlib could not be started; is there memory left?");
  }
  std::string out(deflateBound(&stream, bytes.size()), '\0');
  // zlib's interface is not const-correct; it only reads next_in.
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
  stream.avail_in = static_cast<uInt>(bytes.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  const bool complete = bytes.size() <= UINT32_MAX && deflate(&stream, Z_FINISH) == Z_STREAM_END;
  out.resize(stream.total_out);
  deflateEnd(&stream);
  if (!complete) { return fail(ErrorKind::kLimit, "gzip: one member holds at most 4 GiB; compress in pieces"); }
  return out;
}

Result<std::string> compress_zstd(std::string_view bytes) {
  constexpr int kLevel = 3;
  std::string out(ZSTD_compressBound(bytes.size()), '\0');
  const std::size_t size = ZSTD_compress(out.data(), out.size(), bytes.data(), bytes.size(), kLevel);
  if (ZSTD_isError(size) != 0) {
    return fail(ErrorKind::kInputOutput, fmt::format("zstd: compression failed: {}", ZSTD_getErrorName(size)));
  }
  out.resize(size);
  return out;
}

}  // namespace keyvigil::workload
