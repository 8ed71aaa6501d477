// The engine alone: events that are decoded already, in order, through all fourteen detectors. Says events per second
// on one core, what a caller, a vault and an edge cost in memory, and how that grows up to ten million events.
//
// The events are those of the bench world (2,000 vaults, 4,000 applications, 3,000 users, 30 days), decoded from the
// file that pipeline_bench makes in KEYVIGIL_BENCH_FOLDER; where it is not there, KEYVIGIL_BINARY makes it. More
// events are the same month again, later: once as it was, and once with a tenth of the callers leaving each month and
// new ones coming in their place. What a caller costs alone is measured by estates that are made for it.
#include <fmt/format.h>
#include <malloc.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <ctime>
#include <string>
#include <vector>

#include "base/hash.h"
#include "engine/engine.h"
#include "estate/decode_pool.h"
#include "source/file_source.h"

namespace {

using namespace keyvigil;

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

double allocated_bytes() {
  return static_cast<double>(mallinfo2().uordblks + mallinfo2().hblkhd);
}

constexpr double kMebibyte = 1024.0 * 1024.0;

double processor_seconds() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

struct Round {
  double seconds = 0;
  double processor_seconds = 0;
  std::size_t findings = 0;
};

[[gnu::noinline]] Round decide_all(Engine& engine, const std::vector<AccessEvent>& events) {
  Decision decision;
  Round round;
  const auto begun = std::chrono::steady_clock::now();
  const double processor_begun = processor_seconds();
  for (std::size_t i = 0; i < events.size(); ++i) {
    if (i + Engine::kFarAhead < events.size()) { engine.prefetch_far(events[i + Engine::kFarAhead]); }
    if (i + Engine::kNearAhead < events.size()) { engine.prefetch_near(events[i + Engine::kNearAhead]); }
    engine.decide(events[i], Timeliness::kInTime, decision);
    round.findings += decision.findings.size();
  }
  round.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begun).count();
  round.processor_seconds = processor_seconds() - processor_begun;
  return round;
}

// ---- how memory grows ----

std::uint64_t edges_of(const EstateHistory& history) {
  std::uint64_t edges = 0;
  for (std::size_t kind = 0; kind < EstateHistory::kTouchKinds; ++kind) {
    edges += history.touches(kind).graph().statistics().edges;
  }
  return edges;
}

// The event of month 0, in a later month. Who leaves is told by the hash of the caller, and comes back under a new
// name.
void move_to_month(AccessEvent& event, std::int64_t month, std::int64_t month_ticks, bool turnover) {
  constexpr std::uint64_t kTenths = 10;
  event.time.ticks += month * month_ticks;
  const std::uint64_t hash = hash64(event.caller_key());
  std::int64_t renewals = 0;
  for (std::int64_t passed = 1; passed <= month; ++passed) {
    renewals += hash % kTenths == static_cast<std::uint64_t>(passed) % kTenths ? 1 : 0;
  }
  const TextSlice key = event.slices[static_cast<std::size_t>(TextField::kCallerKey)];
  if (turnover && renewals > 0 && key.size > 0) {
    // Fields of equal text share it: the object id or application id changes too.
    event.text[key.offset + key.size - 1U] = static_cast<char>('g' + renewals);
  }
  hash_keys(event);
}

void show_growth(const std::vector<AccessEvent>& events, bool turnover) {
  constexpr std::size_t kMostEvents = 10'000'000;
  constexpr std::size_t kStepEvents = 1'000'000;
  const std::int64_t month_ticks = (events.back().time.day() - events.front().time.day() + 1) * EventTime::kTicksPerDay;
  const AddressBook book;
  const double before = allocated_bytes();
  Engine engine(book);
  Decision decision;
  fmt::print("\n{}\n{:>10}  {:>8}  {:>8}  {:>8}  {:>8}  {:>8}\n",
             turnover ? "A tenth of the callers new each month:" : "The same callers month by month:", "events",
             "callers", "vaults", "edges", "MiB", "seconds");
  const double begun = processor_seconds();
  AccessEvent event;
  for (std::size_t i = 0; i < kMostEvents; ++i) {
    event = events[i % events.size()];
    move_to_month(event, static_cast<std::int64_t>(i / events.size()), month_ticks, turnover);
    engine.decide(event, Timeliness::kInTime, decision);
    if (i + 1 != kStepEvents / 10 && (i + 1) % kStepEvents != 0) { continue; }
    const EstateHistory& history = engine.history();
    fmt::print("{:>10}  {:>8}  {:>8}  {:>8}  {:>8.1f}  {:>8.1f}\n", i + 1, history.callers().size(),
               history.vaults().size(), edges_of(history), (allocated_bytes() - before) / kMebibyte,
               processor_seconds() - begun);
  }
}

// ---- what one of each costs ----

AccessEvent made_event(std::uint64_t caller, std::uint64_t vault, std::int64_t hour) {
  AccessEvent event;
  event.time = EventTime{(500'000 + hour) * EventTime::kTicksPerHour};
  event.operation = find_operation("SecretGet");
  event.operation_kind = operation_row(event.operation).kind;
  event.caller_kind = CallerKind::kApp;
  event.outcome = Outcome::kSuccess;
  event.network_path = NetworkPath::kPrivateLink;
  event.http_status = 200;
  const auto put = [&event](TextField field, const std::string& text) {
    event.slices[static_cast<std::size_t>(field)] = {static_cast<std::uint16_t>(event.text.size()),
                                                     static_cast<std::uint16_t>(text.size())};
    event.text += text;
  };
  const std::string id = fmt::format("{:08x}-0000-4000-8000-{:012x}", caller & 0xFFFF'FFFFU, caller);
  put(TextField::kCallerKey, id);
  put(TextField::kAppId, id);
  put(TextField::kVaultId, fmt::format("/subscriptions/11111111-2222-4333-8444-555555555555/resourcegroups/rg-{:06}/"
                                       "providers/microsoft.keyvault/vaults/kv-{:06}",
                                       vault, vault));
  put(TextField::kObject, fmt::format("secrets/secret-{}", caller % 7));
  hash_keys(event);
  return event;
}

struct Estate {
  double bytes = 0;
  double callers = 0;
  double vaults = 0;
  double edges = 0;
};

// An engine in which so many callers each visit so many of so many vaults, on four days.
Estate made_estate(std::uint64_t callers, std::uint64_t vaults, std::uint64_t visits) {
  const AddressBook book;
  const double before = allocated_bytes();
  Engine engine(book);
  Decision decision;
  for (std::int64_t day = 0; day < 4; ++day) {
    for (std::uint64_t visit = 0; visit < visits; ++visit) {
      for (std::uint64_t caller = 0; caller < callers; ++caller) {
        const std::uint64_t vault = (caller + visit * (vaults / 2 + 1)) % vaults;
        engine.decide(made_event(caller, vault, 24 * day + static_cast<std::int64_t>(visit)), Timeliness::kInTime,
                      decision);
      }
    }
  }
  engine.decide(made_event(0, 0, 24 * 4), Timeliness::kInTime, decision);
  const EstateHistory& history = engine.history();
  return {allocated_bytes() - before, static_cast<double>(history.callers().size()),
          static_cast<double>(history.vaults().size()), static_cast<double>(edges_of(history))};
}

// From the differences of estates that differ in one number. Numbers are just below powers of two, so that little of
// what is measured is room for more.
void show_costs() {
  constexpr std::uint64_t kFew = 8'100;
  constexpr std::uint64_t kMany = 65'000;
  const Estate base = made_estate(kFew, kFew, 2);
  const Estate edges = made_estate(kFew, kFew, 16);
  const Estate vaults = made_estate(kFew, 2 * kFew, 2);
  const Estate callers = made_estate(kMany, kFew, 2);
  const double edge = (edges.bytes - base.bytes) / (edges.edges - base.edges);
  const double vault = (vaults.bytes - base.bytes) / (vaults.vaults - base.vaults);
  const double caller =
      (callers.bytes - base.bytes - edge * (callers.edges - base.edges)) / (callers.callers - base.callers);
  fmt::print("\nbytes: {:.0f} a caller, {:.0f} a vault, {:.0f} an edge between them\n", caller, vault, edge);
}

}  // namespace

int main() {
  const std::string bytes = from_environment("KEYVIGIL_BENCH_BYTES", "1GB");
  const std::string path = from_environment("KEYVIGIL_BENCH_FOLDER", ".") + "/bench-world-" + bytes + ".jsonl";
  const int rounds = std::max(1, std::atoi(from_environment("KEYVIGIL_BENCH_ROUNDS", "5").c_str()));
  struct stat status {};
  if (stat(path.c_str(), &status) != 0) { make_world(path, bytes); }
  const std::vector<AccessEvent> events = decoded(path);
  const AddressBook book;
  std::vector<double> rates;
  for (int i = 0; i < rounds; ++i) {
    Engine engine(book);
    const Round round = decide_all(engine, events);
    const auto count = static_cast<double>(events.size());
    rates.push_back(count / round.seconds);
    fmt::print("engine alone, round {}: {} events, {:.0f} events/s ({:.0f} by processor time), {} findings\n", i + 1,
               events.size(), rates.back(), count / round.processor_seconds, round.findings);
  }
  std::sort(rates.begin(), rates.end());
  fmt::print("engine alone, median: {:.0f} events/s on one core\n", rates[rates.size() / 2]);
  if (rounds == 1) { return 0; }
  show_costs();
  show_growth(events, false);
  show_growth(events, true);
  return 0;
}
