// StampedVector: a vector that knows which of its blocks were changed since when.
//
// Whoever asks for an item to change it changes the stamp of its block; who saves the vector again and again
// (base/snapshot.h) writes blocks anew only where the stamp is another one than last time. Stamps of a vector begin at
// random and grow by one with each change, so that a vector that takes another's place is not taken for it: after 2^40
// changes the chance is 2^-24. Copies get stamps of their own. References are as those of std::vector; changing an item
// through one that was got before the last saving is a change that nobody sees. Threads: one owner.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <random>
#include <utility>
#include <vector>

namespace keyvigil {

template <typename T, std::size_t kItems>
class StampedVector {
 public:
  static constexpr std::size_t kBlockItems = kItems;

  StampedVector() = default;
  StampedVector(const StampedVector& other) : items_(other.items_) { stamp_all(); }
  StampedVector& operator=(const StampedVector& other) {
    if (this != &other) { *this = StampedVector(other); }
    return *this;
  }
  // What was moved from is empty, and its later stamps are none of those that went along.
  StampedVector(StampedVector&& other) noexcept
      : next_(std::exchange(other.next_, any_stamp())),
        items_(std::move(other.items_)),
        stamps_(std::move(other.stamps_)) {
    other.clear();
  }
  StampedVector& operator=(StampedVector&& other) noexcept {
    if (this == &other) { return *this; }
    next_ = std::exchange(other.next_, any_stamp());
    items_ = std::move(other.items_);
    stamps_ = std::move(other.stamps_);
    other.clear();
    return *this;
  }
  ~StampedVector() = default;

  [[nodiscard]] const T& operator[](std::size_t place) const { return items_[place]; }
  // Changes nothing, also where the vector could be changed.
  [[nodiscard]] const T& look(std::size_t place) const { return items_[place]; }
  // A change of the block, whatever is done with it.
  [[nodiscard]] T& operator[](std::size_t place) {
    stamps_[place / kBlockItems] = next_++;
    return items_[place];
  }
  T& emplace_back() {
    if (items_.size() % kBlockItems == 0) { stamps_.emplace_back(); }
    items_.emplace_back();
    return (*this)[items_.size() - 1];
  }
  void clear() {
    items_.clear();
    stamps_.clear();
  }

  [[nodiscard]] std::size_t size() const { return items_.size(); }
  [[nodiscard]] auto begin() const { return items_.begin(); }
  [[nodiscard]] auto end() const { return items_.end(); }

  [[nodiscard]] std::size_t block_count() const { return stamps_.size(); }
  // REQUIRES: block < block_count().
  [[nodiscard]] std::uint64_t stamp(std::size_t block) const { return stamps_[block]; }
  [[nodiscard]] std::size_t block_begin(std::size_t block) const { return block * kBlockItems; }
  [[nodiscard]] std::size_t block_end(std::size_t block) const {
    return std::min(items_.size(), (block + 1) * kBlockItems);
  }

 private:
  [[nodiscard]] static std::uint64_t any_stamp() {
    std::random_device random;
    return std::uint64_t{random()} << 32U | random();
  }
  void stamp_all() {
    stamps_.resize((items_.size() + kBlockItems - 1) / kBlockItems);
    for (std::uint64_t& stamp : stamps_) { stamp = next_++; }
  }

  std::uint64_t next_ = any_stamp();
  std::vector<T> items_;
  std::vector<std::uint64_t> stamps_;  // by block
};

}  // namespace keyvigil
