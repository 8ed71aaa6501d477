#include "source/avro_events.h"

#include <gtest/gtest.h>

#include "framed.h"
#include "reference/archives.h"
#include "source/file_source.h"

namespace keyvigil {
namespace {

using Texts = std::vector<std::string>;

ReadBytes reader(const std::string& bytes, std::size_t& taken, std::size_t cut) {
  return [&bytes, &taken, cut](char* to, std::size_t room) -> Result<std::size_t> {
    const std::size_t size = bytes.copy(to, std::min(room, cut), taken);
    taken += size;
    return size;
  };
}

struct Bodies {
  Texts texts;
  std::optional<std::string> damage;
};

Bodies bodies_of(const std::string& bytes, std::size_t cut = 1000, const AvroLimits& limits = {}) {
  std::size_t taken = 0;
  AvroEvents events(reader(bytes, taken, cut), "capture.avro", limits);
  Bodies found;
  while (true) {
    const auto body = events.next().value();
    if (!body) break;
    found.texts.emplace_back(*body);
  }
  found.damage = events.damage();
  return found;
}

TEST(AvroEvents, GivesTheBodiesThatLibavroWrote) {
  Texts bodies;
  for (int i = 0; i < 3000; ++i) bodies.push_back("{\"n\":" + std::to_string(i) + "}");
  for (const std::string codec : {"null", "deflate", "snappy"}) {
    const std::string file = capture_of(bodies, codec);
    for (const std::size_t cut : {1U, 7U, 100'000U}) {
      const Bodies found = bodies_of(file, cut);
      EXPECT_EQ(found.texts, bodies) << codec;
      EXPECT_FALSE(found.damage.has_value()) << codec;
    }
  }
}

TEST(AvroEvents, PassesOverEventsWithoutBody) {
  EXPECT_EQ(bodies_of(capture_of({"a", "", "b"}, "null")).texts, (Texts{"a", "b"}));
  EXPECT_EQ(bodies_of(capture_of({}, "null")).texts, Texts{});
}

TEST(AvroEvents, EndsWithASentenceWhereverTheFileIsCut) {
  const Texts bodies{"{\"n\":1}", "{\"n\":2}"};
  const std::string file = capture_of(bodies, "null");
  for (std::size_t size = 4; size < file.size(); ++size) {
    const Bodies found = bodies_of(file.substr(0, size));
    EXPECT_LE(found.texts.size(), 2u);
    // Behind the header and nothing else the file is whole, and empty.
    EXPECT_TRUE(found.damage.has_value() || found.texts.empty()) << size;
  }
}

TEST(AvroEvents, SurvivesAnyByteReplaced) {
  const std::string file = capture_of({"{\"n\":1}", "{\"n\":2}"}, "deflate");
  for (std::size_t at = 0; at < file.size(); ++at) {
    for (const char value : {'\x00', '\x01', '\x7F', '\x80', '\xFF'}) {
      std::string changed = file;
      changed[at] = value;
      EXPECT_LE(bodies_of(changed).texts.size(), 2u);
    }
  }
}

std::string with_schema(const std::string& schema, const std::string& block) {
  const auto number = [](std::size_t value) {
    std::string out;
    std::size_t bits = value << 1;
    for (; bits > 0x7F; bits >>= 7) out += static_cast<char>(0x80 | (bits & 0x7F));
    return out + static_cast<char>(bits);
  };
  const std::string mark(16, 'm');
  const std::string name = "avro.schema";
  return std::string("Obj\x01\x02", 5) + number(name.size()) + name + number(schema.size()) + schema +
         std::string(1, '\0') + mark + number(1000) + number(block.size()) + block + mark;
}

TEST(AvroEvents, AreBoundedWhateverTheSchemaSays) {
  const std::string recursive =
      R"({"type":"record","name":"R","fields":[{"name":"r","type":"R"},{"name":"Body","type":"bytes"}]})";
  EXPECT_TRUE(bodies_of(with_schema(recursive, std::string(100, '\0'))).damage.has_value());
  const std::string endless =
      R"({"type":"record","name":"R","fields":[{"name":"a","type":{"type":"array","items":"null"}},)"
      R"({"name":"Body","type":"bytes"}]})";
  EXPECT_TRUE(bodies_of(with_schema(endless, std::string("\xFE\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x01", 10))).damage);
  std::string deep;
  for (int i = 0; i < 100'000; ++i) deep += R"({"type":"array","items":)";
  EXPECT_TRUE(bodies_of(with_schema(deep, "")).damage.has_value());
  const Bodies other =
      bodies_of(with_schema(R"({"type":"record","name":"R","fields":[{"name":"a","type":"int"}]})", "a"));
  ASSERT_TRUE(other.damage.has_value());
  EXPECT_NE(other.damage->find("another schema"), std::string::npos);
}

TEST(AvroEvents, StopWhereAFileExpandsFurtherThanLogsDo) {
  const std::string bomb = capture_of(Texts(40, std::string(std::size_t{1} << 20, 'a')), "deflate");
  AvroLimits limits;
  limits.expansion.free_bytes = std::size_t{4} << 20;
  const Bodies found = bodies_of(bomb, 1000, limits);
  EXPECT_LT(found.texts.size(), 40u);
  ASSERT_TRUE(found.damage.has_value());
  AvroLimits small;
  small.block_bytes = 100;
  EXPECT_TRUE(bodies_of(bomb, 1000, small).damage.has_value());
}

TEST(AvroEvents, AreFramedAsFilesOfTheirOwn) {
  const std::string file =
      capture_of({"{\"records\":[{\"n\":1},{\"n\":2}]}", "{\"n\":\"cut", "{\"n\":3}", "hello"}, "snappy");
  FileSource source = FileSource::of_bytes(file, "capture.avro", {});
  Framed framed;
  RawBatch batch;
  for (Result<bool> more = source.next(batch); more && *more; more = source.next(batch)) add_batch(batch, framed);
  EXPECT_EQ(framed.texts(), (Texts{"{\"n\":1}", "{\"n\":2}", "{\"n\":3}"}));
  ASSERT_EQ(framed.causes, (std::vector{RefusalCause::kNotJson, RefusalCause::kUnknownForm}));
  EXPECT_NE(framed.refused[0].find("in the body of event 2"), std::string::npos);
}

}  // namespace
}  // namespace keyvigil
