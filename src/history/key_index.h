// KeyIndex: from the hash of a key to the slots that hold keys of that hash; the owner compares the keys themselves.
//
// Open addressing with linear probing, at most half full; a cell is half of the hash and the slot, so that a look-up
// reads one cache line of the index and grows without asking for keys. The hash is keyed by process on top, so that
// nobody can choose keys that crowd; the order of cells never shows. 16 to 32 bytes a key.
// Threads: one owner.
#pragma once

#include <absl/hash/hash.h>

#include <cstddef>
#include <cstdint>
#include <vector>

namespace keyvigil {

class KeyIndex {
 public:
  static constexpr std::uint32_t kNone = UINT32_MAX;

  // The slot under that hash for which `is_wanted(slot)`; kNone where there is none.
  template <typename IsWanted>
  [[nodiscard]] std::uint32_t find(std::uint64_t hash, const IsWanted& is_wanted) const {
    if (cells_.empty()) { return kNone; }
    const std::uint32_t tag = tag_of(hash);
    for (std::size_t at = home(tag);; at = next(at)) {
      const Cell& cell = cells_[at];
      if (cell.slot == kNone) { return kNone; }
      if (cell.tag == tag && is_wanted(cell.slot)) { return cell.slot; }
    }
  }
  // The slot that find() would look at first, unasked.
  [[nodiscard]] std::uint32_t guess(std::uint64_t hash) const {
    return find(hash, [](std::uint32_t) { return true; });
  }

  // REQUIRES: slot < kNone and not under that hash yet.
  void insert(std::uint64_t hash, std::uint32_t slot);
  // REQUIRES: the slot is under that hash.
  void erase(std::uint64_t hash, std::uint32_t slot);
  void clear();

  [[nodiscard]] std::size_t size() const { return size_; }

 private:
  struct Cell {
    std::uint32_t tag = 0;
    std::uint32_t slot = kNone;
  };

  [[nodiscard]] static std::uint32_t tag_of(std::uint64_t hash) {
    return static_cast<std::uint32_t>(absl::Hash<std::uint64_t>{}(hash) >> 32U);
  }
  [[nodiscard]] std::size_t home(std::uint32_t tag) const { return tag >> shift_; }
  [[nodiscard]] std::size_t next(std::size_t at) const { return at + 1 == cells_.size() ? 0 : at + 1; }
  void place(const Cell& cell);
  void grow();

  std::vector<Cell> cells_;  // a power of two
  unsigned shift_ = 32;      // tags by their highest bits
  std::size_t size_ = 0;
};

}  // namespace keyvigil
