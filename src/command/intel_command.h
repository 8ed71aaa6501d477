// `keyvigil intel check FILE...`: says what was understood of each list, and what was not.
//
// Takes contents, not paths: opening and decompressing files is the caller's.
#pragma once

#include <optional>
#include <ostream>
#include <string>
#include <vector>

#include "intel/threat_list.h"

namespace keyvigil {

struct NamedContent {
  std::string file;
  std::string content;           // decompressed
  std::optional<ListRole> role;  // nothing: guessed from the format
};

// Exit codes: 0 every file was understood, 2 none was, 3 some were not. `options.role` is not used.
[[nodiscard]] int run_intel_check(const std::vector<NamedContent>& files, const ListOptions& options, std::ostream& out,
                                  std::ostream& err);

}  // namespace keyvigil
