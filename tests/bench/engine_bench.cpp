// The engine alone: events that are decoded already, in order, through all fourteen detectors. Says events per second
// on one core, how the memory of the histories grows with the events, and how many callers, vaults and edges it holds.
//
// The events are those of the bench world (2,000 vaults, 4,000 applications, 3,000 users, 30 days), decoded from the
// file that pipeline_bench makes in KEYVIGIL_BENCH_FOLDER; where it is not there, KEYVIGIL_BINARY makes it.
#include <fmt/format.h>
#include <malloc.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <string>
#include <vector>

#include "app/decode_pool.h"
#include "engine/engine.h"
#include "source/file_source.h"

namespace {

using namespace keyvigil;

constexpr int kRounds = 5;

std::string from_environment(const char* name, const char* otherwise) {
  const char* value = std::getenv(name);
  return value == nullptr || *value == '\0' ? otherwise : value;
}

void make_world(const std::string& path, const std::string& bytes) {
  const std::string binary = from_environment("KEYVIGIL_BINARY", "build/bench/keyvigil");
  const pid_t child = fork();
  if (child == 0) {
    execl(binary.c_str(), binary.c_str(), "simulate", "--size", "bench", "--bytes", bytes.c_str(), "--output",
          path.c_str(), nullptr);
    _exit(127);
  }
  int status = 0;
  if (waitpid(child, &status, 0) != child || status != 0) {
    fmt::print(stderr, "'{} simulate' failed\n", binary);
    std::exit(1);
  }
}

std::vector<AccessEvent> decoded(const std::string& path) {
  auto source = FileSource::open(path, {});
  if (!source) {
    fmt::print(stderr, "{}\n", source.error().message);
    std::exit(1);
  }
  RawBatch batch;
  Decoder decoder;
  DecodedBatch events;
  std::vector<AccessEvent> all;
  while (true) {
    auto more = source->next(batch);
    if (!more || !*more) { break; }
    decode_batch(batch, 0, false, decoder, events);
    for (std::size_t i = 0; i < events.count; ++i) { all.push_back(events.events[i]); }
  }
  std::sort(all.begin(), all.end(), CanonicalOrder{});
  return all;
}

double allocated_mebibytes() {
  return static_cast<double>(mallinfo2().uordblks) / (1024.0 * 1024.0);
}

struct Round {
  double seconds = 0;
  std::size_t findings = 0;
};

Round decide_all(Engine& engine, const std::vector<AccessEvent>& events) {
  Decision decision;
  Round round;
  const auto begun = std::chrono::steady_clock::now();
  for (const AccessEvent& event : events) {
    engine.decide(event, Timeliness::kInTime, decision);
    round.findings += decision.findings.size();
  }
  round.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begun).count();
  return round;
}

void show_growth(const std::vector<AccessEvent>& events) {
  const AddressBook book;
  const double before = allocated_mebibytes();
  Engine engine(book);
  Decision decision;
  fmt::print("\n{:>10}  {:>8}  {:>8}  {:>8}  {:>9}\n", "events", "callers", "vaults", "edges", "MiB");
  for (std::size_t i = 0; i < events.size(); ++i) {
    engine.decide(events[i], Timeliness::kInTime, decision);
    if ((i + 1) % (events.size() / 8) != 0) { continue; }
    const EstateHistory& history = engine.history();
    fmt::print("{:>10}  {:>8}  {:>8}  {:>8}  {:>9.1f}\n", i + 1, history.callers().size(), history.vaults().size(),
               history.vault_touches().graph().statistics().edges, allocated_mebibytes() - before);
  }
}

}  // namespace

int main() {
  const std::string bytes = from_environment("KEYVIGIL_BENCH_BYTES", "1GB");
  const std::string path = from_environment("KEYVIGIL_BENCH_FOLDER", ".") + "/bench-world-" + bytes + ".jsonl";
  struct stat status {};
  if (stat(path.c_str(), &status) != 0) { make_world(path, bytes); }
  const std::vector<AccessEvent> events = decoded(path);
  const AddressBook book;
  std::vector<double> rates;
  Round round;
  for (int i = 0; i < kRounds; ++i) {
    Engine engine(book);
    round = decide_all(engine, events);
    rates.push_back(static_cast<double>(events.size()) / round.seconds);
    fmt::print("engine alone, round {}: {} events, {:.0f} events/s, {} findings\n", i + 1, events.size(), rates.back(),
               round.findings);
  }
  std::sort(rates.begin(), rates.end());
  fmt::print("engine alone, median: {:.0f} events/s on one core\n", rates[rates.size() / 2]);
  show_growth(events);
  return 0;
}
