// Alert: what the analyst sees, still as facts; its outward shapes are written by arm_json.h and its neighbours.
//
// An alert is opened by a finding, joined by later evidence (revisions), and closed. Everything in it is bounded and
// every bound that was met is visible in it.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/event_time.h"
#include "base/ip_address.h"
#include "catalogue/alert_type.h"
#include "detect/suspicion.h"
#include "event/access_event.h"
#include "intel/threat_list.h"

namespace keyvigil {

// Names a record of the input: correlation id and time.
struct RecordReference {
  std::string correlation_id;
  EventTime time;
  std::string file;        // with --provenance only
  std::uint64_t line = 0;  // with --provenance only
};

// One entry of a threat list that stands behind the alert.
struct ListEvidence {
  std::string list_name;
  std::string file;
  std::uint64_t line = 0;
  std::string prefix;
  std::string label;
  std::string list_date;
  std::string list_digest;
  ListRole role = ListRole::kSuspicious;
  friend auto operator<=>(const ListEvidence&, const ListEvidence&) = default;
};

// A secret, key or certificate that was read since the first suspicion: the rotation list.
struct ObjectRead {
  std::string vault;
  std::string object;   // secrets/name
  std::string version;  // empty: the current one
  friend auto operator<=>(const ObjectRead&, const ObjectRead&) = default;
};

using OperationCounts = std::map<std::string, std::uint64_t>;

}  // namespace keyvigil
