// Laws of framing: however the input is cut into reads and batches, the same records, places and refusals come out;
// and for valid JSON they are the values that an ordinary parser finds.
#include <sstream>

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <nlohmann/json.hpp>

#include "unit/source/framed.h"

namespace keyvigil {
namespace {

using Json = nlohmann::json;

std::string random_text() {
  static const std::vector<std::string> kPieces{
      "x", "\"", "\\", "{", "}", "[", "]", "\n", ",", ":", "records", "\xC3\xA4", "\"records\":[", " "};
  std::string text;
  const int count = *rc::gen::inRange(0, 6);
  for (int i = 0; i < count; ++i) text += *rc::gen::elementOf(kPieces);
  return text;
}

Json random_value(int depth) {
  const int kind = *rc::gen::inRange(0, depth > 0 ? 6 : 4);
  if (kind == 0) return *rc::gen::inRange(-9, 99);
  if (kind == 1) return nullptr;
  if (kind < 4) return random_text();
  const int count = *rc::gen::inRange(0, 4);
  Json value = kind == 4 ? Json::array() : Json::object();
  for (int i = 0; i < count; ++i) {
    if (kind == 4) {
      value.push_back(random_value(depth - 1));
    } else {
      value["k" + random_text()] = random_value(depth - 1);
    }
  }
  return value;
}

Json random_record() {
  Json record = Json::object();
  const int count = *rc::gen::inRange(0, 4);
  for (int i = 0; i < count; ++i) record["m" + std::to_string(i)] = random_value(3);
  return record;
}

Json random_top_value() {
  const int kind = *rc::gen::inRange(0, 6);
  if (kind < 3) return random_record();
  Json elements = Json::array();
  const int count = *rc::gen::inRange(0, 4);
  for (int i = 0; i < count; ++i) elements.push_back(random_record());
  if (kind == 3) return elements;
  Json envelope{{"records", elements}};
  if (kind == 4) envelope["a_member_before"] = random_value(2);
  envelope["the_member_behind"] = random_value(2);
  return envelope;
}

// Blanks and line ends between tokens, as no writer would set them.
std::string loosen(const std::string& compact) {
  static const std::vector<std::string> kBlanks{"", "", "", " ", "\n", "\r\n", "\n  ", "\t"};
  std::string out;
  bool in_string = false;
  for (std::size_t i = 0; i < compact.size(); ++i) {
    const char byte = compact[i];
    if (!in_string && std::string_view("{}[],:").find(byte) != std::string_view::npos) {
      out += *rc::gen::elementOf(kBlanks);
      out += byte;
      out += *rc::gen::elementOf(kBlanks);
      continue;
    }
    out += byte;
    if (byte == '\\') {
      out += compact[++i];
    } else if (byte == '"') {
      in_string = !in_string;
    }
  }
  return out;
}

// Among JSON lines, a line from { to } is taken as one record without a look inside. No writer breaks its lines so that
// the first line of a longer value looks like that; loosen() may, and then the value is put on one line.
std::string without_false_line(std::string text) {
  const std::string first = text.substr(0, text.find('\n'));
  const std::size_t last = first.find_last_not_of(" \t\r");
  if (last != std::string::npos && first[last] == '}') std::replace(text.begin(), text.end(), '\n', ' ');
  return text;
}

std::string random_json_input() {
  std::string text;
  const int style = *rc::gen::inRange(0, 4);
  const int count = *rc::gen::inRange(1, 8);
  // Two values on one line are told apart only where the input does not look like one record per line.
  const std::vector<std::string> separators = *rc::gen::arbitrary<bool>()
                                                  ? std::vector<std::string>{" ", "", "  "}
                                                  : std::vector<std::string>{"\n", "\n", "\n\n", "\r\n", " \n"};
  for (int i = 0; i < count; ++i) {
    const Json value = random_top_value();
    const int own = style < 3 ? style : *rc::gen::inRange(0, 3);
    std::string shown = own == 1 ? value.dump(*rc::gen::inRange(0, 4)) : value.dump();
    if (own == 2) {
      shown = loosen(shown);
      shown.erase(0, shown.find_first_not_of(" \t\r\n"));
      shown.erase(shown.find_last_not_of(" \t\r\n") + 1);
      shown = without_false_line(shown);
    }
    text += shown + *rc::gen::elementOf(separators);
  }
  return text;
}

std::string random_broken_input() {
  static const std::vector<std::string> kPieces{
      "{",
      "}",
      "[",
      "]",
      "\"",
      "\n",
      "\n{",
      ",",
      ":",
      "\\",
      " ",
      "  ",
      "\r\n",
      "1",
      "{\"a\":1}",
      "{\"a\":1}\n",
      "{\"records\":[",
      "]}",
      "\n  {",
      "\n  },",
      "\n",
      "\n",
      "\"a\"",
      "\"tables\":[{",
      "\"columns\":[{\"name\":\"OperationName\"},{\"name\":\"TimeGenerated\"}]",
      "\"rows\":[[1]",
      "TimeGenerated,OperationName\n",
      "a,\"b\n",
      "\"a\nb\",c\n",
      "{\n",
      "}\n",
      "[\n",
      "]\n"};
  const std::vector<std::string> pieces = *rc::gen::container<std::vector<std::string>>(rc::gen::elementOf(kPieces));
  std::string text = *rc::gen::elementOf(std::vector<std::string>{"", "{\"a\":1}\n", "TimeGenerated,OperationName\n"});
  for (const std::string& piece : pieces) text += piece;
  return text;
}

FramingOptions random_options(std::size_t limit) {
  FramingOptions options;
  options.batch_bytes = static_cast<std::size_t>(*rc::gen::inRange(1, 64));
  options.record_limit_bytes = limit;
  return options;
}

std::vector<std::size_t> random_cuts() {
  return *rc::gen::nonEmpty(rc::gen::container<std::vector<std::size_t>>(rc::gen::inRange<std::size_t>(1, 40)));
}

void check_places(const std::string& text, const Framed& framed) {
  for (const FramedRecord& record : framed.records) {
    RC_ASSERT(text.substr(record.byte, record.text.size()) == record.text);
    const auto begin = text.begin();
    const auto lines = std::count(begin, begin + static_cast<std::ptrdiff_t>(record.byte), '\n');
    RC_ASSERT(record.line == static_cast<std::uint64_t>(lines) + 1);
  }
}

// The elements of arrays and of envelopes, other values as they are.
void flatten(const Json& value, std::vector<Json>& out) {
  const bool envelope = value.is_object() && value.contains("records") && value["records"].is_array();
  if (!envelope && !value.is_array()) return out.push_back(value);
  for (const Json& element : envelope ? value["records"] : value) out.push_back(element);
}

std::vector<Json> twin(const std::string& text) {
  std::vector<Json> out;
  std::istringstream stream(text);
  while ((stream >> std::ws).peek() != std::char_traits<char>::eof()) {
    Json value;
    stream >> value;
    flatten(value, out);
  }
  return out;
}

TEST(FramingLaws, ValidJsonGivesTheValuesThatAnOrdinaryParserFinds) {
  const bool holds = rc::check("framing equals parsing", [] {
    const std::string text = random_json_input();
    RC_LOG() << text;
    const Framed framed = frame(text, random_options(kDefaultRecordLimitBytes), random_cuts());
    RC_ASSERT(framed.refused.empty());
    check_places(text, framed);
    std::vector<Json> found;
    for (const FramedRecord& record : framed.records) {
      const Json value = Json::parse(record.text, nullptr, false);
      RC_ASSERT(!value.is_discarded());
      // an object on a line of its own is not searched for a late "records": the decoder asks for the split
      if (value.is_object() && value.contains("records")) {
        for (const RawBatch& batch : split_envelope(record.text, record.line, record.byte)) {
          for (const RawRecord& element : batch.records) found.push_back(Json::parse(batch.view(element)));
        }
      } else {
        found.push_back(value);
      }
    }
    RC_ASSERT(found == twin(text));
  });
  EXPECT_TRUE(holds);
}

TEST(FramingLaws, CutsChangeNothingWhateverTheBytes) {
  const bool holds = rc::check("cuts change nothing", [] {
    const std::string text = *rc::gen::element(0, 1) == 0 ? random_broken_input() : random_json_input();
    RC_LOG() << text;
    const std::size_t limit = *rc::gen::element<std::size_t>(3, 9, 30, 100'000);
    FramingOptions whole;
    whole.record_limit_bytes = limit;
    const Framed expected = frame(text, whole);
    const Framed framed = frame(text, random_options(limit), random_cuts());
    RC_ASSERT(framed.records == expected.records);
    RC_ASSERT(framed.refused == expected.refused);
    RC_ASSERT(framed.blank_records == expected.blank_records);
    check_places(text, framed);
    for (const FramedRecord& record : framed.records) RC_ASSERT(record.text.size() <= limit);
  });
  EXPECT_TRUE(holds);
}

TEST(FramingLaws, ABrokenLineLosesOnlyItself) {
  const bool holds = rc::check("a broken line loses only itself", [] {
    std::vector<std::string> lines;
    const int count = *rc::gen::inRange(2, 12);
    for (int i = 0; i < count; ++i) lines.push_back(Json{{"n", i}, {"v", random_value(3)}}.dump());
    const auto broken = static_cast<std::size_t>(*rc::gen::inRange(0, count));
    lines[broken].resize(*rc::gen::inRange<std::size_t>(1, lines[broken].size()));
    std::string text;
    for (const std::string& line : lines) text += line + "\n";
    RC_LOG() << text;
    const Framed framed = frame(text, random_options(kDefaultRecordLimitBytes), random_cuts());
    std::vector<std::string> found;
    for (const FramedRecord& record : framed.records) {
      if (record.line != broken + 1) found.push_back(record.text);
    }
    lines.erase(lines.begin() + static_cast<std::ptrdiff_t>(broken));
    RC_ASSERT(found == lines);
    RC_ASSERT(framed.refused.size() <= 1u);
  });
  EXPECT_TRUE(holds);
}

}  // namespace
}  // namespace keyvigil
