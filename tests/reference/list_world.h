// ListWorld: a small address book and what the engine would decide with it, for tests of alerts.
//
// 203.0.113.0/24 is on the Tor list "tor-exits" (line 3); 198.51.100.0/24 is on the list "drop" (line 7, confidence
// 90); 203.0.113.9 is on both.
#pragma once

#include <map>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "alert/repeats.h"
#include "detect/detectors.h"
#include "engine/decision.h"
#include "intel/address_book.h"

namespace keyvigil {

class ListWorld {
 public:
  ListWorld() : book_(make_lists()) {}

  [[nodiscard]] Decision decide(const AccessEvent& event, bool late = false) {
    Decision decision;
    decision.address = book_.look_up(event.address, event.time);
    decision.marks.late = late;
    const Facts facts;  // nothing about behaviour
    for (const DetectorRow& row : kDetectors) {
      for (const Suspicion& suspicion : row.decide({event, decision.address, facts})) {
        decision.findings.push_back({row.type, suspicion, {}, false});
      }
    }
    for (Finding& finding : decision.findings) { finding.vault_operations[std::string(event.operation_name())] = 1; }
    return decision;
  }

  void run(Repeats& repeats, std::span<const AccessEvent> events, std::vector<Alert>& closed) {
    for (const AccessEvent& event : events) {
      repeats.advance(event.time, closed);
      repeats.observe(event, decide(event), book_);
    }
  }

  [[nodiscard]] std::vector<Alert> run_all(std::span<const AccessEvent> events) {
    Repeats repeats;
    std::vector<Alert> closed;
    run(repeats, events, closed);
    repeats.finish(closed);
    return closed;
  }

  [[nodiscard]] const AddressBook& book() const { return book_; }

 private:
  static ThreatList list(ListRole role, std::string name, std::vector<ListEntry> entries) {
    ThreatList made;
    made.role = role;
    made.file = name + ".txt";
    made.name = std::move(name);
    made.date = "2026-09-01";
    made.digest = "00112233445566778899aabbccddeeff";
    made.entries = std::move(entries);
    made.labels = {""};
    return made;
  }
  static ListEntry entry(std::string_view prefix, std::uint64_t line) {
    ListEntry made;
    made.prefix = parse_ip_prefix(prefix).value();
    made.line = line;
    return made;
  }
  static std::vector<ThreatList> make_lists() {
    ListEntry drop = entry("198.51.100.0/24", 7);
    drop.confidence = 90;
    std::vector<ThreatList> lists;
    lists.push_back(list(ListRole::kTor, "tor-exits", {entry("203.0.113.0/24", 3)}));
    lists.push_back(list(ListRole::kSuspicious, "drop", {drop, entry("203.0.113.9", 8)}));
    return lists;
  }

  AddressBook book_;
};

}  // namespace keyvigil
