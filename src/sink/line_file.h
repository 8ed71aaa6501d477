// LineFile: alerts appended to a file, one a line, for programs that follow it.
//
// Rotation: when the name stands for another file, or for none, it is opened anew before the next batch, so moving the
// file away is all that a rotation has to do. What was delivered is on disk (fdatasync). A batch that could not be
// written whole is taken back; a line that a crash cut off is ended before the next one. One owner.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/file_descriptor.h"
#include "base/result.h"
#include "sink/attempt.h"
#include "sink/open_sink.h"

namespace keyvigil {

class LineFile {
 public:
  explicit LineFile(SinkOptions options) : options_(std::move(options)) {}
  [[nodiscard]] std::vector<Attempt> deliver(std::span<const OutgoingAlert> alerts);

 private:
  [[nodiscard]] Result<void> make_ready();
  [[nodiscard]] Result<void> append(std::string_view bytes);

  SinkOptions options_;
  std::optional<FileDescriptor> file_;
};

}  // namespace keyvigil
