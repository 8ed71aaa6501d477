// ListReach: how many of an estate's callers a list would make suspicious. One that matches a fifth of them is more
// likely wrong, or the estate's own addresses, than right.
#pragma once

#include <cstdint>
#include <string>

namespace keyvigil {

struct ListReach {
  static constexpr std::uint64_t kFewestCallers = 10;
  static constexpr std::uint64_t kDoubtfulShare = 5;  // one in so many

  std::string list;  // its file
  std::uint64_t matched = 0;
  std::uint64_t callers = 0;

  // More than a fifth, of enough callers to tell.
  [[nodiscard]] bool is_doubtful() const { return callers >= kFewestCallers && matched * kDoubtfulShare > callers; }
};

}  // namespace keyvigil
