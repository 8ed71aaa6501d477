#include "engine/checkpoint.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>

namespace keyvigil {
namespace {

Checkpoint example() {
  Checkpoint checkpoint;
  checkpoint.sections["order"] = std::string("\0\1\2", 3);
  checkpoint.sections["empty"] = "";
  return checkpoint;
}

TEST(Checkpoint, ComesBackFromItsFileAndReplacesAnOlderOne) {
  std::string folder = std::filesystem::temp_directory_path() / "keyvigil-checkpoint-XXXXXX";
  ASSERT_NE(::mkdtemp(folder.data()), nullptr);
  const std::string path = folder + "/state";
  ASSERT_TRUE(write_checkpoint(path, Checkpoint{}).has_value());
  ASSERT_TRUE(write_checkpoint(path, example()).has_value());
  const auto back = read_checkpoint(path);
  ASSERT_TRUE(back.has_value());
  EXPECT_EQ(back->sections, example().sections);
  const auto files = std::distance(std::filesystem::directory_iterator(folder), {});
  EXPECT_EQ(files, 1);  // no temporary file is left
  std::filesystem::remove_all(folder);
}

TEST(Checkpoint, RefusesEveryTruncation) {
  const std::string bytes = encode_checkpoint(example());
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    const auto decoded = decode_checkpoint(std::string_view(bytes).substr(0, size), "state.kv");
    ASSERT_FALSE(decoded.has_value()) << size;
    EXPECT_NE(decoded.error().message.find("state.kv"), std::string::npos);
  }
  EXPECT_FALSE(decode_checkpoint(bytes + "x", "state.kv").has_value());
}

TEST(Checkpoint, RefusesEveryFlippedByte) {
  const std::string bytes = encode_checkpoint(example());
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    for (const int flip : {0x01, 0x80, 0xFF}) {
      std::string damaged = bytes;
      damaged[i] = static_cast<char>(damaged[i] ^ flip);
      EXPECT_FALSE(decode_checkpoint(damaged, "state.kv").has_value()) << i;
    }
  }
}

TEST(Checkpoint, TellsNewerOlderAndOtherFilesApart) {
  constexpr std::size_t kVersionAt = 8;
  const std::string bytes = encode_checkpoint(example());
  const auto refusal = [](std::string_view of) {
    const auto decoded = decode_checkpoint(of, "state.kv");
    return decoded ? std::string() : decoded.error().message;
  };
  const auto of_version = [&](std::int64_t version) {
    std::string other = bytes;
    other[kVersionAt] = static_cast<char>(version);
    return other;
  };
  EXPECT_NE(refusal(of_version(Checkpoint::kVersions.newest + 1)).find("a newer KeyVigil wrote it"), std::string::npos);
  EXPECT_NE(refusal(of_version(Checkpoint::kVersions.oldest - 1)).find("use an older copy"), std::string::npos);
  EXPECT_NE(refusal("{}").find("a file of another kind; name another file"), std::string::npos);
  EXPECT_NE(refusal("KVST").find("a file that was cut short"), std::string::npos);
  EXPECT_NE(refusal("").find("an empty file"), std::string::npos);
}

TEST(Checkpoint, SaysWhichFileItCouldNotReadOrWrite) {
  const auto missing = read_checkpoint("/nonexistent-folder/state");
  ASSERT_FALSE(missing.has_value());
  EXPECT_EQ(missing.error().kind, ErrorKind::kInputOutput);
  EXPECT_NE(missing.error().message.find("/nonexistent-folder/state"), std::string::npos);
  EXPECT_FALSE(write_checkpoint("/nonexistent-folder/state", example()).has_value());
}

}  // namespace
}  // namespace keyvigil
