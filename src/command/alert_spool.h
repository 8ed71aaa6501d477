// AlertSpool: alerts that cannot be given out yet, because disorder may still make the run start over, and what the
// run could not look at is said before them. In memory up to a limit, then in a temporary file without a name.
#pragma once

#include <cstdio>
#include <memory>
#include <string>

#include "alert/alert.h"
#include "base/result.h"
#include "sink/sink.h"

namespace keyvigil {

class AlertSpool {
 public:
  explicit AlertSpool(std::string folder) : folder_(std::move(folder)) {}

  [[nodiscard]] Result<void> add(const Alert& alert);
  // Writes all, in the order in which they were added.
  [[nodiscard]] Result<void> replay(AlertSink& sink);

 private:
  static constexpr std::size_t kMemoryLimitBytes = std::size_t{16} << 20;
  struct CloseFile {
    void operator()(std::FILE* file) const { (void)std::fclose(file); }
  };

  [[nodiscard]] Result<void> flush();
  [[nodiscard]] Result<void> replay_bytes(std::string_view bytes, AlertSink& sink) const;

  std::string folder_;
  std::string bytes_;  // per alert: size u64, then its snapshot
  std::unique_ptr<std::FILE, CloseFile> file_;
  std::vector<std::size_t> chunk_sizes_;  // of the file
};

}  // namespace keyvigil
