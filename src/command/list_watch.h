// ListWatch: how many of the callers of a run each named list would make suspicious.
#pragma once

#include <absl/container/flat_hash_set.h>

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "engine/decision.h"
#include "event/access_event.h"
#include "intel/address_book.h"

namespace keyvigil {

class ListWatch {
 public:
  static constexpr std::size_t kCallersLimit = 1'000'000;  // beyond it, new callers are not counted

  void see(const AccessEvent& event, const Decision& decision, const AddressBook& book);
  // One sentence per list that matches too many.
  [[nodiscard]] std::vector<std::string> warnings(const AddressBook& book) const;
  [[nodiscard]] std::size_t callers() const { return callers_.size(); }

 private:
  absl::flat_hash_set<std::uint64_t> callers_;
  std::array<std::uint64_t, 4096> recent_{};  // callers seen lately, by their lowest bits: most events stop here
  std::vector<absl::flat_hash_set<std::uint64_t>> matched_;  // by list
};

}  // namespace keyvigil
