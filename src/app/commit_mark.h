// CommitMark: two bytes in a file that say whether a commit of the store is under way: "J" for the journal's, "C" for a
// checkpoint's, "-" for none. Who kills the service to test it can tell where it was hit.
#pragma once

#include <string>

#include "store/journal.h"

namespace keyvigil {

// The file exists and is at least two bytes long. A hook that does nothing where it cannot be opened.
[[nodiscard]] CommitHook commit_mark(const std::string& path);

}  // namespace keyvigil
