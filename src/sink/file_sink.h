// FileSink: alerts into a file or standard output.
//
// A regular file appears under its name only when close() has succeeded: until then the alerts are in NAME.partial,
// so nobody reads half a result, and a failed run leaves the previous result as it was. Pipes, devices and standard
// output are written directly. What stands before the first alert is written with it, or at the end; a table ends with
// its totals. Every error of the operating system is reported, full disks and closed pipes included; SIGPIPE must be
// ignored by the process.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "sink/open_sink.h"
#include "sink/sink.h"

namespace keyvigil {

class FileSink final : public AlertSink {
 public:
  [[nodiscard]] static Result<FileSink> open(const SinkOptions& options);
  FileSink(FileSink&& other) noexcept;
  FileSink& operator=(FileSink&&) = delete;
  ~FileSink() override;

  [[nodiscard]] Result<void> write(std::span<const Alert> alerts) override;
  [[nodiscard]] Result<void> write_one(const Alert& alert, const AlertStanding& standing);
  [[nodiscard]] Result<void> close() override;

 private:
  FileSink(SinkOptions options, int descriptor, std::string partial_path);
  [[nodiscard]] Result<void> write_bytes(std::string_view bytes);
  [[nodiscard]] Result<void> begin();
  [[nodiscard]] std::string text_of(const Alert& alert, const AlertStanding& standing);

  SinkOptions options_;
  int descriptor_ = -1;
  bool begun_ = false;
  std::string partial_path_;  // empty: written directly
  TableTotals totals_;        // of a table
};

}  // namespace keyvigil
