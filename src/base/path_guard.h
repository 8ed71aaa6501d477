// PathGuard: what a command writes is nothing that it reads, and nothing that it writes twice.
//
// Files are compared by device and inode, through links; one that does not exist yet by its folder and name, where a
// link that leads nowhere stands for what it would make. Only files and block devices are guarded: pipes and terminals
// keep nothing. "" is no path. Name all that is written first; nothing is opened.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <tuple>

#include "base/result.h"

namespace keyvigil {

class PathGuard {
 public:
  // `role`: as the user knows the path: "--output", "serve.store". "-" is standard output.
  [[nodiscard]] Result<void> writes(std::string_view role, const std::string& path);
  // With the copy that bears the path's name and ".partial" until it is whole.
  [[nodiscard]] Result<void> writes_in_the_end(std::string_view role, const std::string& path);
  // "-" is standard input.
  [[nodiscard]] Result<void> reads(std::string_view role, const std::string& path) const;
  // The same for a file whose place is known.
  [[nodiscard]] Result<void> reads(std::string_view role, const std::string& path, std::uint64_t device,
                                   std::uint64_t inode) const;
  // Nothing may be written into a folder whose files are followed.
  [[nodiscard]] Result<void> reads_folder(std::string_view role, const std::string& folder) const;

 private:
  using Identity = std::tuple<std::uint64_t, std::uint64_t, std::string>;  // device, inode, name of what is to be made
  struct Named {
    std::string role;
    std::string path;
  };
  [[nodiscard]] Result<void> refuse_match(std::string_view role, const std::string& path,
                                          const Identity& identity) const;
  [[nodiscard]] static bool find(const std::string& path, int standard_stream, Identity& identity);

  std::map<Identity, Named> written_;
};

// Where opening the path for writing ends, through links, those that lead nowhere too.
[[nodiscard]] std::string final_path(const std::string& path);

}  // namespace keyvigil
