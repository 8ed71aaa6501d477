#include "history/episodes.h"

#include <algorithm>
#include <map>

namespace keyvigil {

CountParent EpisodeHabit::openings_parent(const CountParent& of_class) {
  CountParent parent = of_class;
  parent.windows = std::clamp(1 / (of_class.dispersion * of_class.mean), kLeastPriorDays, kMostPriorDays);
  return parent;
}

Episode* Episodes::find(const Key& key, EventTime at) {
  const auto found = open_.find(key);
  if (found == open_.end() || !at.is_within(span_ticks(key.kind) + 1, found->second.opened.ticks)) { return nullptr; }
  return &found->second;
}

bool Episodes::is_next_sitting(EpisodeKind kind, const Episode& episode, EventTime at) {
  return kind == EpisodeKind::kList && at.ticks - episode.last.ticks >= kPauseTicks;
}

Episodes::Opening Episodes::open(const Key& key, EventTime at, std::uint32_t opener) {
  if (Episode* known = find(key, at); known != nullptr && !is_next_sitting(key.kind, *known, at)) {
    known->last = std::max(known->last, at);
    return {.episode = known, .opened = false, .over = {}};
  }
  return open_anew(key, at, opener);
}

Episodes::Opening Episodes::open_anew(const Key& key, EventTime at, std::uint32_t opener) {
  Opening opening;
  opening.opened = true;
  if (const auto before = open_.find(key); before != open_.end()) {
    by_end_.erase({before->second.opened.ticks + span_ticks(key.kind), key});
    opening.over = std::move(before->second);
    open_.erase(before);
  }
  if (open_.size() >= kOpen) {
    open_.erase(by_end_.begin()->second);
    by_end_.erase(by_end_.begin());
    ++dropped_;
  }
  by_end_.insert({at.ticks + span_ticks(key.kind), key});
  opening.episode = &open_[key];
  opening.episode->opened = at;
  opening.episode->last = at;
  opening.episode->opener = opener;
  return opening;
}

Episodes::Counted Episodes::add_read(Episode& episode, std::uint32_t object, EventTime at, bool fresh) {
  episode.last = std::max(episode.last, at);
  const auto place = std::ranges::lower_bound(episode.objects, object);
  if (place != episode.objects.end() && *place == object) { return Counted::kNo; }
  if (episode.objects.size() >= kObjects) { return Counted::kNo; }
  episode.objects.insert(place, object);
  episode.fresh += fresh ? 1U : 0U;
  if (episode.reads++ == 0) { episode.first_read = at; }
  if (episode.reads < episode.next_check) { return Counted::kYes; }
  episode.next_check += std::max(1U, episode.reads / 2);
  return Counted::kAtCheckPoint;
}

std::vector<std::pair<Episodes::Key, Episode>> Episodes::take_over(EventTime until) {
  std::vector<std::pair<Key, Episode>> over;
  while (!by_end_.empty() && by_end_.begin()->first < until.ticks) {
    const Key key = by_end_.begin()->second;
    by_end_.erase(by_end_.begin());
    const auto found = open_.find(key);
    over.emplace_back(key, std::move(found->second));
    open_.erase(found);
  }
  std::ranges::sort(over, {}, &std::pair<Key, Episode>::first);
  return over;
}

bool Episodes::is_sound(std::size_t slots) const {
  constexpr std::int64_t kAnyDate = std::int64_t{1} << 60;
  return std::ranges::all_of(open_, [slots](const auto& item) {
    const Episode& episode = item.second;
    const bool dated = episode.opened.ticks > -kAnyDate && episode.opened.ticks < kAnyDate;
    return dated && item.first.kind <= EpisodeKind::kPolicy && (episode.opener == kNobody || episode.opener < slots);
  });
}

void Episodes::save(SnapshotWriter& writer) const {
  writer.write(std::map<Key, Episode>(open_.begin(), open_.end()));
  writer.write(dropped_);
}

bool Episodes::load(SnapshotReader& reader) {
  std::map<Key, Episode> open;
  const bool whole = reader.read(open) && reader.read(dropped_);
  open_ = absl::node_hash_map<Key, Episode>(open.begin(), open.end());
  by_end_.clear();
  for (const auto& [key, episode] : open_) { by_end_.insert({episode.opened.ticks + span_ticks(key.kind), key}); }
  return whole;
}

}  // namespace keyvigil
