#include "source/follower.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "source/byte_stream.h"

namespace keyvigil {
namespace {

constexpr std::size_t kLineLimitBytes = std::size_t{16} << 20;  // a longer line is handed on as it stands
constexpr std::int64_t kFirstRetryTicks = 10 * EventTime::kTicksPerSecond;
constexpr std::int64_t kLastRetryTicks = EventTime::kTicksPerHour;
constexpr std::int64_t kHeldRetryTicks = EventTime::kTicksPerMinute;
// A failure of the access that meets the same item again and again, while others are read, is that item's own.
constexpr std::uint32_t kOwnAfter = 5;

bool is_whole_json(std::string_view text) {
  return nlohmann::json::accept(text.begin(), text.end());
}

std::string_view trimmed_line(std::string_view line) {
  constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
  if (line.starts_with(kByteOrderMark)) { line.remove_prefix(kByteOrderMark.size()); }
  const std::size_t first = line.find_first_not_of(" \t\r");
  if (first == std::string_view::npos) { return {}; }
  return line.substr(first, line.find_last_not_of(" \t\r") - first + 1);
}

// Whether it is known from its head that the item is JSON lines: the first line that is not blank is a whole object.
enum class Head : std::uint8_t { kLines, kOther, kTooEarly };

Head look_at_head(std::string_view head) {
  if (is_gzip(head) || is_zstd(head)) { return Head::kOther; }
  while (!head.empty()) {
    const std::size_t end = head.find('\n');
    const std::string_view line = trimmed_line(head.substr(0, end));
    if (!line.empty()) {
      if (line.front() != '{') { return Head::kOther; }
      if (is_whole_json(line)) { return Head::kLines; }
      return end == std::string_view::npos ? Head::kTooEarly : Head::kOther;
    }
    if (end == std::string_view::npos) { break; }
    head.remove_prefix(end + 1);
  }
  return Head::kTooEarly;
}

// How much of `bytes` is whole lines; a last line without an end counts once it is complete.
std::size_t whole_lines(std::string_view bytes, bool to_the_end) {
  const std::size_t last = bytes.rfind('\n');
  const std::size_t lines = last == std::string_view::npos ? 0 : last + 1;
  if (!to_the_end) { return lines; }
  const std::string_view tail = trimmed_line(bytes.substr(lines));
  return tail.empty() || is_whole_json(tail) ? bytes.size() : lines;
}

}  // namespace

Follower::Follower(FollowAccess access, FollowOptions options)
    : access_(std::move(access)), options_(std::move(options)) {}

void Follower::restore(const std::vector<FollowedPlace>& places, bool are_open) {
  for (const FollowedPlace& place : places) {
    State& state = states_[place.item];
    state.offset = place.offset;
    state.mark = place.mark;
    state.open = are_open;  // an end too many does no harm
  }
}

// By hour, those without one first; the oldest hours are left out where there are too many.
Result<void> Follower::list_items() {
  auto list = access_.list();
  if (!list) { return tl::unexpected(list.error()); }
  items_ = std::move(list->items);
  first_ = 0;
  gone_.clear();
  stream_.reset();  // a document that goes on is not listed in between
  figures_.not_listed = list->not_listed;
  figures_.not_listed_first = std::move(list->not_listed_first);
  std::erase_if(items_, [this](const FollowedItem& item) {
    return options_.from && item.not_before && item.not_before->hour() < options_.from->hour();
  });
  std::ranges::sort(items_, {}, [](const FollowedItem& item) {
    return std::pair(item.not_before.value_or(EventTime{INT64_MIN}), std::string_view(item.name));
  });
  figures_.left_out = items_.size() > options_.items_limit ? items_.size() - options_.items_limit : 0;
  items_.erase(items_.begin(), items_.begin() + static_cast<std::ptrdiff_t>(figures_.left_out));
  figures_.items = items_.size();
  figures_.passed_over = 0;
  for (const FollowedItem& item : items_) {
    State& state = states_[item.name];
    if (state.passed_over) { pass_over(item, state); }
    state.unchanged = state.size_before == item.size_bytes;
    state.size_before = item.size_bytes;
  }
  forget_failures_of_others();
  return {};
}

void Follower::pass_over(const FollowedItem& item, State& state) {
  if (!std::exchange(state.passed_over, true)) {
    note(fmt::format("{} is no JSON lines and no JSON document of records, and larger than {} MiB: it is passed over",
                     item.name, options_.whole_limit_bytes >> 20));
  }
  if (figures_.passed_over++ == 0) { figures_.passed_over_item = item.name; }
}

void Follower::note(std::string sentence) {
  if (notices_.size() < kNoticesAtALook) { notices_.push_back(std::move(sentence)); }
}

// ---- items that cannot be read ----

bool Follower::is_due(const FollowedItem& item, EventTime now) const {
  const auto found = failing_.find(item.name);
  if (found == failing_.end()) { return true; }
  const std::uint32_t doublings = std::min(found->second.attempts - 1, 16U);
  const std::int64_t longest_ticks = found->second.is_held ? kHeldRetryTicks : kLastRetryTicks;
  const std::int64_t wait_ticks = std::min(kFirstRetryTicks << doublings, longest_ticks);
  const std::int64_t tried_ticks = found->second.tried_ticks;
  return tried_ticks > now.ticks || !now.is_within(wait_ticks, tried_ticks);  // a clock may be set back
}

void Follower::note_failure(const FollowedItem& item, State& state, const ReadFailure& failure, EventTime now,
                            std::vector<FollowedStep>& steps) {
  if (stream_ && stream_->item().name == item.name) { stream_.reset(); }
  bool is_over = failure.kind == ReadFailure::Kind::kGone;
  if (is_over) {
    failing_.erase(item.name);
    gone_.insert(item.name);
  } else {
    ++figures_.failures;
    ++failures_at_this_look_;
    Failing& failing = failing_[item.name];
    const bool is_new = !failing.is_own;
    ++failing.attempts;
    failing.tried_ticks = now.ticks;
    failing.is_held = failure.kind == ReadFailure::Kind::kHeld;
    failing.is_own = failure.kind != ReadFailure::Kind::kAccess || failing.attempts >= kOwnAfter;
    failing.why = failure.why;
    if (!failing.is_own) {
      outage_ = failure.why;
      waits_for_access_ = true;
    }
    if (failing.is_own && is_new) { note(fmt::format("{} cannot be taken: {}", item.name, failure.why)); }
    is_over = failing.is_own;
  }
  // Nobody waits for it; it is opened again when it brings something.
  if (is_over && std::exchange(state.open, false)) { steps.push_back(step_of(item, FollowedStep::Kind::kEnd)); }
}

// Where one is read again, the access is well: the others need not wait.
void Follower::note_success(const FollowedItem& item) {
  failing_.erase(item.name);
  if (!std::exchange(waits_for_access_, false)) { return; }
  for (auto& [name, failing] : failing_) {
    if (!failing.is_own) { failing.tried_ticks = INT64_MIN; }
  }
}

void Follower::forget_failures_of_others() {
  if (failing_.empty()) { return; }
  for (auto& [name, failing] : failing_) { failing.is_listed = false; }
  for (const FollowedItem& item : items_) {
    if (const auto found = failing_.find(item.name); found != failing_.end()) { found->second.is_listed = true; }
  }
  std::erase_if(failing_, [](const auto& one) { return !one.second.is_listed; });
}

void Follower::count_failing() {
  figures_.failing = failing_.size();
  figures_.failing_first =
      failing_.empty() ? "" : fmt::format("{}: {}", failing_.begin()->first, failing_.begin()->second.why);
}

// ---- taking ----

bool Follower::has_news(const FollowedItem& item, State& state) {
  const bool grew_after_its_end = state.form == Form::kWhole && state.offset > 0 && item.size_bytes > state.offset;
  if (!state.mark.empty() && (state.mark != item.mark || item.size_bytes < state.offset || grew_after_its_end)) {
    ++figures_.restarted;
    if (stream_ && stream_->item().name == item.name) { stream_.reset(); }
    State fresh;
    fresh.open = state.open;
    fresh.size_before = state.size_before;
    state = fresh;
  }
  state.mark = item.mark;
  if (item.not_before) { state.hour_end_ticks = item.not_before->ticks + EventTime::kTicksPerHour; }
  return item.size_bytes > state.offset && !state.passed_over;
}

Follower::ReadResult Follower::read_new(const FollowedItem& item, State& state) {
  if (stream_ && stream_->item().name == item.name) { return read_piece(item, state); }
  if (state.form == Form::kUnknown && state.offset > 0) { state.form = Form::kLines; }  // taken by an earlier run
  const std::uint64_t left = item.size_bytes - state.offset;
  auto bytes = access_.read(item, state.offset, std::min<std::uint64_t>(left, options_.chunk_bytes));
  if (!bytes) { return tl::unexpected(bytes.error()); }
  if (state.form == Form::kUnknown) {
    const Head head = look_at_head(*bytes);
    if (head == Head::kTooEarly && bytes->size() == left) { return Read{}; }
    state.form = head == Head::kLines ? Form::kLines : Form::kWhole;
  }
  return state.form == Form::kLines ? read_lines(item, state, *std::move(bytes))
                                    : read_whole(item, state, *std::move(bytes));
}

Follower::ReadResult Follower::read_lines(const FollowedItem& item, State& state, std::string bytes) {
  const std::uint64_t left = item.size_bytes - state.offset;
  std::uint64_t most = bytes.size();
  std::size_t whole = whole_lines(bytes, bytes.size() == left);
  while (whole == 0 && most < left && most < kLineLimitBytes) {
    most = std::min<std::uint64_t>(left, std::max<std::uint64_t>(most, options_.chunk_bytes) * 4);
    auto more = access_.read(item, state.offset, most);
    if (!more) { return tl::unexpected(more.error()); }
    bytes = *std::move(more);
    whole = whole_lines(bytes, bytes.size() == left);
  }
  if (whole == 0 && bytes.size() >= kLineLimitBytes) { whole = bytes.size(); }
  bytes.resize(whole);
  return Read{std::move(bytes), state.offset, state.offset + whole, whole > 0};
}

// `head`: what it begins with, perhaps all of it.
Follower::ReadResult Follower::read_whole(const FollowedItem& item, State& state, std::string head) {
  if (!state.unchanged) { return Read{}; }
  if (item.size_bytes > options_.stream_bytes && DocumentStream::begins(head)) {
    if (stream_) { return Read{}; }  // one at a time
    stream_.emplace(access_.read, item, state.streamed_to);
    return read_piece(item, state);
  }
  if (item.size_bytes > options_.whole_limit_bytes) {
    pass_over(item, state);
    return Read{};
  }
  if (head.size() < item.size_bytes) {
    auto all = access_.read(item, 0, item.size_bytes);
    if (!all) { return tl::unexpected(all.error()); }
    head = *std::move(all);
  }
  const std::uint64_t to = head.size();
  return Read{std::move(head), 0, to, to > 0};
}

Follower::ReadResult Follower::read_piece(const FollowedItem& item, State& state) {
  auto piece = stream_->next(options_.chunk_bytes);
  if (!piece) { return tl::unexpected(piece.error()); }
  if (piece->is_table) {
    stream_.reset();
    pass_over(item, state);
    return Read{};
  }
  const std::uint64_t to = piece->is_last ? item.size_bytes : piece->to_byte;
  if (piece->is_last) { stream_.reset(); }
  return Read{std::move(piece->bytes), state.streamed_to, to, piece->is_last};
}

// Nothing: there is nothing to take yet.
tl::expected<std::optional<FollowedStep>, ReadFailure> Follower::take(const FollowedItem& item, State& state) {
  auto read = read_new(item, state);
  if (!read) { return tl::unexpected(read.error()); }
  if (read->bytes.empty() && !read->is_place) { return std::optional<FollowedStep>{}; }
  if (options_.hold) {
    if (auto why = options_.hold(item, read->bytes)) {
      return tl::unexpected(ReadFailure{ReadFailure::Kind::kHeld, *std::move(why)});
    }
  }
  FollowedStep step = step_of(item, FollowedStep::Kind::kBytes);
  step.offset = read->from;
  step.bytes = std::move(read->bytes);
  figures_.bytes += step.bytes.size();
  if (read->is_place) {
    state.offset = read->to;
    step.place = {item.name, state.offset, state.mark};
  } else {
    state.streamed_to = read->to;
  }
  return std::optional(std::move(step));
}

// An hour that has passed, long enough ago, is at its end where everything of it was taken; so is what came whole.
void Follower::end_finished(EventTime now, std::vector<FollowedStep>& steps) {
  for (const FollowedItem& item : items_) {
    State& state = states_[item.name];
    if (!state.open || item.size_bytes > state.offset) { continue; }
    const std::int64_t over_for = now.ticks - options_.grace_ticks - state.hour_end_ticks;
    const bool hour_over = state.hour_end_ticks != 0 && over_for > 0;
    if (!hour_over && state.form != Form::kWhole) { continue; }
    state.open = false;
    steps.push_back(step_of(item, FollowedStep::Kind::kEnd));
  }
}

FollowedStep Follower::step_of(const FollowedItem& item, FollowedStep::Kind kind) {
  FollowedStep step;
  step.kind = kind;
  step.item = item.name;
  if (kind == FollowedStep::Kind::kOpen) { step.not_before = item.not_before; }
  return step;
}

// One chunk of every item of the earliest hour that has news: all are opened before the first gives bytes, so that
// none runs ahead of the others.
std::vector<FollowedStep> Follower::take_hour(EventTime now) {
  std::vector<FollowedStep> steps;
  std::vector<FollowedStep> taken;
  std::optional<std::int64_t> hour;
  std::size_t room_bytes = options_.look_bytes;
  for (std::size_t i = first_; i < items_.size(); ++i) {
    const FollowedItem& item = items_[i];
    const std::int64_t hour_of_item = item.not_before ? item.not_before->hour() : INT64_MIN;
    if (hour && hour_of_item != *hour) { break; }
    State& state = states_[item.name];
    if (!has_news(item, state) || gone_.contains(item.name) || !is_due(item, now)) { continue; }
    if (room_bytes > 0) {
      auto step = take(item, state);
      if (!step) {
        note_failure(item, state, step.error(), now, steps);
        if (outage_ || failures_at_this_look_ >= kFailuresAtALook) { break; }
        continue;
      }
      note_success(item);
      if (!*step) { continue; }
      room_bytes -= std::min(room_bytes, (*step)->bytes.size());
      taken.push_back(**std::move(step));
    }
    if (!hour) { first_ = i; }
    hour = hour_of_item;
    if (!std::exchange(state.open, true)) { steps.push_back(step_of(item, FollowedStep::Kind::kOpen)); }
  }
  std::ranges::move(taken, std::back_inserter(steps));
  return steps;
}

Result<std::vector<FollowedStep>> Follower::look(EventTime now) {
  outage_.reset();
  failures_at_this_look_ = 0;
  notices_.clear();
  auto steps = take_hour(now);
  const auto cut_short = [this] { return outage_ || failures_at_this_look_ >= kFailuresAtALook; };
  if (steps.empty() && !cut_short()) {
    if (auto listed = list_items(); !listed) { return tl::unexpected(listed.error()); }
    steps = take_hour(now);
  }
  count_failing();
  if (steps.empty() && outage_) { return fail(ErrorKind::kInputOutput, *outage_); }
  // Ends are told only where nothing is left to take: a backfill has one list, and many looks.
  if (steps.empty() && !cut_short()) { end_finished(now, steps); }
  return steps;
}

}  // namespace keyvigil
