// Records made to break the reader. Each stands in a heap block of exactly its size and the padding.
#include <gtest/gtest.h>

#include "event/decode.h"
#include "reference/decoder_twin.h"

namespace keyvigil {
namespace {

using nlohmann::json;

constexpr const char* kGood =
    R"({"time":"2026-03-02T09:15:30Z","operationName":"SecretGet","resourceId":"/subscriptions/s/vaults/v"})";

// Refused, and the decoder still reads the next record.
void expect_refused(std::string_view text) {
  Decoder decoder;
  const TwinAnswer answer = decode_exactly(decoder, text, '}');
  EXPECT_EQ(answer.kind, DecodeKind::kRefused) << text.substr(0, 200);
  EXPECT_EQ(decode_exactly(decoder, kGood).kind, DecodeKind::kEvent);
}

// What nlohmann accepts is read as the twin reads it.
void expect_like_twin(std::string_view text) {
  Decoder decoder;
  EXPECT_EQ(difference(decode_by_twin(json::parse(text)), decode_exactly(decoder, text)), "") << text.substr(0, 300);
}

std::string with(const std::string& members) {
  return R"({"time":"2026-03-02T09:15:30Z","operationName":"SecretGet","resourceId":"/subscriptions/s/vaults/v",)" +
         members + "}";
}

TEST(Hostile, AQuoteLostBeforeAnObjectDoesNotCrash) {
  expect_refused(R"({"time":"t","operationName":"VaultGe":{"a":1}})");
  expect_refused(R"({"time":"t","operationName":"VaultGe":{"a":1},"resourceId":"/x","identity":{}})");
}

TEST(Hostile, ADamagedNullDoesNotThrow) {
  for (const char* literal : {"nxll", "n", "nul", "nulll", "n{ll", "nope"}) {
    Decoder decoder;
    const std::string text = with(std::string(R"("properties":{"trustedService":)") + literal + "}");
    EXPECT_NO_THROW((void)decode_exactly(decoder, text)) << text;
  }
}

TEST(Hostile, DamageAfterAnUnexpectedValueIsRefused) {
  expect_refused(with(R"("identity":{"claim":"oid":"o","appid":"a"})"));
  expect_refused(with(R"("properties":{"httpStatusCode":200:1})"));
}

TEST(Hostile, NotARecordIsSaidToBeOne) {
  for (const char* text : {"1", "null", "true", "\"text\"", "{}", R"({"a":1})", R"({"records":1})"}) {
    expect_like_twin(text);
  }
  for (const char* text : {"[]", "[1]", R"({"records":[]})", R"({"tables":[]})"}) { expect_like_twin(text); }
}

TEST(Hostile, TheLastOfTwoEqualKeysCounts) {
  expect_like_twin(with(R"("operationName":"KeyGet")"));
  expect_like_twin(with(R"("identity":{"claim":{"oid":"a","appid":"b"}},"identity":{})"));
  expect_like_twin(with(R"("identity":{"claim":{"oid":"a"},"claim":{"appid":"b"}})"));
  expect_like_twin(with(R"("properties":{"httpStatusCode":200},"properties":{"id":"https://v/keys/k"})"));
  expect_like_twin(with(R"("identity":{"claim":{"oid":"a"}},"identity":null)"));
  expect_like_twin(with(R"("properties":{"httpStatusCode":200,"httpStatusCode":403})"));
}

TEST(Hostile, EscapedNamesAreTheSameNames) {
  expect_like_twin(with(R"("identity":{"claim":{"\u006fid":"O","appi\u0064":"a"}})"));
  expect_like_twin(with(R"("\u0070roperties":{"httpStatus\u0043ode":403})"));
}

TEST(Hostile, BadTextIsRefusedOrUnread) {
  using namespace std::string_literals;
  expect_refused(with("\"callerIpAddress\":\"\xff\xfe\""));
  expect_refused(with("\"correlationId\":\"\xc0\x80\""));
  expect_refused(with("\"correlationId\":\"\xed\xa0\x80\""));
  expect_refused(with("\"correlationId\":\"a\0b\""s));
  expect_refused(with(R"("correlationId":"\ud800")"));
  expect_refused(with(R"("correlationId":"\x41")"));
  expect_refused(std::string("\0\0\0", 3));
  expect_like_twin(with(R"("correlationId":"a\u0000b")"));
  expect_like_twin(with(R"("correlationId":"\ud83d\udd11")"));
}

TEST(Hostile, TwoRecordsOnOneLineAreRefusedNotHalved) {
  expect_refused(std::string(kGood) + kGood);
  expect_refused(std::string(kGood) + " x");
  expect_refused(std::string(kGood) + "}");
}

TEST(Hostile, NumbersOutOfRangeAreUnknown) {
  for (const char* number : {"-1", "0", "99", "600", "65736", "4294967496", "18446744073709551816",
                             "99999999999999999999999", "200.5", "2e2", "-0", "1e308"}) {
    expect_like_twin(with(std::string(R"("properties":{"httpStatusCode":)") + number + "}"));
  }
  Decoder decoder;
  const TwinAnswer answer = decode_exactly(decoder, with(R"("properties":{"httpStatusCode":1e999})"));
  EXPECT_TRUE(answer.kind == DecodeKind::kRefused || answer.event.http_status == 0) << describe(answer);
}

TEST(Hostile, NestingWithoutEndIsRefusedOrSkippedOver) {
  for (const std::size_t depth : {std::size_t{100}, std::size_t{10'000}, std::size_t{1'000'000}}) {
    Decoder decoder;
    const std::string arrays = std::string(depth, '[') + std::string(depth, ']');
    std::string objects;
    for (std::size_t i = 0; i < depth; ++i) { objects += R"({"a":)"; }
    objects += "1" + std::string(depth, '}');
    for (const std::string& nested : {arrays, objects}) {
      for (const char* name : {"unread", "identity", "properties", "correlationId"}) {
        const TwinAnswer answer = decode_exactly(decoder, with("\"" + std::string(name) + "\":" + nested));
        if (answer.kind != DecodeKind::kEvent) {
          EXPECT_EQ(answer.kind, DecodeKind::kRefused);
          EXPECT_EQ(answer.refusal, RefusalCause::kTooDeep) << name << " " << depth;
        }
      }
      EXPECT_NE(decode_exactly(decoder, nested).kind, DecodeKind::kEvent);
      EXPECT_NE(decode_exactly(decoder, nested.substr(0, nested.size() / 2)).kind, DecodeKind::kEvent);
    }
    EXPECT_EQ(decode_exactly(decoder, kGood).kind, DecodeKind::kEvent);
  }
}

TEST(Hostile, AStringOfAHundredMegabytesIsBounded) {
  Decoder decoder;
  const TwinAnswer answer =
      decode_exactly(decoder, with(R"("correlationId":")" + std::string(100'000'000, 'x') + "\""));
  if (answer.kind == DecodeKind::kEvent) {
    EXPECT_LE(answer.event.text.size(), 8192U);
  } else {
    EXPECT_EQ(answer.refusal, RefusalCause::kTooLong) << describe(answer);
  }
  EXPECT_EQ(decode_exactly(decoder, kGood).kind, DecodeKind::kEvent);
}

TEST(Hostile, EveryTextIsCutAtItsLimit) {
  for (const std::size_t size : {63U, 64U, 65U, 128U, 129U, 256U, 257U, 512U, 513U, 1024U, 1025U, 5000U}) {
    const std::string x(size, 'X');
    expect_like_twin(json{{"time", "2026-03-02T09:15:30Z"},
                          {"operationName", x},
                          {"resourceId", x},
                          {"correlationId", x},
                          {"resultSignature", x},
                          {"identity", {{"claim", {{"oid", x}, {"appid", x}, {"upn", x}, {"xms_mirid", x}}}}},
                          {"properties", {{"id", "https://v/keys/" + x}, {"requestUri", x}, {"clientInfo", x}}}}
                         .dump());
  }
}

TEST(Hostile, WordsOfOthersDoNotChangeWhoActed) {
  // Empty lists stand beside the claims of real records: they are no identity and no trusted service.
  expect_like_twin(with(R"("identity":{"claim":{"xms_mirid":[],"appid":"a"}})"));
  expect_like_twin(with(R"("identity":{"claim":{"upn":[],"appid":"a"}})"));
  expect_like_twin(with(R"("identity":{"claim":{"appid":"a"}},"properties":{"trustedService":[]})"));
  expect_like_twin(with(R"("identity":{"claim":{"appid":"a"}},"properties":{"trustedService":{}})"));
  expect_like_twin(with(R"("identity":{"claim":{"appid":"a"}},"properties":{"trustedService":false})"));
  expect_like_twin(R"({"time":"2026-03-02T09:15:30Z","operationName":{},"resourceId":"/v"})");
  expect_like_twin(R"({"time":"2026-03-02T09:15:30Z","operationName":"SecretGet","resourceId":[]})");
}

}  // namespace
}  // namespace keyvigil
