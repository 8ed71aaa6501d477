// What the comments of a list say about the list: name, date, promises.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "intel/list_builder.h"

namespace keyvigil {

struct ListHeader {
  std::string name;
  std::string date;
  std::optional<std::uint64_t> lines_promised;
  std::optional<std::uint64_t> addresses_promised;

  void read(std::string_view comment);
  // Name and date, where they were said.
  void apply(ListBuilder& builder) const;
  void set_name(std::string_view text) {
    if (name.empty()) { name = visible(text); }
  }

 private:
  void read_entries(std::string_view promise);
};

}  // namespace keyvigil
