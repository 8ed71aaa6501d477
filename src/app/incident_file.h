// IncidentFile: the file of --incidents. Hands alerts on to another sink and writes, at the end, which of them belong
// together (alert/incidents.h), as JSON lines.
//
// Threads: one owner, as the sink behind it, which must outlive it.
#pragma once

#include <span>
#include <string>

#include "alert/incidents.h"
#include "sink/sink.h"

namespace keyvigil {

class IncidentFile final : public AlertSink {
 public:
  IncidentFile(std::string path, AlertSink& next) : path_(std::move(path)), next_(&next) {}
  [[nodiscard]] Result<void> write(std::span<const Alert> alerts) override;
  // Closes the other sink first. Errors: its, or that the file could not be written.
  [[nodiscard]] Result<void> close() override;

 private:
  std::string path_;
  AlertSink* next_;
  Incidents incidents_;
};

}  // namespace keyvigil
