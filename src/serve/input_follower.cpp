#include "serve/input_follower.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <memory>
#include <utility>

#include "source/find_inputs.h"
#include "source/followed_folder.h"

namespace keyvigil {
namespace {

// Kept as positions of items that have no such names: where the input begins, and that its past was read.
constexpr std::string_view kBeginning = "";
constexpr std::string_view kBackfilled = "\nbackfilled";
constexpr std::int64_t kHoursBefore = 1;  // a blob may still grow after its hour

void add_sentence(std::string& text, const std::string& more) {
  if (!text.empty()) { text += "; "; }
  text += more;
}

// What is not read, or never will be.
std::string left_behind(const FollowFigures& figures) {
  std::string text;
  if (figures.failing > 0) {
    add_sentence(text, fmt::format("{} items cannot be taken and are tried again, the others go on; the first is {}",
                                   figures.failing, figures.failing_first));
  }
  if (figures.not_listed > 0) {
    add_sentence(text, fmt::format("{} entries cannot be followed, the first: {}", figures.not_listed,
                                   figures.not_listed_first));
  }
  if (figures.passed_over > 0) {
    add_sentence(text,
                 fmt::format("{} items are no JSON lines and larger than {} MiB, and were passed over, the first is "
                             "'{}'; split them, or read them with keyvigil detect",
                             figures.passed_over, FollowOptions{}.whole_limit_bytes >> 20, figures.passed_over_item));
  }
  if (figures.left_out > 0) {
    add_sentence(text, fmt::format("{} items of the oldest hours are beyond the limit of {} and are not followed",
                                   figures.left_out, FollowOptions{}.items_limit));
  }
  return text;
}

}  // namespace

Result<std::unique_ptr<InputFollower>> InputFollower::open(FollowedInput input, FollowerDoors doors) {
  std::optional<BlobContainer> container;
  if (input.folder.empty()) {
    auto opened = BlobContainer::open(input.container, doors.now);
    if (!opened) { return tl::unexpected(opened.error()); }
    container.emplace(*std::move(opened));
  }
  return std::make_unique<InputFollower>(std::move(input), std::move(doors), std::move(container));
}

InputFollower::InputFollower(FollowedInput input, FollowerDoors doors, std::optional<BlobContainer> container)
    : input_(std::move(input)), doors_(std::move(doors)), name_(input_.name()), container_(std::move(container)) {}

InputFollower::~InputFollower() {
  stop();
}

void InputFollower::start() {
  thread_ = std::thread([this] { run(); });
}

void InputFollower::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  if (thread_.joinable()) { thread_.join(); }
}

// False: the thread is to end.
bool InputFollower::wait(std::int64_t seconds) {
  std::unique_lock lock(mutex_);
  return !changed_.wait_for(lock, std::chrono::seconds(seconds), [this] { return stopping_; });
}

void InputFollower::run() {
  std::int64_t pause_seconds = 0;
  while (wait(pause_seconds)) {
    auto begun = follower_ ? Result<void>{} : begin();
    auto looked = begun ? look() : tl::unexpected(begun.error());
    report(looked);
    pause_seconds = looked && *looked ? 0 : input_.poll_seconds;
  }
}

void InputFollower::report(const Result<bool>& looked) {
  InputReport report;
  if (follower_) {
    const FollowFigures& figures = follower_->figures();
    report.failure = left_behind(figures);
    report.items_failing = figures.failing;
    report.item_failures = figures.failures;
    report.items_passed_over = figures.passed_over;
    report.items_left_out = figures.left_out + figures.not_listed;
    for (const std::string& text : follower_->take_notices()) { doors_.tell(name_, text); }
  }
  if (!looked) { report.failure = looked.error().message; }
  doors_.report(name_, std::move(report));
}

// A blob of an hour that is over for long holds nothing that is ahead of the clock, but for strays.
std::optional<std::string> InputFollower::hold(const FollowedItem& item, std::string_view bytes) const {
  const EventTime now = doors_.now();
  const bool is_old = item.not_before && item.not_before->hour() + kHoursBefore < now.hour();
  if (is_old) { return std::nullopt; }
  return doors_.clock->hold(name_ + "\n" + item.name, times_of_records(bytes, now));
}

Result<void> InputFollower::begin() {
  auto positions = doors_.positions(name_);
  if (!positions) { return tl::unexpected(positions.error()); }
  FollowOptions options;
  std::vector<FollowedPlace> places;
  bool backfilled = false;
  bool are_open = true;
  for (InputPosition& position : *positions) {
    if (position.item == kBeginning) {
      options.from = parse_iso_time(position.mark);
    } else if (position.item == kBackfilled) {
      backfilled = true;
    } else if (position.item == kNoLongerFollowed) {
      are_open = false;  // they were closed when it was removed
      const std::string item(kNoLongerFollowed);
      if (auto gone = doors_.forget(name_, {&item, 1}); !gone) { return gone; }
    } else {
      places.push_back({std::move(position.item), position.offset, std::move(position.mark)});
    }
  }
  if (!options.from) {
    const EventTime now = doors_.now();
    options.from = input_.from.value_or(EventTime{now.ticks - kHoursBefore * EventTime::kTicksPerHour});
    const InputPosition beginning{name_, std::string(kBeginning), 0, to_iso_milliseconds(*options.from)};
    backfilled = !input_.from;
    const std::vector<InputPosition> known =
        backfilled ? std::vector{beginning, past_is_read()} : std::vector{beginning};
    if (auto kept = doors_.append({}, known); !kept) { return tl::unexpected(kept.error()); }
  }
  backfill_ = input_.from.has_value() && !backfilled;
  // An earlier run may have begun it. What of that is long over will be closed.
  const std::int64_t open_hour = doors_.now().hour() - kHoursBefore;
  for (const FollowedPlace& place : places) {
    const auto hour = blob_path_time(place.item);
    if (backfill_ && (!hour || hour->hour() >= open_hour)) { backfilled_.insert(place.item); }
  }
  options.hold = [this](const FollowedItem& item, std::string_view bytes) { return hold(item, bytes); };
  follower_.emplace(container_ ? container_->access() : follow_folder(input_.folder), options);
  follower_->restore(places, are_open);
  return {};
}

// True: there was something, and there may be more.
Result<bool> InputFollower::look() {
  if (pending_.empty()) {
    auto steps = follower_->look(doors_.now());
    if (!steps) { return tl::unexpected(steps.error()); }
    pending_ = *std::move(steps);
  }
  if (pending_.empty()) {
    auto finished = finish_backfill();
    return finished ? Result<bool>(false) : tl::unexpected(finished.error());
  }
  if (auto journalled = journal(pending_); !journalled) { return tl::unexpected(journalled.error()); }
  pending_.clear();
  return true;
}

InputPosition InputFollower::past_is_read() const {
  return {name_, std::string(kBackfilled), 0, ""};
}

JournalEntry InputFollower::entry(JournalKind kind, std::string item) const {
  JournalEntry entry;
  entry.kind = kind;
  entry.input = name_;
  entry.item = std::move(item);
  entry.received_ticks = doors_.now().ticks;
  entry.backfill = backfill_;
  return entry;
}

Result<void> InputFollower::journal(const std::vector<FollowedStep>& steps) {
  std::vector<JournalEntry> entries;
  std::vector<InputPosition> positions;
  for (const FollowedStep& step : steps) {
    if (step.place) { positions.push_back({name_, step.place->item, step.place->offset, step.place->mark}); }
    if (step.kind == FollowedStep::Kind::kBytes && step.bytes.empty()) { continue; }
    const bool ends = step.kind == FollowedStep::Kind::kEnd;
    entries.push_back(entry(ends ? JournalKind::kClose : JournalKind::kInput, step.item));
    entries.back().offset = step.offset;
    entries.back().body = step.bytes;
  }
  if (auto appended = doors_.append(entries, positions); !appended) { return tl::unexpected(appended.error()); }
  if (!backfill_) { return {}; }
  for (const FollowedStep& step : steps) {
    if (step.kind == FollowedStep::Kind::kEnd) {
      backfilled_.erase(step.item);
    } else {
      backfilled_.insert(step.item);
    }
  }
  return {};
}

// What is open still would hold everybody back until it brings something: it need not.
Result<void> InputFollower::finish_backfill() {
  if (!backfill_) { return {}; }
  std::vector<JournalEntry> entries;
  for (const std::string& item : backfilled_) { entries.push_back(entry(JournalKind::kIdle, item)); }
  const InputPosition done = past_is_read();
  if (auto appended = doors_.append(entries, {&done, 1}); !appended) { return tl::unexpected(appended.error()); }
  backfill_ = false;
  backfilled_.clear();
  return {};
}

}  // namespace keyvigil
