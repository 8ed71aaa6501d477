// Follower: what is new in a set of items that grow, such as the hourly blobs of a container or the files of a folder.
//
// An item of JSON lines is taken as it grows, whole lines at a time; a last line without an end is taken once it is
// complete JSON. Anything else (compressed, one JSON document, CSV) is taken whole, once it has stopped changing
// between two looks. Items are taken by the hour that their path names, all of an hour side by side, so that a folder
// of per-vault blobs is one stream. Where an item shrank or became another one, it is read again from the start:
// duplicates are removed later. Nothing is remembered but the place in every item: see FollowedPlace.
// Threads: one owner.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/event_time.h"
#include "base/result.h"

namespace keyvigil {

struct FollowedItem {
  std::string name;
  std::uint64_t size_bytes = 0;
  std::string mark;                     // another one: it is no longer the same item
  std::optional<EventTime> not_before;  // the hour in its path
};

// How to look at them; both may fail for a while, and are asked again.
struct FollowAccess {
  std::function<Result<std::vector<FollowedItem>>()> list;
  // Bytes [from, from + most) of the item, fewer only at its end.
  std::function<Result<std::string>(const FollowedItem& item, std::uint64_t from, std::size_t most)> read;
};

struct FollowOptions {
  std::size_t chunk_bytes = std::size_t{1} << 20;          // of one item at a look
  std::size_t look_bytes = std::size_t{32} << 20;          // of all items at a look, about
  std::size_t whole_limit_bytes = std::size_t{256} << 20;  // of what has to be taken whole; a larger one is passed over
  std::size_t items_limit = 1'000'000;                     // the newest hours are followed; the rest is counted
  std::optional<EventTime> from;                           // items of earlier hours are left out
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
  FollowedPlace place;  // after this step, for kBytes
};

struct FollowFigures {
  std::uint64_t items = 0;        // seen at the last look
  std::uint64_t bytes = 0;        // taken
  std::uint64_t restarted = 0;    // items that were read again from the start
  std::uint64_t passed_over = 0;  // too large to be taken whole: of those seen at the last look, and found since
  std::string passed_over_item;   // the first of these
  std::uint64_t left_out = 0;     // beyond items_limit, at the last look
};

class Follower {
 public:
  Follower(FollowAccess access, FollowOptions options);

  // What an earlier run had taken. `are_open`: its items were opened and not ended, for all that is known.
  void restore(const std::vector<FollowedPlace>& places, bool are_open = true);
  // At most one chunk of every item of the earliest hour that has something new; the items are listed again when the
  // last list has been used up. Empty: nothing is new now. `now` is the wall clock.
  [[nodiscard]] Result<std::vector<FollowedStep>> look(EventTime now);

  [[nodiscard]] const FollowFigures& figures() const { return figures_; }

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
  };

  [[nodiscard]] Result<void> list_items();
  [[nodiscard]] bool has_news(const FollowedItem& item, State& state);
  void pass_over(const FollowedItem& item, State& state);
  [[nodiscard]] Result<std::optional<FollowedStep>> take(const FollowedItem& item, State& state);
  [[nodiscard]] Result<std::string> read_new(const FollowedItem& item, State& state);
  [[nodiscard]] static FollowedStep opening(const FollowedItem& item);
  [[nodiscard]] Result<std::vector<FollowedStep>> take_hour();
  void end_finished(EventTime now, std::vector<FollowedStep>& steps);

  FollowAccess access_;
  FollowOptions options_;
  std::vector<FollowedItem> items_;  // of the last list
  std::size_t first_ = 0;            // items before it have nothing new
  std::map<std::string, State> states_;
  FollowFigures figures_;
};

}  // namespace keyvigil
