// Alerts for Elasticsearch's _bulk, and what its answer says of each.
//
// `_id` is the alert's and `version` its revision, with external_gte: the newest revision stands in the index, a second
// delivery changes nothing, and one that comes late does not replace a newer one.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "alert/alert.h"
#include "alert/alert_document.h"

namespace keyvigil {

// Two lines: the action, the document.
[[nodiscard]] std::string elastic_bulk_item(const Alert& alert, const Json& document, const std::string& index);

struct ElasticItemAnswer {
  int status = 0;
  std::string error;  // type and reason; empty: none
};

// In the order of the items; nothing where the body is no answer to `count` items.
[[nodiscard]] std::vector<ElasticItemAnswer> read_elastic_answer(std::string_view body, std::size_t count);

}  // namespace keyvigil
