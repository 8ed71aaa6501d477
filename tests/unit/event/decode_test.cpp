// Answers of the decoder that are not about what a record means: tables, refusals, and what it leaves alone.
#include "event/decode.h"

#include <gtest/gtest.h>

#include "reference/decoder_twin.h"

namespace keyvigil {
namespace {

const std::vector<std::string> kNames = {"TimeGenerated [UTC]", "OperationName", "ResourceId", "httpStatusCode_d",
                                         "unread_s"};

Decoded decode_csv(std::string_view row, AccessEvent& event) {
  Decoder decoder;
  return decoder.decode_row_csv(row, TableColumns::resolve(kNames), event);
}

TEST(Decode, ARefusalSaysSomethingToAPerson) {
  Decoder decoder;
  for (const char* text : {"{", "1", R"({"time":"never","operationName":"a"})", R"({"time":"2026-03-02"})",
                           R"({"time":"2026-03-02","operationName":"SecretGet"})"}) {
    const ExactBuffer buffer(text);
    AccessEvent event;
    const Decoded decoded = decoder.decode_json(buffer.view(), event);
    EXPECT_EQ(decoded.kind, DecodeKind::kRefused) << text;
    EXPECT_GT(decoded.message.size(), 20U) << text;
  }
}

TEST(Decode, AnEventHasNoMessageAndKeepsItsPlace) {
  Decoder decoder;
  const ExactBuffer buffer(R"({"time":"2026-03-02","operationName":"SecretGet","resourceId":"/x/vaults/v"})");
  AccessEvent event;
  event.place.line = 7;
  event.place.byte = 99;
  const Decoded decoded = decoder.decode_json(buffer.view(), event);
  EXPECT_EQ(decoded.kind, DecodeKind::kEvent);
  EXPECT_EQ(decoded.message, "");
  EXPECT_EQ(event.place.line, 7U);
  EXPECT_EQ(event.place.byte, 99U);
}

TEST(Decode, AnEventUsedAgainHoldsNothingOfTheLastRecord) {
  Decoder decoder;
  const ExactBuffer full(
      R"({"time":"2026-03-02","operationName":"Zzz","resourceId":"/x/vaults/v","callerIpAddress":"203.0.113.1",)"
      R"("identity":{"claim":{"oid":"o"}},"properties":{"httpStatusCode":403,"trustedService":"t"}})");
  const ExactBuffer bare(R"({"time":"2026-03-02","operationName":"SecretGet","resourceId":"/x/vaults/v"})");
  AccessEvent event;
  ASSERT_EQ(decoder.decode_json(full.view(), event).kind, DecodeKind::kEvent);
  ASSERT_EQ(decoder.decode_json(bare.view(), event).kind, DecodeKind::kEvent);
  AccessEvent fresh;
  ASSERT_EQ(decoder.decode_json(bare.view(), fresh).kind, DecodeKind::kEvent);
  EXPECT_EQ(describe(event), describe(fresh));
}

TEST(Decode, APortalRowIsReadInItsOwnTimeForm) {
  AccessEvent event;
  const std::string row = R"("3/2/2026, 9:15:30.123 AM",SecretGet,/X/VAULTS/V,200,"a ""quoted"", cell")";
  ASSERT_EQ(decode_csv(row, event).kind, DecodeKind::kEvent);
  EXPECT_EQ(event.http_status, 200);
  EXPECT_EQ(event.vault_id(), "/x/vaults/v");
}

TEST(Decode, ARowThatDoesNotFitItsColumnsIsRefused) {
  AccessEvent event;
  for (const char* row : {"a,b", "1,2,3,4,5,6", R"("open,2,3,4,5)", R"("x"y,2,3,4,5)"}) {
    const Decoded decoded = decode_csv(row, event);
    EXPECT_EQ(decoded.kind, DecodeKind::kRefused) << row;
    EXPECT_EQ(decoded.refusal, RefusalCause::kBadTable) << row;
  }
  Decoder decoder;
  for (const char* row : {"[]", "[1,2,3]", R"(["2026-03-02","SecretGet","/x",200,null,null])"}) {
    const ExactBuffer buffer(row);
    const Decoded decoded = decoder.decode_row_json(buffer.view(), TableColumns::resolve(kNames), event);
    EXPECT_EQ(decoded.kind, DecodeKind::kRefused) << row;
    EXPECT_EQ(decoded.refusal, RefusalCause::kBadTable) << row;
  }
}

TEST(Decode, OnlyATableWithTimeAndOperationIsAnAuditTable) {
  EXPECT_TRUE(TableColumns::resolve(kNames).is_audit_table());
  EXPECT_FALSE(TableColumns::resolve({"TimeGenerated", "ResourceId"}).is_audit_table());
  EXPECT_FALSE(TableColumns::resolve({"OperationName"}).is_audit_table());
  EXPECT_FALSE(TableColumns::resolve({}).is_audit_table());
}

}  // namespace
}  // namespace keyvigil
