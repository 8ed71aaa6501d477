#include "history/settled_table.h"

#include <algorithm>
#include <functional>
#include <set>
#include <utility>

#include "base/check.h"
#include "base/prefetch.h"

namespace keyvigil {

SettledTable::SettledTable(std::size_t limit) : limit_(limit) {
  CHECK(limit_ >= 4);
}

std::uint32_t SettledTable::slot_of(const TableKey& key) const {
  SlotHint* hint = key.hint;
  if (hint != nullptr && hint->slot < slots_.size() && slots_[hint->slot].tenancy == hint->tenancy) {
    return hint->slot;
  }
  const std::uint32_t slot =
      index_.find(key.hash, [&](std::uint32_t candidate) { return slots_[candidate].key == key.text; });
  if (hint != nullptr && slot != KeyIndex::kNone) { *hint = {slot, slots_[slot].tenancy}; }
  return slot;
}

std::optional<std::uint32_t> SettledTable::find(const TableKey& key) const {
  const std::uint32_t slot = slot_of(key);
  if (slot == KeyIndex::kNone) { return std::nullopt; }
  return slot;
}

std::uint32_t SettledTable::prefetch(std::uint64_t hash) const {
  const std::uint32_t slot = index_.guess(hash);
  if (slot != KeyIndex::kNone) { keyvigil::prefetch(slots_[slot]); }
  return slot;
}

std::uint32_t SettledTable::prefetch_key(std::uint64_t hash) const {
  const std::uint32_t slot = index_.guess(hash);
  if (slot != KeyIndex::kNone) { prefetch_bytes(slots_[slot].key.data(), slots_[slot].key.size()); }
  return slot;
}

SettledTable::Admission SettledTable::admit(const TableKey& key, std::int64_t day) {
  if (const std::uint32_t slot = slot_of(key); slot != KeyIndex::kNone) {
    return {.slot = slot, .added = false, .evicted = note_day(slot, day)};
  }
  const std::optional<std::uint32_t> evicted = make_room(kFresh);
  const std::uint32_t slot = take_slot();
  slots_[slot] = Slot{std::string(key.text), key.hash, day, day, 1, slots_.look(slot).tenancy};
  index_.insert(key.hash, slot);
  if (key.hint != nullptr) { *key.hint = {slot, slots_.look(slot).tenancy}; }
  ++counts_[kFresh];
  queue(slot);
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

void SettledTable::queue(std::uint32_t slot) {
  const Seniority wanted = seniority(slots_.look(slot));
  std::vector<Idle>& heap = idle_[wanted];
  heap.push_back(idle(slot));
  std::ranges::push_heap(heap, std::ranges::greater{});
  if (heap.size() <= 2 * slots_.size() + 16) { return; }
  // Mostly entries of keys that have gone or grown senior: begin anew with one for each key.
  heap.clear();
  for (std::uint32_t other = 0; other < slots_.size(); ++other) {
    if (is_in_use(other) && seniority(slots_.look(other)) == wanted) { heap.push_back(idle(other)); }
  }
  std::ranges::make_heap(heap, std::ranges::greater{});
}

// REQUIRES: there is a key of that seniority. Takes its entry out of the heap.
std::uint32_t SettledTable::most_idle(Seniority wanted) {
  std::vector<Idle>& heap = idle_[wanted];
  while (true) {
    CHECK(!heap.empty());
    const Idle candidate = heap.front();
    std::ranges::pop_heap(heap, std::ranges::greater{});
    heap.pop_back();
    const Slot& slot = slots_.look(candidate.slot);
    // Another key has the slot now, or the key has grown senior: it is queued where it belongs.
    if (slot.days_seen == 0 || slot.hash != candidate.hash || seniority(slot) != wanted) { continue; }
    if (slot.last_day == candidate.last_day) { return candidate.slot; }
    queue(candidate.slot);
  }
}

std::optional<std::uint32_t> SettledTable::make_room(Seniority seniority) {
  if (counts_[seniority] < room(seniority)) { return std::nullopt; }
  const std::uint32_t slot = most_idle(seniority);
  remove(slot);
  ++evictions_;
  return slot;
}

void SettledTable::remove(std::uint32_t slot) {
  CHECK(is_in_use(slot));
  Slot& removed = slots_[slot];
  --counts_[seniority(removed)];
  index_.erase(removed.hash, slot);
  const std::uint32_t tenancies = removed.tenancy + 1;
  removed = Slot{};
  removed.tenancy = tenancies;
  free_.push_back(slot);
}

std::vector<std::uint32_t> SettledTable::last_seen_before(std::int64_t day) const {
  std::array<std::vector<Idle>, 2> found;
  for (std::uint32_t slot = 0; slot < slots_.size(); ++slot) {
    if (is_in_use(slot) && slots_[slot].last_day < day) { found[seniority(slots_[slot])].push_back(idle(slot)); }
  }
  std::vector<std::uint32_t> slots;
  for (std::vector<Idle>& candidates : found) {
    std::ranges::sort(candidates);
    for (const Idle& candidate : candidates) { slots.push_back(candidate.slot); }
  }
  return slots;
}

std::optional<std::uint32_t> SettledTable::note_day(std::uint32_t slot, std::int64_t day) {
  if (day <= slots_.look(slot).last_day && day >= slots_.look(slot).first_day) { return std::nullopt; }
  Slot& noted = slots_[slot];
  if (day < noted.first_day) {
    noted.first_day = day;
    return std::nullopt;
  }
  const Seniority before = seniority(noted);
  noted.last_day = day;
  if (noted.days_seen < UINT32_MAX) { ++noted.days_seen; }
  const Seniority after = seniority(noted);
  if (before == after) { return std::nullopt; }
  --counts_[before];
  const std::optional<std::uint32_t> evicted = make_room(after);
  ++counts_[after];
  queue(slot);
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
    const Slot& slot = slots_.look(number);
    if (slot.days_seen == 0) {
      ++free_slots;
      continue;
    }
    if (slot.hash != hash64(slot.key) || slot_of(TableKey(slot.key, slot.hash)) != KeyIndex::kNone) { return false; }
    index_.insert(slot.hash, number);
    ++counts_[seniority(slot)];
    queue(number);
  }
  std::set<std::uint32_t> listed;
  for (const std::uint32_t number : free_) {
    if (number >= slots_.size() || slots_.look(number).days_seen != 0 || !listed.insert(number).second) {
      return false;
    }
  }
  return listed.size() == free_slots && counts_[kFresh] <= room(kFresh) && counts_[kSettled] <= room(kSettled);
}

void SettledTable::clear() {
  slots_.clear();
  free_.clear();
  evictions_ = 0;
  index_.clear();
  counts_ = {};
  for (std::vector<Idle>& heap : idle_) { heap.clear(); }
}

}  // namespace keyvigil
