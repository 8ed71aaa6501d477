// CommitMark: for crash tests, where the store's commits are when the service dies.
//
// Three bytes in a file say whether a commit is under way: "J" for one of the journal, "C" for one of a checkpoint, "A"
// for one of alerts, "-" for none. `die_at` "J7" or "C2" kills the process (SIGKILL) inside the seventh commit of the
// journal, or the second of a checkpoint.
#pragma once

#include <string>

#include "store/journal.h"

namespace keyvigil {

// The file exists and is at least three bytes long. `die_at` may be empty.
[[nodiscard]] CommitHook commit_mark(const std::string& path, const std::string& die_at);

}  // namespace keyvigil
