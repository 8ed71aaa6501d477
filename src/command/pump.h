// Pump: what `detect` gives its estate, and does with what comes of it. Reads inputs, decodes on the pool, counts,
// hands alerts out.
//
// A run is made twice at most: where the inputs turn out not to be nearly sorted, it starts over and sorts them on disk
// first (docs/decisions/0003). Alerts are handed out only when everything is decided.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "command/alert_spool.h"
#include "command/list_watch.h"
#include "command/refused_records.h"
#include "command/run_counts.h"
#include "engine/checkpoint.h"
#include "estate/decode_pool.h"
#include "estate/estate.h"
#include "sink/sink.h"
#include "source/file_source.h"
#include "source/find_inputs.h"

namespace keyvigil {

struct PumpOptions {
  unsigned threads = 1;
  std::string temporary_folder = "/tmp";
  std::int64_t lateness_milliseconds = std::int64_t{15} * 60 * 1000;
  std::optional<EventTime> report_from;   // events outside still teach
  std::optional<EventTime> report_until;  // exclusive
  bool provenance = false;
  bool keep_refused_whole = false;
  bool keep_state = false;  // remember what later runs need
  bool all_open = false;    // hand out open alerts also where an earlier run did, with the same revision
  EngineOptions engine;
  bool decide_all = true;                          // false: the youngest events are saved undecided
  std::function<void(const RunCounts&)> progress;  // called between batches
  std::function<void(const RunCounts&)> decided;   // called once, before the first alert is handed out
};

class Pump {
 public:
  Pump(const AddressBook& book, std::vector<InputFile> inputs, PumpOptions options, RefusedRecords& refused);

  // `state`: of an earlier run. Alerts go to `sink`, which is not closed.
  [[nodiscard]] Result<void> run(const std::optional<Checkpoint>& state, AlertSink& sink);

  [[nodiscard]] const RunCounts& counts() const { return counts_; }
  [[nodiscard]] const ListWatch& list_watch() const { return list_watch_; }
  // After run(): what a later run needs.
  [[nodiscard]] Result<Checkpoint> save() const;

 private:
  // One physical input and the batches of it that are being decoded.
  struct Lane {
    std::optional<FileSource> source;
    DecodePool::Reading reading;
    std::deque<std::unique_ptr<DecodePool::Job>> jobs;
    bool opened = false;
    bool at_end = false;
  };
  enum class Pass : std::uint8_t { kDone, kDisorder };

  [[nodiscard]] Result<void> prepare(const std::optional<Checkpoint>& state);
  [[nodiscard]] Result<Pass> merge_inputs();
  [[nodiscard]] Result<Pass> take_batch(std::uint32_t input, InputId id);
  [[nodiscard]] Result<void> sort_inputs();
  [[nodiscard]] Result<void> finish(AlertSink& sink);
  void count_the_rest();

  [[nodiscard]] Result<void> open(Lane& lane, std::uint32_t input);
  void give_source(Lane& lane, FileSource source);
  void refill(Lane& lane, std::uint32_t input);
  void look_ahead(std::size_t place);
  [[nodiscard]] Result<const DecodedBatch*> next_batch(Lane& lane, std::uint32_t input);
  void cancel_jobs(Lane& lane);
  void close(Lane& lane);
  [[nodiscard]] std::optional<EventTime> first_time(const InputFile& file);
  void find_starts();

  [[nodiscard]] Result<void> tally(const DecodedBatch& batch);
  void see(const DecidedEvent& decided);
  [[nodiscard]] bool is_wanted(const Alert& alert) const;
  [[nodiscard]] bool is_news(const Alert& alert);
  [[nodiscard]] Result<void> spool(const Alert& alert);
  [[nodiscard]] EstateOptions estate_options() const;

  const AddressBook* book_;
  std::vector<InputFile> inputs_;
  PumpOptions options_;
  RefusedRecords* refused_;

  std::vector<std::optional<EventTime>> starts_;  // by input: nothing in it is known to be older
  std::vector<std::uint32_t> sequence_;           // inputs by start: the order in which they will be wanted
  std::vector<Lane> lanes_;
  std::vector<std::unique_ptr<DecodePool::Job>> spare_jobs_;
  std::size_t open_lanes_ = 0;
  DecodePool pool_;  // goes before what its threads read and fill

  std::optional<Estate> estate_;
  EstateReceiver receiver_;
  std::optional<AlertSpool> spool_;
  ListWatch list_watch_;
  RunCounts counts_;
  std::map<std::string, std::uint64_t> printed_;  // revisions of open alerts, by id; earlier runs' too
};

}  // namespace keyvigil
