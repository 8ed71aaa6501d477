// Decision: everything the engine says about one event, handed on to alert/ as values.
#pragma once

#include <cstdint>
#include <vector>

#include "engine/finding.h"
#include "intel/address_book.h"

namespace keyvigil {

// What the histories said of an event, for whoever looks back at it.
struct EventMarks {
  bool first_touch = false;          // of the vault by the caller
  bool first_refusal = false;        // of the caller by the vault
  bool policy_change = false;        // who may do what in the vault was changed
  bool late = false;                 // decided after its time had passed
  std::uint8_t operation_class = 0;  // see history/operation_class.h
  friend bool operator==(const EventMarks&, const EventMarks&) = default;
};

struct Decision {
  AddressFacts address;
  std::vector<Finding> findings;  // in the order of kDetectors; empty for nearly every event
  EventMarks marks;
  bool behaviour_known = false;  // the event is somebody's behaviour, which histories compare
  // Something speaks against the caller that is rare enough to be evidence, or may be the beginning of it.
  bool caller_suspected = false;
};

}  // namespace keyvigil
