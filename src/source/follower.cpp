#include "source/follower.h"

#include <algorithm>
#include <utility>

#include <nlohmann/json.hpp>

#include "source/byte_stream.h"

namespace keyvigil {
namespace {

constexpr std::size_t kLineLimitBytes = std::size_t{16} << 20;  // a longer line is handed on as it stands

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

Follower::Follower(FollowAccess access, FollowOptions options) : access_(std::move(access)), options_(options) {}

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
  auto items = access_.list();
  if (!items) { return tl::unexpected(items.error()); }
  items_ = *std::move(items);
  first_ = 0;
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
  return {};
}

void Follower::pass_over(const FollowedItem& item, State& state) {
  state.passed_over = true;
  if (figures_.passed_over++ == 0) { figures_.passed_over_item = item.name; }
}

bool Follower::has_news(const FollowedItem& item, State& state) {
  const bool grew_after_its_end = state.form == Form::kWhole && state.offset > 0 && item.size_bytes > state.offset;
  if (!state.mark.empty() && (state.mark != item.mark || item.size_bytes < state.offset || grew_after_its_end)) {
    ++figures_.restarted;
    State fresh;
    fresh.open = state.open;
    fresh.size_before = state.size_before;
    state = fresh;
  }
  state.mark = item.mark;
  if (item.not_before) { state.hour_end_ticks = item.not_before->ticks + EventTime::kTicksPerHour; }
  return item.size_bytes > state.offset && !state.passed_over;
}

Result<std::string> Follower::read_new(const FollowedItem& item, State& state) {
  if (state.form == Form::kUnknown && state.offset > 0) { state.form = Form::kLines; }  // taken by an earlier run
  const std::uint64_t left = item.size_bytes - state.offset;
  std::size_t most = std::min<std::uint64_t>(left, options_.chunk_bytes);
  auto bytes = access_.read(item, state.offset, most);
  if (!bytes) { return bytes; }
  if (state.form == Form::kUnknown) {
    const Head head = look_at_head(*bytes);
    if (head == Head::kTooEarly && bytes->size() == left) { return std::string{}; }
    state.form = head == Head::kLines ? Form::kLines : Form::kWhole;
  }
  if (state.form == Form::kWhole) {
    if (!state.unchanged) { return std::string{}; }
    if (item.size_bytes > options_.whole_limit_bytes) {
      pass_over(item, state);
      return std::string{};
    }
    return left == bytes->size() ? std::move(bytes) : access_.read(item, 0, item.size_bytes);
  }
  std::size_t whole = whole_lines(*bytes, bytes->size() == left);
  while (whole == 0 && most < left && most < kLineLimitBytes) {
    most = std::min<std::uint64_t>(left, most * 4);
    bytes = access_.read(item, state.offset, most);
    if (!bytes) { return bytes; }
    whole = whole_lines(*bytes, bytes->size() == left);
  }
  if (whole == 0 && bytes->size() >= kLineLimitBytes) { whole = bytes->size(); }
  bytes->resize(whole);
  return bytes;
}

Result<std::optional<FollowedStep>> Follower::take(const FollowedItem& item, State& state) {
  auto bytes = read_new(item, state);
  if (!bytes) { return tl::unexpected(bytes.error()); }
  if (bytes->empty()) { return std::optional<FollowedStep>{}; }
  FollowedStep step;
  step.item = item.name;
  step.offset = state.offset;
  step.bytes = *std::move(bytes);
  state.offset += step.bytes.size();
  figures_.bytes += step.bytes.size();
  step.place = {item.name, state.offset, state.mark};
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
    FollowedStep step;
    step.kind = FollowedStep::Kind::kEnd;
    step.item = item.name;
    steps.push_back(std::move(step));
  }
}

FollowedStep Follower::opening(const FollowedItem& item) {
  FollowedStep step;
  step.kind = FollowedStep::Kind::kOpen;
  step.item = item.name;
  step.not_before = item.not_before;
  return step;
}

// One chunk of every item of the earliest hour that has news: all are opened before the first gives bytes, so that
// none runs ahead of the others.
Result<std::vector<FollowedStep>> Follower::take_hour() {
  std::vector<FollowedStep> steps;
  std::vector<FollowedStep> taken;
  std::optional<std::int64_t> hour;
  std::size_t room_bytes = options_.look_bytes;
  for (std::size_t i = first_; i < items_.size(); ++i) {
    const FollowedItem& item = items_[i];
    const std::int64_t hour_of_item = item.not_before ? item.not_before->hour() : INT64_MIN;
    if (hour && hour_of_item != *hour) { break; }
    State& state = states_[item.name];
    if (!has_news(item, state)) { continue; }
    if (room_bytes > 0) {
      auto step = take(item, state);
      if (!step) { return tl::unexpected(step.error()); }
      if (!*step) { continue; }
      room_bytes -= std::min(room_bytes, (*step)->bytes.size());
      taken.push_back(**std::move(step));
    }
    if (!hour) { first_ = i; }
    hour = hour_of_item;
    if (!std::exchange(state.open, true)) { steps.push_back(opening(item)); }
  }
  std::ranges::move(taken, std::back_inserter(steps));
  return steps;
}

Result<std::vector<FollowedStep>> Follower::look(EventTime now) {
  auto steps = take_hour();
  if (steps && steps->empty()) {
    if (auto listed = list_items(); !listed) { return tl::unexpected(listed.error()); }
    steps = take_hour();
  }
  // Ends are told only where nothing is left to take: a backfill has one list, and many looks.
  if (steps && steps->empty()) { end_finished(now, *steps); }
  return steps;
}

}  // namespace keyvigil
