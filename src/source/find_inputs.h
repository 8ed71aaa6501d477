// find_inputs: what the user named (files, folders, globs, - for stdin) to an ordered list of files.
//
// Nothing is opened. Whether a file holds logs is found out later, from its content.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/event_time.h"
#include "base/result.h"

namespace keyvigil {

struct InputFile {
  std::string path;                     // "-" for stdin
  std::string display_name;             // "stdin" for stdin, else the path
  std::uint64_t size_bytes = 0;         // as stored; 0 where not known (pipes)
  std::optional<EventTime> not_before;  // the hour in a blob path; arrivals, so events may be older
  bool is_stdin = false;
  bool is_pipe = false;      // cannot be read twice: needs a spool folder
  std::uint64_t device = 0;  // of a regular file: with the inode, what makes it this file under every name
  std::uint64_t inode = 0;
};

struct InputList {
  std::vector<InputFile> files;  // arguments in their order; a folder's entries by name, bytewise
  std::uint64_t hidden_skipped = 0;
  std::uint64_t empty_skipped = 0;
  std::uint64_t repeated_skipped = 0;  // the same file or folder again, also through links
  std::uint64_t other_skipped = 0;     // in folders: sockets, devices, pipes, links that lead nowhere
  std::uint64_t failed_skipped = 0;    // with FindOptions::goes_on; what is gone meanwhile does not count
  std::string failed_first;            // a sentence about the first of these
};

struct FindOptions {
  std::size_t limit_files = 5'000'000;
  // Below a folder that was named: what cannot be read, and what is neither file nor folder, is left out and counted.
  bool goes_on = false;
};

[[nodiscard]] Result<InputList> find_inputs(const std::vector<std::string>& arguments, const FindOptions& options = {});

// The start of the hour that a blob path names: .../y=2026/m=09/d=28/h=10/m=00/PT1H.json. The second m= is the minute.
[[nodiscard]] std::optional<EventTime> blob_path_time(std::string_view path);

}  // namespace keyvigil
