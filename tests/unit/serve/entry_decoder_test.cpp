#include "serve/entry_decoder.h"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <zlib.h>

#include <cstring>
#include <string>
#include <vector>

#include "unit/store/store_folder.h"

namespace keyvigil {
namespace {

std::string record(std::uint64_t number) {
  return fmt::format(
      R"({{"time":"2026-05-05T08:00:00Z","category":"AuditEvent","operationName":"SecretGet","resultType":"Success",)"
      R"("callerIpAddress":"192.0.2.10","correlationId":"dddddddd-0000-4000-8000-{:012}",)"
      R"("identity":{{"claim":{{"appid":"bbbbbbbb-0000-4000-8000-000000000002"}}}},)"
      R"("properties":{{"id":"https://kv-a.vault.azure.net/secrets/db","httpStatusCode":200}},)"
      R"("resourceId":"/SUBSCRIPTIONS/CCCCCCCC-0000-4000-8000-000000000003/RESOURCEGROUPS/RG/PROVIDERS/)"
      R"(MICROSOFT.KEYVAULT/VAULTS/KV-A"}})"
      "\n",
      number);
}

std::string records(std::uint64_t first, std::uint64_t count) {
  std::string body;
  for (std::uint64_t i = 0; i < count; ++i) { body += record(first + i); }
  return body;
}

std::string gzipped(std::string bytes) {
  z_stream stream{};
  EXPECT_EQ(deflateInit2(&stream, 1, Z_DEFLATED, 31, 8, Z_DEFAULT_STRATEGY), Z_OK);
  std::string out(deflateBound(&stream, bytes.size()), '\0');
  stream.next_in = reinterpret_cast<Bytef*>(bytes.data());
  stream.avail_in = static_cast<uInt>(bytes.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  EXPECT_EQ(deflate(&stream, Z_FINISH), Z_STREAM_END);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

struct Decoded {
  std::vector<std::string> events;   // correlation ids, over all entries
  std::vector<std::uint64_t> ended;  // sequences, each once its last piece was there
  std::uint64_t refused = 0;
  std::size_t pieces = 0;
};

class EntryDecoderTest : public testing::TestWithParam<unsigned> {
 protected:
  void add(JournalEntry entry) { entries_.push_back({entries_.size() + 1, std::move(entry)}); }

  static Decoded decode(EntryDecoder& decoder, const std::vector<StoredEntry>& entries) {
    Decoded decoded;
    decoder.begin(entries);
    while (true) {
      auto piece = decoder.next();
      EXPECT_TRUE(piece) << message_of(piece);
      if (!piece || !*piece) { return decoded; }
      ++decoded.pieces;
      if ((*piece)->batch != nullptr) {
        const DecodedBatch& batch = *(*piece)->batch;
        for (std::size_t i = 0; i < batch.count; ++i) { decoded.events.emplace_back(batch.events[i].correlation_id()); }
        decoded.refused += batch.refusals.size();
      }
      if ((*piece)->last) { decoded.ended.push_back((*piece)->entry->sequence); }
    }
  }

  std::vector<StoredEntry> entries_;
};

TEST_P(EntryDecoderTest, GivesEveryRecordOnceInTheOrderOfTheJournal) {
  add(input(records(0, 3)));
  add(input(gzipped(records(3, 2000))));
  JournalEntry tick;
  tick.kind = JournalKind::kTick;
  tick.body = "12";
  add(tick);
  add(input(""));
  add(input(records(2003, 1)));
  EntryDecoder decoder(GetParam());
  for (int round = 0; round < 2; ++round) {  // buffers are used again
    const Decoded decoded = decode(decoder, entries_);
    ASSERT_EQ(decoded.events.size(), 2004U);
    for (std::uint64_t i = 0; i < decoded.events.size(); ++i) {
      ASSERT_EQ(decoded.events[i], fmt::format("dddddddd-0000-4000-8000-{:012}", i));
    }
    EXPECT_EQ(decoded.ended, (std::vector<std::uint64_t>{1, 2, 3, 4, 5}));
    EXPECT_GT(decoded.pieces, 5U) << "a long body comes in several";
  }
}

// What is journalled was looked at before, but not all of it: the rest of the journal goes on.
TEST_P(EntryDecoderTest, DamageEndsItsEntryOnly) {
  const std::string whole = gzipped(records(0, 500));
  add(input(whole.substr(0, whole.size() / 2)));
  add(input("{\"time\":1}\nno record\n" + record(900)));
  add(input(record(901)));
  EntryDecoder decoder(GetParam());
  const Decoded decoded = decode(decoder, entries_);
  ASSERT_GE(decoded.events.size(), 2U);
  EXPECT_EQ(decoded.events.end()[-2], "dddddddd-0000-4000-8000-000000000900");
  EXPECT_EQ(decoded.events.back(), "dddddddd-0000-4000-8000-000000000901");
  EXPECT_GE(decoded.refused, 2U);
  EXPECT_EQ(decoded.ended, (std::vector<std::uint64_t>{1, 2, 3}));
}

TEST_P(EntryDecoderTest, MayBeGivenUpAtAnyTime) {
  for (int i = 0; i < 20; ++i) { add(input(records(0, 200))); }
  EntryDecoder decoder(GetParam());
  decoder.begin(entries_);
  const auto piece = decoder.next();
  ASSERT_TRUE(piece && *piece);
  EXPECT_EQ((*piece)->entry->sequence, 1U);
}

INSTANTIATE_TEST_SUITE_P(Threads, EntryDecoderTest, testing::Values(1U, 3U));

}  // namespace
}  // namespace keyvigil
