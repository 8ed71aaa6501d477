// The closing summary of a run: what was read, what became of it, and everything that was left out or cut.
#pragma once

#include <string>
#include <vector>

#include "catalogue/alert_type.h"
#include "command/list_watch.h"
#include "command/refused_records.h"
#include "command/run_counts.h"
#include "source/find_inputs.h"

namespace keyvigil {

struct SummaryInput {
  const RunCounts* counts = nullptr;
  const RefusedRecords* refused = nullptr;
  const InputList* inputs = nullptr;
  const AddressBook* book = nullptr;
  const ListWatch* list_watch = nullptr;
  double seconds = 0;
  bool with_state = false;
  AlertTypes types = AlertTypes().set();  // that were asked for
};

[[nodiscard]] std::string summary_text(const SummaryInput& input);

}  // namespace keyvigil
