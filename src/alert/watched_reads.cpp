#include "alert/watched_reads.h"

#include <algorithm>

#include "alert/printable.h"

namespace keyvigil {

ObjectRead object_read(const AccessEvent& event) {
  constexpr std::size_t kNameBytes = 128;
  constexpr std::size_t kObjectBytes = 512;
  return {.vault = bounded_utf8(event.vault_name(), kNameBytes),
          .object = bounded_utf8(event.object(), kObjectBytes),
          .version = bounded_utf8(event.object_version(), kNameBytes)};
}

void WatchedReads::suspect(const AccessEvent& event) {
  const std::uint64_t caller = caller_hash(event);
  const std::int64_t now = event.time.ticks;
  // Those whose time is over go as others come.
  while (!by_age_.empty() && (by_age_.begin()->first < now - kWatchTicks || watches_.size() >= kCallers)) {
    const std::uint64_t oldest = by_age_.begin()->second;
    if (oldest == caller && by_age_.begin()->first >= now - kWatchTicks) { break; }
    forget(watches_.find(oldest));
  }
  const auto [place, is_new] = watches_.try_emplace(caller);
  Watch& watch = place->second;
  if (is_new) {
    watch.since_ticks = now;
    watch.last_ticks = now;
  } else {
    by_age_.erase({watch.last_ticks, caller});
    watch.last_ticks = std::max(watch.last_ticks, now);
    forget_reads(watch, now - kWatchTicks);
  }
  by_age_.insert({watch.last_ticks, caller});
}

bool WatchedReads::add(const AccessEvent& event) {
  if (watches_.empty()) { return false; }
  const auto found = watches_.find(caller_hash(event));
  if (found == watches_.end()) { return false; }
  Watch& watch = found->second;
  if (!event.time.is_within(kWatchTicks + 1, watch.last_ticks)) { return false; }
  if (event.object().empty()) { return true; }
  Read read{std::string(event.vault_id()), object_read(event)};
  if (const auto known = watch.reads.find(read); known != watch.reads.end()) {
    known->second = std::max(known->second, event.time.ticks);
    return true;
  }
  if (watch.reads.size() >= kReadsPerCaller || reads_ >= kReads) {
    watch.cut = true;
    return true;
  }
  watch.reads.emplace(std::move(read), event.time.ticks);
  ++reads_;
  return true;
}

const WatchedReads::Watch* WatchedReads::find(std::uint64_t caller, EventTime at) const {
  const auto found = watches_.find(caller);
  const bool over = found == watches_.end() || !at.is_within(kWatchTicks + 1, found->second.last_ticks);
  return over ? nullptr : &found->second;
}

EventTime WatchedReads::suspected_since(std::uint64_t caller, EventTime at) const {
  const Watch* watch = find(caller, at);
  if (watch == nullptr) { return at; }
  return EventTime{std::clamp(watch->since_ticks, at.ticks - kWatchTicks, at.ticks)};
}

WatchedReads::Reads WatchedReads::reads_of(std::uint64_t caller, std::string_view vault_id, EventTime since,
                                           EventTime at) const {
  Reads reads;
  reads.since = std::clamp(since, EventTime{at.ticks - kWatchTicks}, at);
  const Watch* watch = find(caller, at);
  if (watch == nullptr) { return reads; }
  reads.cut = watch->cut;
  for (const auto& [read, ticks] : watch->reads) {
    if (ticks < reads.since.ticks || (!vault_id.empty() && read.vault_id != vault_id)) { continue; }
    reads.objects.push_back(read.object);
  }
  return reads;
}

void WatchedReads::forget(Watches::iterator place) {
  by_age_.erase({place->second.last_ticks, place->first});
  reads_ -= place->second.reads.size();
  watches_.erase(place);
}

// A watch that never ends holds the last 24 hours.
void WatchedReads::forget_reads(Watch& watch, std::int64_t before_ticks) {
  watch.since_ticks = std::max(watch.since_ticks, before_ticks);
  reads_ -= std::erase_if(watch.reads, [before_ticks](const auto& read) { return read.second < before_ticks; });
  if (watch.reads.empty()) { watch.cut = false; }
}

void WatchedReads::save(SnapshotWriter& writer) const {
  writer.write(std::map<std::uint64_t, Watch>(watches_.begin(), watches_.end()));
}

bool WatchedReads::load(SnapshotReader& reader) {
  *this = {};
  std::map<std::uint64_t, Watch> watches;
  if (!reader.read(watches) || watches.size() > kCallers) { return false; }
  for (auto& [caller, watch] : watches) {
    reads_ += watch.reads.size();
    by_age_.insert({watch.last_ticks, caller});
    watches_.emplace(caller, std::move(watch));
  }
  if (reads_ <= kReads) { return true; }
  *this = {};
  return false;
}

}  // namespace keyvigil
