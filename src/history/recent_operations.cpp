#include "history/recent_operations.h"

#include <algorithm>

#include "base/ascii.h"
#include "base/hash.h"
#include "base/prefetch.h"
#include "base/snapshot.h"
#include "event/operation.h"

namespace keyvigil {
std::uint16_t RecentOperations::operation_of(const AccessEvent& event) {
  if (event.operation != kUnknownOperation) { return event.operation; }
  const std::string_view name = event.get(TextField::kOperationName);
  const auto [found, added] = by_name_.try_emplace(lower_case(name), kOther);
  if (added && names_.size() == kUnknownNames) {
    by_name_.erase(found);
    return kOther;
  }
  if (added) {
    found->second = static_cast<std::uint16_t>(kFirstUnknown + names_.size());
    names_.emplace_back(name);
  }
  return found->second;
}

std::string RecentOperations::name_of(std::uint16_t operation) const {
  if (operation == kOther) { return "Other"; }
  if (operation >= kFirstUnknown) { return names_[operation - kFirstUnknown]; }
  return std::string(operation_row(operation).name);
}

bool RecentOperations::more_idle(const Idle& left, const Idle& right) const {
  return std::tie(left.last_seen_milliseconds, vaults_[left.vault].id) <
         std::tie(right.last_seen_milliseconds, vaults_[right.vault].id);
}

void RecentOperations::queue_idle(std::uint32_t vault) {
  idle_.push_back(Idle{vaults_.look(vault).last_seen_milliseconds, vault});
  std::push_heap(idle_.begin(), idle_.end(), [this](const Idle& l, const Idle& r) { return more_idle(r, l); });
}

std::uint32_t RecentOperations::evict_idle_longest() {
  while (true) {
    std::pop_heap(idle_.begin(), idle_.end(), [this](const Idle& l, const Idle& r) { return more_idle(r, l); });
    const Idle top = idle_.back();
    idle_.pop_back();
    if (top.last_seen_milliseconds == vaults_.look(top.vault).last_seen_milliseconds) {
      index_.erase(hash64(vaults_.look(top.vault).id), top.vault);
      ++evicted_vaults_;
      return top.vault;
    }
    queue_idle(top.vault);
  }
}

std::uint32_t RecentOperations::find(std::string_view vault_id, std::uint64_t hash) const {
  return index_.find(hash, [&](std::uint32_t vault) { return vaults_[vault].id == vault_id; });
}

void RecentOperations::prefetch(const AccessEvent& event) const {
  const std::uint32_t vault = index_.guess(vault_hash(event));
  if (vault != KeyIndex::kNone) { keyvigil::prefetch(vaults_[vault]); }
}

void RecentOperations::prefetch_cells(const AccessEvent& event) const {
  const std::uint32_t guess = index_.guess(vault_hash(event));
  if (guess == KeyIndex::kNone) { return; }
  const Vault& vault = vaults_[guess];
  prefetch_bytes(vault.id.data(), vault.id.size());
  if (!vault.cells.empty()) { keyvigil::prefetch(vault.cells.back()); }
}

std::uint32_t RecentOperations::find_or_add(const AccessEvent& event) {
  const std::uint64_t hash = vault_hash(event);
  if (const std::uint32_t found = find(event.vault_id(), hash); found != KeyIndex::kNone) { return found; }
  auto vault = static_cast<std::uint32_t>(vaults_.size());
  if (index_.size() >= vault_limit_) {
    vault = evict_idle_longest();
  } else {
    vaults_.emplace_back();
  }
  Vault& added = vaults_[vault];
  added.id = event.vault_id();
  added.cells.clear();
  added.last_seen_milliseconds = event.time.milliseconds();
  index_.insert(hash, vault);
  queue_idle(vault);
  return vault;
}

void RecentOperations::learn(const AccessEvent& event) {
  const std::uint16_t operation = operation_of(event);
  Vault& vault = vaults_[find_or_add(event)];
  vault.last_seen_milliseconds = std::max(vault.last_seen_milliseconds, event.time.milliseconds());
  count(vault, static_cast<std::int32_t>(event.time.hour()), operation);
}

void RecentOperations::count(Vault& vault, std::int32_t hour, std::uint16_t operation) {
  std::vector<Cell>& cells = vault.cells;
  const std::int32_t newest = cells.empty() ? hour : std::max(hour, cells.back().hour);
  if (hour <= newest - kHours) { return; }
  if (cells.empty() || cells.back().hour < hour) {  // a new hour: the oldest may leave
    const auto kept = std::find_if(cells.begin(), cells.end(), [&](const Cell& c) { return c.hour > newest - kHours; });
    cells.erase(cells.begin(), kept);
  }
  // From the back: the hour wanted is nearly always the newest, and its few cells stand together.
  std::size_t end = cells.size();
  while (end > 0 && cells[end - 1].hour > hour) { --end; }
  std::size_t names = 0;
  Cell* other = nullptr;
  for (std::size_t i = end; i > 0 && cells[i - 1].hour == hour; --i) {
    Cell& cell = cells[i - 1];
    if (cell.operation == operation) {
      ++cell.count;
      return;
    }
    if (cell.operation == kOther) {
      other = &cell;
    } else {
      ++names;
    }
  }
  const bool full = names >= kNamesPerHour;
  if (full && other != nullptr) {
    ++other->count;
    return;
  }
  cells.insert(cells.begin() + static_cast<std::ptrdiff_t>(end), Cell{hour, full ? kOther : operation, 1});
}

std::map<std::string, std::uint64_t> RecentOperations::of_vault(std::string_view vault_id, EventTime at) const {
  std::map<std::string, std::uint64_t> counts;
  const std::uint32_t found = find(vault_id, hash64(vault_id));
  if (found == KeyIndex::kNone) { return counts; }
  for (const Cell& cell : vaults_[found].cells) {
    if (cell.hour <= at.hour() && cell.hour > at.hour() - kHours) { counts[name_of(cell.operation)] += cell.count; }
  }
  return counts;
}

void RecentOperations::save(SnapshotWriter& writer) const {
  writer.write(names_);
  writer.write(evicted_vaults_);
  writer.write(vaults_);
}

Result<void> RecentOperations::load(std::string_view bytes) {
  const auto damaged = [] {
    return fail(ErrorKind::kInput,
                "expected the saved operations of the last 24 hours, found bytes that do not fit; "
                "the state is damaged or of another version: start without it");
  };
  *this = RecentOperations(vault_limit_);
  SnapshotReader reader(bytes);
  std::uint64_t vault_count = 0;
  if (!reader.read(names_) || names_.size() > kUnknownNames || !reader.read(evicted_vaults_) ||
      !reader.read(vault_count) || vault_count > vault_limit_) {
    return damaged();
  }
  for (std::size_t i = 0; i < names_.size(); ++i) {
    by_name_.emplace(lower_case(names_[i]), static_cast<std::uint16_t>(kFirstUnknown + i));
  }
  for (std::uint64_t i = 0; i < vault_count; ++i) {
    const auto vault = static_cast<std::uint32_t>(vaults_.size());
    if (!reader.read(vaults_.emplace_back())) { return damaged(); }
    const std::uint64_t hash = hash64(vaults_.look(vault).id);
    if (find(vaults_.look(vault).id, hash) != KeyIndex::kNone) { return damaged(); }
    index_.insert(hash, vault);
    for (const Cell& cell : vaults_.look(vault).cells) {
      const bool known = cell.operation < operation_count();
      const bool named =
          cell.operation >= kFirstUnknown && cell.operation - kFirstUnknown < static_cast<int>(names_.size());
      if (!known && !named && cell.operation != kOther) { return damaged(); }
    }
    queue_idle(vault);
  }
  return reader.at_end() ? Result<void>{} : damaged();
}

}  // namespace keyvigil
