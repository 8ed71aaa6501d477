// RawInput: the stored bytes of one file, of stdin, or of memory, readable again from the start.
//
// What cannot be read twice (a pipe) is copied to a spool file while it is read. The spool file has no name, so it
// goes when the program does, however it ends.
#pragma once

#include <cstdint>
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

  // At most `room` bytes; 0: the end.
  [[nodiscard]] Result<std::size_t> read(char* to, std::size_t room);
  // The next read gives the first byte again.
  [[nodiscard]] Result<void> rewind();
  [[nodiscard]] const std::string& name() const { return name_; }

 private:
  [[nodiscard]] static Result<RawInput> from(FileDescriptor file, std::string name, const std::string& spool_folder);
  [[nodiscard]] Result<void> spool(const char* bytes, std::size_t size);

  std::string_view bytes_;  // of memory; else there is a file
  FileDescriptor file_;
  FileDescriptor spool_;
  bool is_seekable_ = false;
  std::uint64_t spooled_bytes_ = 0;
  std::uint64_t position_ = 0;
  std::string name_;
};

}  // namespace keyvigil
