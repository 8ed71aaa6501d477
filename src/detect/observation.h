// Observation: an event and the facts that were true just before it.
#pragma once

#include "event/access_event.h"
#include "history/facts.h"
#include "intel/address_book.h"

namespace keyvigil {

struct Observation {
  const AccessEvent& event;
  AddressFacts address;
  const Facts& facts;
  bool service_tags_known = false;  // whether "not an address of Microsoft" could be told at all
  // The smallest calibrated p that the judge holds against the caller's access in the last 24 h, times the number of
  // families it comes from; 1: nothing.
  double unusual_access = 1;
  // A suspicion less rare than this is neither raised nor kept as evidence: nobody reads its reasons, and a detector
  // may leave out those that are dear.
  double explained_up_to = 1;
};

}  // namespace keyvigil
