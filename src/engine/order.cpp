#include "engine/order.h"

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "base/snapshot.h"
#include "event/canonical.h"

namespace keyvigil {
namespace {

constexpr std::size_t kJumpRecords = 100;
constexpr std::size_t kJumpRecordsAtEnd = 2;
constexpr unsigned kBucketBits = 12;  // 4.096 s
constexpr std::uint64_t kMostInputs = std::uint64_t{1} << 24;

std::int64_t bucket_of(std::int64_t milliseconds) {
  return milliseconds >> kBucketBits;
}

}  // namespace

Order::Order(OrderOptions options) : options_(std::move(options)), decided_(options_.decided_limit) {
  CHECK(options_.memory_limit_events >= 2);
}

std::int64_t Order::reach(const Input& input) const {
  return input.latest == kNever ? kNever : input.latest - options_.lateness_milliseconds + options_.jump_milliseconds;
}

bool Order::entry_less(const Entry& left, const Entry& right) const {
  if (left.milliseconds != right.milliseconds) { return left.milliseconds < right.milliseconds; }
  if (left.hash != right.hash) { return left.hash < right.hash; }
  return compare_within_hash(slab_.at(left.slot), slab_.at(right.slot)) < 0;
}

// ---- inputs and their watermarks

InputId Order::open_input(std::optional<EventTime> not_before) {
  CHECK(!ended_);
  refresh_floor();
  auto id = static_cast<InputId>(inputs_.size());
  if (free_.empty()) {
    inputs_.emplace_back();
  } else {
    id = free_.top();
    free_.pop();
    inputs_[id] = Input{.tenancy = inputs_[id].tenancy + 1};
  }
  if (not_before) { inputs_[id].latest = not_before->milliseconds(); }
  queue(id);
  return id;
}

void Order::queue(InputId id) {
  Input& input = inputs_[id];
  if (input.queued) { return; }
  input.queued = true;
  watermarks_.push_back(Watermark{input.latest, id, input.tenancy});
  std::push_heap(watermarks_.begin(), watermarks_.end(), std::greater<>{});
}

void Order::sift_watermark_down() {
  std::size_t at = 0;
  while (true) {
    std::size_t child = 2 * at + 1;
    if (child >= watermarks_.size()) { return; }
    if (child + 1 < watermarks_.size() && watermarks_[child + 1] < watermarks_[child]) { ++child; }
    if (watermarks_[at] <= watermarks_[child]) { return; }
    std::swap(watermarks_[at], watermarks_[child]);
    at = child;
  }
}

// Watermarks only rise, so a stale key is too small: it reaches the top before it matters, and is set right there.
void Order::refresh_floor() {
  while (!watermarks_.empty()) {
    Watermark& top = watermarks_.front();
    Input& input = inputs_[top.input];
    const bool gone = top.tenancy != input.tenancy;
    if (gone || !input.open || input.idle) {
      if (!gone) { input.queued = false; }
      std::pop_heap(watermarks_.begin(), watermarks_.end(), std::greater<>{});
      watermarks_.pop_back();
    } else if (top.latest != input.latest) {
      top.latest = input.latest;
      sift_watermark_down();
    } else {
      if (input.latest != kNever) { floor_ = std::max(floor_, input.latest - options_.lateness_milliseconds); }
      return;
    }
  }
}

std::optional<InputId> Order::most_behind() {
  refresh_floor();
  if (watermarks_.empty()) { return std::nullopt; }
  return watermarks_.front().input;
}

void Order::advance(EventTime to) {
  // An input that says nothing but the time.
  const InputId clock = open_input(to);
  refresh_floor();
  close_input(clock);
}

Order::Entry Order::put(AccessEvent&& event) {
  Entry entry;
  entry.milliseconds = event.time.milliseconds();
  entry.hash = duplicate_hash(event);
  entry.slot = slab_.put(std::move(event));
  return entry;
}

Arrival Order::push(InputId id, AccessEvent&& event) {
  CHECK(id < inputs_.size() && inputs_[id].open);
  if (failure_) { return Arrival::kFailed; }
  refresh_floor();
  Input& input = inputs_[id];
  ++counts_.pushed;
  if (input.idle) {
    input.idle = false;
    queue(id);
  }
  const Entry entry = put(std::move(event));
  const Arrival arrival = entry.milliseconds > reach(input) ? park(id, entry) : accept(input, entry);
  spill_if_full();
  if (failure_) { return Arrival::kFailed; }
  return disorder_ ? Arrival::kDisorder : arrival;
}

void Order::close_input(InputId id) {
  CHECK(id < inputs_.size() && inputs_[id].open);
  refresh_floor();
  settle(id, true);
  inputs_[id].open = false;
  free_.push(id);
  spill_if_full();
}

void Order::idle_input(InputId id) {
  CHECK(id < inputs_.size() && inputs_[id].open);
  refresh_floor();
  inputs_[id].idle = true;
}

void Order::close_all() {
  for (InputId id = 0; id < inputs_.size(); ++id) {
    if (inputs_[id].open) { close_input(id); }
  }
}

void Order::finish() {
  close_all();
  confirm_leftovers();
  ended_ = true;
  end_limit_ = kForever;
}

void Order::hold(std::optional<EventTime> first_undecided) {
  close_all();
  ended_ = true;
  end_limit_ = std::max(floor_, decided_before_);
  if (first_undecided) { end_limit_ = std::max(end_limit_, first_undecided->milliseconds()); }
}

std::optional<EventTime> Order::final_watermark() {
  close_all();
  confirm_leftovers();
  if (confirmed_latest_ == kNever) { return std::nullopt; }
  return EventTime::from_milliseconds(confirmed_latest_ - options_.lateness_milliseconds);
}

// ---- the clock guard

Arrival Order::accept(Input& input, const Entry& entry) {
  const Arrival arrival = insert(entry);
  input.latest = std::max(input.latest, entry.milliseconds);
  confirmed_latest_ = std::max(confirmed_latest_, entry.milliseconds);
  return arrival;
}

Arrival Order::park(InputId id, const Entry& entry) {
  if (inputs_[id].latest != kNever) { ++counts_.parked; }
  std::vector<Parked>& parked = parked_[id];
  const auto after =
      std::upper_bound(parked.begin(), parked.end(), entry.milliseconds,
                       [](std::int64_t time, const Parked& other) { return time < other.entry.milliseconds; });
  parked.insert(after, Parked{entry, vault_hash(slab_.at(entry.slot))});
  settle(id, false);
  return Arrival::kParked;
}

// The largest time at or after which stand two vaults, or enough records.
std::int64_t Order::confirmed_time(std::span<const Parked> parked, bool at_end) {
  std::int64_t confirmed = kNever;
  const std::size_t records = at_end ? kJumpRecordsAtEnd : kJumpRecords;
  if (parked.size() >= records) { confirmed = parked[parked.size() - records].entry.milliseconds; }
  const auto other =
      std::find_if(parked.rbegin(), parked.rend(), [&](const Parked& p) { return p.vault != parked.back().vault; });
  return other == parked.rend() ? confirmed : std::max(confirmed, other->entry.milliseconds);
}

void Order::settle(InputId id, bool at_end) {
  const auto found = parked_.find(id);
  if (found == parked_.end()) { return; }
  std::vector<Parked>& parked = found->second;
  Input& input = inputs_[id];
  const bool had_watermark = input.latest != kNever;
  std::size_t taken = 0;
  while (taken < parked.size()) {
    if (parked[taken].entry.milliseconds > reach(input)) {
      const std::int64_t confirmed = confirmed_time(std::span(parked).subspan(taken), at_end);
      if (confirmed == kNever) { break; }
      input.latest = confirmed;
    }
    static_cast<void>(accept(input, parked[taken].entry));
    ++taken;
  }
  parked.erase(parked.begin(), parked.begin() + static_cast<std::ptrdiff_t>(taken));
  if (!had_watermark && input.latest != kNever) { counts_.parked += parked.size(); }
  if (at_end) {
    for (const Parked& left : parked) {
      static_cast<void>(insert(left.entry));
      note_unconfirmed(left.entry.milliseconds);
    }
    parked.clear();
  }
  if (parked.empty()) { parked_.erase(found); }
}

void Order::note_unconfirmed(std::int64_t milliseconds) {
  if (milliseconds > unconfirmed_[0]) {
    unconfirmed_[1] = std::exchange(unconfirmed_[0], milliseconds);
  } else {
    unconfirmed_[1] = std::max(unconfirmed_[1], milliseconds);
  }
}

// Each closed input may have left one lone record; two of them confirm each other, as two of one input would.
void Order::confirm_leftovers() {
  confirmed_latest_ = std::max(confirmed_latest_, unconfirmed_[1]);
  const std::int64_t lone = unconfirmed_[0];
  if (confirmed_latest_ != kNever &&
      lone <= confirmed_latest_ - options_.lateness_milliseconds + options_.jump_milliseconds) {
    confirmed_latest_ = std::max(confirmed_latest_, lone);
  }
}

// ---- the buffer

Arrival Order::insert(const Entry& entry) {
  if (entry.milliseconds >= floor_) {
    buffer(entry);
    return Arrival::kAccepted;
  }
  if (options_.mode == OrderMode::kStream) {
    late_.push_back(LateEntry{floor_, entry});
    return Arrival::kLate;
  }
  disorder_ = true;
  slab_.release(entry.slot);
  return Arrival::kDisorder;
}

void Order::buffer(const Entry& entry) {
  ++buffered_;
  const std::int64_t key = bucket_of(entry.milliseconds);
  if (key <= sorted_bucket_) {
    side_.push_back(entry);
    std::push_heap(side_.begin(), side_.end(), [this](const Entry& l, const Entry& r) { return entry_less(r, l); });
    return;
  }
  // Nearly sorted input falls into the last bucket or opens the next.
  if (!buckets_.empty()) {
    const auto last = std::prev(buckets_.end());
    if (last->first == key) {
      last->second.push_back(entry);
      return;
    }
    if (last->first > key) {
      buckets_[key].push_back(entry);
      return;
    }
  }
  if (spare_buckets_.empty()) {
    buckets_.emplace_hint(buckets_.end(), key, std::vector<Entry>{})->second.push_back(entry);
    return;
  }
  auto node = std::move(spare_buckets_.back());
  spare_buckets_.pop_back();
  node.key() = key;
  node.mapped().push_back(entry);
  buckets_.insert(buckets_.end(), std::move(node));
}

void Order::promote_bucket(std::int64_t limit) {
  const auto first = buckets_.begin();
  if (first == buckets_.end() || first->first * (std::int64_t{1} << kBucketBits) >= limit) { return; }
  sorted_.swap(first->second);
  sorted_taken_ = 0;
  sorted_bucket_ = first->first;
  std::sort(sorted_.begin(), sorted_.end(), [this](const Entry& l, const Entry& r) { return entry_less(l, r); });
  constexpr std::size_t kSpareBuckets = 1024;
  constexpr std::size_t kSpareEntries = 4096;
  auto node = buckets_.extract(first);
  if (spare_buckets_.size() < kSpareBuckets && node.mapped().capacity() <= kSpareEntries) {
    node.mapped().clear();
    spare_buckets_.push_back(std::move(node));
  }
}

std::vector<Order::Entry> Order::buffered_entries() const {
  std::vector<Entry> all(sorted_.begin() + static_cast<std::ptrdiff_t>(sorted_taken_), sorted_.end());
  all.insert(all.end(), side_.begin(), side_.end());
  for (const auto& [key, bucket] : buckets_) { all.insert(all.end(), bucket.begin(), bucket.end()); }
  std::sort(all.begin(), all.end(), [this](const Entry& l, const Entry& r) { return entry_less(l, r); });
  return all;
}

void Order::spill_if_full() {
  if (buffered_ >= options_.memory_limit_events && !short_of_room_) { spill(); }
}

bool Order::make_room() {
  short_of_room_.reset();
  spill_if_full();
  return !short_of_room_;
}

// The younger half is wanted last.
void Order::spill() {
  std::vector<Entry> all = buffered_entries();
  const std::size_t kept = options_.memory_limit_events / 2;
  if (auto done = write_spill(all, kept); !done) {
    const bool waits = options_.mode == OrderMode::kStream && done.error().kind == ErrorKind::kNoRoom;
    (waits ? short_of_room_ : failure_) = done.error();
    return;
  }
  for (std::size_t i = kept; i < all.size(); ++i) { slab_.release(all[i].slot); }
  counts_.spilled += all.size() - kept;
  spilled_left_ += all.size() - kept;
  all.resize(kept);
  buckets_.clear();
  side_.clear();
  sorted_ = std::move(all);
  sorted_taken_ = 0;
  sorted_bucket_ = std::max(sorted_bucket_, bucket_of(sorted_.back().milliseconds));
  buffered_ = kept;
}

Result<void> Order::write_spill(const std::vector<Entry>& entries, std::size_t from) {
  if (spilled_.run_count() == SpillMerge::kFanIn) {
    std::uint64_t duplicates = 0;
    // Of a copy: where there is no room, nothing was taken.
    auto copy = spilled_.again();
    if (!copy) { return tl::unexpected<Error>(copy.error()); }
    auto merged = copy->drain(options_.spill_directory, duplicates);
    if (!merged) { return tl::unexpected<Error>(merged.error()); }
    counts_.duplicates += duplicates;
    spilled_left_ -= duplicates;
    spilled_ = SpillMerge();
    if (auto done = spilled_.add(std::move(*merged)); !done) { return done; }
  }
  auto run = SpillRun::create(options_.spill_directory);
  if (!run) { return tl::unexpected<Error>(run.error()); }
  for (std::size_t i = from; i < entries.size(); ++i) {
    if (auto done = run->append(entries[i].hash, slab_.at(entries[i].slot)); !done) { return done; }
  }
  if (auto done = run->finish_writing(); !done) { return done; }
  return spilled_.add(std::move(*run));
}

// ---- release

Order::Head Order::find_head(std::int64_t limit) {
  if (sorted_taken_ == sorted_.size() && side_.empty()) { promote_bucket(limit); }
  Head head;
  const Entry* entry = nullptr;
  if (sorted_taken_ < sorted_.size()) {
    entry = &sorted_[sorted_taken_];
    head.where = Where::kSorted;
  }
  if (!side_.empty() && (entry == nullptr || entry_less(side_.front(), *entry))) {
    entry = &side_.front();
    head.where = Where::kSide;
  }
  if (entry != nullptr) {
    head.milliseconds = entry->milliseconds;
    head.hash = entry->hash;
  }
  if (!spilled_.empty()) {
    const KeyedEvent& spilled = spilled_.head();
    const auto key = std::pair(spilled.milliseconds, spilled.hash);
    const auto other = std::pair(head.milliseconds, head.hash);
    if (entry == nullptr || key < other ||
        (key == other && compare_within_hash(spilled.event, slab_.at(entry->slot)) < 0)) {
      head = Head{Where::kSpilled, spilled.milliseconds, spilled.hash};
    }
  }
  return head.milliseconds < limit ? head : Head{};
}

AccessEvent& Order::event_at(const Head& head) {
  switch (head.where) {
    case Where::kSorted:
      return slab_.at(sorted_[sorted_taken_].slot);
    case Where::kSide:
      return slab_.at(side_.front().slot);
    default:
      return spilled_.head().event;
  }
}

void Order::drop_head(const Head& head) {
  if (head.where == Where::kSorted) {
    slab_.release(sorted_[sorted_taken_++].slot);
    --buffered_;
  } else if (head.where == Where::kSide) {
    slab_.release(side_.front().slot);
    std::pop_heap(side_.begin(), side_.end(), [this](const Entry& l, const Entry& r) { return entry_less(r, l); });
    side_.pop_back();
    --buffered_;
  } else {
    --spilled_left_;
    if (auto done = spilled_.drop_head(); !done) { failure_ = done.error(); }
  }
}

bool Order::pop(AccessEvent& out, Timeliness& timeliness) {
  refresh_floor();
  while (!failure_) {
    const std::int64_t upper = late_.empty() ? limit() : std::min(limit(), late_.front().floor);
    const Head head = find_head(upper);
    if (head.where != Where::kNone) {
      if (pop_head(head, out, timeliness)) { return true; }
    } else if (late_.empty()) {
      return false;
    } else if (pop_late(out, timeliness)) {
      return true;
    }
  }
  return false;
}

// False: it was decided before.
bool Order::pop_head(const Head& head, AccessEvent& out, Timeliness& timeliness) {
  out = std::move(event_at(head));
  drop_head(head);
  while (!failure_) {
    const Head next = find_head(kForever);
    if (next.where == Where::kNone || next.milliseconds != head.milliseconds || next.hash != head.hash ||
        !is_duplicate(out, event_at(next))) {
      break;
    }
    drop_head(next);
    ++counts_.duplicates;
  }
  if (failure_) { return false; }
  return release(out, head, decided_before_, timeliness);
}

bool Order::pop_late(AccessEvent& out, Timeliness& timeliness) {
  const LateEntry late = late_.front();
  late_.pop_front();
  out = std::move(slab_.at(late.entry.slot));
  slab_.release(late.entry.slot);
  return release(out, Head{Where::kNone, late.entry.milliseconds, late.entry.hash}, late.floor, timeliness);
}

bool Order::release(const AccessEvent& event, const Head& key, std::int64_t decided_before, Timeliness& timeliness) {
  timeliness = Timeliness::kInTime;
  const bool is_late = key.milliseconds < decided_before;
  if ((is_late || key.milliseconds <= decided_up_to_) &&
      decided_.contains_duplicate_of(event, key.milliseconds, key.hash)) {
    ++counts_.duplicates;
    ++counts_.decided_before;
    return false;
  }
  if (is_late && key.milliseconds < decided_.known_from()) {
    ++counts_.too_old;
    return false;
  }
  if (is_late) {
    ++counts_.late;
    timeliness = Timeliness::kLate;
    if (key.milliseconds < decided_before - options_.late_horizon_milliseconds) {
      ++counts_.beyond_late_horizon;
      timeliness = Timeliness::kBeyondHorizon;
    }
  }
  ++counts_.released;
  decided_.remember(event, key.milliseconds, key.hash);
  return true;
}

std::uint64_t Order::held() const {
  std::uint64_t held = buffered_ + spilled_left_ + late_.size();
  for (const auto& [id, parked] : parked_) { held += parked.size(); }
  return held;
}

// ---- saved state

namespace {

// What is saved beside the events, in the order of the file.
struct SavedInput {
  InputId id = 0;
  std::int64_t latest = 0;
  bool idle = false;
  std::uint64_t parked = 0;
  auto fields() { return std::tie(id, latest, idle, parked); }
};

struct SavedOrder {
  std::uint64_t input_count = 0;
  std::vector<SavedInput> inputs;
  std::int64_t floor = 0;
  std::int64_t confirmed_latest = 0;
  std::array<std::int64_t, 2> unconfirmed{};
  std::int64_t decided_before = 0;
  bool ended = false;
  std::int64_t end_limit = 0;
  bool disorder = false;
  std::array<std::uint64_t, 9> counts{};
  std::vector<std::int64_t> late_floors;
  std::uint64_t buffered = 0;
  auto fields() {
    return std::tie(input_count, inputs, floor, confirmed_latest, unconfirmed, decided_before, ended, end_limit,
                    disorder, counts, late_floors, buffered);
  }
};

}  // namespace

Result<std::string> Order::save() const {
  SnapshotWriter writer;
  if (auto saved = save(writer); !saved) { return tl::unexpected(saved.error()); }
  return std::move(writer).bytes();
}

// Parked by input, late, buffered.
Result<void> Order::save_events(const std::vector<Entry>& entries, SnapshotWriter& writer) const {
  std::string bytes;
  const auto write = [&](const AccessEvent& event) {
    bytes.clear();
    append_event(bytes, event);
    writer.write_bytes(bytes);
  };
  for (InputId id = 0; id < inputs_.size(); ++id) {
    const auto parked = parked_.find(id);
    if (!inputs_[id].open || parked == parked_.end()) { continue; }
    for (const Parked& item : parked->second) { write(slab_.at(item.entry.slot)); }
  }
  for (const LateEntry& late : late_) { write(slab_.at(late.entry.slot)); }
  for (const Entry& entry : entries) { write(slab_.at(entry.slot)); }
  return spilled_.for_each_left(write);
}

Result<void> Order::save(SnapshotWriter& writer) const {
  if (failure_) { return tl::unexpected<Error>(*failure_); }
  SavedOrder saved;
  std::vector<Entry> entries = buffered_entries();
  const bool drained = ended_ && late_.empty() && (entries.empty() || entries.front().milliseconds >= end_limit_) &&
                       (spilled_.empty() || spilled_.head().milliseconds >= end_limit_);
  saved.confirmed_latest = confirmed_latest_;
  saved.decided_before = decided_before_;
  std::uint64_t copies = 0;
  if (drained) {  // the next run begins
    // Whoever reads a folder again and again brings the youngest events each time.
    const auto is_copy = [this](const Entry& first, const Entry& next) {
      return first.milliseconds == next.milliseconds && first.hash == next.hash &&
             is_duplicate(slab_.at(first.slot), slab_.at(next.slot));
    };
    const auto end = std::unique(entries.begin(), entries.end(), is_copy);
    copies = static_cast<std::uint64_t>(entries.end() - end);
    entries.erase(end, entries.end());
    const std::int64_t decided = end_limit_ == kForever && confirmed_latest_ != kNever ? confirmed_latest_ + 1 : kNever;
    saved.decided_before = std::max(decided_before_, end_limit_ == kForever ? decided : end_limit_);
    saved.floor = options_.mode == OrderMode::kStream ? std::max(floor_, saved.decided_before) : kNever;
    saved.unconfirmed = {kNever, kNever};
    saved.end_limit = kNever;
  } else {
    saved.input_count = inputs_.size();
    saved.floor = floor_;
    saved.unconfirmed = unconfirmed_;
    saved.ended = ended_;
    saved.end_limit = end_limit_;
    saved.disorder = disorder_;
    saved.counts = {counts_.pushed,  counts_.released, counts_.duplicates, counts_.decided_before,
                    counts_.too_old, counts_.parked,   counts_.late,       counts_.beyond_late_horizon,
                    counts_.spilled};
  }
  for (InputId id = 0; id < inputs_.size(); ++id) {
    if (!inputs_[id].open) { continue; }
    const auto parked = parked_.find(id);
    saved.inputs.push_back(
        SavedInput{id, inputs_[id].latest, inputs_[id].idle, parked == parked_.end() ? 0 : parked->second.size()});
  }
  for (const LateEntry& late : late_) { saved.late_floors.push_back(late.floor); }
  saved.buffered = buffered_ + spilled_left_ - copies;
  writer.write(saved);
  Result<void> events;
  writer.write_nested([&](SnapshotWriter& nested) {
    if (events) { events = save_events(entries, nested); }
  });
  if (!events) { return events; }
  writer.write(decided_);
  return {};
}

Result<void> Order::load(std::string_view bytes) {
  CHECK(inputs_.empty() && held() == 0);
  const auto damaged = [] {
    return fail(ErrorKind::kInput,
                "expected the saved order of events, found bytes that do not fit; the state is "
                "damaged or of another version: start without it");
  };
  SavedOrder saved;
  std::string_view events;
  SnapshotReader reader(bytes);
  if (!reader.read(saved) || !reader.read_nested(events) || !reader.read(decided_) || !decided_.take_up() ||
      !reader.at_end() || saved.input_count > kMostInputs) {
    return damaged();
  }
  inputs_.resize(saved.input_count);
  for (Input& input : inputs_) { input.open = false; }
  AccessEvent event;
  for (const SavedInput& from : saved.inputs) {
    if (from.id >= inputs_.size() || inputs_[from.id].open) { return damaged(); }
    inputs_[from.id] = Input{.latest = from.latest, .idle = from.idle};
    queue(from.id);
    for (std::uint64_t i = 0; i < from.parked; ++i) {
      if (!read_event(events, event)) { return damaged(); }
      const std::uint64_t vault = vault_hash(event);
      parked_[from.id].push_back(Parked{put(std::move(event)), vault});
    }
  }
  for (InputId id = 0; id < inputs_.size(); ++id) {
    if (!inputs_[id].open) { free_.push(id); }
  }
  for (const std::int64_t floor : saved.late_floors) {
    if (!read_event(events, event)) { return damaged(); }
    late_.push_back(LateEntry{floor, put(std::move(event))});
  }
  for (std::uint64_t i = 0; i < saved.buffered; ++i) {
    if (!read_event(events, event)) { return damaged(); }
    buffer(put(std::move(event)));
    spill_if_full();
    if (failure_) { return tl::unexpected<Error>(*failure_); }
    if (short_of_room_) { return tl::unexpected<Error>(*short_of_room_); }
  }
  if (!events.empty()) { return damaged(); }
  floor_ = saved.floor;
  confirmed_latest_ = saved.confirmed_latest;
  unconfirmed_ = saved.unconfirmed;
  decided_before_ = saved.decided_before;
  decided_up_to_ = decided_.newest();
  if (options_.mode == OrderMode::kStream) { floor_ = std::max(floor_, decided_before_); }
  ended_ = saved.ended;
  end_limit_ = saved.end_limit;
  disorder_ = saved.disorder;
  const auto& counts = saved.counts;
  counts_ =
      OrderCounts{counts[0], counts[1], counts[2], counts[3], counts[4], counts[5], counts[6], counts[7], counts[8]};
  return {};
}

}  // namespace keyvigil
