#include "command/list_watch.h"

#include <fmt/format.h>

#include "base/hash.h"
#include "intel/list_reach.h"

namespace keyvigil {

void ListWatch::see(const AccessEvent& event, const Decision& decision, const AddressBook& book) {
  if (book.lists().empty()) { return; }
  // Whoever has no name may be anybody: a list of strangers' addresses is no wrong one.
  if (event.caller_key().empty()) { return; }
  const std::uint64_t caller = hash64(event.caller_key());
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
  for (std::size_t i = 0; i < matched_.size(); ++i) {
    const ListReach reach{book.lists()[i].file, matched_[i].size(), callers_.size()};
    if (!reach.is_doubtful()) { continue; }
    out.push_back(
        fmt::format("list '{}' matches {} of {} callers ({:.0f} %): check that it does not hold your own "
                    "addresses",
                    reach.list, reach.matched, reach.callers,
                    100 * static_cast<double>(reach.matched) / static_cast<double>(reach.callers)));
  }
  return out;
}

}  // namespace keyvigil
