#include "store/packing.h"

#include <gtest/gtest.h>

#include <string>

namespace keyvigil {
namespace {

TEST(Packing, GivesBackWhatItTook) {
  for (const std::string& bytes : {std::string(), std::string("a"), std::string(1'000'000, 'b')}) {
    EXPECT_EQ(unpack(pack(bytes), 1'000'000).value(), bytes);
  }
}

TEST(Packing, RefusesMoreThanTheLimit) {
  const auto refused = unpack(pack(std::string(1001, 'c')), 1000);
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().message.find("1000 bytes"), std::string::npos);
}

TEST(Packing, RefusesEveryChangedByteAndEveryCut) {
  const std::string bytes = "some text that is packed, some text that is packed, some other text";
  const std::string packed = pack(bytes);
  for (std::size_t i = 0; i < packed.size(); ++i) {
    EXPECT_FALSE(unpack(std::string_view(packed).substr(0, i), 1000));
    std::string changed = packed;
    changed[i] = static_cast<char>(changed[i] ^ 0x10);
    const auto got = unpack(changed, 1000);
    if (got) { EXPECT_EQ(*got, bytes) << i; }
  }
}

TEST(Packing, KnowsCompressedBytes) {
  EXPECT_TRUE(looks_compressed(pack("x")));
  EXPECT_TRUE(looks_compressed("\x1f\x8b\x08"));
  EXPECT_TRUE(looks_compressed("\x5f\x2a\x4d\x18"));
  EXPECT_FALSE(looks_compressed("{\"time\":1}"));
  EXPECT_FALSE(looks_compressed(""));
}

}  // namespace
}  // namespace keyvigil
