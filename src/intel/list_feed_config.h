// ListFeedConfig: where a threat list comes from, again and again.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "intel/threat_list.h"

namespace keyvigil {

struct ListFeedConfig {
  ListRole role = ListRole::kSuspicious;
  std::string url;            // of the file, or of the collection's objects ("https://.../collections/<id>/objects/")
  bool taxii = false;         // the URL is that of a TAXII collection
  std::string authorization;  // value of the header, secret; empty: none
  std::string ca_file;        // PEM; empty: the system's
  std::int64_t interval_minutes = 60;                    // 1..10080
  std::int64_t stale_hours = 48;                         // without a good answer for so long it is told
  bool may_shrink = false;                               // a list that shrinks is put in force at once
  std::size_t limit_bytes = std::size_t{256} << 20;      // of an answer, and of a collection
  std::size_t json_tree_bytes = std::size_t{512} << 20;  // as ListOptions has it
  std::int64_t fetch_seconds = 300;                      // for all pages of a collection
  friend bool operator==(const ListFeedConfig&, const ListFeedConfig&) = default;
};

// The URL without its query.
[[nodiscard]] std::string list_name(const ListFeedConfig& config);

}  // namespace keyvigil
