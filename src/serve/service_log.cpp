#include "serve/service_log.h"

#include <spdlog/sinks/stdout_sinks.h>

#include <nlohmann/json.hpp>

#include "alert/printable.h"

namespace keyvigil {
namespace {

constexpr std::size_t kTextBytes = 4096;

std::string shown(std::string_view text) {
  return harmless(bounded_utf8(text, kTextBytes));
}

}  // namespace

ServiceLog::ServiceLog(std::function<EventTime()> now)
    : now_(std::move(now)),
      logger_(std::make_unique<spdlog::logger>("keyvigil", std::make_shared<spdlog::sinks::stderr_sink_mt>())) {
  logger_->set_pattern("%v");
  logger_->flush_on(spdlog::level::info);
}

ServiceLog::~ServiceLog() = default;

void ServiceLog::write(spdlog::level::level_enum level, std::string_view message, const Members& members) {
  nlohmann::ordered_json line;
  line["time"] = to_iso_milliseconds(now_());
  const auto name = spdlog::level::to_string_view(level);
  line["level"] = std::string(name.data(), name.size());
  line["message"] = shown(message);
  for (const auto& [key, value] : members) { line[key] = shown(value); }
  logger_->log(level, line.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
}

void ServiceLog::info(std::string_view message, const Members& members) {
  write(spdlog::level::info, message, members);
}
void ServiceLog::warn(std::string_view message, const Members& members) {
  write(spdlog::level::warn, message, members);
}
void ServiceLog::error(std::string_view message, const Members& members) {
  write(spdlog::level::err, message, members);
}

}  // namespace keyvigil
