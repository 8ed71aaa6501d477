#include "estate/estate_sections.h"

#include <fmt/format.h>

#include "alert/repeats.h"
#include "base/snapshot.h"

namespace keyvigil {
namespace {

std::string_view section_of(const Checkpoint& checkpoint, const char* name) {
  const auto found = checkpoint.sections.find(name);
  return found == checkpoint.sections.end() ? std::string_view{} : std::string_view(found->second);
}

}  // namespace

EstateSections estate_sections(const Checkpoint& checkpoint) {
  return {section_of(checkpoint, kOrderSection), section_of(checkpoint, kEngineSection),
          section_of(checkpoint, kRepeatsSection)};
}

Result<std::vector<Alert>> saved_alerts(const Checkpoint& checkpoint, std::string_view path) {
  const std::string_view section = section_of(checkpoint, kRepeatsSection);
  if (section.empty()) { return std::vector<Alert>{}; }
  Repeats repeats;
  SnapshotReader reader(section);
  if (repeats.load(reader) && reader.at_end()) { return repeats.open_alerts(); }
  return fail(
      ErrorKind::kInput,
      fmt::format("{}: expected open alerts in the saved state, found damaged bytes; restore a copy of it", path));
}

}  // namespace keyvigil
