// Every door through which a stranger's document comes, and one that is nested 100,000 levels deep.
#include <gtest/gtest.h>

#include <sstream>
#include <string>

#include "alert/elastic_bulk.h"
#include "api/arm_answer.h"
#include "api/jwt.h"
#include "base/base64.h"
#include "command/explain_command.h"
#include "config/config.h"
#include "evaluation/evaluation.h"
#include "intel/threat_list.h"
#include "serve/list_feed.h"
#include "source/avro_schema.h"
#include "source/blob_container.h"
#include "source/collector_text.h"
#include "source/framer.h"
#include "unit/source/folder.h"

namespace keyvigil {
namespace {

constexpr std::size_t kLevels = 100'000;

std::string deep() {
  return std::string(kLevels, '[') + std::string(kLevels, ']');
}
std::string deep_objects() {
  std::string text;
  for (std::size_t i = 0; i < kLevels; ++i) { text += "{\"a\":"; }
  return text + "1" + std::string(kLevels, '}');
}
std::string with(const std::string& before, const std::string& after) {
  return before + deep() + after;
}

TEST(DeepDocuments, PagesOfACollection) {
  for (const std::string& page :
       {with(R"({"objects":[{"type":"indicator","x":)", "}]}"), with(R"({"objects":)", "}"), with(R"({"more":)", "}"),
        with(R"({"a":)", R"(,"objects":[]})"), deep(), R"({"objects":[)" + deep_objects() + "]}",
        std::string(kLevels, '['), R"({"objects":)" + std::string(kLevels, '[')}) {
    const auto read = parse_taxii_page(page);
    ASSERT_FALSE(read);
    EXPECT_NE(read.error().message.find("deeper than 64 levels"), std::string::npos) << read.error().message;
  }
}

TEST(DeepDocuments, ThreatLists) {
  const std::string indicator = R"({"type":"indicator","id":"indicator--1","x":)";
  for (const std::string& list : {deep(), deep_objects(), R"({"type":"bundle","objects":[)" + with(indicator, "}]}"),
                                  R"({"response":[{"Event":)" + with("", "}]}"), with("{\"values\":", "}"),
                                  R"({"list":)" + with("", R"(,"type":"cidr","name":"x"})")}) {
    const auto read = parse_threat_list("list", list, {});
    ASSERT_FALSE(read);
    EXPECT_NE(read.error().message.find("deeper than 64 levels"), std::string::npos) << read.error().message;
  }
  // One bad line is one refusal.
  const auto lines = parse_threat_list(
      "drop", R"({"cidr":"203.0.113.0/24","sblid":"SBL1"})" + std::string("\n") + with("{\"x\":", "}") + "\n", {});
  ASSERT_TRUE(lines) << lines.error().message;
  EXPECT_EQ(lines->entries.size(), 1U);
}

TEST(DeepDocuments, KeySetsAndTokens) {
  EXPECT_FALSE(parse_key_set(with(R"({"keys":)", "}")));
  EXPECT_FALSE(parse_key_set(deep_objects()));
  std::string header = base64(with("{\"x\":", "}").substr(0, 9000));
  std::erase(header, '=');
  EXPECT_FALSE(parse_jwt(header + "." + header + ".AAAA"));
}

TEST(DeepDocuments, BodiesOfRequests) {
  HttpRequest request;
  for (const std::string& body : {deep(), deep_objects(), with(R"({"status":)", "}")}) {
    request.body = body;
    const auto read = object_in_body(request);
    ASSERT_FALSE(read);
    EXPECT_NE(read.error().message.find("deeper than 64 levels"), std::string::npos) << read.error().message;
  }
}

TEST(DeepDocuments, AnswersOfOutputs) {
  EXPECT_TRUE(read_elastic_answer(with(R"({"items":[)", "]}"), 1).empty());
  EXPECT_TRUE(read_elastic_answer(deep_objects(), 1).empty());
}

TEST(DeepDocuments, ListsOfBlobs) {
  std::string xml = "<EnumerationResults><Blobs>";
  for (std::size_t i = 0; i < kLevels; ++i) { xml += "<Blob>"; }
  for (std::size_t i = 0; i < kLevels; ++i) { xml += "</Blob>"; }
  const auto page = parse_blob_page(xml + "</Blobs></EnumerationResults>");
  ASSERT_TRUE(page);
  EXPECT_TRUE(page->items.empty());
}

TEST(DeepDocuments, SchemasAndCollectors) {
  EXPECT_FALSE(read_avro_schema(with(R"({"type":)", "}")));
  EXPECT_FALSE(read_avro_schema(deep_objects()));
  const auto inside = text_inside(with(R"({"message":{"operationName":"SecretGet","x":)", "}}"));
  ASSERT_TRUE(inside) << "the record is read, without what lies too deep";
  EXPECT_NE(inside->find("SecretGet"), std::string::npos);
  EXPECT_LT(inside->size(), 1000U);
}

TEST(DeepDocuments, FilesOfAlertsAndTruth) {
  EXPECT_FALSE(evaluation::parse_alert(with(R"({"properties":)", "}")));
  EXPECT_FALSE(evaluation::parse_label(deep_objects()));
  const Folder folder;
  const std::string file =
      folder.write("alerts.jsonl", with(R"({"name":"a","properties":{"alertType":"KV_TORAccess","x":)", "}}\n"));
  ExplainOptions options;
  options.alerts = file;
  options.id = "2517";
  std::ostringstream out;
  std::ostringstream err;
  EXPECT_NE(run_explain(options, out, err), ExitCode::kDone);
  EXPECT_NE(err.str().find("alerts.jsonl:1"), std::string::npos) << err.str();
}

TEST(DeepDocuments, Configurations) {
  EXPECT_FALSE(parse_config("lists: " + deep(), "file", ""));
  EXPECT_FALSE(parse_config(deep_objects(), "file", ""));
}

}  // namespace
}  // namespace keyvigil
