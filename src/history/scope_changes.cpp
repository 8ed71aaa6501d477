#include "history/scope_changes.h"

#include <algorithm>

#include "event/access_scope.h"

namespace keyvigil {

bool ScopeChanges::add(std::uint64_t who, std::string_view scope, EventTime at) {
  forget_old(at);
  newest_ticks_ = std::max(newest_ticks_, at.ticks);
  const bool known = std::ranges::any_of(changes_, [&](const Change& change) {
    return change.who == who && change.scope == scope && at.is_within(kSpanTicks, change.ticks);
  });
  if (known) { return false; }
  if (changes_.size() >= kChanges) {
    if (--counts_[changes_.front().who] == 0) { counts_.erase(changes_.front().who); }
    changes_.pop_front();
    ++dropped_;
  }
  changes_.push_back({who, at.ticks, std::string(scope)});
  ++counts_[who];
  return true;
}

std::optional<EventTime> ScopeChanges::find(std::uint64_t who, std::string_view vault_id, EventTime now,
                                            bool of_vault_alone) const {
  if (!may_hold(now) || !counts_.contains(who)) { return std::nullopt; }
  const auto found = std::find_if(changes_.rbegin(), changes_.rend(), [&](const Change& change) {
    const bool of_vault = of_vault_alone ? change.scope == vault_id : covers(change.scope, vault_id);
    return change.who == who && now.is_within(kSpanTicks + 1, change.ticks) && of_vault;
  });
  return found == changes_.rend() ? std::nullopt : std::optional(EventTime{found->ticks});
}

void ScopeChanges::begin(std::uint64_t request, std::uint64_t principal, EventTime at) {
  if (begun_.size() >= kBegun) {
    begun_.pop_front();
    ++dropped_;
  }
  begun_.push_back({request, principal, at.ticks});
}

std::uint64_t ScopeChanges::principal_of(std::uint64_t request, EventTime now) const {
  const auto found = std::find_if(begun_.rbegin(), begun_.rend(), [&](const Begun& begun) {
    return begun.request == request && now.is_within(kSpanTicks + 1, begun.ticks);
  });
  return found == begun_.rend() ? 0 : found->principal;
}

// Nearly always in the order of time: what came first is over first.
void ScopeChanges::forget_old(EventTime now) {
  const auto is_old = [&](std::int64_t ticks) { return !now.is_within(kSpanTicks + 1, ticks); };
  while (!changes_.empty() && is_old(changes_.front().ticks)) {
    if (--counts_[changes_.front().who] == 0) { counts_.erase(changes_.front().who); }
    changes_.pop_front();
  }
  while (!begun_.empty() && is_old(begun_.front().ticks)) { begun_.pop_front(); }
}

void ScopeChanges::save(SnapshotWriter& writer) const {
  writer.write(changes_);
  writer.write(begun_);
  writer.write(newest_ticks_);
  writer.write(dropped_);
}

bool ScopeChanges::load(SnapshotReader& reader) {
  const bool whole =
      reader.read(changes_) && reader.read(begun_) && reader.read(newest_ticks_) && reader.read(dropped_);
  counts_.clear();
  for (const Change& change : changes_) { ++counts_[change.who]; }
  return whole && changes_.size() <= kChanges && begun_.size() <= kBegun;
}

}  // namespace keyvigil
