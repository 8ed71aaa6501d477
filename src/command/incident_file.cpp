#include "command/incident_file.h"

#include <fmt/format.h>

#include <cerrno>
#include <filesystem>
#include <system_error>
#include <utility>

namespace keyvigil {

Result<std::unique_ptr<IncidentFile>> IncidentFile::open(const std::string& path, AlertSink& next) {
  std::error_code ignored;
  const auto status = std::filesystem::status(path, ignored);
  const bool direct = std::filesystem::exists(status) && !std::filesystem::is_regular_file(status);
  auto file = std::make_unique<IncidentFile>(path, direct ? path : path + ".partial", next);
  if (!file->file_) { return file->not_written(); }
  return file;
}

IncidentFile::IncidentFile(std::string path, std::string opened_path, AlertSink& next)
    : path_(std::move(path)),
      opened_path_(std::move(opened_path)),
      file_(opened_path_, std::ios::binary | std::ios::trunc),
      next_(&next) {}

IncidentFile::~IncidentFile() {
  std::error_code ignored;
  if (!closed_ && opened_path_ != path_) { std::filesystem::remove(opened_path_, ignored); }
}

tl::unexpected<Error> IncidentFile::not_written() const {
  return fail(
      ErrorKind::kInputOutput,
      fmt::format("--incidents: expected to write incidents to '{}', found: {}; check the path and the free space",
                  opened_path_, std::generic_category().message(errno)));
}

Result<void> IncidentFile::write(std::span<const Alert> alerts) {
  for (const Alert& alert : alerts) { incidents_.add(alert); }
  return next_->write(alerts);
}

Result<void> IncidentFile::close() {
  if (auto closed = next_->close(); !closed) { return closed; }
  for (const Incident& incident : incidents_.group()) { file_ << to_json_line(incident_json(incident)) << '\n'; }
  if (incidents_.left_out() > 0) {
    file_ << to_json_line(Json{{"alertsInNoIncidentForWantOfRoom", incidents_.left_out()}}) << '\n';
  }
  file_.close();
  if (!file_) { return not_written(); }
  std::error_code failed;
  if (opened_path_ != path_) { std::filesystem::rename(opened_path_, path_, failed); }
  if (failed) {
    errno = failed.value();
    return not_written();
  }
  closed_ = true;
  return {};
}

}  // namespace keyvigil
