#include "command/simulate_command.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <ostream>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/path_guard.h"
#include "workload/render.h"
#include "workload/transport.h"
#include "workload/world.h"
#include "workload/world_figures.h"

namespace keyvigil {
namespace {

using workload::Activity;
using workload::Form;

constexpr std::size_t kChunkBytes = 4U << 20U;
constexpr std::size_t kFolderBufferBytes = 64U << 20U;
constexpr std::uint64_t kTypicalRecordBytes = 1220;
constexpr int kExitUsage = 2;
constexpr int kExitOutput = 3;
constexpr int kMaxDays = 3660;
constexpr std::uint32_t kMaxPopulation = 1'000'000;

constexpr std::string_view kExamples = R"(Examples:
  Two weeks of a small estate, one blob-like file:
    keyvigil simulate --size small --output logs.json
  A month with every planted attack, the lists that expose them, and the truth:
    keyvigil simulate --size medium --attacks all --output logs.json \
      --tor-list tor.txt --suspicious-list suspicious.txt --labels labels.jsonl
  A container as Azure writes it (y=/m=/d=/h=/m=00/PT1H.json), late and duplicate records included:
    keyvigil simulate --output container/ --disorder 0.02 --duplicates 0.005
  One gigabyte of the bench world, compressed:
    keyvigil simulate --size bench --bytes 1GB --zstd --output bench.json.zst
  What the portal exports:
    keyvigil simulate --form csv-us --output query_data.csv)";

struct FileCloser {
  void operator()(std::FILE* file) const { std::fclose(file); }
};
using File = std::unique_ptr<std::FILE, FileCloser>;

tl::unexpected<Error> output_error(const std::string& path) {
  return fail(
      ErrorKind::kInputOutput,
      fmt::format("{}: cannot be written: {}; check the folder, the rights and the space", path, std::strerror(errno)));
}

Result<File> open_file(const std::string& path, const char* mode) {
  File file(std::fopen(path.c_str(), mode));
  if (!file) { return output_error(path); }
  return file;
}

Result<void> write_all(std::FILE* file, std::string_view bytes, const std::string& path) {
  if (std::fwrite(bytes.data(), 1, bytes.size(), file) != bytes.size()) { return output_error(path); }
  return {};
}

// A full disk is often met only when buffers are flushed.
Result<void> finish(File file, const std::string& path) {
  if (std::fflush(file.get()) != 0) { return output_error(path); }
  if (std::fclose(file.release()) != 0) { return output_error(path); }
  return {};
}

Result<void> write_file(const std::string& path, std::string_view bytes) {
  auto file = open_file(path, "wb");
  if (!file) { return tl::unexpected(file.error()); }
  if (auto written = write_all(file->get(), bytes, path); !written) { return written; }
  return finish(std::move(*file), path);
}

enum class Compression { kNone, kGzip, kZstd };

// One document, in one file or on standard output, compressed in chunks: each is a member or frame of its own.
class FileOutput {
 public:
  FileOutput(File file, std::string path, Form form, Compression compression)
      : file_(std::move(file)), path_(std::move(path)), renderer_(form), compression_(compression) {
    renderer_.begin(buffer_);
  }

  Result<std::size_t> add(const Activity& activity) {
    const std::size_t before = buffer_.size();
    renderer_.add(buffer_, activity);
    const std::size_t added = buffer_.size() - before;
    if (buffer_.size() >= kChunkBytes) {
      if (auto done = flush(); !done) { return tl::unexpected(done.error()); }
    }
    return added;
  }

  Result<void> close() {
    renderer_.end(buffer_);
    if (auto done = flush(); !done) { return done; }
    if (file_.get() == stdout) {
      (void)file_.release();
      return std::fflush(stdout) == 0 ? Result<void>() : Result<void>(output_error(path_));
    }
    return finish(std::move(file_), path_);
  }

  ~FileOutput() {
    if (file_.get() == stdout) { (void)file_.release(); }
  }
  FileOutput(FileOutput&&) = default;
  FileOutput& operator=(FileOutput&&) = delete;

 private:
  Result<void> flush() {
    if (compression_ == Compression::kNone) {
      auto written = write_all(file_.get(), buffer_, path_);
      buffer_.clear();
      return written;
    }
    const auto packed =
        compression_ == Compression::kGzip ? workload::compress_gzip(buffer_) : workload::compress_zstd(buffer_);
    buffer_.clear();
    if (!packed) { return tl::unexpected(packed.error()); }
    return write_all(file_.get(), *packed, path_);
  }

  File file_;
  std::string path_;
  workload::Renderer renderer_;
  Compression compression_;
  std::string buffer_;
};

// A container of PT1H.json blobs, one per vault and hour of arrival, appended as Azure appends them.
class FolderOutput {
 public:
  FolderOutput(std::string root, Form form) : root_(std::move(root)), renderer_(form) {}

  Result<std::size_t> add(const Activity& activity, EventTime arrived) {
    if (arrived.hour() != hour_ || buffered_ > kFolderBufferBytes) {
      if (auto done = flush(); !done) { return tl::unexpected(done.error()); }
      hour_ = arrived.hour();
    }
    std::string& blob = blobs_[activity.vault.name];
    if (blob.empty()) { paths_[activity.vault.name] = workload::blob_path(activity.vault, hour_); }
    const std::size_t before = blob.size();
    renderer_.add(blob, activity);
    buffered_ += blob.size() - before;
    return blob.size() - before;
  }

  Result<void> flush() {
    for (const auto& [vault, bytes] : blobs_) {
      if (auto done = append(paths_[vault], bytes); !done) { return done; }
    }
    blobs_.clear();
    paths_.clear();
    buffered_ = 0;
    return {};
  }

 private:
  Result<void> append(const std::string& blob, const std::string& bytes) {
    const std::filesystem::path path = std::filesystem::path(root_) / "insights-logs-auditevent" / blob;
    std::error_code error;
    std::filesystem::create_directories(path.parent_path(), error);
    if (error) {
      return fail(ErrorKind::kInputOutput,
                  fmt::format("{}: the folder cannot be made: {}; name a folder that you may write",
                              path.parent_path().string(), error.message()));
    }
    auto file = open_file(path.string(), "ab");
    if (!file) { return tl::unexpected(file.error()); }
    if (auto written = write_all(file->get(), bytes, path.string()); !written) { return written; }
    return finish(std::move(*file), path.string());
  }

  std::string root_;
  workload::Renderer renderer_;
  std::int64_t hour_ = INT64_MIN;
  std::size_t buffered_ = 0;
  std::map<std::string, std::string> blobs_;
  std::map<std::string, std::string> paths_;
};

// The truth, a line per campaign, gathered while its records are written.
class CampaignLabels {
 public:
  void add(const Activity& activity) {
    const workload::AttackLabel& label = activity.attack;
    nlohmann::ordered_json& line = lines_[label.campaign];
    const std::string time = to_iso_milliseconds(activity.time);
    if (line.is_null()) { line = first_line(label, time); }
    // Records may arrive out of order; ISO times of one width sort as texts.
    line["firstTime"] = std::min(line["firstTime"].get<std::string>(), time);
    line["lastTime"] = std::max(line["lastTime"].get<std::string>(), time);
    auto& vaults = line["vaults"];
    if (std::find(vaults.begin(), vaults.end(), activity.vault.name) == vaults.end()) {
      vaults.push_back(activity.vault.name);
    }
    line["records"].push_back({{"time", time},
                               {"correlationId", activity.correlation_id},
                               {"operation", activity.operation},
                               {"status", activity.http_status},
                               {"vault", activity.vault.name},
                               {"address", activity.address}});
  }

  [[nodiscard]] std::string text() const {
    std::string out;
    for (const auto& [campaign, line] : lines_) { out += line.dump() + "\n"; }
    return out;
  }

 private:
  static nlohmann::ordered_json first_line(const workload::AttackLabel& label, const std::string& time) {
    const std::vector<std::string> none;
    return {{"campaign", label.campaign},
            {"kind", label.benign ? "benign" : "attack"},
            {"name", label.kind},
            {"strength", label.strength},
            {"callerClass", label.app ? "app" : "user"},
            {"caller", label.caller},
            {"vaults", nlohmann::ordered_json::array()},
            {"firstTime", time},
            {"lastTime", time},
            {"expected", label.benign ? none : label.alerts},
            {"mustNot", label.benign ? label.alerts : none},
            {"records", nlohmann::ordered_json::array()}};
  }

  std::map<std::uint64_t, nlohmann::ordered_json> lines_;
};

std::string joined(const auto& words) {
  return fmt::format("{}", fmt::join(words, ", "));
}

Result<std::vector<workload::AttackKind>> chosen_attacks(const std::vector<std::string>& words) {
  std::vector<workload::AttackKind> attacks;
  for (const std::string& word : words) {
    // The bare option, without words, reads as one empty word.
    if (word == "none") { continue; }
    if (word == "all" || word.empty()) {
      for (const std::string_view name : workload::attack_names()) { attacks.push_back(*workload::find_attack(name)); }
    } else if (const auto attack = workload::find_attack(word)) {
      attacks.push_back(*attack);
    } else {
      return fail(ErrorKind::kUsage, fmt::format("--attacks: expected none, all or some of {}; found \"{}\"",
                                                 joined(workload::attack_names()), word));
    }
  }
  return attacks;
}

template <typename Number>
void replace_if_given(Number& value, Number given) {
  if (given != 0) { value = given; }
}

Result<void> set_event_count(workload::WorldOptions& world, const SimulateOptions& options) {
  if (!options.bytes.empty()) {
    const auto bytes = parse_byte_count(options.bytes);
    if (!bytes) { return tl::unexpected(bytes.error()); }
    world.events = std::max<std::uint64_t>(1, *bytes / kTypicalRecordBytes);
  }
  replace_if_given(world.events, options.events);
  return {};
}

Result<void> check_ranges(const workload::WorldOptions& world) {
  const auto fits = [](std::uint32_t count) { return count > 0 && count <= kMaxPopulation; };
  if (!fits(world.size.vaults) || !fits(world.size.apps) || !fits(world.size.users)) {
    return fail(ErrorKind::kUsage, fmt::format("--vaults, --apps, --users: expected 1 to {} each", kMaxPopulation));
  }
  if (world.days < 1 || world.days > kMaxDays) {
    return fail(ErrorKind::kUsage, fmt::format("--days: expected 1 to {}, found {}", kMaxDays, world.days));
  }
  return {};
}

Result<workload::WorldOptions> world_options(const SimulateOptions& options) {
  auto world = workload::world_of_size(options.size);
  if (!world) {
    return fail(ErrorKind::kUsage, fmt::format("--size: expected one of {}; found \"{}\"",
                                               joined(workload::world_size_names()), options.size));
  }
  world->seed = options.seed;
  replace_if_given(world->days, options.days);
  replace_if_given(world->size.vaults, options.vaults);
  replace_if_given(world->size.apps, options.apps);
  replace_if_given(world->size.users, options.users);
  if (auto done = set_event_count(*world, options); !done) { return tl::unexpected(done.error()); }
  if (auto done = check_ranges(*world); !done) { return tl::unexpected(done.error()); }
  if (!options.start.empty()) {
    const auto start = parse_iso_time(options.start);
    if (!start) {
      return fail(ErrorKind::kUsage,
                  fmt::format("--start: expected a time such as 2026-09-01T00:00:00Z; found \"{}\"", options.start));
    }
    world->start = *start;
  }
  auto attacks = chosen_attacks(options.attacks);
  if (!attacks) { return tl::unexpected(attacks.error()); }
  world->attacks = std::move(*attacks);
  world->attack_share = options.attack_share;
  world->twins = options.twins;
  const auto drift = workload::find_drift(options.drift);
  if (!drift) {
    return fail(ErrorKind::kUsage, fmt::format("--drift: expected one of {}; found \"{}\"",
                                               joined(workload::drift_names()), options.drift));
  }
  world->drift = *drift;
  if (options.strength == "all") {
    world->strengths = {workload::Strength::kLoud, workload::Strength::kHuman, workload::Strength::kSlow};
  } else if (const auto strength = workload::find_strength(options.strength)) {
    world->strengths = {*strength};
  } else {
    return fail(ErrorKind::kUsage, fmt::format("--strength: expected all or one of {}; found \"{}\"",
                                               joined(workload::strength_names()), options.strength));
  }
  return *world;
}

bool is_folder(const std::string& path) {
  std::error_code error;
  return path.ends_with('/') || std::filesystem::is_directory(path, error);
}

struct Plan {
  workload::WorldOptions world;
  Form form = Form::kRaw;
  Compression compression = Compression::kNone;
  bool folder = false;
};

Result<Plan> make_plan(const SimulateOptions& options) {
  Plan plan;
  auto world = world_options(options);
  if (!world) { return tl::unexpected(world.error()); }
  plan.world = std::move(*world);
  const auto form = workload::find_form(options.form);
  if (!form) {
    return fail(ErrorKind::kUsage,
                fmt::format("--form: expected one of {}; found \"{}\"", joined(workload::form_names()), options.form));
  }
  plan.form = *form;
  plan.compression = options.gzip ? Compression::kGzip : options.zstd ? Compression::kZstd : Compression::kNone;
  plan.folder = is_folder(options.output);
  if (plan.folder && (plan.compression != Compression::kNone || (*form != Form::kRaw && *form != Form::kHsm))) {
    return fail(
        ErrorKind::kUsage,
        "--output is a folder: blobs hold plain JSON lines; leave out --gzip and --zstd and use --form raw or hsm, "
        "or name a file");
  }
  return plan;
}

// Secrets and vault operations do not exist in a Managed HSM; only what concerns keys is written.
bool fits_form(const Activity& activity, Form form) {
  return form != Form::kHsm || activity.collection == "keys";
}

// The whole stream through `add`, which returns the bytes that the record took.
template <typename Add>
Result<workload::WorldFigures> deliver(const Plan& plan, const SimulateOptions& options, CampaignLabels& labels,
                                       Add add) {
  workload::Transport transport(workload::World(plan.world),
                                {options.seed, options.disorder_share, options.duplicate_share});
  workload::FigureCounter counter;
  workload::Delivery delivery;
  while (transport.next(delivery)) {
    if (!fits_form(delivery.activity, plan.form)) { continue; }
    const Result<std::size_t> bytes = add(delivery);
    if (!bytes) { return tl::unexpected(bytes.error()); }
    counter.add(delivery.activity, *bytes);
    if (!delivery.activity.attack.kind.empty() && !delivery.duplicate) { labels.add(delivery.activity); }
  }
  return counter.figures();
}

Result<workload::WorldFigures> deliver_to_folder(const Plan& plan, const SimulateOptions& options,
                                                 CampaignLabels& labels) {
  FolderOutput output(options.output, plan.form);
  auto figures = deliver(plan, options, labels, [&output](const workload::Delivery& delivery) {
    return output.add(delivery.activity, delivery.arrived);
  });
  if (!figures) { return figures; }
  if (auto done = output.flush(); !done) { return tl::unexpected(done.error()); }
  return figures;
}

Result<workload::WorldFigures> deliver_to_file(const Plan& plan, const SimulateOptions& options,
                                               CampaignLabels& labels) {
  const bool to_stdout = options.output == "-";
  Result<File> file = to_stdout ? Result<File>(File(stdout)) : open_file(options.output, "wb");
  if (!file) { return tl::unexpected(file.error()); }
  FileOutput output(std::move(*file), to_stdout ? "standard output" : options.output, plan.form, plan.compression);
  auto figures = deliver(plan, options, labels,
                         [&output](const workload::Delivery& delivery) { return output.add(delivery.activity); });
  if (!figures) { return figures; }
  if (auto done = output.close(); !done) { return tl::unexpected(done.error()); }
  return figures;
}

Result<void> check_paths(const SimulateOptions& options) {
  PathGuard guard;
  const std::array<std::pair<std::string_view, const std::string*>, 5> paths = {
      {{"--output", &options.output},
       {"--tor-list", &options.tor_list},
       {"--suspicious-list", &options.suspicious_list},
       {"--service-tags", &options.service_tags},
       {"--labels", &options.labels}}};
  for (const auto& [option, path] : paths) {
    if (auto free = guard.writes(option, *path); !free) { return free; }
  }
  return {};
}

Result<void> write_side_files(const SimulateOptions& options, const std::string& labels) {
  const std::array<std::pair<const std::string*, std::string>, 4> files = {
      {{&options.tor_list, workload::tor_list_text()},
       {&options.suspicious_list, workload::suspicious_list_text()},
       {&options.service_tags, workload::service_tags_text()},
       {&options.labels, labels}}};
  for (const auto& [path, text] : files) {
    if (path->empty()) { continue; }
    if (auto done = write_file(*path, text); !done) { return done; }
  }
  return {};
}

int report(const Error& error, std::ostream& err) {
  err << "keyvigil simulate: " << error.message << "\n";
  return error.kind == ErrorKind::kUsage ? kExitUsage : kExitOutput;
}

}  // namespace

Result<std::uint64_t> parse_byte_count(std::string_view text) {
  struct Unit {
    std::string_view name;
    std::uint64_t bytes;
  };
  constexpr std::array<Unit, 11> kUnits = {{{"", 1},
                                            {"B", 1},
                                            {"KB", 1'000},
                                            {"kB", 1'000},
                                            {"MB", 1'000'000},
                                            {"GB", 1'000'000'000},
                                            {"TB", 1'000'000'000'000},
                                            {"KiB", 1ULL << 10U},
                                            {"MiB", 1ULL << 20U},
                                            {"GiB", 1ULL << 30U},
                                            {"TiB", 1ULL << 40U}}};
  std::uint64_t number = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), number);
  std::string_view rest = text.substr(static_cast<std::size_t>(parsed.ptr - text.data()));
  while (rest.starts_with(' ')) { rest.remove_prefix(1); }
  const auto unit =
      std::find_if(kUnits.begin(), kUnits.end(), [rest](const Unit& candidate) { return candidate.name == rest; });
  constexpr std::uint64_t kMaxBytes = 1ULL << 50U;
  if (parsed.ec != std::errc() || number == 0 || unit == kUnits.end() || number > kMaxBytes / unit->bytes) {
    return fail(ErrorKind::kUsage,
                fmt::format("--bytes: expected a size such as 500MB or 1GB, at most 1 PiB; found \"{}\"", text));
  }
  return number * unit->bytes;
}

CLI::App* add_simulate_command(CLI::App& app, SimulateOptions& options) {
  CLI::App* command = app.add_subcommand("simulate", "Write the audit log of a simulated estate, attacks included");
  command
      ->add_option("--output,-o", options.output,
                   "File, - for standard output, or a folder (ends with / or exists) for Azure's blob layout")
      ->capture_default_str();
  command->add_option("--size", options.size, "Estate: " + joined(workload::world_size_names()))->capture_default_str();
  command->add_option("--seed", options.seed, "Equal seeds give equal bytes")->capture_default_str();
  command->add_option("--days", options.days, "Days of traffic (default: as the size says)");
  command->add_option("--start", options.start, "First instant, UTC (default 2026-09-01T00:00:00Z)");
  command->add_option("--vaults", options.vaults, "Number of vaults");
  command->add_option("--apps", options.apps, "Number of applications and managed identities");
  command->add_option("--users", options.users, "Number of people");
  CLI::Option* events = command->add_option("--events", options.events, "About this many records");
  command->add_option("--bytes", options.bytes, "About this much in the raw form, e.g. 1GB")->excludes(events);
  command->add_option("--form", options.form, "Form of the log: " + joined(workload::form_names()))
      ->capture_default_str();
  CLI::Option* gzip = command->add_flag("--gzip", options.gzip, "Compress with gzip");
  command->add_flag("--zstd", options.zstd, "Compress with zstd")->excludes(gzip);
  command
      ->add_option("--attacks", options.attacks,
                   "Plant attacks, in the second half: all, or some of " + joined(workload::attack_names()))
      ->delimiter(',')
      ->expected(0, static_cast<int>(workload::attack_names().size()));
  command->add_option("--strength", options.strength, "Pace of the attacks: loud, human, slow or all")
      ->capture_default_str();
  command->add_flag("--twins", options.twins, "Beside each attack, the nearest harmless thing, labelled benign");
  command->add_option("--drift", options.drift, "What changes over the weeks: " + joined(workload::drift_names()))
      ->capture_default_str();
  command->add_option("--attack-share", options.attack_share, "Share of attack records; each kind occurs at least once")
      ->capture_default_str()
      ->check(CLI::Range(0.0, 0.5));
  command->add_option("--disorder", options.disorder_share, "Share of records that arrive late, by up to 2 hours")
      ->capture_default_str()
      ->check(CLI::Range(0.0, 1.0));
  command->add_option("--duplicates", options.duplicate_share, "Share of records that arrive twice")
      ->capture_default_str()
      ->check(CLI::Range(0.0, 1.0));
  command->add_option("--tor-list", options.tor_list, "Write the Tor exit list that matches the attacks");
  command->add_option("--suspicious-list", options.suspicious_list, "Write the matching list of suspicious addresses");
  command->add_option("--service-tags", options.service_tags, "Write the service-tags file of this world");
  command->add_option("--labels", options.labels, "Write one JSON line per campaign: the truth, for evaluation");
  command->footer(std::string(kExamples));
  return command;
}

int run_simulate(const SimulateOptions& options, std::ostream& err) {
  const auto plan = make_plan(options);
  if (!plan) { return report(plan.error(), err); }
  if (auto checked = check_paths(options); !checked) { return report(checked.error(), err); }
  CampaignLabels labels;
  const auto figures =
      plan->folder ? deliver_to_folder(*plan, options, labels) : deliver_to_file(*plan, options, labels);
  if (!figures) { return report(figures.error(), err); }
  if (auto done = write_side_files(options, labels.text()); !done) { return report(done.error(), err); }
  err << workload::describe(*figures);
  return 0;
}

}  // namespace keyvigil
