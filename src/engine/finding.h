// Finding: a suspicion that passed the judge, with the numbers that decided.
#pragma once

#include "catalogue/alert_type.h"
#include "detect/suspicion.h"
#include "judge/verdict.h"

namespace keyvigil {

struct Finding {
  AlertType type;
  Suspicion suspicion;
  Verdict verdict;        // of a threat list: passed, with p = 0
  bool learning = false;  // while the estate was being learned: for information
};

}  // namespace keyvigil
