#include "history/settled_table.h"

#include <algorithm>
#include <utility>

#include "base/check.h"

namespace keyvigil {

SettledTable::SettledTable(std::size_t limit) : limit_(limit) {
  CHECK(limit_ >= 4);
}

std::optional<std::uint32_t> SettledTable::find(std::string_view key) const {
  const auto found = index_.find(key);
  if (found == index_.end()) { return std::nullopt; }
  return found->second;
}

SettledTable::Admission SettledTable::admit(std::string_view key, std::int64_t day) {
  if (const auto found = index_.find(key); found != index_.end()) {
    return {.slot = found->second, .added = false, .evicted = note_day(found->second, day)};
  }
  const std::optional<std::uint32_t> evicted = make_room(kFresh);
  const std::uint32_t slot = take_slot();
  slots_[slot] = Slot{std::string(key), hash64(key), day, day, 1};
  index_.emplace(slots_[slot].key, slot);
  idle_[kFresh].insert(idle(slot));
  return {.slot = slot, .added = true, .evicted = evicted};
}

std::uint32_t SettledTable::take_slot() {
  if (free_.empty()) {
    slots_.emplace_back();
    return static_cast<std::uint32_t>(slots_.size() - 1);
  }
  const std::uint32_t slot = free_.back();
  free_.pop_back();
  return slot;
}

std::optional<std::uint32_t> SettledTable::make_room(Seniority seniority) {
  std::set<Idle>& candidates = idle_[seniority];
  if (candidates.size() < room(seniority)) { return std::nullopt; }
  const std::uint32_t slot = candidates.begin()->slot;
  remove(slot);
  ++evictions_;
  return slot;
}

void SettledTable::remove(std::uint32_t slot) {
  CHECK(is_in_use(slot));
  idle_[seniority(slots_[slot])].erase(idle(slot));
  index_.erase(slots_[slot].key);
  slots_[slot] = Slot{};
  free_.push_back(slot);
}

std::vector<std::uint32_t> SettledTable::last_seen_before(std::int64_t day) const {
  std::vector<std::uint32_t> slots;
  for (const std::set<Idle>& candidates : idle_) {
    for (const Idle& candidate : candidates) {
      if (candidate.last_day >= day) { break; }
      slots.push_back(candidate.slot);
    }
  }
  return slots;
}

std::optional<std::uint32_t> SettledTable::note_day(std::uint32_t slot, std::int64_t day) {
  Slot& noted = slots_[slot];
  if (day <= noted.last_day) {
    noted.first_day = std::min(noted.first_day, day);
    return std::nullopt;
  }
  const Seniority before = seniority(noted);
  idle_[before].erase(idle(slot));
  noted.last_day = day;
  if (noted.days_seen < UINT32_MAX) { ++noted.days_seen; }
  const Seniority after = seniority(noted);
  const std::optional<std::uint32_t> evicted = before == after ? std::nullopt : make_room(after);
  idle_[after].insert(idle(slot));
  return evicted;
}

void SettledTable::save(SnapshotWriter& writer) const {
  writer.write(slots_);
  writer.write(free_);
  writer.write(evictions_);
}

bool SettledTable::load(SnapshotReader& reader) {
  clear();
  const bool whole = reader.read(slots_) && reader.read(free_) && reader.read(evictions_) && rebuild();
  if (!whole) { clear(); }
  return whole;
}

bool SettledTable::rebuild() {
  std::size_t free_slots = 0;
  for (std::uint32_t number = 0; number < slots_.size(); ++number) {
    const Slot& slot = slots_[number];
    if (slot.days_seen == 0) {
      ++free_slots;
      continue;
    }
    if (slot.hash != hash64(slot.key) || !index_.emplace(slot.key, number).second) { return false; }
    idle_[seniority(slot)].insert(idle(number));
  }
  std::set<std::uint32_t> listed;
  for (const std::uint32_t number : free_) {
    if (number >= slots_.size() || slots_[number].days_seen != 0 || !listed.insert(number).second) { return false; }
  }
  return listed.size() == free_slots && idle_[kFresh].size() <= room(kFresh) &&
         idle_[kSettled].size() <= room(kSettled);
}

void SettledTable::clear() {
  slots_.clear();
  free_.clear();
  evictions_ = 0;
  index_.clear();
  for (std::set<Idle>& slots : idle_) { slots.clear(); }
}

}  // namespace keyvigil
