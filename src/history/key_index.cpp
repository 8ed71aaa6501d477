#include "history/key_index.h"

#include <utility>

#include "base/check.h"

namespace keyvigil {

void KeyIndex::place(const Cell& cell) {
  std::size_t at = home(cell.tag);
  while (cells_[at].slot != kNone) { at = next(at); }
  cells_[at] = cell;
}

void KeyIndex::grow() {
  constexpr std::size_t kFirstCells = 16;
  constexpr unsigned kFirstShift = 28;
  const bool first = cells_.empty();
  CHECK(first || shift_ > 0);
  const std::vector<Cell> before = std::exchange(cells_, std::vector<Cell>(first ? kFirstCells : 2 * cells_.size()));
  shift_ = first ? kFirstShift : shift_ - 1;
  for (const Cell& cell : before) {
    if (cell.slot != kNone) { place(cell); }
  }
}

void KeyIndex::insert(std::uint64_t hash, std::uint32_t slot) {
  if (2 * (size_ + 1) > cells_.size()) { grow(); }
  place({tag_of(hash), slot});
  ++size_;
}

void KeyIndex::erase(std::uint64_t hash, std::uint32_t slot) {
  CHECK(size_ > 0);
  std::size_t hole = home(tag_of(hash));
  while (cells_[hole].slot != slot) {
    CHECK(cells_[hole].slot != kNone);
    hole = next(hole);
  }
  // What stands behind the hole moves up where the hole lies between its home and its place.
  const std::size_t mask = cells_.size() - 1;
  for (std::size_t at = next(hole); cells_[at].slot != kNone; at = next(at)) {
    const std::size_t from_home = (at - home(cells_[at].tag)) & mask;
    const std::size_t from_hole = (at - hole) & mask;
    if (from_home < from_hole) { continue; }
    cells_[hole] = cells_[at];
    hole = at;
  }
  cells_[hole] = Cell{};
  --size_;
}

void KeyIndex::clear() {
  *this = KeyIndex();
}

}  // namespace keyvigil
