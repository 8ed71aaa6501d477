// Any request line and body: paths and queries decode to clean UTF-8 or not at all, a rule that is taken is shown as it
// can be put again.
#include <string>
#include <string_view>

#include "alert/printable.h"
#include "api/arm_answer.h"
#include "api/arm_rule_json.h"
#include "api/graph_filter.h"
#include "api/router.h"
#include "base/check.h"
#include "base/percent_coding.h"

namespace {

using namespace keyvigil;

void check_clean(std::string_view text) {
  CHECK(bounded_utf8(text, text.size() + 4) == text);
  CHECK(text.find('\0') == std::string_view::npos);
}

void check_routing(const std::string& path, std::string_view query) {
  Router router;
  router.add("GET", "/subscriptions/{subscription}/a/{b}", Role::kReader, [](const HttpRequest& request) {
    check_clean(request.parameter("b"));
    CHECK(request.principal.sees(lower_case(request.parameter("subscription"))));
    return json_answer(200, Json(std::string(request.parameter("b"))));
  });
  HttpRequest request;
  request.method = "GET";
  request.path = path;
  request.principal = {"somebody", {Role::kReader}, std::set<std::string>{"s"}};
  const HttpResponse answer = router.answer(request);
  CHECK(!Json::parse(answer.body, nullptr, false).is_discarded());
  if (const auto fields = parse_query(query)) {
    for (const auto& [name, value] : *fields) {
      check_clean(name);
      check_clean(value);
      CHECK(percent_decode(percent_encoded(value), false) == value);
    }
  }
}

void check_rule(const std::string& body) {
  HttpRequest request;
  request.body = body;
  const auto object = object_in_body(request);
  if (!object) { return; }
  const auto rule = rule_from_json(*object, "s", "rule", EventTime{});
  if (!rule) { return; }
  const Json shown = rule_json(*rule, EventTime{});
  const auto again = rule_from_json(Json::parse(to_json_line(shown)), "s", "rule", EventTime{});
  CHECK(again.has_value());
  CHECK(rule_json(*again, EventTime{}) == Json::parse(to_json_line(rule_json(*again, EventTime{}))));
  CHECK(again->all_of.size() == rule->all_of.size());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  const std::size_t mark = text.find('?');
  check_routing(text.substr(0, mark), mark == std::string::npos ? "" : std::string_view(text).substr(mark + 1));
  check_rule(text);
  GraphFilter filter;
  if (!narrow_by_graph(text, filter)) { return 0; }
  CHECK(filter.alerts.types.empty() && filter.alerts.text.empty() && !filter.alerts.subscriptions);
  return 0;
}
