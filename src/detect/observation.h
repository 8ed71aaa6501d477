// Observation: an event and the facts that were true just before it.
#pragma once

#include "event/access_event.h"
#include "intel/address_book.h"

namespace keyvigil {

struct Observation {
  const AccessEvent& event;
  AddressFacts address;
};

}  // namespace keyvigil
