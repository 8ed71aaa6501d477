#include "alert/recent_events.h"

#include <algorithm>
#include <map>
#include <utility>

#include "base/check.h"
#include "base/prefetch.h"

namespace keyvigil {
namespace {

constexpr std::uint8_t kFirstTouchMark = 1;
constexpr std::uint8_t kFirstRefusalMark = 2;
constexpr std::uint8_t kPolicyChangeMark = 4;
constexpr std::uint8_t kLateMark = 8;
constexpr unsigned kClassShift = 4;  // sixteen classes of operations
constexpr std::size_t kUsualEventBytes = 832;

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
  if (segments_.empty() || segments_.back().text.size() >= kSegmentBytes) { begin_segment(limit_bytes, before_ticks); }
  Segment& segment = segments_.back();
  const std::size_t offset = segment.text.size();
  append_event(segment.text, event);
  bytes_ += segment.text.size() - offset;
  segment.newest_ticks = std::max(segment.newest_ticks, event.time.ticks);
  segment.entries.push_back({.sequence = sequence,
                             .ticks = event.time.ticks,
                             .caller = caller_hash(event),
                             .vault = vault_hash(event),
                             .offset = static_cast<std::uint32_t>(offset),
                             .marks = marks});
  // What is written next is long out of the caches: it is fetched while the next event is decided.
  prefetch_bytes(segment.text.data() + segment.text.size(), kUsualEventBytes);
  prefetch_bytes(segment.entries.data() + segment.entries.size(), sizeof(Entry));
}

void EventLog::begin_segment(std::size_t limit_bytes, std::int64_t before_ticks) {
  while (segments_.size() > 1 && segments_.front().newest_ticks < before_ticks) { forget_segment(false); }
  while (segments_.size() > 1 && bytes_ + kSegmentBytes > limit_bytes) { forget_segment(true); }
  segments_.push_back(std::exchange(spare_, {}));
  Segment& segment = segments_.back();
  segment.text.clear();
  segment.text.reserve(kSegmentBytes + kSegmentBytes / 4);
  segment.entries.clear();
  segment.entries.reserve(kSegmentBytes / kUsualEventBytes);
  segment.newest_ticks = INT64_MIN;
}

AccessEvent EventLog::event(const Segment& segment, const Entry& entry) {
  std::string_view bytes = segment.text;
  CHECK(entry.offset <= bytes.size());
  bytes.remove_prefix(entry.offset);
  AccessEvent event;
  const bool whole = read_event(bytes, event);
  CHECK(whole);
  return event;
}

void EventLog::forget_segment(bool for_want_of_room) {
  Segment& oldest = segments_.front();
  if (for_want_of_room) {
    forgotten_ticks_ = std::max(forgotten_ticks_, oldest.newest_ticks);
    forgotten_ += oldest.entries.size();
  }
  bytes_ -= oldest.text.size();
  spare_ = std::move(oldest);
  segments_.pop_front();
}

bool EventLog::take_up() {
  bytes_ = 0;
  std::uint64_t sequence = 0;
  for (const Segment& segment : segments_) {
    bytes_ += segment.text.size();
    std::string_view rest = segment.text;
    for (const Entry& entry : segment.entries) {
      AccessEvent event;
      const bool in_place = entry.sequence >= sequence && entry.offset == segment.text.size() - rest.size();
      if (!in_place || !read_event(rest, event) || event.time.ticks > segment.newest_ticks) { return false; }
      sequence = entry.sequence;
    }
    if (!rest.empty()) { return false; }
  }
  return true;
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
    const EventLog::Segment* segment;
    const EventLog::Entry* entry;
  };
  std::vector<Found> found;
  for (const EventLog* log : {&log_, &watched_log_}) {
    for (const EventLog::Segment& segment : log->segments()) {
      if (segment.newest_ticks < since.ticks) { continue; }
      for (const EventLog::Entry& entry : segment.entries) {
        if (entry.ticks >= since.ticks && matches(entry)) { found.push_back({&segment, &entry}); }
      }
    }
  }
  std::ranges::sort(found, {}, [](const Found& item) { return item.entry->sequence; });
  for (const Found& item : found) {
    AccessEvent event = EventLog::event(*item.segment, *item.entry);
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
                     log_.take_up() && watched_log_.take_up();
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
