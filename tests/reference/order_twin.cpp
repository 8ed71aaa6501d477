#include "reference/order_twin.h"

#include <algorithm>
#include <cctype>
#include <map>
#include <set>
#include <string>
#include <tuple>

namespace keyvigil::reference {
namespace {

std::string operation_key(const AccessEvent& event) {
  if (event.operation != kUnknownOperation) { return "#" + std::to_string(event.operation); }
  std::string name(event.get(TextField::kOperationName));
  for (char& c : name) { c = static_cast<char>(std::tolower(static_cast<unsigned char>(c))); }
  return name;
}

using GroupKey = std::tuple<std::int64_t, std::uint64_t, std::string, std::string, std::string, std::string>;

GroupKey group_key(const AccessEvent& event) {
  return {event.time.milliseconds(), duplicate_hash(event),           operation_key(event),
          std::string(event.uri()),  std::string(event.caller_key()), to_string(event.address)};
}

// Every canonical field in words, so that this file shares no comparison with the product.
std::string everything(const AccessEvent& event) {
  std::string all;
  for (std::size_t field = 0; field < kTextFieldCount; ++field) {
    all += std::string(event.get(static_cast<TextField>(field))) + '\0';
  }
  return all;
}

}  // namespace

std::string describe(const AccessEvent& event) {
  return std::to_string(event.time.milliseconds()) + " " + operation_key(event) + " " + to_string(event.address) + " " +
         std::to_string(event.http_status) + " " + everything(event);
}

std::vector<AccessEvent> ordered_without_duplicates(std::vector<AccessEvent> events) {
  std::map<GroupKey, std::vector<AccessEvent>> groups;
  for (AccessEvent& event : events) {
    const GroupKey key = group_key(event);
    groups[key].push_back(std::move(event));
  }
  std::vector<AccessEvent> kept;
  for (auto& [key, group] : groups) {
    std::sort(group.begin(), group.end(),
              [](const AccessEvent& l, const AccessEvent& r) { return everything(l) < everything(r); });
    std::map<std::string, AccessEvent> by_correlation;
    for (const AccessEvent& event : group) { by_correlation.emplace(std::string(event.correlation_id()), event); }
    if (by_correlation.size() > 1) { by_correlation.erase(""); }
    for (auto& [correlation, event] : by_correlation) { kept.push_back(std::move(event)); }
  }
  return kept;
}

}  // namespace keyvigil::reference
