#include "app/lists.h"

#include <fmt/format.h>

#include <utility>

#include "source/byte_stream.h"

namespace keyvigil {
namespace {

Result<void> load(const std::vector<std::string>& files, ListRole role, const ListConfig& config,
                  std::vector<ThreatList>& lists) {
  ListOptions options;
  options.role = role;
  options.allow_non_global = config.allow_non_global;
  options.minimum_confidence = config.minimum_confidence;
  for (const std::string& file : files) {
    auto content = read_whole_file(file, kListLimitBytes);
    if (!content) { return tl::unexpected(content.error()); }
    auto list = parse_threat_list(file, *content, options);
    if (!list) { return fail(ErrorKind::kUsage, list.error().message); }
    lists.push_back(*std::move(list));
  }
  return {};
}

}  // namespace

Result<AddressBook> load_lists(const ListConfig& config) {
  std::vector<ThreatList> lists;
  for (const auto& [files, role] :
       {std::pair{&config.tor, ListRole::kTor}, std::pair{&config.suspicious, ListRole::kSuspicious},
        std::pair{&config.service_tags, ListRole::kServiceTags}}) {
    if (auto loaded = load(*files, role, config, lists); !loaded) { return tl::unexpected(loaded.error()); }
  }
  return AddressBook(std::move(lists));
}

}  // namespace keyvigil
