// Follower: what is new in a set of items that grow, such as the hourly blobs of a container or the files of a folder.
//
// An item of JSON lines is taken as it grows, whole lines at a time; a last line without an end is taken once it is
// complete JSON. Anything else (compressed, one JSON document, CSV) is taken whole, once it has stopped changing
// between two looks; of a large JSON document piece after piece (DocumentStream), one document at a time. Items are
// taken by the hour that their path names, all of an hour side by side, so that a folder of per-vault blobs is one
// stream. Where an item shrank or became another one, it is read again from the start: duplicates are removed later.
// Nothing is remembered but the place in every item: see FollowedPlace.
//
// One item never stops the others. One that cannot be read is tried again after 10 s, then after twice as long, an hour
// at most; one that is gone since it was listed is forgotten. Threads: one owner.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/event_time.h"
#include "base/result.h"
#include "source/document_stream.h"
#include "source/followed_item.h"

namespace keyvigil {

struct FollowOptions {
  std::size_t chunk_bytes = std::size_t{1} << 20;          // of one item at a look
  std::size_t look_bytes = std::size_t{32} << 20;          // of all items at a look, about
  std::size_t stream_bytes = std::size_t{32} << 20;        // a JSON document that is larger is taken in pieces
  std::size_t whole_limit_bytes = std::size_t{256} << 20;  // of what has to be taken whole; a larger one is passed over
  std::size_t items_limit = 1'000'000;                     // the newest hours are followed; the rest is counted
  std::optional<EventTime> from;                           // items of earlier hours are left out
  // Why the next bytes of an item may not be taken yet; nothing: they may be. Its place stays where it is.
  std::function<std::optional<std::string>(const FollowedItem& item, std::string_view bytes)> hold;
  std::int64_t grace_ticks = 20 * EventTime::kTicksPerMinute;  // after its hour, in which a blob may still grow
};

struct FollowedPlace {
  std::string item;
  std::uint64_t offset = 0;
  std::string mark;
};

// In order. Bytes of an item come between its opening and its end.
struct FollowedStep {
  enum class Kind : std::uint8_t { kOpen, kBytes, kEnd };
  Kind kind = Kind::kBytes;
  std::string item;
  std::optional<EventTime> not_before;  // of kOpen
  std::uint64_t offset = 0;
  std::string bytes;
  std::optional<FollowedPlace> place;  // after this step; not of a piece of a document that others follow
};

struct FollowFigures {
  std::uint64_t items = 0;        // seen at the last look
  std::uint64_t bytes = 0;        // taken
  std::uint64_t restarted = 0;    // items that were read again from the start
  std::uint64_t passed_over = 0;  // too large to be taken whole: of those seen at the last look, and found since
  std::string passed_over_item;   // the first of these
  std::uint64_t left_out = 0;     // beyond items_limit, at the last look
  std::uint64_t not_listed = 0;   // as in FollowedList, at the last look
  std::string not_listed_first;
  std::uint64_t failing = 0;   // items that could not be read when they were tried last
  std::string failing_first;   // "item: why"
  std::uint64_t failures = 0;  // attempts at items that failed, in all
};

class Follower {
 public:
  Follower(FollowAccess access, FollowOptions options);

  // What an earlier run had taken. `are_open`: its items were opened and not ended, for all that is known.
  void restore(const std::vector<FollowedPlace>& places, bool are_open = true);
  // At most one chunk of every item of the earliest hour that has something new; the items are listed again when the
  // last list has been used up. Empty: nothing is new now. `now` is the wall clock. An error is one of the access,
  // where nothing could be taken.
  [[nodiscard]] Result<std::vector<FollowedStep>> look(EventTime now);

  [[nodiscard]] const FollowFigures& figures() const { return figures_; }
  // Sentences about items that began to fail or are passed over, since the last call: at most kNoticesAtALook a look.
  [[nodiscard]] std::vector<std::string> take_notices() { return std::exchange(notices_, {}); }

  static constexpr std::size_t kNoticesAtALook = 10;
  static constexpr std::size_t kFailuresAtALook = 1000;

 private:
  enum class Form : std::uint8_t { kUnknown, kLines, kWhole };
  struct State {
    std::uint64_t offset = 0;
    std::string mark;
    Form form = Form::kUnknown;
    std::uint64_t size_before = 0;  // when it was listed
    bool unchanged = false;         // since it was listed before
    bool passed_over = false;
    bool open = false;
    std::int64_t hour_end_ticks = 0;  // 0: no hour in its path
    std::uint64_t streamed_to = 0;    // of a document that is taken in pieces: what begins before it was taken
  };
  // Of an item that could not be read.
  struct Failing {
    std::uint32_t attempts = 0;
    std::int64_t tried_ticks = 0;
    bool is_own = false;  // not of the access
    bool is_held = false;
    bool is_listed = true;
    std::string why;
  };
  struct Read {
    std::string bytes;
    std::uint64_t from = 0;
    std::uint64_t to = 0;
    bool is_place = false;  // `to` is where one can go on; else the place in a document that is taken in pieces
  };
  using ReadResult = tl::expected<Read, ReadFailure>;

  [[nodiscard]] Result<void> list_items();
  [[nodiscard]] bool has_news(const FollowedItem& item, State& state);
  [[nodiscard]] bool is_due(const FollowedItem& item, EventTime now) const;
  void pass_over(const FollowedItem& item, State& state);
  void note(std::string sentence);
  void note_failure(const FollowedItem& item, State& state, const ReadFailure& failure, EventTime now,
                    std::vector<FollowedStep>& steps);
  void note_success(const FollowedItem& item);
  void forget_failures_of_others();
  void count_failing();
  [[nodiscard]] tl::expected<std::optional<FollowedStep>, ReadFailure> take(const FollowedItem& item, State& state);
  [[nodiscard]] ReadResult read_new(const FollowedItem& item, State& state);
  [[nodiscard]] ReadResult read_lines(const FollowedItem& item, State& state, std::string bytes);
  [[nodiscard]] ReadResult read_whole(const FollowedItem& item, State& state, std::string head);
  [[nodiscard]] ReadResult read_piece(const FollowedItem& item, State& state);
  [[nodiscard]] static FollowedStep step_of(const FollowedItem& item, FollowedStep::Kind kind);
  [[nodiscard]] std::vector<FollowedStep> take_hour(EventTime now);
  void end_finished(EventTime now, std::vector<FollowedStep>& steps);

  FollowAccess access_;
  FollowOptions options_;
  std::vector<FollowedItem> items_;  // of the last list
  std::size_t first_ = 0;            // items before it have nothing new
  std::map<std::string, State> states_;
  std::map<std::string, Failing> failing_;
  std::set<std::string> gone_;  // since the last list
  std::optional<DocumentStream> stream_;
  std::optional<std::string> outage_;  // of the access, at this look
  bool waits_for_access_ = false;      // an item that failed for it
  std::size_t failures_at_this_look_ = 0;
  std::vector<std::string> notices_;
  FollowFigures figures_;
};

}  // namespace keyvigil
