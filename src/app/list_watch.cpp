#include "app/list_watch.h"

#include <fmt/format.h>

#include "base/hash.h"

namespace keyvigil {

void ListWatch::see(const AccessEvent& event, const Decision& decision, const AddressBook& book) {
  if (book.lists().empty()) { return; }
  const std::string_view key = event.caller_key();
  const std::uint64_t caller = key.empty() ? hash64(to_string(event.address)) : hash64(key);
  std::uint64_t& recent = recent_[caller % recent_.size()];
  if (recent == caller && decision.address.entries.empty()) { return; }
  recent = caller;
  if (callers_.size() < kCallersLimit) { callers_.insert(caller); }
  if (decision.address.entries.empty() || !callers_.contains(caller)) { return; }
  matched_.resize(book.lists().size());
  for (const std::uint32_t entry : decision.address.entries) {
    const ThreatList* list = book.match(entry).list;
    if (list->role != ListRole::kServiceTags) {
      matched_[static_cast<std::size_t>(list - book.lists().data())].insert(caller);
    }
  }
}

std::vector<std::string> ListWatch::warnings(const AddressBook& book) const {
  std::vector<std::string> out;
  constexpr std::size_t kFewestCallers = 10;
  if (callers_.size() < kFewestCallers) { return out; }
  for (std::size_t i = 0; i < matched_.size(); ++i) {
    const double share = static_cast<double>(matched_[i].size()) / static_cast<double>(callers_.size());
    if (share <= kWarningShare) { continue; }
    out.push_back(
        fmt::format("list '{}' matches {} of {} callers ({:.0f} %): check that it does not hold your own "
                    "addresses",
                    book.lists()[i].file, matched_[i].size(), callers_.size(), share * 100));
  }
  return out;
}

}  // namespace keyvigil
