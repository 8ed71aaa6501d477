// A folder as something to follow: every file below it, growing or not. See source/follower.h.
//
// A file's mark is its device and number: one that was replaced is another one. Links are resolved as find_inputs does;
// names that begin with a dot are left out. Only regular files are opened for good: nothing else can be waited for.
#pragma once

#include <string>

#include "source/follower.h"

namespace keyvigil {

[[nodiscard]] FollowAccess follow_folder(std::string folder);

}  // namespace keyvigil
