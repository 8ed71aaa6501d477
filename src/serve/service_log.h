// ServiceLog: what the service says about itself, one JSON object a line, to standard error.
//
// {"time":"...","level":"info","message":"...", further members}. Texts are made harmless; secrets are never handed in.
// Threads: any.
#pragma once

#include <spdlog/logger.h>

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/event_time.h"

namespace keyvigil {

class ServiceLog {
 public:
  using Members = std::vector<std::pair<std::string, std::string>>;

  explicit ServiceLog(std::function<EventTime()> now);
  ~ServiceLog();
  ServiceLog(const ServiceLog&) = delete;
  ServiceLog& operator=(const ServiceLog&) = delete;

  void info(std::string_view message, const Members& members = {});
  void warn(std::string_view message, const Members& members = {});
  void error(std::string_view message, const Members& members = {});

 private:
  void write(spdlog::level::level_enum level, std::string_view message, const Members& members);

  std::function<EventTime()> now_;
  std::unique_ptr<spdlog::logger> logger_;
};

}  // namespace keyvigil
