#include "command/export_command.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <functional>
#include <optional>
#include <set>
#include <utility>

#include "base/ascii.h"
#include "base/path_guard.h"
#include "config/config.h"
#include "engine/checkpoint.h"
#include "estate/estate_sections.h"
#include "sink/file_sink.h"
#include "store/backup.h"
#include "store/store.h"

namespace keyvigil {
namespace {

constexpr std::size_t kPage = 500;

struct Range {
  std::optional<EventTime> from;
  std::optional<EventTime> until;
  std::optional<std::set<std::string>> subscriptions;
  [[nodiscard]] bool has(const Alert& alert) const {
    return (!from || alert.generated >= *from) && (!until || alert.generated < *until) &&
           (!subscriptions || subscriptions->contains(alert.subscription_id));
  }
};

Result<std::optional<EventTime>> read_limit(const std::string& text, const char* option) {
  if (text.empty()) { return std::nullopt; }
  if (const auto time = parse_iso_time(text)) { return time; }
  return fail(ErrorKind::kUsage,
              fmt::format("{}: expected a time such as 2026-09-28T10:00:00Z or a date, found '{}'", option, text));
}

Result<Range> read_range(const ExportOptions& options) {
  Range range;
  auto from = read_limit(options.from, "--from");
  if (!from) { return tl::unexpected(from.error()); }
  auto until = read_limit(options.until, "--until");
  if (!until) { return tl::unexpected(until.error()); }
  if (*from && *until && **from >= **until) {
    return fail(ErrorKind::kUsage, fmt::format("--from {} is not before --until {}: no alert lies between them",
                                               options.from, options.until));
  }
  range.from = *from;
  range.until = *until;
  for (const std::string& id : options.subscriptions) {
    if (!range.subscriptions) { range.subscriptions.emplace(); }
    range.subscriptions->insert(lower_case(id));
  }
  return range;
}

Result<SinkOptions> sink_options(const ExportOptions& options) {
  SinkOptions sink;
  sink.path = options.output;
  const auto format = parse_alert_format(options.format);
  if (!format) {
    return fail(ErrorKind::kUsage,
                fmt::format("--format: expected one of {}, found '{}'", alert_format_names(), options.format));
  }
  sink.format = *format;
  if (options.config.empty()) { return sink; }
  auto config = read_config(options.config);
  if (!config) { return tl::unexpected(config.error()); }
  sink.rendering = config->rendering;
  return sink;
}

// Page by page, the newest first: a store is as large as it likes.
Result<void> export_store(const std::string& path, const Range& range, FileSink& sink) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) {
    return fail(ErrorKind::kInputOutput, fmt::format("'{}': expected the store of the service, found no file", path));
  }
  const auto store = Store::open(path);
  if (!store) { return tl::unexpected(store.error()); }
  AlertFilter filter;
  filter.from = range.from;
  filter.until = range.until;
  filter.subscriptions = range.subscriptions;
  filter.limit = kPage;
  do {
    const auto page = (*store)->alerts(filter);
    if (!page) { return tl::unexpected(page.error()); }
    for (const StoredAlert& one : page->alerts) {
      if (auto written = sink.write_one(one.alert, one.standing()); !written) { return written; }
    }
    filter.after = page->next;
  } while (!filter.after.empty());
  return {};
}

Result<void> export_state(const std::string& path, const Range& range, FileSink& sink) {
  const auto checkpoint = read_checkpoint(path);
  if (!checkpoint) { return tl::unexpected(checkpoint.error()); }
  auto alerts = saved_alerts(*checkpoint, path);
  if (!alerts) { return tl::unexpected(alerts.error()); }
  std::ranges::sort(*alerts, std::greater<>(), [](const Alert& alert) { return std::pair(alert.generated, alert.id); });
  for (const Alert& alert : *alerts) {
    if (!range.has(alert)) { continue; }
    if (auto written = sink.write_one(alert, {}); !written) { return written; }
  }
  return {};
}

Result<void> check_paths(const ExportOptions& options) {
  PathGuard guard;
  if (auto free = guard.writes_in_the_end("--output", options.output); !free) { return free; }
  if (auto free = guard.reads("--state", options.state); !free) { return free; }
  if (auto free = guard.reads("--config", options.config); !free) { return free; }
  if (options.store.empty()) { return {}; }
  for (const std::string& path : store_files(options.store)) {
    if (auto free = guard.reads("--store", path); !free) { return free; }
  }
  return {};
}

Result<void> export_all(const ExportOptions& options) {
  if (options.store.empty() == options.state.empty()) {
    return fail(ErrorKind::kUsage, "expected either --store FILE or --state FILE");
  }
  const auto range = read_range(options);
  if (!range) { return tl::unexpected(range.error()); }
  if (auto checked = check_paths(options); !checked) { return checked; }
  const auto sink_choice = sink_options(options);
  if (!sink_choice) { return tl::unexpected(sink_choice.error()); }
  auto sink = FileSink::open(*sink_choice);
  if (!sink) { return tl::unexpected(sink.error()); }
  auto done =
      options.store.empty() ? export_state(options.state, *range, *sink) : export_store(options.store, *range, *sink);
  return done ? sink->close() : done;
}

}  // namespace

CLI::App* add_export_command(CLI::App& app, ExportOptions& options) {
  CLI::App* command = app.add_subcommand("export", "Print alerts that are kept already, in any format");
  command->add_option("--store", options.store, "Store of a service that does not run, or a backup of one that does")
      ->type_name("FILE");
  command->add_option("--state", options.state, "State of detect: the alerts that are open in it")->type_name("FILE");
  command->add_option("--format", options.format, "One of " + alert_format_names())->capture_default_str();
  command->add_option("--output", options.output, "Instead of standard output")->type_name("FILE");
  command->add_option("--config", options.config, "For locations and tenants of subscriptions")->type_name("FILE");
  command->add_option("--from", options.from, "Alerts generated at or after this time")->type_name("TIME");
  command->add_option("--until", options.until, "Alerts generated before this time")->type_name("TIME");
  command->add_option("--subscription", options.subscriptions, "Only of this subscription; repeatable")
      ->type_name("ID");
  command->footer("Example:\n  keyvigil backup keyvigil.db copy.db && keyvigil export --store copy.db --format ocsf");
  return command;
}

ExitCode run_export(const ExportOptions& options) {
  const auto done = export_all(options);
  if (done) { return ExitCode::kDone; }
  fmt::print(stderr, "keyvigil export: {}\n", done.error().message);
  return exit_code_of(done.error());
}

}  // namespace keyvigil
