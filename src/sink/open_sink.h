// Output formats by name, and the sink for a path.
//
// To add a format: a row in kFormats of open_sink.cpp, and the function that writes one alert.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "alert/alert.h"
#include "alert/alert_document.h"
#include "alert/alert_rendering.h"
#include "alert/alert_standing.h"
#include "alert/table.h"
#include "base/result.h"
#include "sink/sink.h"

namespace keyvigil {

enum class AlertFormat : std::uint8_t { kTable, kJsonl, kCsv, kEventHub, kOcsf, kEcs, kCef, kStix, kSyslog, kGelf };

[[nodiscard]] std::optional<AlertFormat> parse_alert_format(std::string_view name);
[[nodiscard]] std::string_view to_string(AlertFormat format);
// One JSON document an alert: what a request can carry.
[[nodiscard]] bool is_json(AlertFormat format);
[[nodiscard]] std::vector<AlertFormat> alert_formats();
// "table, jsonl, csv, eventhub, ...": for help and error messages.
[[nodiscard]] std::string alert_format_names();
[[nodiscard]] std::string json_format_names();

struct SinkOptions {
  AlertFormat format = AlertFormat::kJsonl;
  std::string path = "-";  // "-": standard output
  AlertRendering rendering;
  TableStyle table;
};

// What stands before the first alert, also where there is none.
[[nodiscard]] std::string format_prologue(const SinkOptions& options);
[[nodiscard]] std::string format_alert(const Alert& alert, const SinkOptions& options,
                                       const AlertStanding& standing = {});
// REQUIRES: is_json(format).
[[nodiscard]] Json alert_document(const Alert& alert, AlertFormat format, const AlertRendering& rendering,
                                  const AlertStanding& standing);

[[nodiscard]] Result<std::unique_ptr<AlertSink>> open_sink(const SinkOptions& options);

}  // namespace keyvigil
