// The four stages of the path over one big file, each in turn, several rounds in one run, so that their ratios hold on
// a noisy machine: (a) bytes only, (b) simdjson on-demand reading twelve fields and nothing else, (c) our decoder, (d)
// `keyvigil detect` end to end with one and with two threads, with all fourteen alerts and with --only threat-lists.
//
// The file has the shape of the bench world: 2,000 vaults, 4,000 applications, 3,000 users, 30 days. It is written once
// by the generator into KEYVIGIL_BENCH_FOLDER; KEYVIGIL_BINARY is the program. KEYVIGIL_BENCH_BYTES (default 1GB) makes
// it smaller.
#include <fcntl.h>
#include <fmt/format.h>
#include <simdjson.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <string>
#include <vector>

#include "event/decode.h"
#include "source/file_source.h"

namespace {

using namespace keyvigil;
namespace ondemand = simdjson::ondemand;

constexpr int kRounds = 5;

std::string from_environment(const char* name, const char* otherwise) {
  const char* value = std::getenv(name);
  return value == nullptr || *value == '\0' ? otherwise : value;
}

struct Measured {
  double wall_seconds = 0;
  double cpu_seconds = 0;
  std::uint64_t events = 0;
  double peak_mebibytes = 0;  // of (d) only
};

double seconds_of(const timeval& time) {
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
}

double own_cpu_seconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return seconds_of(usage.ru_utime) + seconds_of(usage.ru_stime);
}

// Runs `body`, which returns how many events it saw.
template <typename Body>
Measured measure(Body body) {
  const auto begun = std::chrono::steady_clock::now();
  const double cpu = own_cpu_seconds();
  Measured measured;
  measured.events = body();
  measured.cpu_seconds = own_cpu_seconds() - cpu;
  measured.wall_seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begun).count();
  return measured;
}

// Calls `body` with every record of the file, read and framed as `detect` does it.
template <typename Body>
std::uint64_t each_record(const std::string& path, Body body) {
  auto source = FileSource::open(path, {});
  if (!source) {
    fmt::print(stderr, "{}\n", source.error().message);
    std::exit(1);
  }
  RawBatch batch;
  std::uint64_t records = 0;
  while (true) {
    auto more = source->next(batch);
    if (!more || !*more) { return records; }
    for (const RawRecord& record : batch.records) { body(batch.view(record)); }
    records += batch.records.size();
  }
}

// The twelve fields that canonical events are made of, in the order in which records hold them.
std::size_t read_twelve_fields(ondemand::parser& parser, std::string_view record) {
  std::size_t bytes = 0;
  ondemand::document document;
  ondemand::object root;
  if (parser.iterate(record.data(), record.size(), record.size() + kRecordPadding).get(document) != simdjson::SUCCESS ||
      document.get_object().get(root) != simdjson::SUCCESS) {
    return 0;
  }
  std::string_view text;
  const auto add = [&](ondemand::object& object, std::string_view name) {
    if (object.find_field_unordered(name).get_string().get(text) == simdjson::SUCCESS) { bytes += text.size(); }
  };
  for (const std::string_view name : {"time", "category", "operationName", "correlationId", "callerIpAddress"}) {
    add(root, name);
  }
  ondemand::object claim;
  if (root.find_field_unordered("identity").find_field_unordered("claim").get_object().get(claim) ==
      simdjson::SUCCESS) {
    for (const std::string_view name : {"oid", "appid", "upn"}) { add(claim, name); }
  }
  ondemand::object properties;
  if (root.find_field_unordered("properties").get_object().get(properties) == simdjson::SUCCESS) {
    add(properties, "id");
    std::uint64_t status = 0;
    if (properties.find_field_unordered("httpStatusCode").get_uint64().get(status) == simdjson::SUCCESS) { ++bytes; }
    add(properties, "requestUri");
  }
  add(root, "resourceId");
  return bytes;
}

Measured run_program(const std::vector<std::string>& arguments) {
  const auto begun = std::chrono::steady_clock::now();
  const pid_t child = fork();
  if (child == 0) {
    std::vector<char*> words;
    for (const std::string& argument : arguments) { words.push_back(const_cast<char*>(argument.c_str())); }
    words.push_back(nullptr);
    execv(words[0], words.data());
    _exit(127);
  }
  int status = 0;
  rusage usage{};
  if (wait4(child, &status, 0, &usage) != child || !WIFEXITED(status) || WEXITSTATUS(status) != 0) {
    fmt::print(stderr, "'{}' failed\n", fmt::join(arguments, " "));
    std::exit(1);
  }
  Measured measured;
  measured.wall_seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begun).count();
  measured.cpu_seconds = seconds_of(usage.ru_utime) + seconds_of(usage.ru_stime);
  measured.peak_mebibytes = static_cast<double>(usage.ru_maxrss) / 1024;
  return measured;
}

struct Stage {
  std::string name;
  std::vector<Measured> rounds;
};

double median(std::vector<double> values) {
  std::ranges::sort(values);
  return values[values.size() / 2];
}

double median_wall(const Stage& stage) {
  std::vector<double> seconds;
  for (const Measured& round : stage.rounds) { seconds.push_back(round.wall_seconds); }
  return median(seconds);
}

// Speed as a share of another stage's, round by round: what drifts between rounds cancels out.
double median_ratio(const Stage& stage, const Stage& to) {
  std::vector<double> ratios;
  for (std::size_t i = 0; i < stage.rounds.size(); ++i) {
    ratios.push_back(to.rounds[i].wall_seconds / stage.rounds[i].wall_seconds);
  }
  return median(ratios);
}

double median_cpu_ratio(const Stage& stage, const Stage& to) {
  std::vector<double> ratios;
  for (std::size_t i = 0; i < stage.rounds.size(); ++i) {
    ratios.push_back(to.rounds[i].cpu_seconds / stage.rounds[i].cpu_seconds);
  }
  return median(ratios);
}

void print(const Stage& stage, const Stage& simdjson_stage, std::uint64_t events, double gigabytes) {
  const double seconds = median_wall(stage);
  double peak = 0;
  for (const Measured& round : stage.rounds) { peak = std::max(peak, round.peak_mebibytes); }
  fmt::print("{:<34} {:>7.3f} s {:>9.0f} events/s {:>6.2f} GB/s   x (b): wall {:.2f}, cpu {:.2f}{}\n", stage.name,
             seconds, static_cast<double>(events) / seconds, gigabytes / seconds, median_ratio(stage, simdjson_stage),
             median_cpu_ratio(stage, simdjson_stage), peak > 0 ? fmt::format("   peak {:.0f} MiB", peak) : "");
}

}  // namespace

int main() {
  const std::string folder = from_environment("KEYVIGIL_BENCH_FOLDER", "/tmp");
  const std::string binary = from_environment("KEYVIGIL_BINARY", "build/bench/keyvigil");
  const std::string size = from_environment("KEYVIGIL_BENCH_BYTES", "1GB");
  const std::string log = fmt::format("{}/bench-world-{}.jsonl", folder, size);
  struct stat status {};
  if (stat(log.c_str(), &status) != 0) {
    (void)run_program({binary, "simulate", "--size", "bench", "--bytes", size, "--seed", "1", "--output", log});
    if (stat(log.c_str(), &status) != 0) { return 1; }
  }
  const double gigabytes = static_cast<double>(status.st_size) / 1e9;

  Stage bytes_only{"(a) bytes only", {}};
  Stage simdjson_stage{"(b) simdjson, twelve fields", {}};
  Stage decoder_stage{"(c) decoder", {}};
  Stage one{"(d) detect, 1 thread", {}};
  Stage two{"(d) detect, 2 threads", {}};
  Stage lists_one{"(d) --only threat-lists, 1 thread", {}};
  Stage lists_two{"(d) --only threat-lists, 2 threads", {}};
  std::size_t kept = 0;
  for (int round = 0; round < kRounds; ++round) {
    bytes_only.rounds.push_back(
        measure([&] { return each_record(log, [&](std::string_view record) { kept += record.size(); }); }));
    simdjson_stage.rounds.push_back(measure([&] {
      ondemand::parser parser;
      return each_record(log, [&](std::string_view record) { kept += read_twelve_fields(parser, record); });
    }));
    decoder_stage.rounds.push_back(measure([&] {
      Decoder decoder;
      AccessEvent event;
      return each_record(log, [&](std::string_view record) {
        if (decoder.decode_json(record, event).kind == DecodeKind::kEvent) { kept += event.text.size(); }
      });
    }));
    for (Stage* stage : {&one, &two, &lists_one, &lists_two}) {
      const std::string threads = stage == &one || stage == &lists_one ? "1" : "2";
      std::vector<std::string> words{binary,    "detect",   log,     "--threads", threads,
                                     "--quiet", "--format", "jsonl", "--output",  folder + "/alerts.jsonl"};
      if (stage == &lists_one || stage == &lists_two) { words.insert(words.end(), {"--only", "threat-lists"}); }
      stage->rounds.push_back(run_program(words));
    }
  }
  const std::uint64_t events = bytes_only.rounds.front().events;
  fmt::print("{} records, {:.3f} GB, mean {:.0f} bytes; medians of {} rounds (checksum {})\n", events, gigabytes,
             gigabytes * 1e9 / static_cast<double>(events), kRounds, kept);
  for (const Stage* stage : {&bytes_only, &simdjson_stage, &decoder_stage, &one, &two, &lists_one, &lists_two}) {
    print(*stage, simdjson_stage, events, gigabytes);
  }
  return 0;
}
