#include "serve/live_estates.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <optional>
#include <set>

#include "base/ascii.h"
#include "base/snapshot.h"
#include "estate/estate_sections.h"
#include "intel/list_losses.h"
#include "serve/clock_doubt.h"
#include "source/find_inputs.h"
#include "source/followed_input.h"

namespace keyvigil {
namespace {

constexpr const char* kFormatSection = "format";
constexpr const char* kSettingsSection = "settings";
constexpr const char* kListsSection = "lists";
constexpr const char* kMemorySection = "inputs";
constexpr const char* kCountsSection = "counts";

constexpr std::int64_t kFutureTicks = RecordTimes::kAheadTicks;
constexpr std::int64_t kTickTicks = EventTime::kTicksPerMinute;

std::string estate_section(const std::string& estate, const char* part) {
  return fmt::format("estate/{}/{}", estate, part);
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

}  // namespace

// ---- the start ----

Result<void> LiveEstates::begin(const LiveSettings& settings, std::string packed_lists) {
  settings_json_ = to_json(settings);
  if (auto made = put_lists_in_force(std::move(packed_lists)); !made) { return made; }
  make_estates(settings);
  return {};
}

void LiveEstates::make_estates(const LiveSettings& settings) {
  settings_ = settings;
  estates_.clear();
  estate_by_subscription_.clear();
  for (std::size_t i = 0; i < settings_.estates.size(); ++i) {
    estates_.push_back(std::make_unique<LiveEstate>(settings_, *book_, room_));
    for (const std::string& subscription : settings_.estates[i].subscriptions) {
      estate_by_subscription_[subscription] = i;
    }
  }
}

Result<void> LiveEstates::load(std::map<std::string, std::string> sections) {
  if (auto known = check_format(section_in(sections, kFormatSection)); !known) { return known; }
  settings_json_ = section_in(sections, kSettingsSection);
  auto settings = parse_live_settings(settings_json_);
  if (!settings) { return tl::unexpected(settings.error()); }
  if (auto made = put_lists_in_force(std::string(section_in(sections, kListsSection))); !made) { return made; }
  make_estates(*settings);
  for (std::size_t i = 0; i < estates_.size(); ++i) {
    const std::string& name = settings_.estates[i].name;
    const auto part = [&](const char* section) { return section_in(sections, estate_section(name, section)); };
    auto loaded =
        estates_[i]->load({part(kOrderSection), part(kEngineSection), part(kRepeatsSection)}, part(kCountsSection));
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

Result<void> LiveEstates::take_up(const Checkpoint& state, LiveOutcome& outcome) {
  if (state.sections.contains(kWithoutHistoriesSection)) {
    return fail(ErrorKind::kUsage,
                "--state: expected a state with histories, found one written with an --only that keeps none; "
                "name one that was written without --only");
  }
  LiveEstate& estate = *estates_.front();
  if (auto loaded = estate.load(estate_sections(state), {}); !loaded) { return loaded; }
  for (Alert& alert : estate.repeats().open_alerts()) { outcome.revisions.push_back({std::move(alert), true}); }
  return {};
}

std::map<std::string, SectionWriter> LiveEstates::sections() const {
  std::map<std::string, SectionWriter> out;
  out[kFormatSection] = section_of(fmt::format("{}", Checkpoint::kVersions.newest));
  out[kSettingsSection] = section_of(settings_json_);
  out[kListsSection] = section_of(packed_lists_);
  const auto add = [&](const std::string& name, auto save) {
    out[name] = [save](SnapshotWriter& writer) -> Result<void> {
      save(writer);
      return {};
    };
  };
  add(kMemorySection, [this](SnapshotWriter& writer) { writer.write(memory_); });
  for (std::size_t i = 0; i < estates_.size(); ++i) {
    const LiveEstate* estate = estates_[i].get();
    const std::string& name = settings_.estates[i].name;
    out[estate_section(name, kOrderSection)] = [estate](SnapshotWriter& writer) { return estate->save_order(writer); };
    add(estate_section(name, kEngineSection), [estate](SnapshotWriter& writer) { estate->engine().save(writer); });
    add(estate_section(name, kRepeatsSection), [estate](SnapshotWriter& writer) { estate->repeats().save(writer); });
    add(estate_section(name, kCountsSection), [estate](SnapshotWriter& writer) { estate->save_counts(writer); });
  }
  return out;
}

// ---- settings and lists ----

Result<void> LiveEstates::put_lists_in_force(std::string packed) {
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

void LiveEstates::tell_losses() {
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
    if (!one.losses.empty()) { warn_(fmt::format("list '{}': {}", one.name, one.losses)); }
    lists_in_force_.push_back(std::move(one));
  }
}

Result<void> LiveEstates::change_settings(const std::string& json, LiveOutcome& outcome) {
  if (json == settings_json_) { return {}; }
  auto settings = parse_live_settings(json);
  if (!settings) { return tl::unexpected(settings.error()); }
  std::vector<std::unique_ptr<LiveEstate>> before = std::move(estates_);
  const std::vector<EstateConfig> names = settings_.estates;
  make_estates(*settings);
  settings_json_ = json;
  std::map<std::uint64_t, std::uint64_t> moved;  // numbers of estates that stay
  for (std::size_t i = 0; i < before.size(); ++i) {
    const auto place = std::ranges::find(settings_.estates, names[i].name, &EstateConfig::name);
    if (place == settings_.estates.end()) {
      if (auto finished = before[i]->finish(outcome); !finished) { return finished; }
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

// ---- the journal ----

Result<void> LiveEstates::take(const StoredEntry& stored, DecodedBatch* batch, LiveOutcome& outcome) {
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
      return change_settings(entry.body, outcome);
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

std::size_t LiveEstates::estate_of(std::string_view subscription_id) const {
  if (estate_by_subscription_.empty()) { return 0; }
  const auto found = estate_by_subscription_.find(subscription_id);
  return found == estate_by_subscription_.end() ? 0 : found->second;
}

Result<void> LiveEstates::take_events(const JournalEntry& entry, DecodedBatch& batch) {
  InputTally& tally = memory_.tallies[entry.input];
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
    auto pushed = estates_[estate]->push(id, std::move(event), entry.backfill, entry.received_ticks);
    if (!pushed) { return pushed; }
    ++events_taken_;
  }
  return {};
}

// What is known of a new input keeps its clock guard from waiting for others: the hour in a blob's path, or else its
// first records.
InputId LiveEstates::order_input(Input& input, std::size_t estate, const JournalEntry& entry,
                                 const DecodedBatch& batch) {
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
void LiveEstates::open_item(const JournalEntry& entry) {
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

void LiveEstates::idle(const JournalEntry& entry) {
  const auto found = memory_.inputs.find({entry.input, entry.item});
  if (found == memory_.inputs.end()) { return; }
  found->second.idle = true;
  for (const auto& [estate, id] : found->second.ids) { estates_[estate]->idle_input(id); }
}

void LiveEstates::close(const JournalEntry& entry) {
  const auto found = memory_.inputs.find({entry.input, entry.item});
  if (found == memory_.inputs.end()) { return; }
  for (const auto& [estate, id] : found->second.ids) { estates_[estate]->close_input(id); }
  memory_.inputs.erase(found);
}

void LiveEstates::close_all(const std::string& input) {
  auto place = memory_.inputs.lower_bound({input, ""});
  while (place != memory_.inputs.end() && place->first.first == input) {
    for (const auto& [estate, id] : place->second.ids) { estates_[estate]->close_input(id); }
    place = memory_.inputs.erase(place);
  }
}

Result<void> LiveEstates::tick(const JournalEntry& entry) {
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

Result<void> LiveEstates::decide_ready(LiveOutcome& outcome) {
  for (const auto& estate : estates_) {
    if (auto decided = estate->decide_ready(outcome); !decided) { return decided; }
  }
  return {};
}

// ---- the passing of time ----

// While the service was down nothing could come: that time does not count.
std::vector<JournalEntry> LiveEstates::idle_entries(EventTime now, EventTime started, std::int64_t idle_seconds) const {
  std::vector<JournalEntry> entries;
  for (const auto& [key, input] : memory_.inputs) {
    if (input.idle || input.backfill) { continue; }
    const std::int64_t quiet_ticks = now.ticks - std::max(input.events_at_ticks, started.ticks);
    if (quiet_ticks <= idle_seconds * EventTime::kTicksPerSecond) { continue; }
    JournalEntry entry;
    entry.kind = JournalKind::kIdle;
    entry.input = key.first;
    entry.item = key.second;
    entry.received_ticks = now.ticks;
    entries.push_back(std::move(entry));
  }
  return entries;
}

// Where every input of an estate is idle, its time moves on with the wall clock from its newest event on: not to the
// wall clock's time, for what comes may be old.
std::vector<JournalEntry> LiveEstates::tick_entries(EventTime now, EventTime started) const {
  std::vector<JournalEntry> entries;
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
    const std::int64_t quiet_ticks = now.ticks - std::max(counts.newest_received_ticks, started.ticks);
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
  return entries;
}

// ---- room ----

std::string LiveEstates::shortage() const {
  for (const auto& estate : estates_) {
    if (const auto& why = estate->order().short_of_room()) { return why->message; }
  }
  return {};
}

void LiveEstates::make_room() {
  for (const auto& estate : estates_) { static_cast<void>(estate->make_room()); }
}

std::map<std::string, bool> LiveEstates::idle_inputs() const {
  std::map<std::string, bool> idle;
  for (const auto& [key, input] : memory_.inputs) {
    const auto [place, added] = idle.try_emplace(key.first, input.idle);
    place->second = place->second && input.idle;
  }
  return idle;
}

}  // namespace keyvigil
