#include "command/commit_mark.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstdlib>
#include <string_view>

namespace keyvigil {

CommitHook commit_mark(const std::string& path, const std::string& die_at) {
  // Open until the process ends: the hook may be copied, and lives as long.
  const int file = ::open(path.c_str(), O_WRONLY | O_CLOEXEC);
  const char fatal_kind = die_at.empty() ? '-' : die_at.front();
  const long fatal_number = die_at.empty() ? 0 : std::strtol(die_at.c_str() + 1, nullptr, 10);
  // Commits of one kind come one after another.
  return [file, fatal_kind, fatal_number, seen = std::array<long, 3>{}](CommitKind kind, CommitPoint point) mutable {
    constexpr std::string_view kNames = "JCA";  // as CommitKind
    const auto place = static_cast<std::size_t>(kind);
    const char mark = point == CommitPoint::kAfter ? '-' : kNames[place];
    if (::pwrite(file, &mark, 1, static_cast<off_t>(place)) != 1 || point != CommitPoint::kInside) { return; }
    if (++seen[place] == fatal_number && kNames[place] == fatal_kind) { std::raise(SIGKILL); }
  };
}

}  // namespace keyvigil
