// JsonTables: the tables of one answer to a query: columns, then rows, as the Log Analytics API, its SDKs and Kusto
// (v1, and the frames of v2) write them.
//
// An answer may hold tables that only speak of the query. They are passed over where the answer holds the table that
// was asked for; where it does not, the first of them is refused.
#pragma once

#include <cstdint>
#include <optional>

#include "source/frame_window.h"

namespace keyvigil {

class JsonTables {
 public:
  void begin_table() { state_ = State::kNoColumns; }
  // The array of columns, whole.
  void take_columns(FrameWindow& window, const FrameSpan& columns);
  // They are damaged or too long, which has been said.
  void give_up_columns() { state_ = State::kGivenUp; }

  // Where rows begin: true where their columns are known. Otherwise they are skipped.
  [[nodiscard]] bool begin_rows(FrameWindow& window, const FrameSpan& place);
  [[nodiscard]] const FrameForm& row_form() const { return form_; }
  // No table of this answer follows.
  void end_answer(FrameWindow& window);

 private:
  enum class State : std::uint8_t { kNoColumns, kResolved, kGivenUp };

  State state_ = State::kNoColumns;
  FrameForm form_;
  std::uint64_t tables_ = 0;
  bool found_audit_table_ = false;             // in this answer
  std::optional<FramingRefusal> other_table_;  // the first one
};

}  // namespace keyvigil
