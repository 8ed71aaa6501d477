#include "app/incident_file.h"

#include <fmt/format.h>

#include <cerrno>
#include <fstream>
#include <system_error>

namespace keyvigil {

Result<void> IncidentFile::write(std::span<const Alert> alerts) {
  for (const Alert& alert : alerts) { incidents_.add(alert); }
  return next_->write(alerts);
}

Result<void> IncidentFile::close() {
  if (auto closed = next_->close(); !closed) { return closed; }
  std::ofstream file(path_, std::ios::binary | std::ios::trunc);
  for (const Incident& incident : incidents_.group()) { file << to_json_line(incident_json(incident)) << '\n'; }
  if (incidents_.left_out() > 0) {
    file << to_json_line(Json{{"alertsInNoIncidentForWantOfRoom", incidents_.left_out()}}) << '\n';
  }
  file.close();
  if (file) { return {}; }
  return fail(ErrorKind::kInputOutput,
              fmt::format("expected to write incidents to '{}', found: {}; check the path and the free space", path_,
                          std::generic_category().message(errno)));
}

}  // namespace keyvigil
