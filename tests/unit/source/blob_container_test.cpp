#include "source/blob_container.h"

#include <gtest/gtest.h>

namespace keyvigil {
namespace {

constexpr std::string_view kPage = R"(<?xml version="1.0" encoding="utf-8"?>
<EnumerationResults ServiceEndpoint="https://contoso.blob.example/" ContainerName="logs">
  <Blobs>
    <Blob><Name>resourceId=/X/VAULTS/KV-A/y=2026/m=09/d=28/h=10/m=00/PT1H.json</Name>
      <Properties><Creation-Time>Mon, 28 Sep 2026 10:02:00 GMT</Creation-Time><Etag>0x8D1</Etag>
        <Content-Length>1234</Content-Length><BlobType>AppendBlob</BlobType></Properties></Blob>
    <Blob><Name Encoded="true">odd%EF%BF%BEname</Name>
      <Properties><Etag>0x8D2</Etag><Content-Length>5</Content-Length></Properties></Blob>
  </Blobs>
  <NextMarker>2!88!more</NextMarker>
</EnumerationResults>)";

EventTime no_time() {
  return EventTime{};
}

Result<BlobContainer> opened(std::string url, std::string key = {}) {
  BlobContainerOptions options;
  options.url = std::move(url);
  options.key = std::move(key);
  return BlobContainer::open(std::move(options), no_time);
}

TEST(BlobContainer, ReadsAPageOfTheList) {
  const auto page = parse_blob_page(kPage);
  ASSERT_TRUE(page.has_value());
  ASSERT_EQ(page->items.size(), 2U);
  EXPECT_EQ(page->items[0].size_bytes, 1234U);
  EXPECT_EQ(page->items[0].mark, "Mon, 28 Sep 2026 10:02:00 GMT");
  EXPECT_EQ(page->items[0].not_before, parse_iso_time("2026-09-28T10:00:00Z"));
  EXPECT_EQ(page->items[1].name, "odd\xEF\xBF\xBEname");
  EXPECT_EQ(page->items[1].mark, "0x8D2");
  EXPECT_EQ(page->next_marker, "2!88!more");
}

TEST(BlobContainer, KnowsWhatIsNoList) {
  EXPECT_FALSE(parse_blob_page("").has_value());
  EXPECT_FALSE(parse_blob_page("<html><body>Sign in</body></html>").has_value());
  EXPECT_FALSE(parse_blob_page(kPage.substr(0, 200)).has_value());
}

// The order of "Authorize with Shared Key": eleven empty standard headers, then sorted headers, then the resource.
TEST(BlobContainer, SignsWhatTheServiceSigns) {
  const std::string text = shared_key_text({"GET",
                                            "contoso",
                                            "/logs",
                                            {{"restype", "container"}, {"comp", "list"}, {"MaxResults", "5000"}},
                                            {{"x-ms-version", "2021-12-02"}, {"x-ms-date", "Thu, 01 Jan 1970"}}});
  EXPECT_EQ(text,
            "GET\n\n\n\n\n\n\n\n\n\n\n\nx-ms-date:Thu, 01 Jan 1970\nx-ms-version:2021-12-02\n/contoso/logs\ncomp:list\n"
            "maxresults:5000\nrestype:container");
}

TEST(BlobContainer, TakesBothKindsOfAddress) {
  EXPECT_EQ(opened("https://contoso.blob.core.windows.net/logs?sv=1&sig=a%2Bb").value().name(),
            "https://contoso.blob.core.windows.net/logs");
  EXPECT_EQ(opened("http://127.0.0.1:10000/devstoreaccount1/logs/", "a2V5").value().name(),
            "http://127.0.0.1:10000/devstoreaccount1/logs");
}

TEST(BlobContainer, RefusesWhatItCannotUseWithoutTellingSecrets) {
  for (const char* url : {"", "contoso", "ftp://contoso/logs?sig=secret", "https://contoso.example?sig=secret",
                          "https://contoso.example/a/b?sig=secret", "http://127.0.0.1:1/logs?sig=secret",
                          "https://contoso.example/logs"}) {
    const auto container = opened(url);
    ASSERT_FALSE(container.has_value()) << url;
    EXPECT_EQ(container.error().kind, ErrorKind::kUsage);
    EXPECT_EQ(container.error().message.find("secret"), std::string::npos);
  }
  const auto bad_key = opened("https://contoso.example/logs", "not base64!");
  ASSERT_FALSE(bad_key.has_value());
  EXPECT_EQ(bad_key.error().message.find("not base64!"), std::string::npos);
}

}  // namespace
}  // namespace keyvigil
