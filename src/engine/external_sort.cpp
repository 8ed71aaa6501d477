#include "engine/external_sort.h"

#include <algorithm>
#include <numeric>
#include <utility>

namespace keyvigil {

Result<void> ExternalSort::add(AccessEvent&& event) {
  gathered_bytes_ += sizeof(KeyedEvent) + sizeof(std::uint32_t) + event.text.capacity();
  const std::int64_t milliseconds = event.time.milliseconds();
  const std::uint64_t hash = duplicate_hash(event);
  gathered_.push_back(KeyedEvent{milliseconds, hash, std::move(event)});
  if (gathered_bytes_ < memory_limit_bytes_) { return {}; }
  return write_run();
}

void ExternalSort::sort_gathered() {
  sorted_.resize(gathered_.size());
  std::iota(sorted_.begin(), sorted_.end(), 0U);
  std::sort(sorted_.begin(), sorted_.end(),
            [this](std::uint32_t l, std::uint32_t r) { return keyed_less(gathered_[l], gathered_[r]); });
  taken_ = 0;
}

bool ExternalSort::next_gathered(AccessEvent& out) {
  if (taken_ == sorted_.size()) { return false; }
  const KeyedEvent& first = gathered_[sorted_[taken_]];
  std::swap(out, gathered_[sorted_[taken_++]].event);
  for (; taken_ < sorted_.size(); ++taken_) {
    const KeyedEvent& next = gathered_[sorted_[taken_]];
    if (next.milliseconds != first.milliseconds || next.hash != first.hash || !is_duplicate(out, next.event)) { break; }
    ++duplicates_;
  }
  return true;
}

Result<void> ExternalSort::write_run() {
  sort_gathered();
  auto run = SpillRun::create(directory_);
  if (!run) { return tl::unexpected<Error>(run.error()); }
  AccessEvent event;
  while (taken_ < sorted_.size()) {
    const std::uint64_t hash = gathered_[sorted_[taken_]].hash;
    if (!next_gathered(event)) { break; }
    if (auto done = run->append(hash, event); !done) { return done; }
  }
  if (auto done = run->finish_writing(); !done) { return done; }
  gathered_.clear();
  sorted_.clear();
  gathered_bytes_ = 0;
  ++runs_written_;
  if (levels_.empty()) { levels_.emplace_back(); }
  levels_[0].push_back(std::move(*run));
  for (std::size_t level = 0; level < levels_.size() && levels_[level].size() == SpillMerge::kFanIn; ++level) {
    if (auto done = merge_level(level); !done) { return done; }
  }
  return {};
}

Result<void> ExternalSort::merge_level(std::size_t level) {
  if (levels_[level].empty()) { return {}; }
  SpillMerge merge;
  for (SpillRun& run : levels_[level]) {
    if (auto done = merge.add(std::move(run)); !done) { return done; }
  }
  levels_[level].clear();
  auto merged = merge.drain(directory_, duplicates_);
  if (!merged) { return tl::unexpected<Error>(merged.error()); }
  if (levels_.size() == level + 1) { levels_.emplace_back(); }
  levels_[level + 1].push_back(std::move(*merged));
  return {};
}

Result<void> ExternalSort::finish() {
  if (levels_.empty()) {  // everything fitted: no file is needed
    sort_gathered();
    return {};
  }
  if (!gathered_.empty()) {
    if (auto done = write_run(); !done) { return done; }
  }
  const auto run_count = [this] {
    return std::accumulate(levels_.begin(), levels_.end(), std::size_t{0},
                           [](std::size_t sum, const auto& level) { return sum + level.size(); });
  };
  for (std::size_t level = 0; run_count() > SpillMerge::kFanIn; ++level) {
    if (auto done = merge_level(level); !done) { return done; }
  }
  for (std::vector<SpillRun>& level : levels_) {
    for (SpillRun& run : level) {
      if (auto done = merge_.add(std::move(run)); !done) { return done; }
    }
  }
  return {};
}

Result<bool> ExternalSort::next(AccessEvent& out) {
  if (levels_.empty()) { return next_gathered(out); }
  if (merge_.empty()) { return false; }
  const std::int64_t milliseconds = merge_.head().milliseconds;
  const std::uint64_t hash = merge_.head().hash;
  std::swap(out, merge_.head().event);
  while (true) {
    if (auto done = merge_.drop_head(); !done) { return tl::unexpected<Error>(done.error()); }
    if (merge_.empty()) { return true; }
    const KeyedEvent& next = merge_.head();
    if (next.milliseconds != milliseconds || next.hash != hash || !is_duplicate(out, next.event)) { return true; }
    ++duplicates_;
  }
}

}  // namespace keyvigil
