// CheckpointRows: the sections of the last checkpoint as content chunks, of which only new ones are written.
//
// Blocks of the state (base/snapshot.h) begin and end with a chunk, so that one which is as it was costs its names.
// Chunks are told apart by SHA-256: what goes into a state is chosen by attackers too. Threads: one at a time.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/snapshot.h"
#include "store/database.h"

namespace keyvigil {

using Sections = std::map<std::string, std::string>;

class CheckpointRows {
 public:
  // What is there. Chunks that no section names (a crash between the two) are removed.
  [[nodiscard]] Result<void> load(Database& writer);

  using Digest = std::array<char, 32>;
  // A checkpoint in the making, of which little is in memory.
  struct Draft {
    struct NewChunk {
      Digest digest{};
      std::string packed;
    };
    struct NamedChunk {
      Digest digest{};
      std::uint64_t bytes = 0;
    };
    struct Block {
      std::uint64_t stamp = 0;
      std::uint64_t bytes = 0;
      std::size_t first_chunk = 0;  // of the section's
      std::size_t chunks = 0;
    };
    using Tables = std::vector<std::vector<Block>>;  // by table and number
    std::map<std::string, std::vector<NamedChunk>> sections;
    std::map<std::string, Tables> blocks;  // by section
    std::size_t block_begin = 0;           // chunk of the section at hand with which the block at hand begins
    std::vector<NewChunk> chunks;          // that are not there, not written yet
    std::size_t packed_bytes = 0;          // of these
    std::string rest;                      // of the section at hand, not cut yet
  };
  // The next bytes of a section, cut and compressed; nothing is written: takes time, and no connection.
  void add(Draft& draft, const std::string& section, std::string_view piece) const;
  // Whatever was added is cut and ends with a chunk.
  void cut(Draft& draft, const std::string& section) const;
  // What a SnapshotWriter asks and tells of a section's blocks. All but the draft stays as it is until keep().
  [[nodiscard]] std::optional<std::uint64_t> known_bytes(const std::string& section, const SnapshotBlock& block) const;
  void repeat(Draft& draft, const std::string& section, const SnapshotBlock& block) const;
  void begin_block(Draft& draft, const std::string& section) const;
  void end_block(Draft& draft, const std::string& section, const SnapshotBlock& block) const;

  // The chunks of the draft, in a transaction of their own. Until write_sections() names them they mean nothing.
  [[nodiscard]] Result<void> write_chunks(Database& writer, Draft& draft);
  // Makes it the checkpoint, in a transaction of the caller's. REQUIRES: all chunks are written.
  [[nodiscard]] Result<void> write_sections(Database& writer, const Draft& draft);
  // Once it is: its blocks may be repeated by the next one.
  void keep(Draft draft);
  // Some chunks that it does not name any more are removed, in a transaction of their own; whether more are left. What
  // is not removed is known by the next one.
  [[nodiscard]] Result<bool> remove_unnamed(Database& writer);

  [[nodiscard]] static Result<Sections> read(Database& reader);

 private:
  [[nodiscard]] static Result<void> remove(Database& writer, const std::vector<std::int64_t>& orphans);
  void add_chunk(Draft& draft, const std::string& section, std::string_view chunk) const;
  [[nodiscard]] const Draft::Block* kept_block(const std::string& section, const SnapshotBlock& block) const;

  std::map<Digest, std::int64_t> numbers_;  // of every chunk that is there
  Draft kept_;                              // the last one that became the checkpoint
  std::vector<Digest> unnamed_;             // that are there, and kept_ does not name
};

}  // namespace keyvigil
