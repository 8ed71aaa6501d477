// ListFeed: one threat list by URL, as a file of any known format or as a TAXII 2.1 collection.
//
// What was fetched last is kept in a folder with its ETag, so that a restart has lists before the first answer, and an
// answer of 304 costs nothing. A fetch that fails, or gives what is no list, leaves the last good one in force. What
// was fetched is a candidate until its owner accepts it; until then it is offered again after each interval. TAXII:
// OASIS TAXII 2.1, "Get Objects"; the objects of all pages make one STIX 2.1 bundle. Threads: one owner.
#pragma once

#include <atomic>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/event_time.h"
#include "base/result.h"
#include "client/http_client.h"
#include "intel/threat_list.h"

namespace keyvigil {

struct ListFeedConfig {
  ListRole role = ListRole::kSuspicious;
  std::string url;            // of the file, or of the collection's objects ("https://.../collections/<id>/objects/")
  bool taxii = false;         // the URL is that of a TAXII collection
  std::string authorization;  // value of the header, secret; empty: none
  std::string ca_file;        // PEM; empty: the system's
  std::int64_t interval_minutes = 60;  // 1..10080
  std::int64_t stale_hours = 48;       // without a good answer for so long it is told
  std::size_t limit_bytes = std::size_t{256} << 20;
  friend bool operator==(const ListFeedConfig&, const ListFeedConfig&) = default;
};

// The URL without its query.
[[nodiscard]] std::string list_name(const ListFeedConfig& config);

class ListFeed {
 public:
  // `folder` exists. Reads what an earlier run has kept there.
  ListFeed(ListFeedConfig config, std::string folder);

  // True: there is a candidate that is not in force, fetched now or held back before. An error leaves everything as it
  // was; where it is that `stop` was set, the list is due as before.
  [[nodiscard]] Result<bool> refresh(EventTime now, const std::atomic<bool>* stop = nullptr);
  // REQUIRES: there is a candidate. It is in force now, and is kept for the next start.
  [[nodiscard]] Result<void> accept();

  [[nodiscard]] const ListFeedConfig& config() const { return config_; }
  [[nodiscard]] std::string name() const { return list_name(config_); }
  // In force; nothing: none was ever.
  [[nodiscard]] const std::optional<std::string>& content() const { return content_; }
  [[nodiscard]] const std::optional<std::string>& candidate() const { return candidate_; }
  // The newest good answer, 304 included.
  [[nodiscard]] std::optional<EventTime> confirmed() const { return confirmed_; }
  [[nodiscard]] bool is_stale(EventTime now) const;
  [[nodiscard]] EventTime next_refresh() const { return next_refresh_; }

 private:
  [[nodiscard]] Result<std::optional<std::string>> fetch_file(const std::atomic<bool>* stop);
  [[nodiscard]] Result<std::optional<std::string>> fetch_collection(const std::atomic<bool>* stop);
  [[nodiscard]] Result<HttpAnswer> get(const std::string& url, bool conditional, const std::atomic<bool>* stop);
  [[nodiscard]] Result<void> keep() const;
  void take_up_kept();
  [[nodiscard]] std::string kept_path(std::string_view ending) const;

  ListFeedConfig config_;
  std::string folder_;
  HttpClient client_;
  std::optional<std::string> content_;
  std::optional<std::string> candidate_;  // fetched, of etag_, and not in force
  std::string etag_;
  std::string last_modified_;
  std::optional<EventTime> confirmed_;
  EventTime first_asked_;
  EventTime next_refresh_;
};

// One page of "Get Objects": its objects as JSON texts, and where to go on.
struct TaxiiPage {
  std::vector<std::string> objects;
  bool more = false;
  std::string next;
};
[[nodiscard]] std::optional<TaxiiPage> parse_taxii_page(std::string_view json);

// How two versions of a list differ, for people: "1,204 entries, 17 new, 3 gone".
[[nodiscard]] std::string list_difference(const ThreatList& before, const ThreatList& after);

}  // namespace keyvigil
