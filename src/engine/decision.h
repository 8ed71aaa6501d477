// Decision: everything the engine says about one event, handed on to alert/ as values.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "engine/finding.h"
#include "intel/address_book.h"

namespace keyvigil {

struct Decision {
  AddressFacts address;
  std::vector<Finding> findings;  // in the order of kDetectors; empty for nearly every event
  bool late = false;              // decided after its time had passed
  // Something speaks against the caller that is rare enough to be evidence, or may be the beginning of it.
  bool caller_suspected = false;
  // Operations of the event's vault in the current hour and the 23 before it, this event included, by name; filled
  // only where there are findings.
  std::map<std::string, std::uint64_t> vault_operations;
};

}  // namespace keyvigil
