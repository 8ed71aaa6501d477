#include "alert/elastic_bulk.h"

#include <fmt/format.h>

#include "alert/printable.h"
#include "base/bounded_json.h"

namespace keyvigil {
namespace {

constexpr std::size_t kErrorLimitBytes = 300;

std::string text_at(const Json& json, const char* key) {
  const auto found = json.find(key);
  return found != json.end() && found->is_string() ? found->get<std::string>() : std::string();
}

// {"index": {"status": 201}}; the answer comes from outside, so nothing of its shape is taken for granted.
ElasticItemAnswer read_item(const Json& item) {
  ElasticItemAnswer answer;
  if (!item.is_object() || item.empty() || !item.begin()->is_object()) { return answer; }
  const Json& result = *item.begin();
  const auto status = result.find("status");
  if (status != result.end() && status->is_number_integer()) { answer.status = status->get<int>(); }
  const auto error = result.find("error");
  if (error != result.end() && error->is_object()) {
    answer.error = harmless(
        bounded_utf8(fmt::format("{}: {}", text_at(*error, "type"), text_at(*error, "reason")), kErrorLimitBytes));
  }
  return answer;
}

}  // namespace

std::string elastic_bulk_item(const Alert& alert, const Json& document, const std::string& index) {
  const Json action{
      {"index", {{"_index", index}, {"_id", alert.id}, {"version", alert.revision}, {"version_type", "external_gte"}}}};
  return fmt::format("{}\n{}\n", to_json_line(action), to_json_line(document));
}

std::vector<ElasticItemAnswer> read_elastic_answer(std::string_view body, std::size_t count) {
  const Json json = parse_bounded_json<Json>(body);
  const auto items = json.is_object() ? json.find("items") : json.end();
  if (items == json.end() || !items->is_array() || items->size() != count) { return {}; }
  std::vector<ElasticItemAnswer> answers;
  for (const Json& item : *items) { answers.push_back(read_item(item)); }
  return answers;
}

}  // namespace keyvigil
