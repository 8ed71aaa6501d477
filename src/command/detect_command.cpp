#include "command/detect_command.h"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <memory>
#include <thread>

#include "alert/printable.h"
#include "base/growing_heap.h"
#include "base/path_guard.h"
#include "catalogue/catalogue.h"
#include "command/impossible_alerts.h"
#include "command/incident_file.h"
#include "command/learning_note.h"
#include "command/progress.h"
#include "command/pump.h"
#include "command/run_ending.h"
#include "command/state_lock.h"
#include "command/summary.h"
#include "command/type_selection.h"
#include "config/lists.h"
#include "engine/checkpoint.h"
#include "sink/open_sink.h"

namespace keyvigil {
namespace {

constexpr unsigned kThreadsLimit = 64;
constexpr unsigned kThreadsByDefault = 4;
constexpr std::size_t kErrorBytes = 4096;

ExitCode report(const Error& error) {
  fmt::print(stderr, "keyvigil detect: {}\n", harmless(bounded_utf8(error.message, kErrorBytes)));
  return exit_code_of(error);
}

unsigned threads_of(const DetectOptions& options) {
  const unsigned cores = std::max(1U, std::thread::hardware_concurrency());
  return options.threads > 0 ? std::min(options.threads, kThreadsLimit) : std::min(cores, kThreadsByDefault);
}

std::string temporary_folder_of(const DetectOptions& options) {
  if (!options.temporary_folder.empty()) { return options.temporary_folder; }
  const char* folder = std::getenv("TMPDIR");
  return folder == nullptr || *folder == '\0' ? "/tmp" : folder;
}

Result<std::optional<EventTime>> read_limit(const std::string& text, const char* option) {
  if (text.empty()) { return std::nullopt; }
  if (const auto time = parse_iso_time(text)) { return time; }
  return fail(ErrorKind::kUsage,
              fmt::format("{}: expected a time such as 2026-09-28T10:00:00Z or a date, found '{}'", option, text));
}

// Configuration file and command line together.
Result<Config> full_config(const DetectOptions& options) {
  Config config;
  if (!options.config.empty()) {
    auto read = read_config(options.config);
    if (!read) { return read; }
    config = *std::move(read);
  }
  const auto add = [](std::vector<std::string>& to, const std::vector<std::string>& from) {
    to.insert(to.end(), from.begin(), from.end());
  };
  add(config.lists.tor, options.lists.tor);
  add(config.lists.suspicious, options.lists.suspicious);
  add(config.lists.service_tags, options.lists.service_tags);
  config.lists.allow_non_global = config.lists.allow_non_global || options.lists.allow_non_global;
  if (options.alerts_per_thousand_vault_days) {
    config.alerts_per_thousand_vault_days = *options.alerts_per_thousand_vault_days;
  }
  if (options.learning_days) { config.learning_days = *options.learning_days; }
  config.lists.minimum_confidence = std::max(config.lists.minimum_confidence, options.lists.minimum_confidence);
  return config;
}

Result<SinkOptions> sink_options(const DetectOptions& options, const Config& config) {
  SinkOptions sink;
  sink.path = options.output;
  sink.rendering = config.rendering;
  const bool terminal = options.output == "-" && isatty(STDOUT_FILENO) != 0;
  const std::string name = !options.format.empty() ? options.format : terminal ? "table" : "jsonl";
  const auto format = parse_alert_format(name);
  if (!format) {
    return fail(ErrorKind::kUsage, fmt::format("--format: expected one of {}, found '{}'", alert_format_names(), name));
  }
  sink.format = *format;
  sink.table.colour = terminal && std::getenv("NO_COLOR") == nullptr;
  winsize window{};
  if (terminal && ioctl(STDOUT_FILENO, TIOCGWINSZ, &window) == 0 && window.ws_col > 0) {
    sink.table.width_columns = window.ws_col;
  }
  return sink;
}

// No file yet: the first run with this state.
Result<std::optional<Checkpoint>> read_state(const std::string& path) {
  struct stat status {};
  if (path.empty() || stat(path.c_str(), &status) != 0) { return std::nullopt; }
  auto checkpoint = read_checkpoint(path);
  if (!checkpoint) { return tl::unexpected(checkpoint.error()); }
  return *std::move(checkpoint);
}

// All that a run needs, checked before anything is read.
struct Prepared {
  Config config;
  EndingLimits limits;
  std::string state_path;  // through links
  PumpOptions pump;
  SinkOptions sink;
  InputList inputs;
  AddressBook book;
  std::optional<StateLock> lock;
  std::optional<Checkpoint> state;
};

Result<void> prepare_limits(const DetectOptions& options, Prepared& prepared) {
  prepared.limits.allow_empty = options.allow_empty;
  prepared.limits.refused_percent = options.max_refused_percent;
  if (!options.fail_on.empty()) {
    prepared.limits.fail_on = parse_severity(options.fail_on);
    if (!prepared.limits.fail_on) {
      return fail(ErrorKind::kUsage,
                  fmt::format("--fail-on: expected Informational, Low or Medium, found '{}'", options.fail_on));
    }
  }
  auto from = read_limit(options.from, "--from");
  if (!from) { return tl::unexpected(from.error()); }
  auto until = read_limit(options.until, "--until");
  if (!until) { return tl::unexpected(until.error()); }
  if (*from && *until && **from >= **until) {
    return fail(ErrorKind::kUsage, fmt::format("--from {} is not before --until {}: no event lies between them",
                                               options.from, options.until));
  }
  prepared.pump.report_from = *from;
  prepared.pump.report_until = *until;
  return {};
}

Result<void> prepare_options(const DetectOptions& options, Prepared& prepared) {
  for (const auto& [given, option] : {std::pair(options.final, "--final"), std::pair(options.all_open, "--all-open")}) {
    if (given && options.state.empty()) {
      return fail(ErrorKind::kUsage, fmt::format("{} belongs to --state; expected --state FILE beside it", option));
    }
  }
  if (auto done = prepare_limits(options, prepared); !done) { return done; }
  PumpOptions& pump = prepared.pump;
  if (options.only) {
    auto types = parse_alert_types(*options.only);
    if (!types) { return tl::unexpected(types.error()); }
    pump.engine.types = *types;
  }
  pump.threads = threads_of(options);
  pump.temporary_folder = temporary_folder_of(options);
  pump.provenance = options.provenance;
  pump.keep_refused_whole = !options.refused.empty();
  pump.keep_state = !options.state.empty();
  pump.all_open = options.all_open;
  pump.decide_all = options.state.empty() || options.final;
  return {};
}

// Nothing that the run writes may be what it reads.
Result<void> check_paths(const DetectOptions& options, const Prepared& prepared) {
  PathGuard guard;
  Result<void> free;
  const auto check = [&](auto call) { free = free ? call() : free; };
  if (!prepared.state_path.empty()) {
    check([&] { return guard.writes("--state", prepared.state_path); });
    check([&] { return guard.writes("--state", StateLock::name_beside(prepared.state_path)); });
  }
  check([&] { return guard.writes_in_the_end("--output", options.output); });
  check([&] { return guard.writes("--refused", options.refused); });
  check([&] { return guard.writes_in_the_end("--incidents", options.incidents); });
  check([&] { return guard.reads("--config", options.config); });
  const ListConfig& lists = prepared.config.lists;
  for (const auto* files : {&lists.tor, &lists.suspicious, &lists.service_tags}) {
    for (const std::string& file : *files) {
      check([&] { return guard.reads("a list", file); });
    }
  }
  for (const std::string& input : options.inputs) {
    check([&] { return guard.reads("the input", input); });
  }
  for (const InputFile& file : prepared.inputs.files) {
    if (file.inode == 0) { continue; }
    check([&] { return guard.reads("the input", file.path, file.device, file.inode); });
  }
  return free;
}

// The lists, and whether what was asked for can happen with them.
Result<void> prepare_lists(const DetectOptions& options, Prepared& prepared) {
  auto book = load_lists(prepared.config.lists);
  if (!book) { return tl::unexpected(book.error()); }
  prepared.book = *std::move(book);
  const AlertTypes possible = types_possible_with(prepared.pump.engine.types, prepared.book);
  if (options.only) {
    auto warning = warn_of_impossible(*options.only, prepared.pump.engine.types, possible);
    if (!warning) { return tl::unexpected(warning.error()); }
    if (!warning->empty()) { fmt::print(stderr, "keyvigil detect: {}\n", *warning); }
  }
  const auto& fail_on = prepared.limits.fail_on;
  return fail_on ? check_fail_on(*fail_on, possible.any() ? possible : prepared.pump.engine.types) : Result<void>{};
}

Result<void> prepare_state(const DetectOptions& options, Prepared& prepared) {
  if (options.state.empty()) { return {}; }
  auto lock = StateLock::take(prepared.state_path);
  if (!lock) { return tl::unexpected(lock.error()); }
  prepared.lock.emplace(*std::move(lock));
  auto state = read_state(prepared.state_path);
  if (!state) { return tl::unexpected(state.error()); }
  prepared.state = *std::move(state);
  return {};
}

Result<void> prepare(const DetectOptions& options, Prepared& prepared) {
  if (auto done = prepare_options(options, prepared); !done) { return done; }
  auto config = full_config(options);
  if (!config) { return tl::unexpected(config.error()); }
  prepared.config = *std::move(config);
  prepared.pump.lateness_milliseconds = prepared.config.lateness_minutes * 60 * 1000;
  prepared.pump.engine.alerts_per_thousand_vault_days = prepared.config.alerts_per_thousand_vault_days;
  prepared.pump.engine.learning_days = prepared.config.learning_days;
  prepared.pump.engine.teams = prepared.config.teams;
  prepared.pump.engine.first_party_apps = prepared.config.first_party_apps;
  prepared.pump.engine.show_learning = options.show_learning;
  auto sink = sink_options(options, prepared.config);
  if (!sink) { return tl::unexpected(sink.error()); }
  prepared.sink = *std::move(sink);
  auto inputs = find_inputs(options.inputs);
  if (!inputs) { return tl::unexpected(inputs.error()); }
  prepared.inputs = *std::move(inputs);
  if (!options.state.empty()) { prepared.state_path = final_path(options.state); }
  if (auto done = check_paths(options, prepared); !done) { return done; }
  if (auto done = prepare_lists(options, prepared); !done) { return done; }
  return prepare_state(options, prepared);
}

std::uint64_t total_bytes(const InputList& inputs) {
  std::uint64_t bytes = 0;
  for (const InputFile& file : inputs.files) { bytes += file.size_bytes; }
  return bytes;
}

void print_refused(const RefusedRecords& refused) {
  for (const std::string& sample : refused.samples()) { fmt::print(stderr, "refused: {}\n", sample); }
}

// An interval that the logs do not reach.
void say_interval(const RunCounts& counts) {
  if (counts.decided == 0 || counts.reported > 0) { return; }
  fmt::print(stderr, "keyvigil detect: no event lies between --from and --until: the logs go from {} to {}\n",
             to_iso_milliseconds(counts.first_event.value_or(EventTime{})),
             to_iso_milliseconds(counts.last_event.value_or(EventTime{})));
}

// What hides alerts stands before them: also where little is to be said, if nothing at all could have been raised.
void say_first(const DetectOptions& options, const Prepared& prepared, const RunCounts& counts) {
  const AlertTypes wanted = prepared.pump.engine.types;
  const bool lists_speak = (types_possible_with(wanted, prepared.book) & types_without_history()).any();
  if ((wanted & ~types_without_history()).none() || (options.quiet && lists_speak)) { return; }
  const std::string note = learning_note(counts, prepared.pump.engine.learning_days, options.show_learning);
  if (note.empty()) { return; }
  fmt::print(stderr, "keyvigil detect: {}{}\n", note, lists_speak ? "" : "; until then this run can raise no alert");
}

void print_summary(const Prepared& prepared, const Pump& pump, const RefusedRecords& refused, double seconds) {
  print_refused(refused);
  fmt::print(stderr, "{}",
             summary_text({&pump.counts(), &refused, &prepared.inputs, &prepared.book, &pump.list_watch(), seconds,
                           !prepared.state_path.empty(), prepared.pump.engine.types}));
}

ExitCode end(const Prepared& prepared, const RunCounts& counts, const RefusedRecords& refused) {
  const RunEnding ending = ending_of(counts, refused, prepared.limits);
  for (const std::string& sentence : ending.sentences) { fmt::print(stderr, "keyvigil detect: {}\n", sentence); }
  return ending.code;
}

}  // namespace

ExitCode run_detect(const DetectOptions& options) {
  const auto begun = std::chrono::steady_clock::now();
  Prepared prepared;
  if (auto done = prepare(options, prepared); !done) { return report(done.error()); }
  RefusedRecords refused;
  if (auto opened = refused.open(options.refused); !opened) { return report(opened.error()); }
  auto sink = open_sink(prepared.sink);
  if (!sink) { return report(sink.error()); }
  std::unique_ptr<IncidentFile> incidents;
  if (!options.incidents.empty()) {
    auto opened = IncidentFile::open(options.incidents, **sink);
    if (!opened) { return report(opened.error()); }
    incidents = *std::move(opened);
  }

  Progress progress(total_bytes(prepared.inputs), !options.quiet && isatty(STDERR_FILENO) != 0);
  GrowingHeap heap;
  prepared.pump.progress = [&](const RunCounts& counts) {
    heap.offer();
    progress.update(counts.input_bytes, counts.records);
  };
  prepared.pump.decided = [&](const RunCounts& counts) {
    progress.clear();
    say_interval(counts);
    say_first(options, prepared, counts);
  };
  Pump pump(prepared.book, prepared.inputs.files, prepared.pump, refused);
  AlertSink& to = incidents ? static_cast<AlertSink&>(*incidents) : **sink;
  const auto ran = pump.run(prepared.state, to);
  progress.clear();
  if (!ran) { return report(ran.error()); }
  if (auto closed = to.close(); !closed) { return report(closed.error()); }
  if (auto closed = refused.close(); !closed) { return report(closed.error()); }
  // After the alerts are in their place: a failure before leaves the old state, and the next run tells them again.
  if (!prepared.state_path.empty()) {
    auto checkpoint = pump.save();
    if (!checkpoint) { return report(checkpoint.error()); }
    if (auto written = write_checkpoint(prepared.state_path, *checkpoint); !written) { return report(written.error()); }
  }
  if (!options.quiet) {
    print_summary(prepared, pump, refused,
                  std::chrono::duration<double>(std::chrono::steady_clock::now() - begun).count());
  }
  return end(prepared, pump.counts(), refused);
}

CLI::App* add_detect_command(CLI::App& app, DetectOptions& options) {
  CLI::App* command = app.add_subcommand("detect", "Read Key Vault audit logs and print the alerts");
  command
      ->add_option("INPUT", options.inputs,
                   "Files, folders, globs, or - for standard input; gzip and zstd are found by content")
      ->required();
  command->add_option("--tor", options.lists.tor, "List of Tor exit addresses (repeatable)")->type_name("FILE");
  command->add_option("--suspicious", options.lists.suspicious, "List of suspicious addresses (repeatable)")
      ->type_name("FILE");
  command
      ->add_option("--service-tags", options.lists.service_tags,
                   "Azure service tags JSON: Microsoft's own ranges (repeatable)")
      ->type_name("FILE");
  command->add_option("--minimum-confidence", options.lists.minimum_confidence, "Leave out list entries that say less")
      ->check(CLI::Range(0, 100));
  command->add_flag("--allow-non-global", options.lists.allow_non_global,
                    "Take list entries of private and reserved space");
  command
      ->add_option("--alerts-per-1000-vault-days", options.alerts_per_thousand_vault_days,
                   "The budget of alerts about behaviour; default 5")
      ->type_name("N")
      ->check(CLI::Range(0.001, 1000.0));
  command
      ->add_option("--learning-days", options.learning_days,
                   "Days of an estate in which behaviour raises no alert; default 14")
      ->type_name("N")
      ->check(CLI::Range(0, 365));
  command->add_flag("--show-learning", options.show_learning,
                    "Print as Informational what would have been raised in these days");
  command
      ->add_option(
          "--only", options.only,
          "Raise only these alerts: codes as in `keyvigil catalogue`, or threat-lists, joined by commas; where "
          "none compares behaviour, nothing is learned, which is faster")
      ->type_name("TYPES");
  command->add_option("--config", options.config, "Configuration file (YAML)")->type_name("FILE");
  command->add_option("--format", options.format,
                      "Output: " + alert_format_names() + "; default: table on a terminal, else jsonl");
  command->add_option("--output", options.output, "Where alerts go; default: standard output")->type_name("FILE");
  command
      ->add_option(
          "--state", options.state,
          "Load what an earlier run knew, and save what this one knows; one run at a time; what was decided once is "
          "not decided again")
      ->type_name("FILE");
  command->add_flag("--final", options.final, "With --state: decide also the youngest events instead of holding them");
  command->add_flag("--all-open", options.all_open,
                    "With --state: print all open alerts; default: those with a revision that no earlier run printed");
  command->add_option("--from", options.from, "Report nothing before this time; earlier events still count")
      ->type_name("TIME");
  command->add_option("--until", options.until, "Report nothing from this time on")->type_name("TIME");
  command->add_option("--fail-on", options.fail_on, "Exit with 1 if an alert of this severity or above was raised")
      ->type_name("SEVERITY");
  command
      ->add_option("--max-refused", options.max_refused_percent,
                   "Exit with 4 if more of the records than this were refused; default 1; 100 lets pass whatever is "
                   "refused, and input that is cut off (6)")
      ->type_name("PERCENT")
      ->check(CLI::Range(0.0, 100.0));
  command->add_flag("--allow-empty", options.allow_empty, "Exit with 0 and not with 5 where nothing was to be decided");
  command->add_option("--refused", options.refused, "Write refused records whole to this file (JSON lines)")
      ->type_name("FILE");
  command
      ->add_option("--incidents", options.incidents,
                   "Write to this file which alerts belong together (JSON lines): same caller, vault or network")
      ->type_name("FILE");
  command->add_option("--tmp", options.temporary_folder, "Folder for temporary files; default: TMPDIR or /tmp")
      ->type_name("FOLDER");
  command->add_option("--threads", options.threads, "Threads in all; default: the cores, at most 4")->type_name("N");
  command->add_flag("--provenance", options.provenance, "Name file and line of records in the evidence");
  command->add_flag("--quiet", options.quiet, "No progress, no refused samples, no summary");
  command->footer(
      "Examples:\n"
      "  keyvigil detect exported-logs/ --tor exits.txt\n"
      "  keyvigil detect 'logs/*.json.gz' --tor exits.txt --suspicious drop.json --format csv --output alerts.csv\n"
      "  cat PT1H.json | keyvigil detect - --tor exits.txt --fail-on Medium\n"
      "  keyvigil detect huge-export/ --tor exits.txt --only threat-lists\n"
      "  keyvigil detect today/ --tor exits.txt --state vaults.state\n"
      "Exit codes: 0 done; 1 --fail-on met; 2 usage or configuration; 3 input or output failed; 4 too much was "
      "refused (--max-refused); 5 nothing was to be decided (--allow-empty); 6 input was cut off (--max-refused 100).");
  return command;
}

}  // namespace keyvigil
