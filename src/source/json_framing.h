// JsonFraming: finds the records in JSON bytes: one per line (the usual case, where only line ends are looked for),
// values over many lines, concatenated values, arrays, {"records":[...]} and its kin, and the answers to queries.
//
// Nothing longer than one record is ever held. A broken value loses itself, not what follows: the framing goes on at
// the next place where a record can begin; where a line end stands inside a string, as other services write it, behind
// the value if it proves whole otherwise. Time is linear in the input whatever its bytes.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>

#include "source/frame_window.h"
#include "source/json_tables.h"

namespace keyvigil {

inline constexpr std::size_t kDepthLimit = 1024;

class JsonFraming {
 public:
  struct Place {
    std::uint64_t position = 0;
    std::uint64_t line = 1;
    std::uint64_t line_begin = 0;  // position of the line's first byte
  };

  // Starts at `start`, which must be the first byte of a line or have only blanks before it.
  JsonFraming(const Place& start, std::size_t record_limit_bytes);

  // Consumes what it can. kNeedsBytes: everything up to window.end() was looked at.
  [[nodiscard]] Framing advance(FrameWindow& window);

  // The first byte that must still be in the window at the next call.
  [[nodiscard]] std::uint64_t held_from() const;
  [[nodiscard]] std::uint64_t line() const { return place_.line; }

 private:
  enum class State : std::uint8_t { kBetween, kLine, kScan, kSkipLine, kResync, kSeek, kEnded };
  // What a level of the nesting is to us.
  enum class Role : std::uint8_t {
    kObject,
    kTopObject,  // may turn out to be an envelope
    kEnvelope,   // the object around "records" or "tables"
    kElement,    // one object of an array, may turn out to be a table
    kTable,      // one object of "tables"
    kArray,
    kElements,  // its elements are records
    kTables,
    kRows,
  };
  enum class UnitKind : std::uint8_t { kNone, kRecord, kColumns };
  // The value that is being collected.
  struct Unit {
    UnitKind kind = UnitKind::kNone;
    bool refused = false;  // too long or too deep: is skipped, its bytes are not held
    bool scalar = false;   // an element that is no object and no array
    bool object = false;
    std::size_t depth = 0;     // of what it lies in
    std::uint64_t indent = 0;  // bytes before it on its line where these are blanks, else 0
    std::uint64_t end = 0;     // behind its last byte so far, for scalars
    Place begin;
  };

  void new_line();
  void between(FrameWindow& window);
  void start_value(FrameWindow& window);
  void take_lines(FrameWindow& window);
  void take_line(FrameWindow& window, std::uint64_t line_end, bool has_line_end);
  void skip_line(FrameWindow& window);
  void seek(FrameWindow& window);
  void resync(FrameWindow& window);
  [[nodiscard]] bool find_line_start(FrameWindow& window);

  void begin_scan(const Place& at);
  void end_scan(FrameWindow& window);
  void drop_unit();
  void scan(FrameWindow& window);
  void scan_string(FrameWindow& window, std::uint64_t stop);
  void scan_token(FrameWindow& window, char byte);
  void open(FrameWindow& window, char byte);
  void close(FrameWindow& window, char byte);
  [[nodiscard]] bool found_next_record(FrameWindow& window);
  [[nodiscard]] Role role_of_opened(FrameWindow& window, char byte);
  [[nodiscard]] Role open_elements(Role opened);
  [[nodiscard]] Role open_rows(FrameWindow& window);
  [[nodiscard]] Role open_member(FrameWindow& window, Role plain);
  [[nodiscard]] Role open_columns();
  [[nodiscard]] bool reads_keys() const;
  void end_key();

  void begin_unit(UnitKind kind, char byte);
  void end_unit(FrameWindow& window, std::uint64_t end);
  [[nodiscard]] std::uint64_t unit_limit() const;

  void refuse_long(FrameWindow& window);
  void refuse_deep(FrameWindow& window);
  void refuse_broken(FrameWindow& window, std::uint64_t end, const char* why);
  [[nodiscard]] bool restart_at_candidate(FrameWindow& window, const char* why);
  void break_here(FrameWindow& window, const char* why);
  void break_and_skip(FrameWindow& window, const char* why);
  void meet_raw_line_end(FrameWindow& window);
  void take_back(FrameWindow& window);
  void refuse_raw_line_end(FrameWindow& window, const FrameSpan& span);
  void resume_after_unit(const Place& at);
  void resume_at(const Place& at, std::size_t depth, bool in_container);
  void end_input(FrameWindow& window);

  [[nodiscard]] Role role() const { return roles_[depth_]; }
  [[nodiscard]] bool in_unit() const { return unit_.kind != UnitKind::kNone; }
  [[nodiscard]] static bool is_object(Role role) {
    return role == Role::kObject || role == Role::kTopObject || role == Role::kEnvelope || role == Role::kElement ||
           role == Role::kTable;
  }

  State state_ = State::kBetween;
  Place place_;               // the next byte to look at
  bool fresh_ = true;         // only blanks so far on this line
  bool lines_ = false;        // the last value was one line: expect one record per line
  bool after_break_ = false;  // a broken value was refused: closing brackets that it left behind are not news
  bool waits_ = false;        // the bytes in hand do not decide

  // Of the value that is scanned.
  std::array<Role, kDepthLimit + 8> roles_{};
  std::size_t depth_ = 0;
  std::uint64_t over_depth_ = 0;  // levels below the limit
  char previous_ = 0;             // last token: one of { [ , : or v for a value
  bool in_string_ = false;
  bool escaped_ = false;
  bool in_key_ = false;
  bool is_first_key_ = false;
  std::string key_;            // the last key of an envelope or table, cut
  bool may_be_table_ = false;  // the element at hand, by its first key
  bool value_first_on_line_ = false;
  std::uint64_t value_line_ = 0;
  std::uint64_t container_line_ = 0;
  std::uint64_t elements_ = 0;
  Unit unit_;
  Unit broken_;                        // the last unit that was given up
  std::optional<Place> candidate_;     // inside the unit: a record may begin here, if the unit proves broken
  std::optional<Place> raw_line_end_;  // the first one inside a string of the unit, while the unit may still be whole
  bool string_ended_ = false;          // just now, in a unit with a raw line end
  RescanBudget budget_;

  std::size_t record_limit_bytes_;
  FrameForm json_form_;
  JsonTables tables_;
};

}  // namespace keyvigil
