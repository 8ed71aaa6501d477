// Any bytes as a threat list: an error or a list that keeps its own promises, and a book that can be asked.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/check.h"
#include "intel/address_book.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace keyvigil;
  if (size == 0) { return 0; }
  ListOptions options;
  options.allow_non_global = (data[0] & 1) != 0;
  options.minimum_confidence = (data[0] & 2) != 0 ? 50 : 0;
  options.entries_limit = (data[0] & 4) != 0 ? 3 : 1000;
  const std::string_view content(reinterpret_cast<const char*>(data) + 1, size - 1);
  Result<ThreatList> list = parse_threat_list("fuzz", content, options);
  if (!list) {
    CHECK(!list.error().message.empty());
    return 0;
  }
  CHECK(list->entries.size() <= options.entries_limit);
  CHECK(list->samples.size() <= 20);
  for (const RefusedLine& sample : list->samples) { CHECK(sample.found.size() <= 80); }
  for (const ListEntry& entry : list->entries) {
    CHECK(entry.label < list->labels.size());
    CHECK(entry.valid_from < entry.valid_until);
    CHECK(contains(entry.prefix, entry.prefix.base));
    CHECK(options.allow_non_global || is_global(entry.prefix));
    CHECK(parse_ip_prefix(to_string(entry.prefix)) == entry.prefix);
  }
  const ListRole role = list->role;
  std::vector<ThreatList> lists;
  lists.push_back(std::move(*list));
  const AddressBook book(std::move(lists));
  for (const ListEntry& entry : book.lists()[0].entries) {
    const EventTime at =
        entry.valid_from.ticks == INT64_MIN ? EventTime{entry.valid_until.ticks - 1} : entry.valid_from;
    const AddressFacts facts = book.look_up(entry.prefix.base, at);
    const bool listed = role == ListRole::kServiceTags ? facts.microsoft : facts.suspicious;
    CHECK(listed == is_global(entry.prefix.base));
    for (const std::uint32_t value : facts.entries) {
      CHECK(contains(book.match(value).entry->prefix, entry.prefix.base));
    }
  }
  return 0;
}
