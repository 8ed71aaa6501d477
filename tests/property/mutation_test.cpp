// Records damaged in every place: at each byte, cut at each length, nested, stretched.
//
// The oracle: where nlohmann accepts the text, decoder and twin say the same. Where it does not, the decoder refuses,
// or gives exactly the event of the undamaged record (it may skip over damage in a value that it never reads).
#include <filesystem>
#include <fstream>
#include <sstream>

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include "event/decode.h"
#include "reference/decoder_twin.h"

namespace keyvigil {
namespace {

using nlohmann::json;

struct Fixture {
  std::string name;
  std::string record;
};

std::vector<Fixture> fixtures() {
  const auto folder = std::filesystem::path(KEYVIGIL_TESTS_FOLDER) / "data" / "records";
  std::vector<Fixture> all;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    std::ifstream in(entry.path(), std::ios::binary);
    std::string record;
    std::getline(in, record);
    all.push_back({entry.path().filename().string(), record});
  }
  std::sort(all.begin(), all.end(), [](const Fixture& a, const Fixture& b) { return a.name < b.name; });
  return all;
}

bool is_blank(std::string_view text) {
  return text.find_first_not_of(" \t\r\n") == std::string_view::npos;
}

class Judge {
 public:
  explicit Judge(std::string_view undamaged) : undamaged_(decode_by_twin(json::parse(undamaged))) {}

  // Empty where the oracle holds.
  [[nodiscard]] std::string disagreement(std::string_view text) {
    const char padding = kPaddings[++turn_ % kPaddings.size()];
    const TwinAnswer got = decode_exactly(decoder_, text, padding);
    const json parsed = json::parse(text, nullptr, false);
    if (!parsed.is_discarded()) {
      ++accepted_;
      return difference(decode_by_twin(parsed), got);
    }
    ++rejected_;
    if (got.kind == DecodeKind::kRefused) { return ""; }
    if (got.kind == DecodeKind::kSkipped && got.skip == SkipCause::kEmpty && is_blank(text)) { return ""; }
    // Whoever splits the envelope meets the damage.
    if (got.kind == DecodeKind::kEnvelope && text.front() == '[') { return ""; }
    const std::string changed = difference(undamaged_, got);
    return changed.empty() ? "" : "damaged JSON was read as another event:\n" + changed;
  }
  [[nodiscard]] std::size_t accepted() const { return accepted_; }
  [[nodiscard]] std::size_t rejected() const { return rejected_; }

 private:
  static constexpr std::string_view kPaddings = " }\"0]\\";
  TwinAnswer undamaged_;
  Decoder decoder_;
  std::size_t turn_ = 0;
  std::size_t accepted_ = 0;
  std::size_t rejected_ = 0;
};

constexpr std::size_t kShownFailures = 3;

TEST(Mutation, FixturesAreEvents) {
  const std::vector<Fixture> all = fixtures();
  ASSERT_GE(all.size(), 8U);
  for (const Fixture& fixture : all) {
    SCOPED_TRACE(fixture.name);
    Judge judge(fixture.record);
    EXPECT_EQ(judge.disagreement(fixture.record), "");
    EXPECT_EQ(decode_by_twin(json::parse(fixture.record)).kind, DecodeKind::kEvent);
  }
}

TEST(Mutation, AnyByteReplacedIsReadAlikeOrRefused) {
  using namespace std::string_view_literals;
  constexpr std::string_view kReplacements = "\"\\{}[]:,0 9eX\0\x1f\xff\xc3\n"sv;
  for (const Fixture& fixture : fixtures()) {
    SCOPED_TRACE(fixture.name);
    Judge judge(fixture.record);
    std::size_t failures = 0;
    for (std::size_t at = 0; at < fixture.record.size(); ++at) {
      for (const char replacement : kReplacements) {
        std::string text = fixture.record;
        if (text[at] == replacement) { continue; }
        text[at] = replacement;
        const std::string wrong = judge.disagreement(text);
        if (!wrong.empty() && ++failures <= kShownFailures) { ADD_FAILURE() << wrong << text; }
      }
    }
    EXPECT_EQ(failures, 0U);
    EXPECT_GT(judge.accepted(), fixture.record.size());
    EXPECT_GT(judge.rejected(), fixture.record.size());
  }
}

TEST(Mutation, AnyByteRemovedOrDoubledIsReadAlikeOrRefused) {
  for (const Fixture& fixture : fixtures()) {
    SCOPED_TRACE(fixture.name);
    Judge judge(fixture.record);
    std::size_t failures = 0;
    for (std::size_t at = 0; at < fixture.record.size(); ++at) {
      std::string removed = fixture.record;
      removed.erase(at, 1);
      std::string doubled = fixture.record;
      doubled.insert(at, 1, doubled[at]);
      for (const std::string& text : {removed, doubled}) {
        const std::string wrong = judge.disagreement(text);
        if (!wrong.empty() && ++failures <= kShownFailures) { ADD_FAILURE() << wrong << text; }
      }
    }
    EXPECT_EQ(failures, 0U);
  }
}

TEST(Mutation, CutAtAnyLengthIsRefused) {
  for (const Fixture& fixture : fixtures()) {
    SCOPED_TRACE(fixture.name);
    Decoder decoder;
    for (std::size_t size = 0; size < fixture.record.size(); ++size) {
      for (const char padding : {' ', '}', '"', '0'}) {
        const TwinAnswer got = decode_exactly(decoder, fixture.record.substr(0, size), padding);
        const bool blank = size == 0 && got.kind == DecodeKind::kSkipped;
        ASSERT_TRUE(blank || got.kind == DecodeKind::kRefused) << "cut at " << size << "\n" << describe(got);
      }
    }
    const TwinAnswer whole = decode_exactly(decoder, fixture.record);
    EXPECT_EQ(whole.kind, DecodeKind::kEvent) << "a refusal must not harm the next record";
  }
}

// Every value, however deep, replaced by values of every type: the shape of a record is the sender's choice.
void replace_each(json& root, json& node, const std::vector<json>& values, Judge& judge, std::size_t& failures) {
  for (auto item = node.begin(); item != node.end(); ++item) {
    if (item->is_structured()) { replace_each(root, *item, values, judge, failures); }
    const json kept = *item;
    for (const json& value : values) {
      *item = value;
      const std::string text = root.dump();
      const std::string wrong = judge.disagreement(text);
      if (!wrong.empty() && ++failures <= kShownFailures) { ADD_FAILURE() << wrong << text; }
    }
    *item = kept;
  }
}

TEST(Mutation, AnyValueOfAnyTypeIsReadAlike) {
  std::vector<json> values = {nullptr,
                              true,
                              false,
                              0,
                              1,
                              -1,
                              403,
                              599,
                              600,
                              99,
                              200.0,
                              200.5,
                              1e300,
                              "",
                              " ",
                              "None",
                              "null",
                              "200",
                              "200.0",
                              "401 ",
                              "+403",
                              "true",
                              "False",
                              "0",
                              json::array(),
                              json::object(),
                              json::array({"x"}),
                              json::object({{"claim", "x"}}),
                              std::string(65, 'A'),
                              std::string(129, 'B'),
                              std::string(2000, 'C'),
                              18446744073709551615ULL,
                              std::string("a\0b", 3),
                              "\u00e9\U0001F511",
                              "https://v/secrets/n",
                              "https://v/certificates/issuers/i",
                              "/keys/k/",
                              "{\"claim\":{}}",
                              "{\"claim\":{\"oid\":\"o\"}}",
                              "{",
                              "[]"};
  for (const Fixture& fixture : fixtures()) {
    SCOPED_TRACE(fixture.name);
    Judge judge(fixture.record);
    std::size_t failures = 0;
    json record = json::parse(fixture.record);
    replace_each(record, record, values, judge, failures);
    EXPECT_EQ(failures, 0U);
  }
}

TEST(Mutation, AMemberRemovedIsReadAlike) {
  for (const Fixture& fixture : fixtures()) {
    SCOPED_TRACE(fixture.name);
    Judge judge(fixture.record);
    const json record = json::parse(fixture.record);
    const json flat = record.flatten();
    for (const auto& path : flat.items()) {
      json without = record;
      const json::json_pointer pointer(path.key());
      json& parent = without[pointer.parent_pointer()];
      if (!parent.is_object()) { continue; }
      parent.erase(pointer.back());
      EXPECT_EQ(judge.disagreement(without.dump()), "") << without.dump();
    }
  }
}

TEST(Mutation, OrderOfMembersDoesNotMatter) {
  const std::vector<Fixture> all = fixtures();
  EXPECT_TRUE(rc::check([&all] {
    const Fixture fixture = all[*rc::gen::inRange<std::size_t>(0, all.size())];
    const json record = json::parse(fixture.record);
    std::vector<std::string> names;
    for (const auto& item : record.items()) { names.push_back(item.key()); }
    nlohmann::ordered_json shuffled = nlohmann::ordered_json::object();
    while (!names.empty()) {
      const std::size_t at = *rc::gen::inRange<std::size_t>(0, names.size());
      shuffled[names[at]] = nlohmann::ordered_json::parse(record[names[at]].dump());
      names.erase(names.begin() + static_cast<std::ptrdiff_t>(at));
    }
    Judge judge(fixture.record);
    RC_ASSERT(judge.disagreement(shuffled.dump()) == "");
  }));
}

}  // namespace
}  // namespace keyvigil
