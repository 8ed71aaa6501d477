#include "alert/recent_events.h"

#include <algorithm>
#include <map>
#include <utility>

#include "base/check.h"

namespace keyvigil {
namespace {

constexpr std::uint8_t kFirstTouchMark = 1;
constexpr std::uint8_t kFirstRefusalMark = 2;
constexpr std::uint8_t kPolicyChangeMark = 4;
constexpr std::uint8_t kLateMark = 8;
constexpr unsigned kClassShift = 4;  // sixteen classes of operations

std::uint8_t packed(const EventMarks& marks) {
  return static_cast<std::uint8_t>((marks.first_touch ? kFirstTouchMark : 0) |
                                   (marks.first_refusal ? kFirstRefusalMark : 0) |
                                   (marks.policy_change ? kPolicyChangeMark : 0) | (marks.late ? kLateMark : 0) |
                                   marks.operation_class << kClassShift);
}

EventMarks unpacked(std::uint8_t marks) {
  return {.first_touch = (marks & kFirstTouchMark) != 0,
          .first_refusal = (marks & kFirstRefusalMark) != 0,
          .policy_change = (marks & kPolicyChangeMark) != 0,
          .late = (marks & kLateMark) != 0,
          .operation_class = static_cast<std::uint8_t>(marks >> kClassShift)};
}

}  // namespace

// ---- EventLog ----

void EventLog::add(const AccessEvent& event, std::uint64_t sequence, std::uint8_t marks, std::size_t limit_bytes,
                   std::int64_t before_ticks) {
  if (segments_.empty() || segments_.back().size() >= kSegmentBytes) {
    while (segments_.size() > 1 && newest_ticks_of_front() < before_ticks) { forget_segment(false); }
    while (segments_.size() > 1 && bytes_ + kSegmentBytes > limit_bytes) { forget_segment(true); }
    segments_.push_back(std::exchange(spare_, {}));
    segments_.back().clear();
    segments_.back().reserve(kSegmentBytes + kSegmentBytes / 4);
  }
  std::string& segment = segments_.back();
  const std::size_t offset = segment.size();
  append_event(segment, event);
  bytes_ += segment.size() - offset;
  entries_.push_back({.sequence = sequence,
                      .ticks = event.time.ticks,
                      .caller = caller_hash(event),
                      .vault = vault_hash(event),
                      .segment = first_segment_ + segments_.size() - 1,
                      .offset = static_cast<std::uint32_t>(offset),
                      .marks = marks});
}

AccessEvent EventLog::event(const Entry& entry) const {
  CHECK(entry.segment >= first_segment_ && entry.segment - first_segment_ < segments_.size());
  std::string_view bytes = segments_[entry.segment - first_segment_];
  bytes.remove_prefix(entry.offset);
  AccessEvent event;
  const bool whole = read_event(bytes, event);
  CHECK(whole);
  return event;
}

std::int64_t EventLog::newest_ticks_of_front() const {
  std::int64_t newest = INT64_MIN;
  for (const Entry& entry : entries_) {
    if (entry.segment != first_segment_) { break; }
    newest = std::max(newest, entry.ticks);
  }
  return newest;
}

void EventLog::forget_segment(bool for_want_of_room) {
  while (!entries_.empty() && entries_.front().segment == first_segment_) {
    if (for_want_of_room) {
      forgotten_ticks_ = std::max(forgotten_ticks_, entries_.front().ticks);
      ++forgotten_;
    }
    entries_.pop_front();
  }
  bytes_ -= segments_.front().size();
  spare_ = std::move(segments_.front());
  segments_.pop_front();
  ++first_segment_;
}

bool EventLog::is_sound() const {
  std::uint64_t bytes = 0;
  for (const std::string& segment : segments_) { bytes += segment.size(); }
  std::uint64_t segment = first_segment_;
  std::uint64_t sequence = 0;
  for (const Entry& entry : entries_) {
    const bool in_order = entry.segment >= segment && entry.sequence >= sequence;
    if (!in_order || entry.segment - first_segment_ >= segments_.size()) { return false; }
    std::string_view rest = segments_[entry.segment - first_segment_];
    if (entry.offset > rest.size()) { return false; }
    rest.remove_prefix(entry.offset);
    AccessEvent event;
    if (!read_event(rest, event)) { return false; }
    segment = entry.segment;
    sequence = entry.sequence;
  }
  return bytes == bytes_;
}

// ---- RecentEvents ----

void RecentEvents::watch(const AccessEvent& event) {
  const std::uint64_t caller = caller_hash(event);
  const std::int64_t now = event.time.ticks;
  const auto [place, is_new] = watches_.try_emplace(caller, Watch{now, now});
  if (!is_new) {
    by_age_.erase({place->second.last_ticks, caller});
    const bool over = place->second.last_ticks < now - kWatchTicks;
    if (over) { place->second.since_ticks = now; }
    place->second.last_ticks = std::max(place->second.last_ticks, now);
  }
  by_age_.insert({place->second.last_ticks, caller});
  while (by_age_.begin()->first < now - kWatchTicks || watches_.size() > limits_.watched_callers) {
    forget_watch(by_age_.begin()->second);
    if (by_age_.empty()) { break; }
  }
}

void RecentEvents::forget_watch(std::uint64_t caller) {
  const auto place = watches_.find(caller);
  CHECK(place != watches_.end());
  by_age_.erase({place->second.last_ticks, caller});
  watches_.erase(place);
}

void RecentEvents::add(const AccessEvent& event, const EventMarks& marks) {
  now_ticks_ = std::max(now_ticks_, event.time.ticks);
  const bool watched = !watches_.empty() && watches_.contains(caller_hash(event));
  (watched ? watched_log_ : log_)
      .add(event, sequence_++, packed(marks), watched ? limits_.watched_bytes : limits_.bytes, now_ticks_ - kKeptTicks);
}

template <typename Matches>
void RecentEvents::each(const Matches& matches, EventTime since, const Visit& visit) const {
  struct Found {
    const EventLog* log;
    const EventLog::Entry* entry;
  };
  std::vector<Found> found;
  for (const EventLog* log : {&log_, &watched_log_}) {
    for (const EventLog::Entry& entry : log->entries()) {
      if (entry.ticks >= since.ticks && matches(entry)) { found.push_back({log, &entry}); }
    }
  }
  std::ranges::sort(found, {}, [](const Found& item) { return item.entry->sequence; });
  for (const Found& item : found) {
    AccessEvent event = item.log->event(*item.entry);
    if (item.entry->sequence < first_of_run_) { event.place = {}; }
    visit(event, unpacked(item.entry->marks));
  }
}

void RecentEvents::each_of_caller(std::uint64_t caller, EventTime since, const Visit& visit) const {
  each([caller](const EventLog::Entry& entry) { return entry.caller == caller; }, since, visit);
}

void RecentEvents::each_of_vault(std::uint64_t vault, EventTime since, const Visit& visit) const {
  each([vault](const EventLog::Entry& entry) { return entry.vault == vault; }, since, visit);
}

void RecentEvents::each_policy_change(EventTime since, const Visit& visit) const {
  each([](const EventLog::Entry& entry) { return (entry.marks & kPolicyChangeMark) != 0; }, since, visit);
}

bool RecentEvents::is_complete_for_vault(EventTime since) const {
  return since.ticks > std::max(log_.forgotten_ticks(), watched_log_.forgotten_ticks());
}

bool RecentEvents::is_complete_for_caller(std::uint64_t caller, EventTime since) const {
  const auto watch = watches_.find(caller);
  const bool watched_since = watch != watches_.end() && watch->second.since_ticks < since.ticks;
  return since.ticks > watched_log_.forgotten_ticks() && (watched_since || since.ticks > log_.forgotten_ticks());
}

void RecentEvents::save(SnapshotWriter& writer) const {
  writer.write(log_);
  writer.write(watched_log_);
  writer.write(sequence_);
  writer.write(now_ticks_);
  writer.write(std::map<std::uint64_t, Watch>(watches_.begin(), watches_.end()));
}

bool RecentEvents::load(SnapshotReader& reader) {
  *this = RecentEvents(limits_);
  std::map<std::uint64_t, Watch> watches;
  const bool whole = reader.read(log_) && reader.read(watched_log_) && reader.read(sequence_) &&
                     reader.read(now_ticks_) && reader.read(watches) && watches.size() <= limits_.watched_callers &&
                     log_.is_sound() && watched_log_.is_sound();
  if (!whole) {
    *this = RecentEvents(limits_);
    return false;
  }
  for (const auto& [caller, watch] : watches) {
    by_age_.insert({watch.last_ticks, caller});
    watches_.emplace(caller, watch);
  }
  first_of_run_ = sequence_;
  return true;
}

}  // namespace keyvigil
