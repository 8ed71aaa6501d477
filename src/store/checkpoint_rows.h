// CheckpointRows: the sections of the last checkpoint as content chunks, of which only new ones are written.
//
// Chunks are told apart by SHA-256: what goes into a state is chosen by attackers too. Threads: one at a time.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "store/database.h"

namespace keyvigil {

using Sections = std::map<std::string, std::string>;

class CheckpointRows {
 public:
  // What is there. Chunks that no section names (a crash between the two) are removed.
  [[nodiscard]] Result<void> load(Database& writer);

  // Cut and compressed, nothing written yet: takes time, and no connection.
  struct Prepared {
    struct NewChunk {
      std::array<char, 32> digest{};
      std::string packed;
    };
    struct NamedChunk {
      std::array<char, 32> digest{};
      std::uint64_t bytes = 0;
    };
    std::vector<NewChunk> chunks;  // that are not there
    std::map<std::string, std::vector<NamedChunk>> sections;
  };
  [[nodiscard]] Prepared prepare(const Sections& sections) const;

  // From `next` on, about 8 MB of them in a transaction of their own; `next` moves. Until write_sections() names them
  // they mean nothing.
  [[nodiscard]] Result<void> write_chunks(Database& writer, const Prepared& prepared, std::size_t& next);
  // Makes them the checkpoint and removes chunks that are not named any more. In a transaction of the caller's; after
  // its success call settle().
  [[nodiscard]] Result<void> write_sections(Database& writer, const Prepared& prepared);
  void settle(const Prepared& prepared);

  [[nodiscard]] static Result<Sections> read(Database& reader);

 private:
  using Digest = std::array<char, 32>;
  std::map<Digest, std::int64_t> numbers_;  // of every chunk that is there
};

}  // namespace keyvigil
