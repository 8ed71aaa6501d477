#include "source/utf8_reader.h"

#include <gtest/gtest.h>

#include "framed.h"

namespace keyvigil {
namespace {

// What Windows PowerShell's > writes.
std::string utf16(std::u16string_view text, bool little) {
  std::string bytes;
  for (const char16_t unit : text) {
    const auto low = static_cast<char>(unit & 0xFF);
    const auto high = static_cast<char>(unit >> 8);
    bytes += little ? low : high;
    bytes += little ? high : low;
  }
  return bytes;
}

std::string read_all(std::string_view text, std::size_t cut) {
  std::size_t taken = 0;
  Utf8Reader reader([&](char* to, std::size_t room) -> Result<std::size_t> {
    const std::size_t size = text.copy(to, std::min(room, cut), taken);
    taken += size;
    return size;
  });
  std::string out;
  std::string chunk(cut, '\0');
  while (true) {
    const std::size_t size = reader.read(chunk.data(), chunk.size()).value();
    if (size == 0) return out;
    out.append(chunk, 0, size);
  }
}

TEST(Utf8Reader, ReadsUtf16InEitherOrderHoweverItIsCut) {
  const std::u16string text = u"\uFEFF{\"a\":\"\u00e4\u20ac\U0001F511\"}\r\n";
  const std::string expected = "{\"a\":\"\xC3\xA4\xE2\x82\xAC\xF0\x9F\x94\x91\"}\r\n";
  for (const bool little : {true, false}) {
    for (const std::size_t cut : {1U, 2U, 3U, 7U, 1000U}) {
      EXPECT_EQ(read_all(utf16(text, little), cut), expected) << little << cut;
      // Without its mark: known by the bracket.
      EXPECT_EQ(read_all(utf16(text.substr(1), little), cut), expected) << little << cut;
    }
  }
}

TEST(Utf8Reader, PassesOtherTextOn) {
  for (const std::string text : {"", "{", "{}", "\xEF\xBB\xBF{\"a\":1}", "a,b\n1,2\n", "\xFF"}) {
    for (const std::size_t cut : {1U, 3U, 1000U}) { EXPECT_EQ(read_all(text, cut), text); }
  }
  const std::string utf32("\xFF\xFE\0\0{\0\0\0", 8);
  EXPECT_EQ(read_all(utf32, 5), utf32);
}

TEST(Utf8Reader, ReplacesHalvesOfPairsAndOfUnits) {
  const std::u16string halves{u'\xFEFF', u'a', u'\xD83D', u'b', u'\xDD11', u'\xD83D'};
  for (const std::size_t cut : {1U, 2U, 1000U}) {
    EXPECT_EQ(read_all(utf16(halves, true) + "x", cut),
              "a\xEF\xBF\xBD"
              "b\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD");
  }
}

TEST(Utf8Reader, LetsTheFramerReadJsonAndTablesInUtf16) {
  const Framed json = frame(utf16(u"\uFEFF[{\"a\":\"\u00e4\"},\n{\"a\":2}]", true), {}, {3});
  EXPECT_EQ(json.texts(), (std::vector<std::string>{"{\"a\":\"\xC3\xA4\"}", "{\"a\":2}"}));
  const Framed table = frame(utf16(u"\uFEFFTimeGenerated\tOperationName\r\n1\ta\r\n", true), {}, {3});
  EXPECT_EQ(table.texts(), std::vector<std::string>{"1\ta"});
}

}  // namespace
}  // namespace keyvigil
