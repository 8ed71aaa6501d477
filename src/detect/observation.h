// Observation: an event and the facts that were true just before it.
#pragma once

#include <vector>

#include "detect/suspicion.h"
#include "event/access_event.h"
#include "history/facts.h"
#include "intel/address_book.h"

namespace keyvigil {

// What the judge holds against a caller's access in the last 24 hours, addresses apart.
struct UnusualAccess {
  double p = 1;  // the smallest calibrated one, times the number of families it comes from; 1: nothing
  const std::vector<Reason>* reasons = nullptr;  // of that one
  EventTime at;                                  // when it happened
};

struct Observation {
  const AccessEvent& event;
  AddressFacts address;
  const Facts& facts;
  bool service_tags_known = false;  // whether "not an address of Microsoft" could be told at all
  UnusualAccess unusual_access{};
  // A suspicion less rare than this is neither raised nor kept as evidence: nobody reads its reasons, and a detector
  // may leave out those that are dear.
  double explained_up_to = 1;
};

}  // namespace keyvigil
