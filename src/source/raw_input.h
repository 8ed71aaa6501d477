// RawInput: the stored bytes of one file, of stdin, of memory or of an archive's entry, readable again from the start.
//
// What cannot be read twice (a pipe) is copied to a spool file while it is read. The spool file has no name, so it
// goes when the program does, however it ends.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "base/file_descriptor.h"
#include "base/result.h"

namespace keyvigil {

class RawInput {
 public:
  // `spool_folder`: where a pipe is copied to; empty: it is not, and rewind() fails for it.
  [[nodiscard]] static Result<RawInput> open(const std::string& path, const std::string& spool_folder);
  [[nodiscard]] static Result<RawInput> open_stdin(const std::string& spool_folder);
  // `bytes` must outlive the input.
  [[nodiscard]] static RawInput of_bytes(std::string_view bytes, std::string name);

  // What somebody else reads, who can begin again.
  [[nodiscard]] static RawInput of_reader(std::function<Result<std::size_t>(char* to, std::size_t room)> read,
                                          std::function<Result<void>()> rewind, std::string name);

  // At most `room` bytes; 0: the end.
  [[nodiscard]] Result<std::size_t> read(char* to, std::size_t room);
  // The next read gives the first byte again.
  [[nodiscard]] Result<void> rewind();
  // Any bytes, in any order; a pipe is copied whole first. Not of a reader.
  [[nodiscard]] Result<std::uint64_t> size_bytes();
  [[nodiscard]] Result<std::size_t> read_at(std::uint64_t position, char* to, std::size_t room) const;
  // All there is, where it is in memory; else nothing.
  [[nodiscard]] std::optional<std::size_t> memory_bytes() const {
    return file_.valid() || reader_ ? std::nullopt : std::optional(bytes_.size());
  }
  [[nodiscard]] const std::string& name() const { return name_; }

 private:
  [[nodiscard]] static Result<RawInput> from(FileDescriptor file, std::string name, const std::string& spool_folder);
  [[nodiscard]] Result<void> spool(const char* bytes, std::size_t size);

  std::string_view bytes_;  // of memory; else there is a reader or a file
  std::function<Result<std::size_t>(char* to, std::size_t room)> reader_;
  std::function<Result<void>()> rewind_reader_;
  FileDescriptor file_;
  FileDescriptor spool_;
  bool is_seekable_ = false;
  std::uint64_t spooled_bytes_ = 0;
  std::uint64_t position_ = 0;
  std::string name_;
};

}  // namespace keyvigil
