#include "base/bounded_json.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <vector>

namespace keyvigil {
namespace {

std::string nested(std::size_t levels) {
  return std::string(levels, '[') + std::string(levels, ']');
}

TEST(BoundedJson, MeasuresDepthBeforeTheLibrarySeesIt) {
  EXPECT_EQ(json_excess(nested(64)), "");
  EXPECT_EQ(json_excess(nested(65)), "JSON nested deeper than 64 levels");
  EXPECT_TRUE(parse_bounded_json(nested(100'000)).is_discarded());
  EXPECT_TRUE(parse_bounded_json(nested(64)).is_array());
  EXPECT_EQ(json_excess("{\"text\":\"" + std::string(100'000, '[') + "\\\"" + std::string(100'000, '{') + "\"}"), "")
      << "brackets in texts are no levels";
  EXPECT_EQ(json_excess(R"({"a":[{"b":[]}]})", {.levels = 3}), "JSON nested deeper than 3 levels");
}

TEST(BoundedJson, RefusesWhatTakesTooMuchMemory) {
  std::string many = "[[]";
  for (int i = 0; i < 100'000; ++i) { many += ",[]"; }
  many += "]";
  EXPECT_NE(json_excess(many, {.tree_bytes = std::size_t{1} << 20}).find("more than 1 MiB of memory"),
            std::string::npos);
  EXPECT_TRUE(parse_bounded_json(many, {.tree_bytes = std::size_t{1} << 20}).is_discarded());
  EXPECT_EQ(parse_bounded_json(many).size(), 100'001U);
  EXPECT_GE(json_tree_bytes(many), std::size_t{100'000} * 48);
}

TEST(BoundedJson, CutsOffWhatLiesTooDeep) {
  const auto pruned = parse_pruned_json("{\"a\":1,\"deep\":" + nested(100'000) + "}", {.levels = 8});
  ASSERT_TRUE(pruned.is_object());
  EXPECT_EQ(pruned["a"], 1);
  EXPECT_LT(pruned.dump().size(), 100U);
}

TEST(BoundedJson, SaysWhereTheFaultIs) {
  EXPECT_EQ(json_fault("[1,2]").what, "");
  EXPECT_EQ(json_fault("[1,}").byte, 4U);
}

TEST(BoundedJson, TakesValuesAndMarksOneByOne) {
  std::string_view rest = R"( {"a" : [1, {"]":"}"}],"b\"":-1.5e3 , "c":null} tail)";
  std::string_view object = take_json(rest);
  EXPECT_EQ(rest, " tail");
  object.remove_prefix(1);
  std::vector<std::string_view> found;
  for (auto piece = take_json(object); !piece.empty(); piece = take_json(object)) { found.push_back(piece); }
  EXPECT_EQ(found, (std::vector<std::string_view>{R"("a")", ":", R"([1, {"]":"}"}])", ",", R"("b\"")", ":", "-1.5e3",
                                                  ",", R"("c")", ":", "null", "}"}));
}

// Any tree, with texts that hold what has a meaning outside of them.
nlohmann::json any_json(int levels) {
  switch (*rc::gen::inRange(0, levels > 0 ? 6 : 4)) {
    case 0:
      return nullptr;
    case 1:
      return *rc::gen::arbitrary<int>();
    case 2:
      return *rc::gen::arbitrary<bool>();
    case 3:
      return *rc::gen::container<std::string>(rc::gen::elementOf(std::string("ab\"\\{}[],: \n")));
    case 4: {
      auto array = nlohmann::json::array();
      for (int i = *rc::gen::inRange(0, 4); i > 0; --i) { array.push_back(any_json(levels - 1)); }
      return array;
    }
    default: {
      auto object = nlohmann::json::object();
      for (int i = *rc::gen::inRange(0, 4); i > 0; --i) {
        object[*rc::gen::container<std::string>(rc::gen::elementOf(std::string("k\"\\{}[],:")))] = any_json(levels - 1);
      }
      return object;
    }
  }
}

TEST(BoundedJson, WhatIsTakenIsTheElement) {
  rc::check("take_json() cuts a list into its elements, whatever is in them", [] {
    auto list = nlohmann::json::array();
    for (int i = *rc::gen::inRange(0, 5); i > 0; --i) { list.push_back(any_json(4)); }
    const std::string text = list.dump(*rc::gen::inRange(-1, 3));
    std::string_view rest = text;
    std::string_view elements = take_json(rest);
    RC_ASSERT(elements == text);
    RC_ASSERT(rest.empty());
    elements.remove_prefix(1);
    auto again = nlohmann::json::array();
    for (auto piece = take_json(elements); piece != "]"; piece = take_json(elements)) {
      if (piece != ",") { again.push_back(nlohmann::json::parse(piece)); }
    }
    RC_ASSERT(again == list);
    RC_ASSERT(parse_bounded_json(text) == list);
  });
}

}  // namespace
}  // namespace keyvigil
