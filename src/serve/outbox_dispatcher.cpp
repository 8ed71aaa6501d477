#include "serve/outbox_dispatcher.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <utility>

#include "base/check.h"
#include "base/hash.h"

namespace keyvigil {
namespace {

constexpr std::size_t kBatchLimit = 64;
constexpr std::int64_t kFirstBackoffSeconds = 2;
constexpr std::int64_t kLongestBackoffSeconds = 300;
constexpr std::int64_t kRestAfterStoreFailureSeconds = 10;
constexpr std::chrono::seconds kLookEvery(1);

EventTime later(EventTime time, std::int64_t seconds) {
  return EventTime{time.ticks + seconds * EventTime::kTicksPerSecond};
}

bool is_past_its_bounds(const Delivery& delivery, const OutgoingAlert& alert, const OutputOptions& options,
                        EventTime now) {
  const std::int64_t most_age_ticks = options.most_age_hours * EventTime::kTicksPerHour;
  return delivery.attempts + 1 >= static_cast<std::uint64_t>(options.most_attempts) ||
         (alert.standing.processed && now.ticks - alert.standing.processed->ticks >= most_age_ticks);
}

}  // namespace

Outbox outbox_of(Store& store) {
  return {
      [&store](const std::string& output, EventTime now, std::size_t limit) { return store.due(output, now, limit); },
      [&store](std::span<const std::uint64_t> ids) { return store.delivered(ids); },
      [&store](std::uint64_t id, EventTime next_attempt, const std::string& why) {
        return store.postpone(id, next_attempt, why);
      },
      [&store](std::uint64_t id, EventTime now, const std::string& why) { return store.bury(id, now, why); }};
}

std::int64_t backoff_seconds(std::uint64_t delivery_id, const std::string& output, std::uint32_t attempts,
                             std::int64_t wait_seconds) {
  const std::uint32_t doublings = std::min<std::uint32_t>(attempts, 16);
  const std::int64_t whole = std::min(kLongestBackoffSeconds, kFirstBackoffSeconds << doublings);
  const std::uint64_t chance = hash64(HashInput().add(delivery_id).add(output).add(std::uint64_t{attempts}).bytes());
  const std::int64_t jitter = static_cast<std::int64_t>(chance % static_cast<std::uint64_t>(whole / 2 + 1));
  return std::max(whole - jitter, wait_seconds);
}

void OutputRounds::rest_until(EventTime time, const std::string& why) {
  rests_until_ = std::max(rests_until_, time);
  const bool news = [&] {
    const std::lock_guard lock(mutex_);
    return std::exchange(figures_.failure, why).empty();
  }();
  if (news) { tell(OutputNotice::Kind::kAway, why); }
}

void OutputRounds::tell(OutputNotice::Kind kind, std::string text) const {
  if (log_) { log_({kind, output_.options().name, std::move(text)}); }
}

// What could not be written down is said, and the output rests: the store is full or broken.
void OutputRounds::note(const Result<void>& written, EventTime now) {
  if (!written) { rest_until(later(now, kRestAfterStoreFailureSeconds), written.error().message); }
}

bool OutputRounds::mark_delivered(EventTime now) {
  if (done_.empty()) { return true; }
  const auto written = outbox_.delivered(done_);
  if (written) { done_.clear(); }
  note(written, now);
  return written.has_value();
}

Result<OutputRounds::Batch> OutputRounds::next_batch(EventTime now) {
  auto due = outbox_.due(output_.options().name, now, kBatchLimit);
  if (!due) { return tl::unexpected(due.error()); }
  Batch batch;
  std::uint64_t not_taken = 0;
  for (Delivery& delivery : *due) {
    const AlertStanding standing = delivery.alert.standing();
    if (!takes(output_.options().filter, delivery.alert.alert, standing)) {
      done_.push_back(delivery.id);
      ++not_taken;
      continue;
    }
    batch.alerts.push_back({std::move(delivery.alert.alert), standing});
    batch.deliveries.push_back({delivery.id, {}, {}, delivery.attempts});
  }
  const std::lock_guard lock(mutex_);
  figures_.not_taken += not_taken;
  return batch;
}

void OutputRounds::settle(const Delivery& delivery, const OutgoingAlert& alert, const Attempt& attempt, EventTime now) {
  const OutputOptions& options = output_.options();
  if (attempt.outcome == Attempt::Outcome::kNotTried) { return; }
  if (attempt.outcome == Attempt::Outcome::kDelivered) {
    done_.push_back(delivery.id);
    const bool back = [&] {
      const std::lock_guard lock(mutex_);
      ++figures_.delivered;
      figures_.failed_in_row = 0;
      figures_.last_delivered = now;
      return !std::exchange(figures_.failure, {}).empty();
    }();
    if (back) { tell(OutputNotice::Kind::kBack, "delivers again"); }
    return;
  }
  const EventTime next =
      later(now, backoff_seconds(delivery.id, options.name, delivery.attempts, attempt.wait_seconds));
  const bool dead = attempt.outcome == Attempt::Outcome::kNever || is_past_its_bounds(delivery, alert, options, now);
  {
    const std::lock_guard lock(mutex_);
    ++figures_.failed_attempts;
    if (figures_.failed_in_row++ == 0) { figures_.failing_since = now; }
    figures_.last_failure = attempt.why;
    figures_.dead_letters += dead ? 1U : 0U;
  }
  if (dead) {
    tell(OutputNotice::Kind::kDeadLetter,
         fmt::format("alert {} revision {} is a dead letter: {}", alert.alert.id, alert.alert.revision, attempt.why));
    note(outbox_.bury(delivery.id, now, attempt.why), now);
  } else {
    note(outbox_.postpone(delivery.id, next, attempt.why), now);
  }
  if (attempt.receiver_away) { rest_until(next, attempt.why); }
}

bool OutputRounds::run(EventTime now, const std::atomic<bool>& stop) {
  if (now < rests_until_ || !mark_delivered(now)) { return false; }
  auto batch = next_batch(now);
  if (!batch) {
    note(tl::unexpected(batch.error()), now);
    return false;
  }
  if (!batch->alerts.empty()) {
    const std::vector<Attempt> attempts = output_.deliver(batch->alerts, now, stop);
    CHECK(attempts.size() == batch->alerts.size());
    for (std::size_t i = 0; i < attempts.size(); ++i) {
      settle(batch->deliveries[i], batch->alerts[i], attempts[i], now);
    }
  }
  const bool any = !done_.empty();
  return mark_delivered(now) && any && now >= rests_until_;
}

OutputFigures OutputRounds::figures() const {
  const std::lock_guard lock(mutex_);
  OutputFigures figures = figures_;
  figures.name = output_.options().name;
  return figures;
}

OutboxDispatcher::OutboxDispatcher(Outbox outbox, const std::vector<OutputOptions>& outputs,
                                   const AlertRendering& rendering, const std::string& host,
                                   std::function<EventTime()> now, const OutputLog& log)
    : outbox_(std::move(outbox)), rendering_(rendering), host_(host), now_(std::move(now)), log_(log) {
  replace(outputs);
}

OutboxDispatcher::~OutboxDispatcher() {
  stop();
}

void OutboxDispatcher::replace(const std::vector<OutputOptions>& outputs) {
  const auto goes_on = [&](const std::unique_ptr<Worker>& worker) {
    return std::ranges::find(outputs, worker->rounds->options()) != outputs.end();
  };
  const auto gone = std::stable_partition(workers_.begin(), workers_.end(), goes_on);
  stop({gone, workers_.end()});
  workers_.erase(gone, workers_.end());
  std::vector<std::unique_ptr<Worker>> workers;  // in the order of the configuration
  for (const OutputOptions& options : outputs) {
    const auto known = std::ranges::find_if(
        workers_, [&](const auto& worker) { return worker && worker->rounds->options() == options; });
    if (known != workers_.end()) {
      workers.push_back(std::move(*known));
      continue;
    }
    workers.push_back(
        std::make_unique<Worker>(std::make_unique<OutputRounds>(outbox_, Output(options, rendering_, host_), log_)));
    if (started_) { start(*workers.back()); }
  }
  workers_ = std::move(workers);
}

void OutboxDispatcher::start() {
  CHECK(!started_);
  started_ = true;
  for (const auto& worker : workers_) { start(*worker); }
}

void OutboxDispatcher::start(Worker& worker) {
  worker.thread = std::thread([this, &worker] { work(worker); });
}

void OutboxDispatcher::work(Worker& worker) {
  std::uint64_t seen = 0;
  while (!worker.stop) {
    {
      const std::lock_guard lock(mutex_);
      seen = notices_;
    }
    if (worker.rounds->run(now_(), worker.stop)) { continue; }
    std::unique_lock lock(mutex_);
    woken_.wait_for(lock, kLookEvery, [&] { return worker.stop || notices_ != seen; });
  }
}

void OutboxDispatcher::notify() {
  {
    const std::lock_guard lock(mutex_);
    ++notices_;
  }
  woken_.notify_all();
}

void OutboxDispatcher::stop(std::span<const std::unique_ptr<Worker>> workers) {
  {
    const std::lock_guard lock(mutex_);
    for (const auto& worker : workers) { worker->stop = true; }
  }
  woken_.notify_all();
  for (const auto& worker : workers) {
    if (worker->thread.joinable()) { worker->thread.join(); }
  }
}

void OutboxDispatcher::stop() {
  stop(workers_);
}

std::vector<OutputFigures> OutboxDispatcher::figures() const {
  std::vector<OutputFigures> all;
  for (const auto& worker : workers_) { all.push_back(worker->rounds->figures()); }
  return all;
}

}  // namespace keyvigil
