#include "api/graph_filter.h"

#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "api/http_message.h"

namespace keyvigil {
namespace {

constexpr std::string_view kUnderstood =
    "$filter: expected conditions joined by 'and' on severity, status, serviceSource (eq, in) and createdDateTime (eq, "
    "ge, gt, le, lt), such as \"severity eq 'high' and createdDateTime ge 2026-09-01T00:00:00Z\"";

tl::unexpected<Error> refuse(std::string_view found) {
  return fail(ErrorKind::kInput, fmt::format("{}; found '{}'.", kUnderstood, found));
}

// Words, quoted texts without their quotes, and the marks ( ) and comma. Nothing where a quote is not closed.
std::optional<std::vector<std::string>> tokens(std::string_view text) {
  std::vector<std::string> found;
  while (!text.empty()) {
    const char first = text.front();
    std::size_t size = 1;
    if (first == '\'') {
      const std::size_t end = text.find('\'', 1);
      if (end == std::string_view::npos) { return std::nullopt; }
      found.emplace_back(text.substr(1, end - 1));
      size = end + 1;
    } else if (first == '(' || first == ')' || first == ',') {
      found.emplace_back(1, first);
    } else if (first != ' ') {
      size = std::min(text.find_first_of(" (),'"), text.size());
      found.emplace_back(text.substr(0, size));
    }
    text.remove_prefix(size);
  }
  return found;
}

struct Condition {
  std::string property;
  std::string comparison;
  std::vector<std::string> values;
};

class Conditions {
 public:
  explicit Conditions(std::vector<std::string> tokens) : tokens_(std::move(tokens)) {}

  [[nodiscard]] bool at_end() const { return at_ == tokens_.size(); }
  // Nothing where the next tokens are none.
  std::optional<Condition> next() {
    if (at_ > 0 && !equal_without_case(take(), "and")) { return std::nullopt; }
    Condition condition{take(), lower_case(take()), {}};
    if (condition.comparison != "in") {
      condition.values.push_back(take());
      return whole(std::move(condition));
    }
    if (take() != "(") { return std::nullopt; }
    while (true) {
      condition.values.push_back(take());
      const std::string mark = take();
      if (mark == ")") { return whole(std::move(condition)); }
      if (mark != ",") { return std::nullopt; }
    }
  }

 private:
  std::string take() {
    if (at_end()) { cut_short_ = true; }
    return cut_short_ ? std::string() : tokens_[at_++];
  }
  [[nodiscard]] std::optional<Condition> whole(Condition condition) const {
    if (cut_short_) { return std::nullopt; }
    return condition;
  }

  std::vector<std::string> tokens_;
  std::size_t at_ = 0;
  bool cut_short_ = false;  // more tokens were asked for than there are
};

// What is in both: an empty list is everything.
template <typename T>
void keep(std::vector<T>& list, const std::vector<T>& wanted, bool& nothing) {
  if (list.empty()) {
    list = wanted;
  } else {
    std::erase_if(list, [&](T value) { return std::find(wanted.begin(), wanted.end(), value) == wanted.end(); });
  }
  nothing = nothing || list.empty();
}

std::vector<AlertStatus> statuses(std::string_view graph) {
  if (equal_without_case(graph, "new")) { return {AlertStatus::kActive}; }
  if (equal_without_case(graph, "inProgress")) { return {AlertStatus::kInProgress}; }
  if (equal_without_case(graph, "resolved")) { return {AlertStatus::kResolved, AlertStatus::kDismissed}; }
  return {};
}

Result<void> apply_time(const Condition& condition, GraphFilter& filter) {
  const auto time = parse_iso_time(condition.values.front());
  if (!time) { return refuse(condition.values.front()); }
  const std::string& comparison = condition.comparison;
  const EventTime next{time->ticks + 1};
  std::optional<EventTime> from;
  std::optional<EventTime> until;
  if (comparison == "ge" || comparison == "eq") { from = *time; }
  if (comparison == "gt") { from = next; }
  if (comparison == "le" || comparison == "eq") { until = next; }
  if (comparison == "lt") { until = *time; }
  if (!from && !until) { return refuse(comparison); }
  AlertFilter& alerts = filter.alerts;
  if (from) { alerts.from = std::max(alerts.from.value_or(*from), *from); }
  if (until) { alerts.until = std::min(alerts.until.value_or(*until), *until); }
  return {};
}

Result<void> apply(const Condition& condition, GraphFilter& filter) {
  if (equal_without_case(condition.property, "createdDateTime")) { return apply_time(condition, filter); }
  if (condition.comparison != "eq" && condition.comparison != "in") { return refuse(condition.comparison); }
  if (equal_without_case(condition.property, "severity")) {
    std::vector<Severity> wanted;
    for (const std::string& value : condition.values) {
      if (const auto severity = parse_severity(value)) { wanted.push_back(*severity); }
    }
    keep(filter.alerts.severities, wanted, filter.nothing);
    return {};
  }
  if (equal_without_case(condition.property, "status")) {
    std::vector<AlertStatus> wanted;
    for (const std::string& value : condition.values) {
      const std::vector<AlertStatus> some = statuses(value);
      wanted.insert(wanted.end(), some.begin(), some.end());
    }
    keep(filter.alerts.statuses, wanted, filter.nothing);
    return {};
  }
  if (equal_without_case(condition.property, "serviceSource")) {
    const auto is_ours = [](const std::string& value) {
      return equal_without_case(value, "microsoftDefenderForCloud");
    };
    filter.nothing = filter.nothing || std::none_of(condition.values.begin(), condition.values.end(), is_ours);
    return {};
  }
  return refuse(condition.property);
}

}  // namespace

Result<void> narrow_by_graph(std::string_view text, GraphFilter& filter) {
  auto found = tokens(text);
  if (!found) { return refuse(text); }
  Conditions conditions(std::move(*found));
  while (!conditions.at_end()) {
    const auto condition = conditions.next();
    if (!condition) { return refuse(text); }
    if (auto done = apply(*condition, filter); !done) { return done; }
  }
  return {};
}

}  // namespace keyvigil
