// Finding: a suspicion that passed the judge, with the numbers that decided.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/event_time.h"
#include "catalogue/alert_type.h"
#include "detect/suspicion.h"
#include "judge/verdict.h"

namespace keyvigil {

struct Finding {
  AlertType type;
  Suspicion suspicion;
  Verdict verdict;        // of a threat list: passed, with p = 0
  bool learning = false;  // while the estate was being learned: for information
  // The vault that it is about, by resource id; empty: the event's. Another one only where evidence was joined.
  std::string vault_id = {};
  std::vector<EventTime> pieces = {};  // of joined evidence: when each piece of it happened
  // Operations of that vault in the current hour and the 23 before it, this event included, by name.
  std::map<std::string, std::uint64_t> vault_operations = {};
};

}  // namespace keyvigil
