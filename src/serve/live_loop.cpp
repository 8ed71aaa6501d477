#include "serve/live_loop.h"

#include <algorithm>

#include "source/followed_input.h"

namespace keyvigil {
namespace {

// Saving may take a tenth of the time at most: where it takes long, it is done less often.
constexpr double kCheckpointShare = 10;
// Where much is read at once, alerts are stored so often at most; in the end at once.
constexpr std::chrono::milliseconds kAlertsTogether{250};
constexpr std::chrono::milliseconds kLongestWait{200};
constexpr std::chrono::seconds kHousekeeping{1};
constexpr std::chrono::seconds kRetry{1};

double seconds_since(std::chrono::steady_clock::time_point begun) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begun).count();
}

}  // namespace

LiveLoop::LiveLoop(Store& store, LiveOptions options, LiveReports reports)
    : store_(&store),
      options_(std::move(options)),
      idle_seconds_(options_.idle_seconds),
      checkpoint_every_seconds_(options_.checkpoint_seconds),
      keep_events_(options_.keep_events),
      reports_(std::move(reports)),
      decoder_(options_.threads),
      live_(options_.waiting_room, reports_.warn),
      keeper_(store, options_.rendering, reports_.raised) {
  send_to(options_.outputs, options_.outputs_of_backfill);
}

LiveLoop::~LiveLoop() = default;

// ---- opening ----

Result<void> LiveLoop::open(const std::optional<Checkpoint>& state, const LiveSettings& settings,
                            const ListArchive& lists) {
  auto opened = take_up(state, settings, lists);
  if (!opened) {
    if (opened.error().kind == ErrorKind::kNoRoom) { tell_obstacle(opened.error().message); }
    return opened;
  }
  auto begun = begin_with(settings, lists);
  if (begun || begun.error().kind != ErrorKind::kNoRoom) { return begun; }
  waiting_change_.emplace(settings, lists);
  tell_obstacle(begun.error().message);
  return {};
}

Result<void> LiveLoop::take_up(const std::optional<Checkpoint>& state, const LiveSettings& settings,
                               const ListArchive& lists) {
  started_ = reports_.now();
  live_ = LiveEstates(options_.waiting_room, reports_.warn);
  outcome_.revisions.clear();
  auto last = store_->last_checkpoint();
  if (!last) { return tl::unexpected(last.error()); }
  auto figures = store_->figures();
  if (!figures) { return tl::unexpected(figures.error()); }
  const bool fresh = !*last && figures->journal_entries == 0;
  if (state && !fresh) {
    return fail(ErrorKind::kUsage,
                "--state: expected a store in which nothing is known yet, found one with a state of its own; "
                "start without --state, or with a new --store");
  }
  if (*last) {
    if (auto loaded = live_.load(std::move((*last)->sections)); !loaded) { return loaded; }
    consumed_to_ = saved_to_ = (*last)->consumed_to;
  } else {
    if (auto begun = live_.begin(settings, pack_lists(lists)); !begun) { return begun; }
    if (state) {
      if (auto taken = live_.take_up(*state, outcome_); !taken) { return taken; }
    }
    // What the service begins with is what its first entry is decided with, also after a crash.
    if (auto saved = commit(); !saved) { return saved; }
  }
  checkpoint_at_ = housekeeping_at_ = Clock::now();
  return {};
}

// Nothing is taken in before this is journalled.
Result<void> LiveLoop::begin_with(const LiveSettings& settings, const ListArchive& lists) {
  const auto figures = store_->figures();
  if (!figures) { return tl::unexpected(figures.error()); }
  // Entries that are not read yet may say otherwise than the checkpoint does.
  const auto left = store_->read_journal(consumed_to_, 1);
  if (!left) { return tl::unexpected(left.error()); }
  {
    const std::lock_guard lock(change_mutex_);
    last_settings_ = left->empty() ? live_.settings_json() : "";
    last_lists_ = left->empty() ? live_.packed_lists() : "";
  }
  const auto changed = journal_change(settings, lists);
  if (!changed) { return tl::unexpected(changed.error()); }
  if (!left->empty()) {
    left_bytes_ = figures->journal_bytes;
    left_to_ = *changed - 2;  // settings and lists
  }
  waiting_change_.reset();
  begun_ = true;
  tell_obstacle("");
  return {};
}

Result<std::uint64_t> LiveLoop::change(const LiveSettings& settings, const ListArchive& lists) {
  if (!begun_) { return fail(ErrorKind::kNoRoom, obstacle()); }
  return journal_change(settings, lists);
}

Result<std::uint64_t> LiveLoop::journal_change(const LiveSettings& settings, const ListArchive& lists) {
  const std::lock_guard lock(change_mutex_);
  std::string json = to_json(settings);
  std::string packed = pack_lists(lists);
  std::vector<JournalEntry> entries;
  const std::int64_t now = reports_.now().ticks;
  const auto add = [&](JournalKind kind, const std::string& body) {
    JournalEntry entry;
    entry.kind = kind;
    entry.received_ticks = now;
    entry.body = body;
    entries.push_back(std::move(entry));
  };
  if (json != last_settings_) { add(JournalKind::kSettings, json); }
  if (packed != last_lists_) { add(JournalKind::kLists, packed); }
  if (entries.empty()) { return 0; }
  auto appended = append(entries);
  if (!appended) { return appended; }
  last_settings_ = std::move(json);
  last_lists_ = std::move(packed);
  return appended;
}

// ---- the loop ----

Result<std::uint64_t> LiveLoop::append(std::span<const JournalEntry> entries,
                                       std::span<const InputPosition> positions) {
  if (std::ranges::any_of(entries, [](const JournalEntry& entry) { return entry.kind == JournalKind::kInput; })) {
    if (std::string why = obstacle(); !why.empty()) { return fail(ErrorKind::kNoRoom, std::move(why)); }
  }
  auto sequence = store_->append(entries, positions);
  if (!sequence) { return sequence; }
  std::uint64_t bytes = 0;
  for (const JournalEntry& entry : entries) { bytes += entry.body.size(); }
  appended_bytes_ += bytes;
  {
    const std::lock_guard lock(mutex_);
    work_ = true;
  }
  woken_.notify_one();
  return sequence;
}

void LiveLoop::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  woken_.notify_one();
}

std::string LiveLoop::obstacle() const {
  const std::lock_guard lock(mutex_);
  return obstacle_;
}

void LiveLoop::tell_obstacle(const std::string& why) {
  {
    const std::lock_guard lock(mutex_);
    if (obstacle_ == why) { return; }
    obstacle_ = why;
  }
  if (!why.empty()) { reports_.warn(why); }
}

bool LiveLoop::wait_for_room() {
  std::unique_lock lock(mutex_);
  return !woken_.wait_for(lock, kRetry, [this] { return stopping_; });
}

// What waits for room on a disk is tried again, each second at most.
Result<void> LiveLoop::clear_obstacles() {
  if (!waiting_change_ && live_.shortage().empty()) { return {}; }
  if (Clock::now() - room_tried_at_ < kRetry) { return {}; }
  room_tried_at_ = Clock::now();
  if (waiting_change_) {
    const auto [settings, lists] = *waiting_change_;
    auto begun = begin_with(settings, lists);
    return begun || begun.error().kind == ErrorKind::kNoRoom ? Result<void>{} : begun;
  }
  live_.make_room();
  tell_obstacle(live_.shortage());
  return {};
}

void LiveLoop::wait(std::chrono::milliseconds time) {
  std::unique_lock lock(mutex_);
  woken_.wait_for(lock, time, [this] { return work_ || stopping_ || !questions_.empty(); });
  work_ = false;
}

Result<void> LiveLoop::run() {
  std::optional<Clock::time_point> stop_at;
  while (true) {
    questions_.answer();
    bool more = false;
    if (auto cleared = clear_obstacles(); !cleared) { return cleared; }
    if (!checkpoint_failed_ && obstacle().empty()) {
      auto read = read_and_decide();
      if (!read) { return tl::unexpected(read.error()); }
      more = *read;
    }
    const bool keep = !checkpoint_failed_ && outcome_.events.packed_bytes() >= options_.keep_events_bytes;
    // Where events cannot be kept, a checkpoint cannot be made either: it says why, and nothing more is decided.
    if ((keep && !keep_events()) || is_checkpoint_due()) {
      if (auto saved = commit(); !saved) { reports_.warn(saved.error().message); }
    }
    if (!more) { keep_house(); }
    bool stopping = false;
    {
      const std::lock_guard lock(mutex_);
      stopping = stopping_;
    }
    if (stopping && !stop_at) { stop_at = Clock::now() + std::chrono::seconds(options_.stop_seconds); }
    if (stopping && (!more || Clock::now() >= *stop_at)) { break; }
    if (!more && !stopping) { wait(checkpoint_failed_ ? kRetry : kLongestWait); }
  }
  auto ended = commit_in_the_end();
  questions_.answer();
  return ended;
}

Result<void> LiveLoop::commit_in_the_end() {
  if (auto there = store_->check_place(); !there) { return there; }
  if (!has_changes()) { return {}; }
  return commit();
}

// False: there was nothing.
Result<bool> LiveLoop::read_and_decide() {
  outcome_.keep_events = keep_events_;
  auto entries = store_->read_journal(consumed_to_, options_.journal_read_bytes);
  if (!entries) { return tl::unexpected(entries.error()); }
  if (entries->empty()) { return false; }
  decoder_.begin(*entries);
  while (true) {
    auto piece = decoder_.next();
    if (!piece) { return tl::unexpected(piece.error()); }
    if (!*piece) { break; }
    const StoredEntry& stored = *(*piece)->entry;
    if (auto taken = live_.take(stored, (*piece)->batch, outcome_); !taken) { return tl::unexpected(taken.error()); }
    if (auto decided = live_.decide_ready(outcome_); !decided) { return tl::unexpected(decided.error()); }
    if (Clock::now() - revisions_kept_at_ >= kAlertsTogether) { keep_revisions(); }
    if ((*piece)->last) {
      consumed_to_ = stored.sequence;
      if (stored.sequence > left_to_) { consumed_bytes_ += stored.entry.body.size(); }
      if (stored.sequence >= left_to_) { left_bytes_ = 0; }
      consumed_received_ticks_ = stored.entry.received_ticks;
    }
    questions_.answer();
  }
  keep_revisions();
  if (const std::string why = live_.shortage(); !why.empty()) { tell_obstacle(why); }
  return true;
}

// ---- the passing of time ----

void LiveLoop::keep_house() {
  if (Clock::now() - housekeeping_at_ < kHousekeeping) { return; }
  housekeeping_at_ = Clock::now();
  const EventTime now = reports_.now();
  if (waiting_bytes() == 0 && !checkpoint_failed_ && obstacle().empty()) {
    std::vector<JournalEntry> entries = live_.idle_entries(now, started_, idle_seconds_);
    if (entries.empty()) { entries = live_.tick_entries(now, started_); }
    if (!entries.empty()) {
      if (auto appended = append(entries); !appended) { reports_.warn(appended.error().message); }
    }
  }
  if (now.ticks - outdated_removed_at_.ticks > EventTime::kTicksPerHour) {
    outdated_removed_at_ = now;
    if (auto removed = store_->remove_outdated(now); !removed) { reports_.warn(removed.error().message); }
  }
}

// ---- checkpoints ----

bool LiveLoop::is_checkpoint_due() const {
  if (!has_changes()) { return false; }
  const double passed = seconds_since(checkpoint_at_);
  if (checkpoint_failed_) { return passed >= std::chrono::duration<double>(kRetry).count(); }
  if (passed < kCheckpointShare * checkpoint_seconds_) { return false; }
  return passed >= static_cast<double>(checkpoint_every_seconds_) ||
         live_.events_taken() - events_saved_ >= options_.checkpoint_events;
}

// Questions are answered meanwhile: nothing changes until it is written.
CheckpointCommit LiveLoop::checkpoint() {
  CheckpointCommit commit;
  commit.consumed_to = consumed_to_;
  commit.between_pieces = [this] { questions_.answer(); };
  commit.sections = live_.sections();
  return commit;
}

// Where it fails, nothing more is decided until a checkpoint has succeeded, which begins with them.
void LiveLoop::keep_revisions() {
  revisions_kept_at_ = Clock::now();
  if (outcome_.revisions.empty() || checkpoint_failed_) { return; }
  const auto kept = keeper_.keep(outcome_.revisions, reports_.now());
  if (kept) { return; }
  checkpoint_at_ = Clock::now();
  checkpoint_failed_ = true;
  checkpoint_failure_ = kept.error().message;
  reports_.warn(checkpoint_failure_);
}

Result<void> LiveLoop::keep_events() {
  std::vector<EventBlock> blocks = outcome_.events.take();
  if (blocks.empty()) { return {}; }
  auto kept = store_->keep_events(blocks);
  if (!kept) { outcome_.events.put_back(std::move(blocks)); }
  return kept;
}

Result<void> LiveLoop::save() {
  if (auto kept = keep_events(); !kept) { return kept; }
  if (auto kept = keeper_.keep(outcome_.revisions, reports_.now()); !kept) { return kept; }
  return store_->commit(checkpoint());
}

Result<void> LiveLoop::commit() {
  const auto begun = Clock::now();
  checkpoint_at_ = begun;
  auto saved = save();
  checkpoint_failed_ = !saved.has_value();
  checkpoint_failure_ = saved ? std::string() : saved.error().message;
  if (!saved) { return saved; }
  checkpoint_at_ = Clock::now();
  checkpoint_seconds_ = seconds_since(begun);
  ++checkpoints_;
  events_saved_ = live_.events_taken();
  saved_to_ = consumed_to_;
  return {};
}

// ---- questions ----

void LiveLoop::wake() {
  // Whoever is about to wait has seen the question, or hears of it.
  { const std::lock_guard lock(mutex_); }
  woken_.notify_one();
}

template <typename Answer>
Result<Answer> LiveLoop::ask(std::function<Answer()> question) {
  return questions_.ask<Answer>(std::move(question), [this] { wake(); });
}

LiveView LiveLoop::view() {
  LiveView view;
  view.figures = [this] { return ask<LiveFigures>([this] { return figures(); }); };
  view.entity = [this](const std::string& kind, const std::string& key) {
    return ask<std::optional<EntityProfile>>([this, kind, key] { return profile(live_, kind, key); });
  };
  view.readiness = [this](std::size_t limit) {
    return ask<std::vector<VaultReadiness>>([this, limit] { return readiness(live_, limit); });
  };
  view.open_alerts = [this](const std::vector<OpenAlertKey>& keys) {
    return ask<std::vector<Alert>>([this, keys] { return open_alerts(live_, keys); });
  };
  return view;
}

LiveFigures LiveLoop::figures() const {
  InputReports inputs;
  {
    const std::lock_guard lock(mutex_);
    inputs = inputs_;
  }
  LiveFigures out = live_figures(live_, inputs);
  if (auto figures = store_->figures()) { out.journal_waiting = figures->journal_entries; }
  if (waiting_bytes() > 0 && consumed_received_ticks_ > 0) {
    out.behind_seconds = static_cast<double>(reports_.now().ticks - consumed_received_ticks_) /
                         static_cast<double>(EventTime::kTicksPerSecond);
  }
  if (!checkpoint_failure_.empty()) { out.problems.push_back({"store", "", checkpoint_failure_}); }
  if (std::string why = obstacle(); !why.empty()) { out.problems.push_back({"store", "room", std::move(why)}); }
  out.checkpoint_seconds = checkpoint_seconds_;
  out.checkpoints = checkpoints_;
  return out;
}

Result<std::vector<CallerAddresses>> LiveLoop::callers() {
  return ask<std::vector<CallerAddresses>>([this] {
    std::vector<CallerAddresses> callers;
    for (const auto& estate : live_.estates()) { callers.push_back(estate->callers()); }
    return callers;
  });
}

void LiveLoop::send_to(std::vector<std::string> outputs, std::vector<std::string> outputs_of_backfill) {
  keeper_.send_to(std::move(outputs), std::move(outputs_of_backfill));
}

void LiveLoop::change_upkeep(std::int64_t idle_seconds, std::int64_t checkpoint_seconds, bool keep_events) {
  idle_seconds_ = idle_seconds;
  checkpoint_every_seconds_ = checkpoint_seconds;
  keep_events_ = keep_events;
}

void LiveLoop::follow_only(std::set<std::string> inputs) {
  const std::lock_guard lock(mutex_);
  std::erase_if(inputs_.reports, [&](const auto& report) { return !inputs.contains(report.first); });
  inputs_.followed = std::move(inputs);
}

std::map<std::string, EventTime> LiveLoop::inputs_by_http() const {
  std::map<std::string, EventTime> inputs;
  for (const auto& [name, tally] : live_.tallies()) {
    if (!is_followed_input(name)) { inputs[name] = EventTime{tally.received_ticks}; }
  }
  return inputs;
}

void LiveLoop::report_input(const std::string& input, InputReport report) {
  const std::lock_guard lock(mutex_);
  inputs_.reports[input] = std::move(report);
}

}  // namespace keyvigil
