// IncidentFile: the file of --incidents. Hands alerts on to another sink and writes, at the end, which of them belong
// together (alert/incidents.h), as JSON lines.
//
// A regular file appears under its name only when close() has succeeded: until then it is NAME.partial, which goes with
// a run that fails. Threads: one owner, as the sink behind it, which must outlive it.
#pragma once

#include <fstream>
#include <memory>
#include <span>
#include <string>

#include "alert/incidents.h"
#include "sink/sink.h"

namespace keyvigil {

class IncidentFile final : public AlertSink {
 public:
  // Opens the file: what cannot be written is known before a run, and not after it.
  [[nodiscard]] static Result<std::unique_ptr<IncidentFile>> open(const std::string& path, AlertSink& next);
  // Use open().
  IncidentFile(std::string path, std::string opened_path, AlertSink& next);
  ~IncidentFile() override;
  IncidentFile(const IncidentFile&) = delete;
  IncidentFile& operator=(const IncidentFile&) = delete;

  [[nodiscard]] Result<void> write(std::span<const Alert> alerts) override;
  // Closes the other sink first. Errors: its, or that the file could not be written.
  [[nodiscard]] Result<void> close() override;

 private:
  [[nodiscard]] tl::unexpected<Error> not_written() const;

  std::string path_;
  std::string opened_path_;  // path_ where that is no regular file, such as a pipe
  bool closed_ = false;
  std::ofstream file_;
  AlertSink* next_;
  Incidents incidents_;
};

}  // namespace keyvigil
