#include "command/pump.h"

#include <algorithm>
#include <memory>
#include <numeric>
#include <utility>

#include "base/snapshot.h"
#include "engine/external_sort.h"
#include "estate/bounds_met.h"
#include "estate/estate_sections.h"

namespace keyvigil {
namespace {

constexpr std::size_t kSmallestBatchBytes = std::size_t{16} << 10;  // of a small file
constexpr std::size_t kBatchBytes = std::size_t{64} << 10;  // more would push what the engine knows out of the L2
// Files that overlap in time are read side by side; more than this at once are sorted instead.
constexpr std::size_t kOpenLanesLimit = 900;
constexpr std::size_t kJobsPerLane = 3;
constexpr std::uint64_t kStartLimitBytes = std::uint64_t{1}
                                           << 20;  // where no event stands before, the start is unknown

}  // namespace

Pump::Pump(const AddressBook& book, std::vector<InputFile> inputs, PumpOptions options, RefusedRecords& refused)
    : book_(&book),
      inputs_(std::move(inputs)),
      options_(std::move(options)),
      refused_(&refused),
      pool_(options_.threads, options_.keep_refused_whole),
      receiver_{.decided = [this](const DecidedEvent& decided) { see(decided); },
                .revised = [this](Alert&& alert, const AccessEvent* /*cause*/) { return spool(alert); }} {}

EstateOptions Pump::estate_options() const {
  EstateOptions options;
  options.order.lateness_milliseconds = options_.lateness_milliseconds;
  options.order.spill_directory = options_.temporary_folder;
  if (!options_.keep_state) { options.order.decided_limit = 0; }
  options.engine = options_.engine;
  if (options_.provenance) {
    options.input_names = [this](std::uint32_t input) { return inputs_[input].display_name; };
  }
  options.report_from = options_.report_from;
  options.report_until = options_.report_until;
  return options;
}

// Everything as it stood before this run: also called when the run starts over.
Result<void> Pump::prepare(const std::optional<Checkpoint>& state) {
  for (Lane& lane : lanes_) { close(lane); }
  lanes_.clear();
  lanes_.resize(inputs_.size());
  estate_.emplace(*book_, estate_options());
  spool_.emplace(options_.temporary_folder);
  list_watch_ = ListWatch{};
  const bool started_over = counts_.started_over;
  counts_ = RunCounts{};
  counts_.started_over = started_over;
  for (const InputFile& file : inputs_) { counts_.stored_bytes += file.size_bytes; }
  printed_.clear();
  if (!state) { return {}; }
  const bool has_histories = !state->sections.contains(kWithoutHistoriesSection);
  if (has_histories != options_.engine.keeps_histories()) {
    return fail(ErrorKind::kUsage,
                has_histories
                    ? "--state: expected a state without histories, found one that has learned behaviour; with "
                      "this choice of --only it would miss what this run reads; name another file"
                    : "--state: expected a state with histories, found one written with an --only that keeps "
                      "none; repeat that --only, or name another file to begin learning");
  }
  if (auto loaded = estate_->load(estate_sections(*state)); !loaded) { return loaded; }
  const std::string_view printed = section_in(state->sections, kPrintedSection);
  if (printed.empty()) { return {}; }
  SnapshotReader reader(printed);
  if (reader.read(printed_) && reader.at_end()) { return {}; }
  return fail(ErrorKind::kInput,
              "expected revisions of alerts in the state file, found damaged bytes; restore the file from a copy, or "
              "start without --state");
}

Result<Checkpoint> Pump::save() const {
  auto checkpoint = estate_->save();
  if (!checkpoint) { return checkpoint; }
  SnapshotWriter printed;
  printed.write(printed_);
  checkpoint->sections[kPrintedSection] = printed.bytes();
  if (!options_.engine.keeps_histories()) { checkpoint->sections[kWithoutHistoriesSection] = ""; }
  return checkpoint;
}

// ---- lanes ----

Result<void> Pump::open(Lane& lane, std::uint32_t input) {
  const InputFile& file = inputs_[input];
  FileSourceOptions options;
  // A folder of hourly blobs has thousands of small files: a buffer larger than the file is only work.
  const std::size_t whole = std::max<std::size_t>(file.size_bytes, kSmallestBatchBytes);
  options.batch_bytes = file.is_stdin || file.is_pipe ? kBatchBytes : std::min(kBatchBytes, whole);
  options.spool_folder = options_.temporary_folder;
  auto source = FileSource::open(file.path, options);
  if (!source) { return tl::unexpected(source.error()); }
  give_source(lane, *std::move(source));
  return {};
}

void Pump::give_source(Lane& lane, FileSource source) {
  lane.source.emplace(std::move(source));
  lane.reading = {.source = &*lane.source};
  lane.opened = true;
  ++open_lanes_;
}

// Keeps enough batches under way for the other threads, without hoarding where many lanes are open.
void Pump::refill(Lane& lane, std::uint32_t input) {
  const bool alone = pool_.threads() == 1 || open_lanes_ > std::size_t{2} * pool_.threads();
  const std::size_t wanted = alone ? 1 : std::min<std::size_t>(pool_.threads() + 1, kJobsPerLane);
  while (!lane.at_end && lane.jobs.size() < wanted) {
    if (spare_jobs_.empty()) { spare_jobs_.push_back(std::make_unique<DecodePool::Job>()); }
    auto job = std::move(spare_jobs_.back());
    spare_jobs_.pop_back();
    job->reading = &lane.reading;
    job->input = input;
    pool_.submit(*job);
    lane.jobs.push_back(std::move(job));
  }
}

void Pump::cancel_jobs(Lane& lane) {
  for (auto& job : lane.jobs) {
    pool_.cancel(*job);
    spare_jobs_.push_back(std::move(job));
  }
  lane.jobs.clear();
}

void Pump::close(Lane& lane) {
  cancel_jobs(lane);
  if (lane.source) { --open_lanes_; }
  lane.source.reset();
  lane.at_end = true;
}

// The next decoded batch of a lane; null at its end. The caller recycles lane.jobs.front() afterwards.
Result<const DecodedBatch*> Pump::next_batch(Lane& lane, std::uint32_t input) {
  if (!lane.opened) {
    if (auto opened = open(lane, input); !opened) { return tl::unexpected(opened.error()); }
  }
  if (lane.jobs.empty()) { refill(lane, input); }
  if (lane.jobs.empty()) { return nullptr; }
  const DecodePool::Job& job = *lane.jobs.front();
  pool_.wait(*lane.jobs.front());
  if (!job.more) { return tl::unexpected(job.more.error()); }
  if (*job.more) { return &job.decoded; }
  lane.at_end = true;
  cancel_jobs(lane);
  return nullptr;
}

// ---- when inputs begin ----

// A blob's path names its hour. Otherwise the first record tells, which is no promise: a file that is not sorted is
// found out later, as disorder.
std::optional<EventTime> Pump::first_time(const InputFile& file) {
  if (file.not_before) { return file.not_before; }
  if (file.is_pipe || file.is_stdin) { return std::nullopt; }
  FileSourceOptions options;
  options.batch_bytes = kBatchBytes;
  auto source = FileSource::open(file.path, options);
  if (!source) { return std::nullopt; }
  RawBatch raw;
  Decoder decoder;
  DecodedBatch batch;
  while (source->plain_bytes() < kStartLimitBytes) {
    auto more = source->next(raw);
    if (!more || !*more) { return std::nullopt; }
    decode_batch(raw, 0, false, decoder, batch);
    if (batch.count > 0) { return batch.events.front().time; }
  }
  return std::nullopt;
}

void Pump::find_starts() {
  if (!starts_.empty() || inputs_.empty()) { return; }
  starts_.resize(inputs_.size());
  if (inputs_.size() > 1) {
    std::ranges::transform(inputs_, starts_.begin(), [this](const InputFile& file) { return first_time(file); });
  }
  sequence_.resize(inputs_.size());
  std::iota(sequence_.begin(), sequence_.end(), 0U);
  std::ranges::stable_sort(sequence_, {},
                           [this](std::uint32_t input) { return starts_[input].value_or(EventTime{INT64_MIN}); });
}

// ---- passes ----

void Pump::look_ahead(std::size_t place) {
  if (pool_.threads() == 1) { return; }
  const std::size_t last = std::min(sequence_.size(), place + std::size_t{2} * pool_.threads());
  for (std::size_t i = place; i < last; ++i) {
    Lane& lane = lanes_[sequence_[i]];
    // A failure shows again, and is reported, when the lane's turn comes.
    if (lane.opened || inputs_[sequence_[i]].is_stdin) { continue; }
    if (open(lane, sequence_[i])) {
      refill(lane, sequence_[i]);
    } else {
      lane = Lane{};
    }
  }
}

Result<Pump::Pass> Pump::merge_inputs() {
  find_starts();
  std::vector<std::uint32_t> input_of_id;
  std::size_t furthest = 0;
  // Inputs are opened in the order in which they will be wanted, so ids follow `sequence_`.
  for (const std::uint32_t input : sequence_) {
    const InputId id = estate_->open_input(starts_[input]);
    input_of_id.resize(std::max<std::size_t>(input_of_id.size(), id + 1));
    input_of_id[id] = input;
  }
  std::vector<std::size_t> place_of(inputs_.size());
  for (std::size_t i = 0; i < sequence_.size(); ++i) { place_of[sequence_[i]] = i; }
  while (const auto id = estate_->most_behind()) {
    const std::uint32_t input = input_of_id[*id];
    furthest = std::max(furthest, place_of[input]);
    look_ahead(furthest);
    if (open_lanes_ > kOpenLanesLimit) { return Pass::kDisorder; }
    auto pass = take_batch(input, *id);
    if (!pass || *pass == Pass::kDisorder) { return pass; }
    if (auto decided = estate_->decide_ready(receiver_); !decided) { return tl::unexpected(decided.error()); }
    if (options_.progress) { options_.progress(counts_); }
  }
  return Pass::kDone;
}

Result<Pump::Pass> Pump::take_batch(std::uint32_t input, InputId id) {
  Lane& lane = lanes_[input];
  auto batch = next_batch(lane, input);
  if (!batch) { return tl::unexpected(batch.error()); }
  if (*batch == nullptr) {
    // What was piped in can only be read again from its copy, which goes with the source.
    if (!inputs_[input].is_pipe && !inputs_[input].is_stdin) { close(lane); }
    estate_->close_input(id);
    return estate_->order().disorder() ? Pass::kDisorder : Pass::kDone;
  }
  if (auto tallied = tally(**batch); !tallied) { return tl::unexpected(tallied.error()); }
  std::unique_ptr<DecodePool::Job> job = std::move(lane.jobs.front());
  lane.jobs.pop_front();
  // With one thread, reading ahead would only push the batch at hand out of the cache.
  if (pool_.threads() > 1) { refill(lane, input); }
  DecodedBatch& decoded = job->decoded;
  for (std::size_t i = 0; i < decoded.count; ++i) {
    const auto arrival = estate_->push(id, std::move(decoded.events[i]));
    if (!arrival) { return tl::unexpected(arrival.error()); }
    if (*arrival == Arrival::kDisorder) { return Pass::kDisorder; }
  }
  spare_jobs_.push_back(std::move(job));
  return Pass::kDone;
}

Result<void> Pump::sort_inputs() {
  ExternalSort sort(options_.temporary_folder);
  for (std::uint32_t input = 0; input < inputs_.size(); ++input) {
    Lane& lane = lanes_[input];
    while (true) {
      auto batch = next_batch(lane, input);
      if (!batch) { return tl::unexpected(batch.error()); }
      if (*batch == nullptr) { break; }
      if (auto tallied = tally(**batch); !tallied) { return tallied; }
      std::unique_ptr<DecodePool::Job> job = std::move(lane.jobs.front());
      lane.jobs.pop_front();
      refill(lane, input);
      for (std::size_t i = 0; i < job->decoded.count; ++i) {
        if (auto added = sort.add(std::move(job->decoded.events[i])); !added) { return added; }
      }
      spare_jobs_.push_back(std::move(job));
      if (options_.progress) { options_.progress(counts_); }
    }
    close(lane);
  }
  if (auto finished = sort.finish(); !finished) { return finished; }
  const InputId id = estate_->open_input(std::nullopt);
  AccessEvent event;
  for (std::uint64_t taken = 0;; ++taken) {
    auto more = sort.next(event);
    if (!more) { return tl::unexpected(more.error()); }
    if (!*more) { break; }
    if (const auto pushed = estate_->push(id, std::move(event)); !pushed) { return tl::unexpected(pushed.error()); }
    constexpr std::uint64_t kEventsBetweenDecisions = 1024;
    if (taken % kEventsBetweenDecisions == 0) {
      if (auto decided = estate_->decide_ready(receiver_); !decided) { return decided; }
    }
  }
  estate_->close_input(id);
  counts_.duplicates_in_sort = sort.duplicates();
  return {};
}

Result<void> Pump::run(const std::optional<Checkpoint>& state, AlertSink& sink) {
  if (auto prepared = prepare(state); !prepared) { return prepared; }
  auto pass = merge_inputs();
  if (!pass) { return tl::unexpected(pass.error()); }
  if (*pass == Pass::kDisorder) {
    // Pipes were copied while they were read; what is left of them must be kept, so their lanes are rewound, not
    // closed.
    std::vector<std::pair<std::uint32_t, FileSource>> rewound;
    for (std::uint32_t input = 0; input < lanes_.size(); ++input) {
      Lane& lane = lanes_[input];
      if (!lane.source || !(inputs_[input].is_pipe || inputs_[input].is_stdin)) { continue; }
      cancel_jobs(lane);
      if (auto done = lane.source->rewind(); !done) { return done; }
      rewound.emplace_back(input, *std::move(lane.source));
    }
    counts_.started_over = true;
    if (auto cleared = refused_->start_over(); !cleared) { return cleared; }
    if (auto prepared = prepare(state); !prepared) { return prepared; }
    for (auto& [input, source] : rewound) { give_source(lanes_[input], std::move(source)); }
    if (auto sorted = sort_inputs(); !sorted) { return sorted; }
  }
  return finish(sink);
}

Result<void> Pump::finish(AlertSink& sink) {
  auto decided = options_.decide_all ? estate_->decide_rest(receiver_) : estate_->decide_all_but_youngest(receiver_);
  if (!decided) { return decided; }
  if (options_.keep_state) {
    std::vector<Alert> open = estate_->repeats().open_alerts();
    std::erase_if(open, [this](const Alert& alert) { return !alert.open || !is_wanted(alert); });
    counts_.open_alerts = open.size();
    for (const Alert& alert : open) {
      if (auto spooled = spool(alert); !spooled) { return spooled; }
    }
  } else if (auto closed = estate_->close_alerts(receiver_); !closed) {
    return closed;
  }
  count_the_rest();
  if (options_.decided) { options_.decided(counts_); }
  return spool_->replay(sink);
}

void Pump::count_the_rest() {
  const Order& order = estate_->order();
  const Engine& engine = estate_->engine();
  counts_.held = order.held();
  counts_.known_to = std::max(counts_.last_event, order.decided_before());
  counts_.order = order.counts();
  counts_.repeats = estate_->repeats().statistics();
  counts_.held_back = engine.statistics().held_back;
  counts_.learned_at = engine.learned_at();
  counts_.callers = engine.history().callers().size();
  counts_.vaults = engine.history().vaults().size();
  counts_.callers_forgotten = engine.history().callers().evictions();
  counts_.alerts_per_day = engine.judge().budget().alerts_per_day();
  counts_.bounds = bounds_met(engine, order, estate_->repeats());
  const std::int64_t known_from = order.decided_events().known_from();
  if (known_from != DecidedEvents::kAll) { counts_.decided_known_from = EventTime::from_milliseconds(known_from); }
}

// ---- deciding ----

Result<void> Pump::tally(const DecodedBatch& batch) {
  counts_.records += batch.records;
  counts_.unreadable_addresses += batch.unreadable_addresses;
  counts_.input_bytes += batch.input_bytes;
  for (std::size_t i = 0; i < batch.skipped.size(); ++i) { counts_.skipped[i] += batch.skipped[i]; }
  for (const Refusal& refusal : batch.refusals) {
    if (auto taken = refused_->take(refusal, inputs_[refusal.place.input].display_name); !taken) { return taken; }
  }
  return {};
}

void Pump::see(const DecidedEvent& decided) {
  const AccessEvent& event = decided.event;
  list_watch_.see(event, decided.decision, *book_);
  ++counts_.decided;
  ++counts_.outcomes[static_cast<std::size_t>(event.outcome)];
  counts_.first_event = std::min(counts_.first_event.value_or(event.time), event.time);
  counts_.last_event = std::max(counts_.last_event.value_or(event.time), event.time);
  if (decided.reported) { ++counts_.reported; }
}

bool Pump::is_wanted(const Alert& alert) const {
  return options_.engine.types.test(static_cast<std::size_t>(alert.type));
}

// Whoever reads the output of each run wants a revision once.
bool Pump::is_news(const Alert& alert) {
  if (!options_.keep_state) { return true; }
  const auto known = printed_.find(alert.id);
  const bool news = known == printed_.end() || known->second < alert.revision;
  if (alert.open) {
    printed_[alert.id] = alert.revision;
  } else if (known != printed_.end()) {
    printed_.erase(known);
  }
  return news || options_.all_open;
}

Result<void> Pump::spool(const Alert& alert) {
  if (!is_wanted(alert)) { return {}; }
  if (!is_news(alert)) {
    ++counts_.unchanged_alerts;
    return {};
  }
  if (alert.learning) {
    ++counts_.learning_alerts;
  } else {
    ++counts_.alerts[static_cast<std::size_t>(alert.type)];
  }
  return spool_->add(alert);
}

}  // namespace keyvigil
