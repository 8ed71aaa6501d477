#include "app/live_loop.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <set>

#include "app/bounds_met.h"
#include "app/clock_doubt.h"
#include "app/entity_profiles.h"
#include "app/input_follower.h"
#include "app/state_sections.h"
#include "base/ascii.h"
#include "base/snapshot.h"
#include "intel/list_losses.h"
#include "source/find_inputs.h"

namespace keyvigil {
namespace {

constexpr const char* kFormatSection = "format";
constexpr const char* kSettingsSection = "settings";
constexpr const char* kListsSection = "lists";
constexpr const char* kMemorySection = "inputs";
constexpr const char* kCountsSection = "counts";

constexpr std::int64_t kFutureTicks = RecordTimes::kAheadTicks;
constexpr std::int64_t kTickTicks = EventTime::kTicksPerMinute;
// Saving may take a tenth of the time at most: where it takes long, it is done less often.
constexpr double kCheckpointShare = 10;
// Where much is read at once, alerts are stored so often at most; in the end at once.
constexpr std::chrono::milliseconds kAlertsTogether{250};
constexpr std::chrono::milliseconds kLongestWait{200};
constexpr std::chrono::seconds kHousekeeping{1};
constexpr std::chrono::seconds kRetry{1};
constexpr std::chrono::seconds kAnswerWithin{1};
constexpr std::size_t kQuestionsLimit = 64;

std::string estate_section(const std::string& estate, const char* part) {
  return fmt::format("estate/{}/{}", estate, part);
}

std::string_view section_in(const std::map<std::string, std::string>& sections, const std::string& name) {
  const auto found = sections.find(name);
  return found == sections.end() ? std::string_view{} : found->second;
}

double seconds_since(std::chrono::steady_clock::time_point begun) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begun).count();
}

// The subscription that a blob's path names; empty: none.
std::string subscription_in(std::string_view path) {
  const std::string lower = lower_case(path);
  constexpr std::string_view kBefore = "subscriptions/";
  const std::size_t at = lower.find(kBefore);
  if (at == std::string::npos) { return {}; }
  const std::size_t begin = at + kBefore.size();
  return lower.substr(begin, lower.find('/', begin) - begin);
}

// Stores were written before their checkpoints said which version of Checkpoint::kVersions they are of.
constexpr std::string_view kFormatBeforeItWasSaid = "7";

Result<void> check_format(std::string_view said) {
  if (said.empty()) { said = kFormatBeforeItWasSaid; }
  std::int64_t version = 0;
  const auto [end, error] = std::from_chars(said.data(), said.data() + said.size(), version);
  const bool is_number = error == std::errc{} && end == said.data() + said.size();
  if (is_number && is_read(Checkpoint::kVersions, version)) { return {}; }
  const bool is_newer = is_number && version > Checkpoint::kVersions.newest;
  return fail(
      ErrorKind::kInputOutput,
      fmt::format("expected a checkpoint of {} in the store, found '{}': {}", version_words(Checkpoint::kVersions),
                  said, is_newer ? kWrittenByANewer : "it is damaged; restore the store from a backup"));
}

std::optional<EventTime> if_known(std::int64_t ticks) {
  return ticks == INT64_MIN ? std::nullopt : std::optional(EventTime{ticks});
}

}  // namespace

LiveLoop::LiveLoop(Store& store, LiveOptions options, LiveReports reports)
    : store_(&store),
      options_(std::move(options)),
      idle_seconds_(options_.idle_seconds),
      checkpoint_every_seconds_(options_.checkpoint_seconds),
      keep_events_(options_.keep_events),
      reports_(std::move(reports)),
      decoder_(options_.threads),
      keeper_(store, options_.rendering, reports_.raised) {
  send_to(options_.outputs, options_.outputs_of_backfill);
}

LiveLoop::~LiveLoop() = default;

// ---- opening ----

Result<void> LiveLoop::open(const std::optional<Checkpoint>& state, const LiveSettings& settings,
                            const ListArchive& lists) {
  auto opened = take_up(state, settings, lists);
  if (!opened) {
    if (opened.error().kind == ErrorKind::kNoRoom) { tell_obstacle(opened.error().message); }
    return opened;
  }
  auto begun = begin_with(settings, lists);
  if (begun || begun.error().kind != ErrorKind::kNoRoom) { return begun; }
  waiting_change_.emplace(settings, lists);
  tell_obstacle(begun.error().message);
  return {};
}

Result<void> LiveLoop::take_up(const std::optional<Checkpoint>& state, const LiveSettings& settings,
                               const ListArchive& lists) {
  started_ticks_ = reports_.now().ticks;
  outcome_.revisions.clear();
  auto last = store_->last_checkpoint();
  if (!last) { return tl::unexpected(last.error()); }
  auto figures = store_->figures();
  if (!figures) { return tl::unexpected(figures.error()); }
  std::string packed = pack_lists(lists);
  const bool fresh = !*last && figures->journal_entries == 0;
  if (state && !fresh) {
    return fail(ErrorKind::kUsage,
                "--state: expected a store in which nothing is known yet, found one with a state of its own; "
                "start without --state, or with a new --store");
  }
  if (*last) {
    if (auto loaded = load(std::move((*last)->sections)); !loaded) { return loaded; }
    consumed_to_ = saved_to_ = (*last)->consumed_to;
  } else {
    settings_json_ = to_json(settings);
    if (auto made = put_lists_in_force(packed); !made) { return made; }
    if (auto made = make_estates(settings); !made) { return made; }
    if (state) {
      if (auto taken = take_up(*state); !taken) { return taken; }
    }
    // What the service begins with is what its first entry is decided with, also after a crash.
    if (auto saved = commit(); !saved) { return saved; }
  }
  checkpoint_at_ = housekeeping_at_ = Clock::now();
  return {};
}

// Nothing is taken in before this is journalled.
Result<void> LiveLoop::begin_with(const LiveSettings& settings, const ListArchive& lists) {
  const auto figures = store_->figures();
  if (!figures) { return tl::unexpected(figures.error()); }
  // Entries that are not read yet may say otherwise than the checkpoint does.
  const auto left = store_->read_journal(consumed_to_, 1);
  if (!left) { return tl::unexpected(left.error()); }
  {
    const std::lock_guard lock(change_mutex_);
    last_settings_ = left->empty() ? settings_json_ : "";
    last_lists_ = left->empty() ? packed_lists_ : "";
  }
  const auto changed = journal_change(settings, lists);
  if (!changed) { return tl::unexpected(changed.error()); }
  if (!left->empty()) {
    left_bytes_ = figures->journal_bytes;
    left_to_ = *changed - 2;  // settings and lists
  }
  waiting_change_.reset();
  begun_ = true;
  tell_obstacle("");
  return {};
}

Result<void> LiveLoop::make_estates(const LiveSettings& settings) {
  settings_ = settings;
  estates_.clear();
  estate_by_subscription_.clear();
  for (std::size_t i = 0; i < settings_.estates.size(); ++i) {
    estates_.push_back(std::make_unique<LiveEstate>(settings_, *book_, options_.waiting_room));
    for (const std::string& subscription : settings_.estates[i].subscriptions) {
      estate_by_subscription_[subscription] = i;
    }
  }
  return {};
}

Result<void> LiveLoop::load(std::map<std::string, std::string> sections) {
  if (auto known = check_format(section_in(sections, kFormatSection)); !known) { return known; }
  settings_json_ = section_in(sections, kSettingsSection);
  auto settings = parse_live_settings(settings_json_);
  if (!settings) { return tl::unexpected(settings.error()); }
  if (auto made = put_lists_in_force(std::string(section_in(sections, kListsSection))); !made) { return made; }
  if (auto made = make_estates(*settings); !made) { return made; }
  for (std::size_t i = 0; i < estates_.size(); ++i) {
    const std::string& name = settings_.estates[i].name;
    const auto part = [&](const char* section) { return section_in(sections, estate_section(name, section)); };
    auto loaded =
        estates_[i]->load({part(kOrderSection), part(kEngineSection), part(kRepeatsSection), part(kCountsSection)});
    if (!loaded) { return loaded; }
    for (const char* taken_up : {kOrderSection, kEngineSection}) { sections.erase(estate_section(name, taken_up)); }
  }
  const std::string_view memory = section_in(sections, kMemorySection);
  SnapshotReader reader(memory);
  if (!reader.read(memory_) || !reader.at_end()) {
    return fail(ErrorKind::kInput,
                "expected the inputs in the last checkpoint, found damaged bytes; restore the store from a backup");
  }
  return {};
}

// The state of `detect` becomes that of the estate without a name; its open alerts are alerts of the past.
Result<void> LiveLoop::take_up(const Checkpoint& state) {
  if (state.sections.contains(kWithoutHistoriesSection)) {
    return fail(ErrorKind::kUsage,
                "--state: expected a state with histories, found one written with an --only that keeps none; "
                "name one that was written without --only");
  }
  LiveEstate& estate = *estates_.front();
  auto loaded = estate.load({section_in(state.sections, kOrderSection),
                             section_in(state.sections, kEngineSection),
                             section_in(state.sections, kRepeatsSection),
                             {}});
  if (!loaded) { return loaded; }
  for (Alert& alert : estate.repeats().open_alerts()) { outcome_.revisions.push_back({std::move(alert), true}); }
  return {};
}

Result<void> LiveLoop::put_lists_in_force(std::string packed) {
  if (packed == packed_lists_ && book_) { return {}; }
  auto archive = unpack_lists(packed);
  if (!archive) { return tl::unexpected(archive.error()); }
  auto book = address_book(*archive);
  if (!book) { return tl::unexpected(book.error()); }
  auto fresh = std::make_unique<AddressBook>(*std::move(book));
  for (const auto& estate : estates_) {
    if (auto remade = estate->remake(settings_, *fresh); !remade) { return remade; }
  }
  book_ = std::move(fresh);
  packed_lists_ = std::move(packed);
  tell_losses();
  return {};
}

void LiveLoop::tell_losses() {
  constexpr std::uint64_t kDoubtfulShare = 100;  // one in so many
  lists_in_force_.clear();
  for (const ThreatList& list : book_->lists()) {
    ListInForce one;
    one.name = list.file;
    one.role = to_string(list.role);
    one.entries = list.entries.size();
    one.refused = refused_total(list);
    one.losses = losses_of(list);
    const std::uint64_t unread = list.refused[static_cast<std::size_t>(ListRefusal::kNotAnAddress)] +
                                 list.refused[static_cast<std::size_t>(ListRefusal::kOther)];
    one.doubtful = unread * kDoubtfulShare > one.entries + one.refused;
    if (!one.losses.empty()) { reports_.warn(fmt::format("list '{}': {}", one.name, one.losses)); }
    lists_in_force_.push_back(std::move(one));
  }
}

Result<void> LiveLoop::change_settings(const std::string& json) {
  if (json == settings_json_) { return {}; }
  auto settings = parse_live_settings(json);
  if (!settings) { return tl::unexpected(settings.error()); }
  std::vector<std::unique_ptr<LiveEstate>> before = std::move(estates_);
  const std::vector<EstateConfig> names = settings_.estates;
  if (auto made = make_estates(*settings); !made) { return made; }
  settings_json_ = json;
  std::map<std::uint64_t, std::uint64_t> moved;  // numbers of estates that stay
  for (std::size_t i = 0; i < before.size(); ++i) {
    const auto place = std::ranges::find(settings_.estates, names[i].name, &EstateConfig::name);
    if (place == settings_.estates.end()) {
      if (auto finished = before[i]->finish(outcome_); !finished) { return finished; }
      continue;
    }
    const auto number = static_cast<std::size_t>(place - settings_.estates.begin());
    estates_[number] = std::move(before[i]);
    if (auto remade = estates_[number]->remake(settings_, *book_); !remade) { return remade; }
    moved[i] = number;
  }
  for (auto& [key, input] : memory_.inputs) {
    std::map<std::uint64_t, InputId> ids;
    for (const auto& [estate, id] : input.ids) {
      if (const auto number = moved.find(estate); number != moved.end()) { ids[number->second] = id; }
    }
    input.ids = std::move(ids);
  }
  return {};
}

Result<std::uint64_t> LiveLoop::change(const LiveSettings& settings, const ListArchive& lists) {
  if (!begun_) { return fail(ErrorKind::kNoRoom, obstacle()); }
  return journal_change(settings, lists);
}

Result<std::uint64_t> LiveLoop::journal_change(const LiveSettings& settings, const ListArchive& lists) {
  const std::lock_guard lock(change_mutex_);
  std::string json = to_json(settings);
  std::string packed = pack_lists(lists);
  std::vector<JournalEntry> entries;
  const std::int64_t now = reports_.now().ticks;
  const auto add = [&](JournalKind kind, const std::string& body) {
    JournalEntry entry;
    entry.kind = kind;
    entry.received_ticks = now;
    entry.body = body;
    entries.push_back(std::move(entry));
  };
  if (json != last_settings_) { add(JournalKind::kSettings, json); }
  if (packed != last_lists_) { add(JournalKind::kLists, packed); }
  if (entries.empty()) { return 0; }
  auto appended = append(entries);
  if (!appended) { return appended; }
  last_settings_ = std::move(json);
  last_lists_ = std::move(packed);
  return appended;
}

// ---- the loop ----

Result<std::uint64_t> LiveLoop::append(std::span<const JournalEntry> entries,
                                       std::span<const InputPosition> positions) {
  if (std::ranges::any_of(entries, [](const JournalEntry& entry) { return entry.kind == JournalKind::kInput; })) {
    if (std::string why = obstacle(); !why.empty()) { return fail(ErrorKind::kNoRoom, std::move(why)); }
  }
  auto sequence = store_->append(entries, positions);
  if (!sequence) { return sequence; }
  std::uint64_t bytes = 0;
  for (const JournalEntry& entry : entries) { bytes += entry.body.size(); }
  appended_bytes_ += bytes;
  {
    const std::lock_guard lock(mutex_);
    work_ = true;
  }
  woken_.notify_one();
  return sequence;
}

void LiveLoop::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  woken_.notify_one();
}

std::string LiveLoop::obstacle() const {
  const std::lock_guard lock(mutex_);
  return obstacle_;
}

void LiveLoop::tell_obstacle(const std::string& why) {
  {
    const std::lock_guard lock(mutex_);
    if (obstacle_ == why) { return; }
    obstacle_ = why;
  }
  if (!why.empty()) { reports_.warn(why); }
}

bool LiveLoop::wait_for_room() {
  std::unique_lock lock(mutex_);
  return !woken_.wait_for(lock, kRetry, [this] { return stopping_; });
}

// What waits for room on a disk is tried again, each second at most.
Result<void> LiveLoop::clear_obstacles() {
  if (!waiting_change_ && shortage().empty()) { return {}; }
  if (Clock::now() - room_tried_at_ < kRetry) { return {}; }
  room_tried_at_ = Clock::now();
  if (waiting_change_) {
    const auto [settings, lists] = *waiting_change_;
    auto begun = begin_with(settings, lists);
    return begun || begun.error().kind == ErrorKind::kNoRoom ? Result<void>{} : begun;
  }
  for (const auto& estate : estates_) { static_cast<void>(estate->make_room()); }
  tell_obstacle(shortage());
  return {};
}

std::string LiveLoop::shortage() const {
  for (const auto& estate : estates_) {
    if (const auto& why = estate->order().short_of_room()) { return why->message; }
  }
  return {};
}

void LiveLoop::wait(std::chrono::milliseconds time) {
  std::unique_lock lock(mutex_);
  woken_.wait_for(lock, time, [this] { return work_ || stopping_ || !questions_.empty(); });
  work_ = false;
}

Result<void> LiveLoop::run() {
  std::optional<Clock::time_point> stop_at;
  while (true) {
    answer_questions();
    bool more = false;
    if (auto cleared = clear_obstacles(); !cleared) { return cleared; }
    if (!checkpoint_failed_ && obstacle().empty()) {
      auto read = read_and_decide();
      if (!read) { return tl::unexpected(read.error()); }
      more = *read;
    }
    const bool keep = !checkpoint_failed_ && outcome_.events.packed_bytes() >= options_.keep_events_bytes;
    // Where events cannot be kept, a checkpoint cannot be made either: it says why, and nothing more is decided.
    if ((keep && !keep_events()) || is_checkpoint_due()) {
      if (auto saved = commit(); !saved) { reports_.warn(saved.error().message); }
    }
    if (!more) { keep_house(); }
    bool stopping = false;
    {
      const std::lock_guard lock(mutex_);
      stopping = stopping_;
    }
    if (stopping && !stop_at) { stop_at = Clock::now() + std::chrono::seconds(options_.stop_seconds); }
    if (stopping && (!more || Clock::now() >= *stop_at)) { break; }
    if (!more && !stopping) { wait(checkpoint_failed_ ? kRetry : kLongestWait); }
  }
  auto ended = commit_in_the_end();
  answer_questions();
  return ended;
}

Result<void> LiveLoop::commit_in_the_end() {
  if (auto there = store_->check_place(); !there) { return there; }
  if (!has_changes()) { return {}; }
  return commit();
}

// False: there was nothing.
Result<bool> LiveLoop::read_and_decide() {
  outcome_.keep_events = keep_events_;
  auto entries = store_->read_journal(consumed_to_, options_.journal_read_bytes);
  if (!entries) { return tl::unexpected(entries.error()); }
  if (entries->empty()) { return false; }
  decoder_.begin(*entries);
  while (true) {
    auto piece = decoder_.next();
    if (!piece) { return tl::unexpected(piece.error()); }
    if (!*piece) { break; }
    const StoredEntry& stored = *(*piece)->entry;
    if (auto taken = take(stored, (*piece)->batch); !taken) { return tl::unexpected(taken.error()); }
    if (auto decided = decide_ready(); !decided) { return tl::unexpected(decided.error()); }
    if (Clock::now() - revisions_kept_at_ >= kAlertsTogether) { keep_revisions(); }
    if ((*piece)->last) {
      consumed_to_ = stored.sequence;
      if (stored.sequence > left_to_) { consumed_bytes_ += stored.entry.body.size(); }
      if (stored.sequence >= left_to_) { left_bytes_ = 0; }
      consumed_received_ticks_ = stored.entry.received_ticks;
    }
    answer_questions();
  }
  keep_revisions();
  if (const std::string why = shortage(); !why.empty()) { tell_obstacle(why); }
  return true;
}

Result<void> LiveLoop::take(const StoredEntry& stored, DecodedBatch* batch) {
  const JournalEntry& entry = stored.entry;
  switch (entry.kind) {
    case JournalKind::kInput:
      if (batch != nullptr) { return take_events(entry, *batch); }
      if (entry.body.empty()) { open_item(entry); }
      return {};
    case JournalKind::kIdle:
      idle(entry);
      return {};
    case JournalKind::kTick:
      return tick(entry);
    case JournalKind::kLists:
      return put_lists_in_force(entry.body);
    case JournalKind::kSettings:
      return change_settings(entry.body);
    case JournalKind::kClose:
      close(entry);
      return {};
    case JournalKind::kRemoved:
      close_all(entry.input);
      if (!is_followed_input(entry.input)) { memory_.tallies.erase(entry.input); }
      return {};
  }
  return fail(ErrorKind::kInput,
              fmt::format("expected a known kind of journal entry, found {} in entry {}; the store is of a newer "
                          "version, or damaged",
                          static_cast<int>(entry.kind), stored.sequence));
}

std::size_t LiveLoop::estate_of(std::string_view subscription_id) const {
  if (estate_by_subscription_.empty()) { return 0; }
  const auto found = estate_by_subscription_.find(subscription_id);
  return found == estate_by_subscription_.end() ? 0 : found->second;
}

Result<void> LiveLoop::take_events(const JournalEntry& entry, DecodedBatch& batch) {
  Tally& tally = memory_.tallies[entry.input];
  tally.records += batch.records;
  tally.received_ticks = std::max(tally.received_ticks, entry.received_ticks);
  for (std::size_t cause = 0; cause < batch.skipped.size(); ++cause) {
    // Blank lines and empty envelopes are no records.
    if (cause != static_cast<std::size_t>(SkipCause::kEmpty)) { tally.skipped += batch.skipped[cause]; }
  }
  tally.unreadable_addresses += batch.unreadable_addresses;
  for (const Refusal& refusal : batch.refusals) { ++tally.refused[static_cast<std::size_t>(refusal.cause)]; }
  Input* input = nullptr;
  for (std::size_t i = 0; i < batch.count; ++i) {
    AccessEvent& event = batch.events[i];
    if (event.time.ticks > entry.received_ticks + kFutureTicks) {
      ++tally.refused[static_cast<std::size_t>(RefusalCause::kFuture)];
      continue;
    }
    if (input == nullptr) {
      input = &memory_.inputs[{entry.input, entry.item}];
      input->idle = false;
      input->backfill = entry.backfill;
      input->events_at_ticks = entry.received_ticks;
    }
    tally.newest_event_ticks = std::max(tally.newest_event_ticks, event.time.ticks);
    const std::size_t estate = estate_of(event.subscription_id());
    const InputId id = order_input(*input, estate, entry, batch);
    event.place.input = entry.backfill ? 1 : 0;
    if (auto pushed = estates_[estate]->push(id, std::move(event), entry.received_ticks); !pushed) { return pushed; }
    ++events_since_checkpoint_;
  }
  return {};
}

// What is known of a new input keeps its clock guard from waiting for others: the hour in a blob's path, or else its
// first records.
InputId LiveLoop::order_input(Input& input, std::size_t estate, const JournalEntry& entry, const DecodedBatch& batch) {
  if (const auto known = input.ids.find(estate); known != input.ids.end()) { return known->second; }
  std::optional<EventTime> not_before = blob_path_time(entry.item);
  if (!not_before) {
    for (std::size_t i = 0; i < batch.count; ++i) {
      const EventTime time = batch.events[i].time;
      if (time.ticks > entry.received_ticks + kFutureTicks) { continue; }
      not_before = std::min(not_before.value_or(time), time);
    }
  }
  return input.ids[estate] = estates_[estate]->open_input(not_before);
}

// An item that will bring something: until then it holds back those that are ahead of the hour in its path.
void LiveLoop::open_item(const JournalEntry& entry) {
  const auto not_before = blob_path_time(entry.item);
  if (!not_before) { return; }
  const auto [place, added] = memory_.inputs.try_emplace({entry.input, entry.item});
  if (!added) { return; }
  Input& input = place->second;
  input.backfill = entry.backfill;
  input.events_at_ticks = entry.received_ticks;
  const std::string subscription = subscription_in(entry.item);
  for (std::size_t estate = 0; estate < estates_.size(); ++estate) {
    if (!subscription.empty() && estate != estate_of(subscription)) { continue; }
    input.ids[estate] = estates_[estate]->open_input(not_before);
  }
}

void LiveLoop::idle(const JournalEntry& entry) {
  const auto found = memory_.inputs.find({entry.input, entry.item});
  if (found == memory_.inputs.end()) { return; }
  found->second.idle = true;
  for (const auto& [estate, id] : found->second.ids) { estates_[estate]->idle_input(id); }
}

void LiveLoop::close(const JournalEntry& entry) {
  const auto found = memory_.inputs.find({entry.input, entry.item});
  if (found == memory_.inputs.end()) { return; }
  for (const auto& [estate, id] : found->second.ids) { estates_[estate]->close_input(id); }
  memory_.inputs.erase(found);
}

void LiveLoop::close_all(const std::string& input) {
  auto place = memory_.inputs.lower_bound({input, ""});
  while (place != memory_.inputs.end() && place->first.first == input) {
    for (const auto& [estate, id] : place->second.ids) { estates_[estate]->close_input(id); }
    place = memory_.inputs.erase(place);
  }
}

Result<void> LiveLoop::tick(const JournalEntry& entry) {
  std::int64_t ticks = 0;
  const char* end = entry.body.data() + entry.body.size();
  const auto parsed = std::from_chars(entry.body.data(), end, ticks);
  if (parsed.ec != std::errc{} || parsed.ptr != end) {
    return fail(ErrorKind::kInput,
                "expected a time in a tick of the journal, found something else; the store is "
                "damaged: restore it from a backup");
  }
  const auto estate = std::ranges::find(settings_.estates, entry.item, &EstateConfig::name);
  if (estate == settings_.estates.end()) { return {}; }  // it was taken out meanwhile
  estates_[static_cast<std::size_t>(estate - settings_.estates.begin())]->advance(EventTime{ticks});
  return {};
}

Result<void> LiveLoop::decide_ready() {
  for (const auto& estate : estates_) {
    if (auto decided = estate->decide_ready(outcome_); !decided) { return decided; }
  }
  return {};
}

// ---- the passing of time ----

void LiveLoop::keep_house() {
  if (Clock::now() - housekeeping_at_ < kHousekeeping) { return; }
  housekeeping_at_ = Clock::now();
  const EventTime now = reports_.now();
  if (waiting_bytes() == 0 && !checkpoint_failed_ && obstacle().empty()) {
    std::vector<JournalEntry> entries;
    find_idle_inputs(now, entries);
    if (entries.empty()) { find_tick(now, entries); }
    if (!entries.empty()) {
      if (auto appended = append(entries); !appended) { reports_.warn(appended.error().message); }
    }
  }
  if (now.ticks - outdated_removed_at_.ticks > EventTime::kTicksPerHour) {
    outdated_removed_at_ = now;
    if (auto removed = store_->remove_outdated(now); !removed) { reports_.warn(removed.error().message); }
  }
}

// While the service was down nothing could come: that time does not count.
void LiveLoop::find_idle_inputs(EventTime now, std::vector<JournalEntry>& entries) const {
  for (const auto& [key, input] : memory_.inputs) {
    if (input.idle || input.backfill) { continue; }
    const std::int64_t quiet_ticks = now.ticks - std::max(input.events_at_ticks, started_ticks_);
    if (quiet_ticks <= idle_seconds_ * EventTime::kTicksPerSecond) { continue; }
    JournalEntry entry;
    entry.kind = JournalKind::kIdle;
    entry.input = key.first;
    entry.item = key.second;
    entry.received_ticks = now.ticks;
    entries.push_back(std::move(entry));
  }
}

// Where every input of an estate is idle, its time moves on with the wall clock from its newest event on: not to the
// wall clock's time, for what comes may be old.
void LiveLoop::find_tick(EventTime now, std::vector<JournalEntry>& entries) const {
  std::set<std::uint64_t> busy;
  for (const auto& [key, input] : memory_.inputs) {
    if (input.idle) { continue; }
    for (const auto& [estate, id] : input.ids) { busy.insert(estate); }
  }
  for (std::size_t i = 0; i < estates_.size(); ++i) {
    const LiveEstate& estate = *estates_[i];
    const EstateCounts& counts = estate.counts();
    const bool waits = estate.order().held() > 0 || estate.repeats().open_count() > 0;
    if (busy.contains(i) || !waits || counts.newest_event_ticks == INT64_MIN) { continue; }
    const std::int64_t quiet_ticks = now.ticks - std::max(counts.newest_received_ticks, started_ticks_);
    const EventTime to{counts.newest_event_ticks + std::max<std::int64_t>(quiet_ticks, 0)};
    const std::int64_t step = estate.order().held() > 0 ? kTickTicks : EventTime::kTicksPerHour;
    if (counts.ticked_to_ticks != INT64_MIN && to.ticks < counts.ticked_to_ticks + step) { continue; }
    JournalEntry entry;
    entry.kind = JournalKind::kTick;
    entry.item = settings_.estates[i].name;
    entry.received_ticks = now.ticks;
    entry.body = fmt::format("{}", to.ticks);
    entries.push_back(std::move(entry));
  }
}

// ---- checkpoints ----

bool LiveLoop::is_checkpoint_due() const {
  if (!has_changes()) { return false; }
  const double passed = seconds_since(checkpoint_at_);
  if (checkpoint_failed_) { return passed >= std::chrono::duration<double>(kRetry).count(); }
  if (passed < kCheckpointShare * checkpoint_seconds_) { return false; }
  return passed >= static_cast<double>(checkpoint_every_seconds_) ||
         events_since_checkpoint_ >= options_.checkpoint_events;
}

// Questions are answered meanwhile: nothing changes until it is written.
CheckpointCommit LiveLoop::checkpoint() {
  CheckpointCommit commit;
  commit.consumed_to = consumed_to_;
  commit.between_pieces = [this] { answer_questions(); };
  commit.sections[kFormatSection] = section_of(fmt::format("{}", Checkpoint::kVersions.newest));
  commit.sections[kSettingsSection] = section_of(settings_json_);
  commit.sections[kListsSection] = section_of(packed_lists_);
  const auto add = [&](const std::string& name, auto save) {
    commit.sections[name] = [save](SnapshotWriter& writer) -> Result<void> {
      save(writer);
      return {};
    };
  };
  add(kMemorySection, [this](SnapshotWriter& writer) { writer.write(memory_); });
  for (std::size_t i = 0; i < estates_.size(); ++i) {
    const LiveEstate* estate = estates_[i].get();
    const std::string& name = settings_.estates[i].name;
    commit.sections[estate_section(name, kOrderSection)] = [estate](SnapshotWriter& writer) {
      return estate->save_order(writer);
    };
    add(estate_section(name, kEngineSection), [estate](SnapshotWriter& writer) { estate->engine().save(writer); });
    add(estate_section(name, kRepeatsSection), [estate](SnapshotWriter& writer) { estate->repeats().save(writer); });
    add(estate_section(name, kCountsSection), [estate](SnapshotWriter& writer) { estate->save_counts(writer); });
  }
  return commit;
}

// Where it fails, nothing more is decided until a checkpoint has succeeded, which begins with them.
void LiveLoop::keep_revisions() {
  revisions_kept_at_ = Clock::now();
  if (outcome_.revisions.empty() || checkpoint_failed_) { return; }
  const auto kept = keeper_.keep(outcome_.revisions, reports_.now());
  if (kept) { return; }
  checkpoint_at_ = Clock::now();
  checkpoint_failed_ = true;
  checkpoint_failure_ = kept.error().message;
  reports_.warn(checkpoint_failure_);
}

Result<void> LiveLoop::keep_events() {
  std::vector<EventBlock> blocks = outcome_.events.take();
  if (blocks.empty()) { return {}; }
  auto kept = store_->keep_events(blocks);
  if (!kept) { outcome_.events.put_back(std::move(blocks)); }
  return kept;
}

Result<void> LiveLoop::save() {
  if (auto kept = keep_events(); !kept) { return kept; }
  if (auto kept = keeper_.keep(outcome_.revisions, reports_.now()); !kept) { return kept; }
  return store_->commit(checkpoint());
}

Result<void> LiveLoop::commit() {
  const auto begun = Clock::now();
  checkpoint_at_ = begun;
  auto saved = save();
  checkpoint_failed_ = !saved.has_value();
  checkpoint_failure_ = saved ? std::string() : saved.error().message;
  if (!saved) { return saved; }
  checkpoint_at_ = Clock::now();
  checkpoint_seconds_ = seconds_since(begun);
  ++checkpoints_;
  events_since_checkpoint_ = 0;
  saved_to_ = consumed_to_;
  return {};
}

// ---- questions ----

void LiveLoop::answer_questions() {
  std::deque<std::packaged_task<void()>> questions;
  {
    const std::lock_guard lock(mutex_);
    questions.swap(questions_);
  }
  for (auto& question : questions) { question(); }
}

template <typename Answer>
Result<Answer> LiveLoop::ask(std::function<Answer()> question) {
  std::packaged_task<Answer()> task(std::move(question));
  std::future<Answer> answer = task.get_future();
  {
    const std::lock_guard lock(mutex_);
    if (questions_.size() >= kQuestionsLimit) {
      return fail(ErrorKind::kLimit, "too many questions are waiting for the engine; ask again later");
    }
    questions_.emplace_back([waiting = std::move(task)]() mutable { waiting(); });
  }
  woken_.notify_one();
  if (answer.wait_for(kAnswerWithin) != std::future_status::ready) {
    return fail(ErrorKind::kLimit, "the engine is busy (loading or saving); ask again in some seconds");
  }
  return answer.get();
}

LiveView LiveLoop::view() {
  LiveView view;
  view.figures = [this] { return ask<LiveFigures>([this] { return figures(); }); };
  view.entity = [this](const std::string& kind, const std::string& key) {
    return ask<std::optional<EntityProfile>>([this, kind, key] { return profile(kind, key); });
  };
  view.readiness = [this](std::size_t limit) {
    return ask<std::vector<VaultReadiness>>([this, limit] { return readiness(limit); });
  };
  view.open_alerts = [this](const std::vector<OpenAlertKey>& keys) {
    return ask<std::vector<Alert>>([this, keys] { return open_alerts(keys); });
  };
  return view;
}

Result<std::vector<CallerAddresses>> LiveLoop::callers() {
  return ask<std::vector<CallerAddresses>>([this] {
    std::vector<CallerAddresses> callers;
    for (const auto& estate : estates_) { callers.push_back(estate->callers()); }
    return callers;
  });
}

void LiveLoop::send_to(std::vector<std::string> outputs, std::vector<std::string> outputs_of_backfill) {
  keeper_.send_to(std::move(outputs), std::move(outputs_of_backfill));
}

void LiveLoop::change_upkeep(std::int64_t idle_seconds, std::int64_t checkpoint_seconds, bool keep_events) {
  idle_seconds_ = idle_seconds;
  checkpoint_every_seconds_ = checkpoint_seconds;
  keep_events_ = keep_events;
}

void LiveLoop::follow_only(std::set<std::string> inputs) {
  const std::lock_guard lock(mutex_);
  std::erase_if(input_reports_, [&](const auto& report) { return !inputs.contains(report.first); });
  followed_ = std::move(inputs);
}

std::map<std::string, EventTime> LiveLoop::inputs_by_http() const {
  std::map<std::string, EventTime> inputs;
  for (const auto& [name, tally] : memory_.tallies) {
    if (!is_followed_input(name)) { inputs[name] = EventTime{tally.received_ticks}; }
  }
  return inputs;
}

void LiveLoop::report_input(const std::string& input, InputReport report) {
  const std::lock_guard lock(mutex_);
  input_reports_[input] = std::move(report);
}

namespace {

void add_silent_vaults(const LiveEstate& estate, LiveFigures& out) {
  out.vaults_not_watched += estate.rhythm().left_out();
  std::vector<VaultRhythm::Silence> silent = estate.rhythm().silent();
  if (silent.empty()) { return; }
  out.silent_vaults_total += silent.size();
  silent.resize(std::min(silent.size(), LiveFigures::kSilentVaults - out.silent_vaults.size()));
  const SettledTable& vaults = estate.engine().history().vaults();
  std::map<std::uint64_t, std::string> names;
  for (const VaultRhythm::Silence& one : silent) { names[one.vault]; }
  for (std::uint32_t slot = 0; slot < vaults.slot_count(); ++slot) {
    if (!vaults.is_in_use(slot)) { continue; }
    if (const auto name = names.find(vaults.key_hash(slot)); name != names.end()) { name->second = vaults.key(slot); }
  }
  // One whose name was forgotten is in the total.
  for (const VaultRhythm::Silence& one : silent) {
    if (names[one.vault].empty()) { continue; }
    out.silent_vaults.push_back({names[one.vault], one.last, one.pause_ticks, one.longest_ticks});
  }
}

}  // namespace

LiveFigures LiveLoop::figures() const {
  LiveFigures out;
  std::map<std::string, bool> idle;  // by name: all items are
  for (const auto& [key, input] : memory_.inputs) {
    const auto [place, added] = idle.try_emplace(key.first, input.idle);
    place->second = place->second && input.idle;
  }
  std::map<std::string, InputReport> reports;
  std::set<std::string> followed;
  {
    const std::lock_guard lock(mutex_);
    reports = input_reports_;
    followed = followed_;
  }
  for (const auto& [name, report] : reports) {
    if (!memory_.tallies.contains(name)) {
      InputHealth health;
      health.name = name;
      health.report = report;
      out.inputs.push_back(std::move(health));
    }
  }
  for (const auto& [name, tally] : memory_.tallies) {
    InputHealth health;
    health.name = name;
    health.removed = is_followed_input(name) && !followed.contains(name);
    health.records = tally.records;
    health.skipped = tally.skipped;
    health.unreadable_addresses = tally.unreadable_addresses;
    for (std::size_t cause = 0; cause < tally.refused.size(); ++cause) {
      health.refused += tally.refused[cause];
      if (tally.refused[cause] == 0) { continue; }
      health.refused_by_cause[std::string(to_string(static_cast<RefusalCause>(cause)))] = tally.refused[cause];
    }
    out.future_refused += tally.refused[static_cast<std::size_t>(RefusalCause::kFuture)];
    health.newest_event = if_known(tally.newest_event_ticks);
    health.last_received = if_known(tally.received_ticks);
    const auto known = idle.find(name);
    health.idle = known == idle.end() || known->second;
    if (const auto report = reports.find(name); report != reports.end()) { health.report = report->second; }
    out.inputs.push_back(std::move(health));
  }
  std::int64_t decided_to = INT64_MIN;
  for (const auto& estate : estates_) {
    const EstateCounts& counts = estate->counts();
    out.events_decided += counts.decided;
    out.duplicates += estate->order().counts().duplicates;
    out.decided_before += estate->order().counts().decided_before;
    out.too_old += estate->order().counts().too_old;
    if (const std::int64_t from = estate->order().decided_events().known_from(); from != DecidedEvents::kAll) {
      out.decided_known_from = std::max(out.decided_known_from, std::optional(EventTime::from_milliseconds(from)));
    }
    add_bounds(bounds_met(estate->engine(), estate->order(), estate->repeats()), out.bounds);
    out.late += estate->order().counts().late;
    out.held += estate->order().held();
    out.evicted_callers += estate->engine().history().callers().evictions();
    out.evicted_vaults += estate->engine().history().vaults().evictions();
    for (std::size_t kind = 0; kind < EstateHistory::kTouchKinds; ++kind) {
      const AccessGraphStatistics& edges = estate->engine().history().touches(kind).graph().statistics();
      out.evicted_edges += edges.edges_replaced + edges.edges_left_out;
    }
    out.forgotten_objects += estate->engine().history().known_objects().forgotten;
    const RepeatsStatistics& repeats = estate->repeats().statistics();
    out.alerts_closed_early += repeats.closed_early;
    out.evidence_left_out += repeats.records_left_out + repeats.objects_left_out;
    out.spilled += estate->order().counts().spilled;
    const auto& detector_seconds = estate->detector_times().seconds();
    for (std::size_t type = 0; type < detector_seconds.size(); ++type) {
      out.detector_seconds[static_cast<AlertType>(type)] += detector_seconds[type];
    }
    for (std::size_t type = 0; type < counts.raised.size(); ++type) {
      if (counts.raised[type] > 0) { out.alerts_raised[static_cast<AlertType>(type)] += counts.raised[type]; }
    }
    decided_to = std::max(decided_to, counts.decided_to_ticks);
    add_silent_vaults(*estate, out);
  }
  out.decided_to = if_known(decided_to);
  out.learned_at = estates_.front()->engine().learned_at();
  if (auto figures = store_->figures()) { out.journal_waiting = figures->journal_entries; }
  if (waiting_bytes() > 0 && consumed_received_ticks_ > 0) {
    out.behind_seconds = static_cast<double>(reports_.now().ticks - consumed_received_ticks_) /
                         static_cast<double>(EventTime::kTicksPerSecond);
  }
  if (!checkpoint_failure_.empty()) { out.problems.push_back({"store", "", checkpoint_failure_}); }
  if (std::string why = obstacle(); !why.empty()) { out.problems.push_back({"store", "room", std::move(why)}); }
  out.checkpoint_seconds = checkpoint_seconds_;
  out.checkpoints = checkpoints_;
  out.list_version = book_->version();
  out.lists_in_force = lists_in_force_;
  return out;
}

std::optional<EntityProfile> LiveLoop::profile(const std::string& kind, const std::string& key) const {
  for (const auto& estate : estates_) {
    const EventTime now{estate->counts().decided_to_ticks};
    if (auto profile = entity_profile(estate->engine().history(), kind, key, now)) { return profile; }
  }
  return std::nullopt;
}

std::vector<Alert> LiveLoop::open_alerts(const std::vector<OpenAlertKey>& keys) const {
  std::vector<Alert> open;
  for (const OpenAlertKey& key : keys) {
    for (const auto& estate : estates_) {
      if (const Alert* alert = estate->repeats().find_open(key.generated, key.id)) { open.push_back(*alert); }
    }
  }
  return open;
}

std::vector<VaultReadiness> LiveLoop::readiness(std::size_t limit) const {
  std::vector<VaultReadiness> out;
  for (const auto& estate : estates_) {
    const SettledTable& vaults = estate->engine().history().vaults();
    const auto learned_at = estate->engine().learned_at();
    const bool learning = learned_at && estate->counts().decided_to_ticks < learned_at->ticks;
    for (std::uint32_t slot = 0; slot < vaults.slot_count() && out.size() < limit; ++slot) {
      if (!vaults.is_in_use(slot)) { continue; }
      VaultReadiness vault;
      vault.vault_id = vaults.key(slot);
      for (const CatalogueRow& row : catalogue()) {
        VaultReadiness::Detector detector;
        detector.type = row.type;
        if (row.type == AlertType::kTORAccess && !book_->has_role(ListRole::kTor)) {
          detector.because = "no list of Tor exits";
        } else if (!row.learned() && row.type != AlertType::kTORAccess && !book_->has_role(ListRole::kSuspicious)) {
          detector.because = "no list of suspicious addresses";
        } else if (row.learned() && learning) {
          detector.because = "learning";
          detector.until = learned_at;
        }
        detector.ready = detector.because.empty();
        vault.detectors.push_back(std::move(detector));
      }
      out.push_back(std::move(vault));
    }
  }
  std::ranges::sort(out, {}, &VaultReadiness::vault_id);
  return out;
}

}  // namespace keyvigil
