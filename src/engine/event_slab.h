// EventSlab: events that stay where they are while small entries that name them are sorted.
//
// Slots are reused, the latest freed first, and keep their text buffers. Grows to the most events ever held.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "event/access_event.h"

namespace keyvigil {

class EventSlab {
 public:
  using Slot = std::uint32_t;

  // The caller's event gets the slot's old text buffer: the library's move assignment of strings exchanges them.
  [[nodiscard]] Slot put(AccessEvent&& event) {
    if (free_.empty()) { grow(); }
    const Slot slot = free_.back();
    free_.pop_back();
    at(slot) = std::move(event);
    return slot;
  }
  [[nodiscard]] AccessEvent& at(Slot slot) { return chunks_[slot >> kChunkBits][slot & kChunkMask]; }
  [[nodiscard]] const AccessEvent& at(Slot slot) const { return chunks_[slot >> kChunkBits][slot & kChunkMask]; }
  void release(Slot slot) { free_.push_back(slot); }

 private:
  static constexpr unsigned kChunkBits = 10;
  static constexpr Slot kChunkMask = (Slot{1} << kChunkBits) - 1;

  void grow() {
    const auto first = static_cast<Slot>(chunks_.size() << kChunkBits);
    chunks_.push_back(std::make_unique<AccessEvent[]>(kChunkMask + 1));
    for (Slot slot = first + kChunkMask + 1; slot > first; --slot) { free_.push_back(slot - 1); }
  }

  std::vector<std::unique_ptr<AccessEvent[]>> chunks_;
  std::vector<Slot> free_;
};

}  // namespace keyvigil
