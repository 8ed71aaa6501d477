// FormatVersions: of one format of bytes on disk, the versions that this program reads. It writes the newest.
//
// `keyvigil version` prints them all; a test holds them against files that released versions wrote
// (tests/data/upgrade). Whoever adds a version adds files of the one before there.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace keyvigil {

struct FormatVersions {
  std::string_view name;
  std::int64_t oldest = 1;
  std::int64_t newest = 1;
};

[[nodiscard]] constexpr bool is_read(const FormatVersions& versions, std::int64_t version) {
  return version >= versions.oldest && version <= versions.newest;
}

// "version 7", "version 5 to 7"
[[nodiscard]] std::string version_words(const FormatVersions& versions);

// What is said of a file with a version above the newest.
inline constexpr std::string_view kWrittenByANewer =
    "a newer KeyVigil wrote it; use that version, or a copy from before the upgrade";

}  // namespace keyvigil
