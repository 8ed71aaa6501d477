// ListFeed: one threat list by URL, as a file of any known format or as a TAXII 2.1 collection.
//
// What was fetched last is kept in a folder with its ETag, so that a restart has lists before the first answer, and an
// answer of 304 costs nothing. A fetch that fails, or gives what is no list or one of which nothing can be used, leaves
// the last good one in force. What was fetched is a candidate until its owner accepts it; until then it is offered
// again after each interval. One that has shrunk is doubtful for a day: who takes a list away, or a server that has
// lost it, would disarm detection. TAXII: OASIS TAXII 2.1, "Get Objects"; the indicators of all pages make one STIX 2.1
// bundle. Threads: one owner; another may read content() while accept() is not running.
#pragma once

#include <atomic>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/event_time.h"
#include "base/result.h"
#include "client/http_client.h"
#include "intel/list_feed_config.h"

namespace keyvigil {

class ListFeed {
 public:
  // `folder` exists. Reads what an earlier run has kept there.
  ListFeed(ListFeedConfig config, std::string folder);

  // True: there is a candidate that is not in force, fetched now or held back before. An error leaves everything as it
  // was; where it is that `stop` was set, the list is due as before. `turn` is held while what came is read: many lists
  // at once would take too much memory.
  [[nodiscard]] Result<bool> refresh(EventTime now, const std::atomic<bool>* stop = nullptr,
                                     std::mutex* turn = nullptr);
  // Why the candidate is not to be put in force yet; empty: nothing speaks against it. REQUIRES: there is one.
  [[nodiscard]] std::string doubt(EventTime now) const;
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
  // How its content is to be read.
  [[nodiscard]] ListOptions list_options() const;

 private:
  [[nodiscard]] Result<std::optional<std::string>> fetch_file(const std::atomic<bool>* stop);
  [[nodiscard]] Result<std::optional<std::string>> fetch_collection(const std::atomic<bool>* stop);
  [[nodiscard]] Result<HttpAnswer> get(const std::string& url, bool conditional, const std::atomic<bool>* stop);
  [[nodiscard]] bool has_shrunk() const;
  [[nodiscard]] Result<void> judge(std::string fetched, EventTime now);
  [[nodiscard]] Result<void> keep() const;
  [[nodiscard]] Result<void> keep_description() const;
  void take_up_kept();
  [[nodiscard]] std::string kept_path(std::string_view ending) const;

  ListFeedConfig config_;
  std::string folder_;
  HttpClient client_;
  std::optional<std::string> content_;
  std::uint64_t entries_ = 0;             // of content_
  std::optional<std::string> candidate_;  // fetched, of etag_, and not in force
  std::uint64_t candidate_entries_ = 0;
  std::optional<EventTime> shrunk_since_;  // every good answer since then had a shrunken list
  std::string etag_;
  std::string last_modified_;
  std::optional<EventTime> confirmed_;
  EventTime first_asked_;
  EventTime next_refresh_;
};

// One page of "Get Objects": its indicators as JSON texts, and where to go on.
struct TaxiiPage {
  std::vector<std::string_view> indicators;  // in the page's text
  bool more = false;
  std::string next;
};
// The error says what is no page, or too much of one. No tree is made of more than one object.
[[nodiscard]] Result<TaxiiPage> parse_taxii_page(std::string_view json);

// How two versions of a list differ, for people: "1,204 entries, 17 new, 3 gone".
[[nodiscard]] std::string list_difference(const ThreatList& before, const ThreatList& after);

}  // namespace keyvigil
