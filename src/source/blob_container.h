// An Azure blob container as something to follow. See source/follower.h.
//
// Formats and headers: Microsoft's "Blob service REST API" (List Blobs, Get Blob, "Authorize with Shared Key"). Blobs
// are listed in pages and read by ranges; a blob's mark is its creation time. Access is by a SAS in the URL, or by the
// account's key. Secrets stand in no error. Both kinds of URL are known: https://account.blob.../container and, as an
// emulator has it, http://127.0.0.1:port/account/container.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/event_time.h"
#include "base/result.h"
#include "client/http_client.h"
#include "source/follower.h"

namespace keyvigil {

struct BlobContainerOptions {
  std::string url;     // of the container, with the SAS as its query where there is one
  std::string key;     // of the account, base64; empty: the SAS is used
  std::string prefix;  // only blobs whose names begin so
  std::string ca_file;
  std::size_t blobs_limit = 1'000'000;
  friend bool operator==(const BlobContainerOptions&, const BlobContainerOptions&) = default;
};

// Threads: one owner; connections are kept open.
class BlobContainer {
 public:
  // Refuses a URL or a key that cannot be used. `now`: wall clock, for signatures.
  [[nodiscard]] static Result<BlobContainer> open(BlobContainerOptions options, std::function<EventTime()> now);

  [[nodiscard]] Result<std::vector<FollowedItem>> list();
  // A blob that was deleted, is archived, or may not be read by whoever may list it, is that blob's failure; an answer
  // that says nothing of the blob is one of the access.
  [[nodiscard]] FollowedBytes read(const FollowedItem& item, std::uint64_t from, std::size_t most);
  // The container must outlive it.
  [[nodiscard]] FollowAccess access();
  // scheme://host/container: no secret.
  [[nodiscard]] std::string name() const { return origin_ + path_; }

 private:
  using Pairs = std::vector<std::pair<std::string, std::string>>;

  BlobContainer() = default;
  [[nodiscard]] Result<HttpAnswer> get(const std::string& path, Pairs query, Pairs headers);
  [[nodiscard]] tl::unexpected<Error> refused(const HttpAnswer& answer, std::string_view what) const;

  std::string origin_;  // scheme://host:port
  std::string path_;    // /container or /account/container, as in the URL
  std::string account_;
  Pairs sas_;        // decoded
  std::string key_;  // decoded; empty: the SAS is used
  BlobContainerOptions options_;
  std::function<EventTime()> now_;
  HttpClient client_;
};

// The page of a List Blobs answer. Nothing: it is no such answer.
struct BlobPage {
  std::vector<FollowedItem> items;
  std::string next_marker;  // empty: the last page
};
[[nodiscard]] std::optional<BlobPage> parse_blob_page(std::string_view xml);

// What is signed: `path` as in the URL, `query` name and value decoded, `headers` the x-ms- ones, lower case.
struct SharedKeyRequest {
  std::string method;
  std::string account;
  std::string path;
  std::vector<std::pair<std::string, std::string>> query;
  std::vector<std::pair<std::string, std::string>> headers;
};
[[nodiscard]] std::string shared_key_text(SharedKeyRequest request);

}  // namespace keyvigil
