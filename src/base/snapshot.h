// Bytes of saved state, from one list of members per type.
//
// A type lists its members once, `auto fields() { return std::tie(a_, b_); }`, and both directions follow. Integers and
// doubles are little-endian and fixed-width; containers carry a count. Equal state gives equal bytes: only ordered
// containers and vectors are taken. Reading checks every length against what is left and fails softly.
//
// A state of gigabytes need not be in memory as bytes too: a writer with a drain hands on what was written, in pieces.
// One that is written again and again need not be written whole: whoever drains it may repeat the blocks of its large
// tables that are as they were (SnapshotBlocks).
#pragma once

#include <array>
#include <bit>
#include <cstdint>
#include <cstring>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include "base/stamped_vector.h"

namespace keyvigil {

static_assert(std::endian::native == std::endian::little, "state files are little-endian");

template <typename T>
concept HasFields = requires(T& value) {
  value.fields();
};

// A block of a StampedVector. The same place in the same state has the same table and number each time.
struct SnapshotBlock {
  std::uint32_t table = 0;  // the how many-th StampedVector that is written
  std::uint32_t number = 0;
  std::uint64_t stamp = 0;
};

// What a drain does with blocks.
struct SnapshotBlocks {
  // How many bytes the block has where it was drained before with this stamp; nothing: it has to be written.
  std::function<std::optional<std::uint64_t>(const SnapshotBlock&)> known_bytes;
  std::function<void(const SnapshotBlock&)> repeat;  // in the place of those bytes
  std::function<void()> begin;                       // what is drained until end() is the block
  std::function<void(const SnapshotBlock&)> end;
};

class SnapshotWriter {
 public:
  static constexpr std::size_t kPieceBytes = std::size_t{1} << 20;
  // Gets all bytes in order, in pieces of about kPieceBytes; a piece lives until the call returns. Where bytes are only
  // counted, pieces are empty.
  using Drain = std::function<void(std::string_view piece)>;

  SnapshotWriter() = default;
  explicit SnapshotWriter(Drain drain) : drain_(std::move(drain)), piece_bytes_(kPieceBytes) {}
  // REQUIRES: all of `blocks` is there.
  SnapshotWriter(Drain drain, SnapshotBlocks blocks)
      : drain_(std::move(drain)), blocks_(std::move(blocks)), piece_bytes_(kPieceBytes) {}

  template <typename T>
  requires std::is_arithmetic_v<T> || std::is_enum_v<T>
  void write(const T& value) {
    static_assert(std::has_unique_object_representations_v<T> || std::is_floating_point_v<T>);
    const std::size_t at = bytes_.size();
    bytes_.resize(at + sizeof(T));
    std::memcpy(bytes_.data() + at, &value, sizeof(T));
    if (bytes_.size() >= piece_bytes_) { hand_on(); }
  }
  void write(const std::string& value) {
    write_count(value.size());
    write_bytes(value);
  }
  // Without a count.
  void write_bytes(std::string_view bytes) {
    bytes_.append(bytes);
    if (bytes_.size() >= piece_bytes_) { hand_on(); }
  }
  // As if all that `save(writer)` writes were one string. With a drain it is called twice, first to count.
  template <typename Save>
  void write_nested(const Save& save) {
    if (drain_ && !counts_only_) {
      std::uint64_t count = 0;
      SnapshotWriter counter([&count, this](std::string_view piece) {
        count += piece.size();
        drain_({});
      });
      counter.counts_only_ = true;
      counter.blocks_ = blocks_;
      counter.tables_ = tables_;
      save(counter);
      counter.hand_on();
      write_count(count + counter.repeated_bytes_);
      save(*this);
      return;
    }
    const std::size_t at = bytes_.size();
    write_count(0);  // a counter needs no more than its size
    save(*this);
    if (counts_only_) { return; }
    const std::uint64_t count = bytes_.size() - at - sizeof(std::uint64_t);
    std::memcpy(bytes_.data() + at, &count, sizeof(count));
  }
  template <typename T>
  void write(const std::optional<T>& value) {
    write(static_cast<std::uint8_t>(value.has_value()));
    if (value) { write(*value); }
  }
  template <typename A, typename B>
  void write(const std::pair<A, B>& value) {
    write(value.first);
    write(value.second);
  }
  template <typename T, std::size_t N>
  void write(const std::array<T, N>& value) {
    for (const T& item : value) { write(item); }
  }
  template <typename T>
  void write(const std::vector<T>& value) {
    write_items(value);
  }
  template <typename T>
  void write(const std::deque<T>& value) {
    write_items(value);
  }
  // As a vector.
  template <typename T, std::size_t N>
  void write(const StampedVector<T, N>& value) {
    write_count(value.size());
    const std::uint32_t table = tables_++;
    for (std::size_t number = 0; number < value.block_count(); ++number) {
      const SnapshotBlock block{table, static_cast<std::uint32_t>(number), value.stamp(number)};
      write_block(block, [&] {
        for (std::size_t i = value.block_begin(number); i < value.block_end(number); ++i) { write(value[i]); }
      });
    }
  }
  template <typename K, typename V, typename C>
  void write(const std::map<K, V, C>& value) {
    write_items(value);
  }
  template <typename K, typename C>
  void write(const std::set<K, C>& value) {
    write_items(value);
  }
  template <typename T>
  requires HasFields<T>
  void write(const T& value) {
    // fields() is written once, for reading too; writing does not change what it ties.
    std::apply([this](const auto&... member) { (this->write(member), ...); }, const_cast<T&>(value).fields());
  }

  // Without a drain: everything.
  [[nodiscard]] const std::string& bytes() const& { return bytes_; }
  [[nodiscard]] std::string bytes() && { return std::move(bytes_); }
  // With a drain: gives it what is left; call it last.
  void hand_on() {
    if (bytes_.empty()) { return; }
    drain_(bytes_);
    bytes_.clear();
  }

 private:
  void write_count(std::uint64_t count) { write(count); }
  template <typename WriteItems>
  void write_block(const SnapshotBlock& block, const WriteItems& write_block_items) {
    const auto known = blocks_.known_bytes ? blocks_.known_bytes(block) : std::nullopt;
    if (!blocks_.begin || (counts_only_ && !known)) { return write_block_items(); }
    if (counts_only_) {
      repeated_bytes_ += *known;
      return;
    }
    hand_on();
    if (known) { return blocks_.repeat(block); }
    blocks_.begin();
    write_block_items();
    hand_on();
    blocks_.end(block);
  }
  template <typename Container>
  void write_items(const Container& items) {
    write_count(items.size());
    for (const auto& item : items) { write(item); }
  }

  std::string bytes_;
  Drain drain_;
  SnapshotBlocks blocks_;
  std::uint32_t tables_ = 0;  // StampedVectors written so far
  std::size_t piece_bytes_ = SIZE_MAX;
  bool counts_only_ = false;
  std::uint64_t repeated_bytes_ = 0;  // that were counted and not written
};

// What `save(writer)` writes.
template <typename Save>
[[nodiscard]] std::string snapshot_bytes(const Save& save) {
  SnapshotWriter writer;
  save(writer);
  return std::move(writer).bytes();
}

// Every read returns false once anything did not fit; values read after that are unspecified but valid.
class SnapshotReader {
 public:
  explicit SnapshotReader(std::string_view bytes) : rest_(bytes) {}

  template <typename T>
  requires std::is_arithmetic_v<T> || std::is_enum_v<T>
  [[nodiscard]] bool read(T& value) {
    if (rest_.size() < sizeof(T)) { return false; }
    if constexpr (std::is_same_v<T, bool>) {
      if (static_cast<unsigned char>(rest_[0]) > 1) { return false; }
    }
    std::memcpy(&value, rest_.data(), sizeof(T));
    rest_.remove_prefix(sizeof(T));
    return true;
  }
  [[nodiscard]] bool read(std::string& value) {
    std::uint64_t count = 0;
    if (!read_count(count)) { return false; }
    value.assign(rest_.substr(0, count));
    rest_.remove_prefix(count);
    return true;
  }
  // A string, or what write_nested() wrote, where it lies.
  [[nodiscard]] bool read_nested(std::string_view& value) {
    std::uint64_t count = 0;
    if (!read_count(count)) { return false; }
    value = rest_.substr(0, count);
    rest_.remove_prefix(count);
    return true;
  }
  template <typename T>
  [[nodiscard]] bool read(std::optional<T>& value) {
    std::uint8_t present = 0;
    if (!read(present) || present > 1) { return false; }
    value.reset();
    return present == 0 || read(value.emplace());
  }
  template <typename A, typename B>
  [[nodiscard]] bool read(std::pair<A, B>& value) {
    return read(value.first) && read(value.second);
  }
  template <typename T, std::size_t N>
  [[nodiscard]] bool read(std::array<T, N>& value) {
    for (T& item : value) {
      if (!read(item)) { return false; }
    }
    return true;
  }
  template <typename T>
  [[nodiscard]] bool read(std::vector<T>& value) {
    return read_sequence(value);
  }
  template <typename T>
  [[nodiscard]] bool read(std::deque<T>& value) {
    return read_sequence(value);
  }
  template <typename T, std::size_t N>
  [[nodiscard]] bool read(StampedVector<T, N>& value) {
    return read_sequence(value);
  }
  template <typename K, typename V, typename C>
  [[nodiscard]] bool read(std::map<K, V, C>& value) {
    std::uint64_t count = 0;
    if (!read_count(count)) { return false; }
    value.clear();
    for (std::uint64_t i = 0; i < count; ++i) {
      std::pair<K, V> item{};
      if (!read(item)) { return false; }
      value.insert(std::move(item));
    }
    return true;
  }
  template <typename K, typename C>
  [[nodiscard]] bool read(std::set<K, C>& value) {
    std::uint64_t count = 0;
    if (!read_count(count)) { return false; }
    value.clear();
    for (std::uint64_t i = 0; i < count; ++i) {
      K item{};
      if (!read(item)) { return false; }
      value.insert(std::move(item));
    }
    return true;
  }
  template <typename T>
  requires HasFields<T>
  [[nodiscard]] bool read(T& value) {
    return std::apply([this](auto&... member) { return (this->read(member) && ...); }, value.fields());
  }

  [[nodiscard]] bool at_end() const { return rest_.empty(); }
  [[nodiscard]] std::string_view rest() const { return rest_; }

 private:
  // Every item takes at least one byte, so a count above what is left is damage, not a reason to allocate.
  [[nodiscard]] bool read_count(std::uint64_t& count) { return read(count) && count <= rest_.size(); }
  template <typename Container>
  [[nodiscard]] bool read_sequence(Container& items) {
    std::uint64_t count = 0;
    if (!read_count(count)) { return false; }
    items.clear();
    for (std::uint64_t i = 0; i < count; ++i) {
      if (!read(items.emplace_back())) { return false; }
    }
    return true;
  }

  std::string_view rest_;
};

}  // namespace keyvigil
