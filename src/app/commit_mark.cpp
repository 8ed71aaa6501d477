#include "app/commit_mark.h"

#include <fcntl.h>
#include <unistd.h>

namespace keyvigil {

CommitHook commit_mark(const std::string& path) {
  const int file = ::open(path.c_str(), O_WRONLY | O_CLOEXEC);
  // The file stays open until the process ends: the hook is copied, and lives as long.
  return [file](CommitKind kind, CommitPoint point) {
    const bool journal = kind == CommitKind::kJournal;
    const char mark = point == CommitPoint::kAfter ? '-' : journal ? 'J' : 'C';
    if (file >= 0 && ::pwrite(file, &mark, 1, journal ? 0 : 1) != 1) { return; }
  };
}

}  // namespace keyvigil
