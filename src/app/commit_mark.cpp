#include "app/commit_mark.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstdlib>

namespace keyvigil {

CommitHook commit_mark(const std::string& path, const std::string& die_at) {
  // Open until the process ends: the hook may be copied, and lives as long.
  const int file = ::open(path.c_str(), O_WRONLY | O_CLOEXEC);
  const char fatal_kind = die_at.empty() ? '-' : die_at.front();
  const long fatal_number = die_at.empty() ? 0 : std::strtol(die_at.c_str() + 1, nullptr, 10);
  // Commits of one kind come one after another.
  return [file, fatal_kind, fatal_number, seen = std::array<long, 2>{}](CommitKind kind, CommitPoint point) mutable {
    const bool journal = kind == CommitKind::kJournal;
    const char name = journal ? 'J' : 'C';
    const char mark = point == CommitPoint::kAfter ? '-' : name;
    if (::pwrite(file, &mark, 1, journal ? 0 : 1) != 1 || point != CommitPoint::kInside) { return; }
    if (++seen[journal ? 0 : 1] == fatal_number && name == fatal_kind) { std::raise(SIGKILL); }
  };
}

}  // namespace keyvigil
