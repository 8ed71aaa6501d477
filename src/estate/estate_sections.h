// The sections of a checkpoint (engine/checkpoint.h) that `detect` and `serve` both know.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "alert/alert.h"
#include "base/result.h"
#include "engine/checkpoint.h"

namespace keyvigil {

inline constexpr const char* kOrderSection = "order";
inline constexpr const char* kEngineSection = "engine";
inline constexpr const char* kRepeatsSection = "repeats";
inline constexpr const char* kPrintedSection = "printed";
inline constexpr const char* kWithoutHistoriesSection = "without-histories";

// What an estate gave to save.
struct EstateSections {
  std::string_view order;
  std::string_view engine;
  std::string_view repeats;
};

// One that is missing is empty. The sections must outlive what is returned.
[[nodiscard]] std::string_view section_in(const std::map<std::string, std::string>& sections, const std::string& name);
// The checkpoint must outlive them.
[[nodiscard]] EstateSections estate_sections(const Checkpoint& checkpoint);

// The open alerts of a state file that was read from `path`. None where it has no such section.
[[nodiscard]] Result<std::vector<Alert>> saved_alerts(const Checkpoint& checkpoint, std::string_view path);

}  // namespace keyvigil
