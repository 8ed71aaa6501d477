// Threat lists from files to an address book.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "base/result.h"
#include "config/config.h"
#include "intel/address_book.h"

namespace keyvigil {

inline constexpr std::size_t kListLimitBytes = std::size_t{1} << 30;

// Lists as they were read, with what decides how they are understood: enough to make the same book again.
struct ListArchive {
  struct File {
    ListRole role = ListRole::kSuspicious;
    std::string name;
    std::string content;  // decompressed
    auto fields() { return std::tie(role, name, content); }
  };
  bool allow_non_global = false;
  std::int32_t minimum_confidence = 0;
  std::vector<File> files;
  auto fields() { return std::tie(allow_non_global, minimum_confidence, files); }
};

[[nodiscard]] Result<ListArchive> read_lists(const ListConfig& config);
[[nodiscard]] Result<AddressBook> address_book(const ListArchive& archive);
[[nodiscard]] Result<AddressBook> load_lists(const ListConfig& config);

// Bytes of an archive, compressed; equal archives give equal bytes. Damage is refused.
[[nodiscard]] std::string pack_lists(const ListArchive& archive);
[[nodiscard]] Result<ListArchive> unpack_lists(std::string_view packed);

}  // namespace keyvigil
