#include "estate/estate_sections.h"

#include <fmt/format.h>

#include "alert/repeats.h"
#include "base/snapshot.h"

namespace keyvigil {

std::string_view section_in(const std::map<std::string, std::string>& sections, const std::string& name) {
  const auto found = sections.find(name);
  return found == sections.end() ? std::string_view{} : std::string_view(found->second);
}

EstateSections estate_sections(const Checkpoint& checkpoint) {
  return {section_in(checkpoint.sections, kOrderSection), section_in(checkpoint.sections, kEngineSection),
          section_in(checkpoint.sections, kRepeatsSection)};
}

Result<std::vector<Alert>> saved_alerts(const Checkpoint& checkpoint, std::string_view path) {
  const std::string_view section = section_in(checkpoint.sections, kRepeatsSection);
  if (section.empty()) { return std::vector<Alert>{}; }
  Repeats repeats;
  SnapshotReader reader(section);
  if (repeats.load(reader) && reader.at_end()) { return repeats.open_alerts(); }
  return fail(
      ErrorKind::kInput,
      fmt::format("{}: expected open alerts in the saved state, found damaged bytes; restore a copy of it", path));
}

}  // namespace keyvigil
