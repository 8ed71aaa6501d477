#include "sink/open_sink.h"

#include <array>

#include <fmt/format.h>

#include "alert/arm_json.h"
#include "alert/cef.h"
#include "alert/csv.h"
#include "alert/ecs_json.h"
#include "alert/eventhub_json.h"
#include "alert/ocsf_json.h"
#include "alert/stix_bundle.h"
#include "alert/syslog_message.h"
#include "sink/file_sink.h"

namespace keyvigil {
namespace {

struct FormatRow {
  AlertFormat format;
  std::string_view name;
  std::string (*prologue)(const SinkOptions& options);
  std::string (*one)(const Alert& alert, const SinkOptions& options, const AlertStanding& standing);
};

std::string no_prologue(const SinkOptions&) {
  return {};
}

template <Json (*document)(const Alert&, const AlertRendering&, const AlertStanding&)>
std::string json_line_of(const Alert& alert, const SinkOptions& options, const AlertStanding& standing) {
  return to_json_line(document(alert, options.rendering, standing)) + "\n";
}

// In the order of AlertFormat.
constexpr std::array<FormatRow, 9> kFormats = {{
    {AlertFormat::kTable, "table", [](const SinkOptions& options) { return table_header(options.table); },
     [](const Alert& alert, const SinkOptions& options, const AlertStanding&) {
       return table_row(alert, options.table);
     }},
    {AlertFormat::kJsonl, "jsonl", no_prologue, json_line_of<arm_json>},
    {AlertFormat::kCsv, "csv", [](const SinkOptions&) { return csv_header(); },
     [](const Alert& alert, const SinkOptions& options, const AlertStanding& standing) {
       return csv_row(alert, options.rendering, standing);
     }},
    {AlertFormat::kEventHub, "eventhub", no_prologue, json_line_of<eventhub_json>},
    {AlertFormat::kOcsf, "ocsf", no_prologue, json_line_of<ocsf_json>},
    {AlertFormat::kEcs, "ecs", no_prologue, json_line_of<ecs_json>},
    {AlertFormat::kCef, "cef", no_prologue,
     [](const Alert& alert, const SinkOptions& options, const AlertStanding& standing) {
       return cef_line(alert, options.rendering, standing) + "\n";
     }},
    {AlertFormat::kStix, "stix", no_prologue, json_line_of<stix_bundle>},
    {AlertFormat::kSyslog, "syslog", no_prologue,
     [](const Alert& alert, const SinkOptions& options, const AlertStanding& standing) {
       return syslog_message(alert, options.rendering, standing) + "\n";
     }},
}};

const FormatRow& row_of(AlertFormat format) {
  return kFormats[static_cast<std::size_t>(format)];
}

}  // namespace

std::optional<AlertFormat> parse_alert_format(std::string_view name) {
  for (const FormatRow& row : kFormats) {
    if (row.name == name) { return row.format; }
  }
  return std::nullopt;
}

std::string_view to_string(AlertFormat format) {
  return row_of(format).name;
}

std::string alert_format_names() {
  std::string names;
  for (const FormatRow& row : kFormats) { names += fmt::format("{}{}", names.empty() ? "" : ", ", row.name); }
  return names;
}

std::string format_prologue(const SinkOptions& options) {
  return row_of(options.format).prologue(options);
}

std::string format_alert(const Alert& alert, const SinkOptions& options, const AlertStanding& standing) {
  return row_of(options.format).one(alert, options, standing);
}

Result<std::unique_ptr<AlertSink>> open_sink(const SinkOptions& options) {
  auto sink = FileSink::open(options);
  if (!sink) { return tl::unexpected(std::move(sink.error())); }
  return std::make_unique<FileSink>(std::move(*sink));
}

}  // namespace keyvigil
