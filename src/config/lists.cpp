#include "config/lists.h"

#include <fmt/format.h>

#include <utility>

#include "base/snapshot.h"
#include "source/byte_stream.h"
#include "store/packing.h"

namespace keyvigil {
namespace {

Result<void> read(const std::vector<std::string>& files, ListRole role, ListArchive& archive) {
  for (const std::string& file : files) {
    auto content = read_whole_file(file, kListLimitBytes);
    if (!content) { return tl::unexpected(content.error()); }
    archive.files.push_back({role, file, *std::move(content)});
  }
  return {};
}

tl::unexpected<Error> damaged() {
  return fail(ErrorKind::kInput,
              "expected the threat lists that were saved, found damaged bytes; restore the store from a backup");
}

}  // namespace

Result<ListArchive> read_lists(const ListConfig& config) {
  ListArchive archive;
  archive.allow_non_global = config.allow_non_global;
  archive.minimum_confidence = config.minimum_confidence;
  for (const auto& [files, role] :
       {std::pair{&config.tor, ListRole::kTor}, std::pair{&config.suspicious, ListRole::kSuspicious},
        std::pair{&config.service_tags, ListRole::kServiceTags}}) {
    if (auto done = read(*files, role, archive); !done) { return tl::unexpected(done.error()); }
  }
  return archive;
}

Result<AddressBook> address_book(const ListArchive& archive) {
  std::vector<ThreatList> lists;
  ListOptions options;
  options.allow_non_global = archive.allow_non_global;
  options.minimum_confidence = archive.minimum_confidence;
  for (const ListArchive::File& file : archive.files) {
    options.role = file.role;
    auto list = parse_threat_list(file.name, file.content, options);
    if (!list) { return fail(ErrorKind::kUsage, list.error().message); }
    lists.push_back(*std::move(list));
  }
  return AddressBook(std::move(lists));
}

Result<AddressBook> load_lists(const ListConfig& config) {
  auto archive = read_lists(config);
  if (!archive) { return tl::unexpected(archive.error()); }
  return address_book(*archive);
}

std::string pack_lists(const ListArchive& archive) {
  SnapshotWriter writer;
  writer.write(archive);
  return pack(writer.bytes());
}

Result<ListArchive> unpack_lists(std::string_view packed) {
  constexpr std::size_t kMostBytes = 4 * kListLimitBytes;
  const auto bytes = unpack(packed, kMostBytes);
  if (!bytes) { return damaged(); }
  ListArchive archive;
  SnapshotReader reader(*bytes);
  if (!reader.read(archive) || !reader.at_end()) { return damaged(); }
  for (const ListArchive::File& file : archive.files) {
    if (file.role > ListRole::kServiceTags) { return damaged(); }
  }
  return archive;
}

}  // namespace keyvigil
