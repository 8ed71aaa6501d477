// Checkpoint: named sections of bytes in one file that is either whole or refused.
//
// File: "KVSTATE\n" | version u32 | section count u32 | per section: name size u32, name, size u64, bytes | XXH3-128 of
// everything before (low, high). Little-endian. One type for --state files, the store and the cluster.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "base/format_versions.h"
#include "base/result.h"

namespace keyvigil {

struct Checkpoint {
  // Of the file, and of what its sections hold, here as in a store's checkpoint.
  static constexpr FormatVersions kVersions = {"state", 7, 8};
  static constexpr std::size_t kMostSections = 256;
  std::map<std::string, std::string> sections;
};

[[nodiscard]] std::string encode_checkpoint(const Checkpoint& checkpoint);
// `place` (a path) goes into the error's sentence. Refuses every truncation and every changed byte.
[[nodiscard]] Result<Checkpoint> decode_checkpoint(std::string_view bytes, std::string_view place);

// A reader sees the old file or the new one, also after a power cut: temporary file in the same folder, fsync, rename,
// fsync of the folder.
[[nodiscard]] Result<void> write_checkpoint(const std::string& path, const Checkpoint& checkpoint);
[[nodiscard]] Result<Checkpoint> read_checkpoint(const std::string& path);

}  // namespace keyvigil
