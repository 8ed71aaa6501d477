#include "base/snapshot.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <string>
#include <vector>

namespace keyvigil {
namespace {

// Numbers and texts, with nested parts three deep.
void save_inner(SnapshotWriter& writer, std::uint64_t size) {
  std::vector<std::uint64_t> numbers;
  for (std::uint64_t i = 0; i < size; ++i) { numbers.push_back(i * 7919); }
  writer.write(numbers);
  writer.write_nested([&](SnapshotWriter& nested) { nested.write(std::string(size, 'x')); });
}

void save_all(SnapshotWriter& writer) {
  writer.write(std::uint32_t{7});
  for (const std::uint64_t size : {0U, 3U, 100'000U, 300'000U}) {
    writer.write_nested([&](SnapshotWriter& nested) {
      nested.write(size);
      nested.write_nested([&](SnapshotWriter& deeper) { save_inner(deeper, size); });
    });
  }
  writer.write(std::string(3 * SnapshotWriter::kPieceBytes, 'y'));
}

TEST(Snapshot, InPiecesItIsTheSameBytes) {
  const std::string whole = snapshot_bytes(save_all);
  std::string joined;
  std::size_t pieces = 0;
  std::size_t longest_bytes = 0;
  SnapshotWriter writer([&](std::string_view piece) {
    joined += piece;
    ++pieces;
    longest_bytes = std::max(longest_bytes, piece.size());
  });
  save_all(writer);
  writer.hand_on();
  EXPECT_TRUE(joined == whole);
  EXPECT_GT(pieces, 5U);
  EXPECT_LT(longest_bytes, 5 * SnapshotWriter::kPieceBytes) << "one text is handed on as it is";
}

TEST(Snapshot, ANestedPartIsReadAsAStringOrWhereItLies) {
  const std::string bytes = snapshot_bytes([](SnapshotWriter& writer) {
    writer.write_nested([](SnapshotWriter& nested) { nested.write(std::uint16_t{258}); });
    writer.write(true);
  });
  std::string copy;
  bool after = false;
  SnapshotReader copying(bytes);
  ASSERT_TRUE(copying.read(copy) && copying.read(after) && copying.at_end());
  EXPECT_EQ(copy, std::string("\x02\x01", 2));
  std::string_view nested;
  SnapshotReader looking(bytes);
  ASSERT_TRUE(looking.read_nested(nested) && looking.read(after) && looking.at_end());
  EXPECT_EQ(nested, copy);
  for (std::size_t cut = 0; cut < 10; ++cut) {
    SnapshotReader shorter(std::string_view(bytes).substr(0, cut));
    EXPECT_FALSE(shorter.read_nested(nested)) << cut;
  }
}

}  // namespace
}  // namespace keyvigil
