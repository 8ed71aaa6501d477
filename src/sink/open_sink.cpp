#include "sink/open_sink.h"

#include <array>

#include <fmt/format.h>

#include "alert/arm_json.h"
#include "alert/cef.h"
#include "alert/csv.h"
#include "alert/ecs_json.h"
#include "alert/eventhub_json.h"
#include "alert/gelf_json.h"
#include "alert/ocsf_json.h"
#include "alert/stix_bundle.h"
#include "alert/syslog_message.h"
#include "base/check.h"
#include "sink/file_sink.h"

namespace keyvigil {
namespace {

struct FormatRow {
  AlertFormat format;
  std::string_view name;
  // The JSON document of one alert; null where the format is text.
  Json (*document)(const Alert& alert, const AlertRendering& rendering, const AlertStanding& standing);
  // Of text: what one alert is written as, and what stands before the first, null for nothing.
  std::string (*one)(const Alert& alert, const SinkOptions& options, const AlertStanding& standing) = nullptr;
  std::string (*prologue)(const SinkOptions& options) = nullptr;
};

// In the order of AlertFormat.
constexpr std::array<FormatRow, 10> kFormats = {{
    {AlertFormat::kTable, "table", nullptr,
     [](const Alert& alert, const SinkOptions& options, const AlertStanding&) {
       return table_block(alert, options.table);
     }},
    {AlertFormat::kJsonl, "jsonl", arm_json},
    {AlertFormat::kCsv, "csv", nullptr,
     [](const Alert& alert, const SinkOptions& options, const AlertStanding& standing) {
       return csv_row(alert, options.rendering, standing);
     },
     [](const SinkOptions&) { return csv_header(); }},
    {AlertFormat::kEventHub, "eventhub", eventhub_json},
    {AlertFormat::kOcsf, "ocsf", ocsf_json},
    {AlertFormat::kEcs, "ecs", ecs_json},
    {AlertFormat::kCef, "cef", nullptr,
     [](const Alert& alert, const SinkOptions& options, const AlertStanding& standing) {
       return cef_line(alert, options.rendering, standing) + "\n";
     }},
    {AlertFormat::kStix, "stix", stix_bundle},
    {AlertFormat::kSyslog, "syslog", nullptr,
     [](const Alert& alert, const SinkOptions& options, const AlertStanding& standing) {
       return syslog_message(alert, options.rendering, standing) + "\n";
     }},
    {AlertFormat::kGelf, "gelf", gelf_json},
}};

const FormatRow& row_of(AlertFormat format) {
  return kFormats[static_cast<std::size_t>(format)];
}

std::string names_of(const std::vector<AlertFormat>& formats) {
  std::vector<std::string_view> names;
  names.reserve(formats.size());
  for (const AlertFormat format : formats) { names.push_back(row_of(format).name); }
  return fmt::format("{}", fmt::join(names, ", "));
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

bool is_json(AlertFormat format) {
  return row_of(format).document != nullptr;
}

std::vector<AlertFormat> alert_formats() {
  std::vector<AlertFormat> formats;
  formats.reserve(kFormats.size());
  for (const FormatRow& row : kFormats) { formats.push_back(row.format); }
  return formats;
}

std::string alert_format_names() {
  return names_of(alert_formats());
}

std::string json_format_names() {
  std::vector<AlertFormat> formats = alert_formats();
  std::erase_if(formats, [](AlertFormat format) { return !is_json(format); });
  return names_of(formats);
}

std::string format_prologue(const SinkOptions& options) {
  const auto prologue = row_of(options.format).prologue;
  return prologue == nullptr ? std::string() : prologue(options);
}

std::string format_alert(const Alert& alert, const SinkOptions& options, const AlertStanding& standing) {
  if (!is_json(options.format)) { return row_of(options.format).one(alert, options, standing); }
  return to_json_line(alert_document(alert, options.format, options.rendering, standing)) + "\n";
}

Json alert_document(const Alert& alert, AlertFormat format, const AlertRendering& rendering,
                    const AlertStanding& standing) {
  CHECK(is_json(format));
  return row_of(format).document(alert, rendering, standing);
}

Result<std::unique_ptr<AlertSink>> open_sink(const SinkOptions& options) {
  auto sink = FileSink::open(options);
  if (!sink) { return tl::unexpected(std::move(sink.error())); }
  return std::make_unique<FileSink>(std::move(*sink));
}

}  // namespace keyvigil
