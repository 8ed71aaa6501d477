// Finding: a suspicion that passed the judge, with the event it came from.
#pragma once

#include "catalogue/alert_type.h"
#include "detect/suspicion.h"

namespace keyvigil {

struct Finding {
  AlertType type;
  Suspicion suspicion;
};

}  // namespace keyvigil
