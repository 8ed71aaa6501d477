#include "base/format_versions.h"

#include <fmt/format.h>

namespace keyvigil {

std::string version_words(const FormatVersions& versions) {
  if (versions.oldest == versions.newest) { return fmt::format("version {}", versions.newest); }
  return fmt::format("version {} to {}", versions.oldest, versions.newest);
}

}  // namespace keyvigil
