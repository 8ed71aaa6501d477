// The store is killed at random moments, inside commits too: everything acknowledged is there afterwards, whole.
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <memory>
#include <random>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "reference/made_alert.h"
#include "unit/store/store_folder.h"

namespace keyvigil {
namespace {

constexpr int kRounds = 24;

struct Kill {
  CommitKind kind = CommitKind::kJournal;
  CommitPoint point = CommitPoint::kInside;
  int countdown = 0;  // the process dies when it was there so often; 0: it dies by the clock
};

// In the child: appends from three threads and checkpoints what was appended, telling the parent through a pipe what
// was acknowledged. "a<thread>:<number>": the entry; "c<n>": the checkpoint.
class Victim {
 public:
  Victim(std::string path, int pipe, Kill kill, int round)
      : path_(std::move(path)), pipe_(pipe), kill_(kill), round_(round) {}

  [[noreturn]] void run() {
    StoreOptions options;
    options.on_commit = [this](CommitKind kind, CommitPoint point) {
      if (kind != kill_.kind || point != kill_.point || --countdown_ != 0) { return; }
      say("k");
      ::kill(::getpid(), SIGKILL);
    };
    auto store = Store::open(path_, options);
    if (!store) { ::_exit(3); }
    std::vector<std::thread> threads;
    for (int thread = 0; thread < 3; ++thread) {
      threads.emplace_back([this, thread, &store] { append_for_ever(**store, thread); });
    }
    checkpoint_for_ever(**store);
  }

 private:
  void say(const std::string& line) const {
    const std::string whole = line + "\n";
    if (::write(pipe_, whole.data(), whole.size()) != static_cast<ssize_t>(whole.size())) { ::_exit(4); }
  }

  [[noreturn]] void append_for_ever(Store& store, int thread) const {
    for (int number = 0;; ++number) {
      const std::string name = fmt::format("{}-{}-{}", round_, thread, number);
      const InputPosition position{"logs", fmt::format("thread {}", thread), static_cast<std::uint64_t>(number), name};
      const std::string filling(static_cast<std::size_t>(number % 7) * 3000, static_cast<char>('a' + number % 26));
      const auto sequence = store.append(std::vector{input(name + ":" + filling)}, {&position, 1});
      if (!sequence) { ::_exit(5); }
      say("a" + name);
    }
  }

  // Every checkpoint says in its section how far it went, and raises the alert of its number.
  [[noreturn]] void checkpoint_for_ever(Store& store) const {
    const auto last = store.last_checkpoint();
    std::uint64_t number = last && *last ? std::stoull((*last)->sections.at("number")) : 0;
    std::uint64_t at = last && *last ? (*last)->consumed_to : 0;
    for (;;) {
      const auto entries = store.read_journal(at, 200'000);
      if (!entries) { ::_exit(6); }
      CheckpointCommit checkpoint;
      std::string seen = seen_ + (seen_.empty() ? (last && *last ? (*last)->sections.at("seen") : "") : "");
      for (const StoredEntry& stored : *entries) {
        at = stored.sequence;
        seen += stored.entry.body.substr(0, stored.entry.body.find(':')) + "\n";
      }
      seen_ = seen;
      checkpoint.sections["seen"] = section_of(seen);
      checkpoint.sections["number"] = section_of(std::to_string(++number));
      checkpoint.consumed_to = at;
      // Ahead of the checkpoint; where that does not come to be, it is raised again.
      const std::vector<RaisedRevision> raised = {{made_alert(number), false, "", {"siem"}}};
      if (!store.add_revisions(raised, {})) { ::_exit(8); }
      if (!store.commit(checkpoint)) { ::_exit(7); }
      say(fmt::format("c{}", number));
    }
  }

  std::string path_;
  int pipe_;
  Kill kill_;
  int round_;
  std::atomic<int> countdown_{kill_.countdown};
  mutable std::string seen_;
};

// What the victim said until it died.
std::vector<std::string> run_victim(const std::string& path, const Kill& kill, int round, int milliseconds) {
  std::array<int, 2> pipe{};
  EXPECT_EQ(::pipe(pipe.data()), 0);
  const pid_t child = ::fork();
  if (child == 0) {
    ::close(pipe[0]);
    Victim(path, pipe[1], kill, round).run();
  }
  ::close(pipe[1]);
  std::atomic<bool> dead = false;
  std::thread clock([&] {
    for (int waited = 0; waited < milliseconds && !dead; waited += 5) {
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    ::kill(child, SIGKILL);  // it is not waited for yet, so this is no other process
  });
  std::string said;
  std::array<char, 4096> buffer{};
  for (ssize_t got = 0; (got = ::read(pipe[0], buffer.data(), buffer.size())) > 0;) {
    said.append(buffer.data(), static_cast<std::size_t>(got));
  }
  dead = true;
  clock.join();
  ::close(pipe[0]);
  int status = 0;
  ::waitpid(child, &status, 0);
  EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL) << "status " << status;
  std::vector<std::string> lines;
  for (std::size_t at = 0; at < said.size();) {
    const std::size_t end = said.find('\n', at);
    if (end == std::string::npos) { break; }
    lines.push_back(said.substr(at, end - at));
    at = end + 1;
  }
  return lines;
}

TEST(StoreCrash, EverythingAcknowledgedIsThereOnce) {
  const StoreFolder folder;
  const std::uint64_t seed = std::random_device{}();
  SCOPED_TRACE(fmt::format("seed {}", seed));
  std::mt19937_64 random(seed);
  std::set<std::string> acknowledged;
  std::uint64_t last_checkpoint = 0;
  int killed_in_commits = 0;
  for (int round = 0; round < kRounds; ++round) {
    Kill kill;
    kill.kind = static_cast<CommitKind>(round % 3);
    kill.point = round % 5 == 4 ? CommitPoint::kAfter : CommitPoint::kInside;
    kill.countdown = round % 4 == 3 ? 0 : 1 + static_cast<int>(random() % 25);
    const int milliseconds = kill.countdown == 0 ? 20 + static_cast<int>(random() % 300) : 3000;
    for (const std::string& line : run_victim(folder.path(), kill, round, milliseconds)) {
      killed_in_commits += line == "k" && kill.point == CommitPoint::kInside ? 1 : 0;
      if (line[0] == 'a') { acknowledged.insert(line.substr(1)); }
      if (line[0] == 'c') { last_checkpoint = std::max<std::uint64_t>(last_checkpoint, std::stoull(line.substr(1))); }
    }
    auto store = folder.open();
    ASSERT_TRUE(store);
    const auto checkpoint = store->last_checkpoint();
    ASSERT_TRUE(checkpoint) << message_of(checkpoint);
    const std::uint64_t number = *checkpoint ? std::stoull((*checkpoint)->sections.at("number")) : 0;
    EXPECT_GE(number, last_checkpoint);
    // The alert of each checkpoint, perhaps that of the next one; each once on its way out.
    EXPECT_GE(store->figures()->alerts, number);
    EXPECT_LE(store->figures()->alerts, number + 1);
    EXPECT_EQ(store->figures()->outbox, store->figures()->alerts);
    std::string seen = *checkpoint ? (*checkpoint)->sections.at("seen") : "";
    const auto rest = store->read_journal(*checkpoint ? (*checkpoint)->consumed_to : 0, 1U << 30);
    ASSERT_TRUE(rest) << message_of(rest);
    for (const StoredEntry& stored : *rest) { seen += stored.entry.body.substr(0, stored.entry.body.find(':')) + "\n"; }
    std::multiset<std::string> names;
    for (std::size_t at = 0; at < seen.size(); at = seen.find('\n', at) + 1) {
      names.insert(seen.substr(at, seen.find('\n', at) - at));
    }
    for (const std::string& name : acknowledged) { EXPECT_EQ(names.count(name), 1U) << name << " in round " << round; }
    EXPECT_EQ(std::set<std::string>(names.begin(), names.end()).size(), names.size());
    const auto positions = store->positions("logs");
    for (const InputPosition& position : *positions) { EXPECT_EQ(names.count(position.mark), 1U) << position.mark; }
  }
  EXPECT_GE(killed_in_commits, 5);
  EXPECT_GT(acknowledged.size(), 100U);
  EXPECT_GT(last_checkpoint, 20U);
}

}  // namespace
}  // namespace keyvigil
