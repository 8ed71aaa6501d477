// Names of the sections of a state file: what `detect --state` saves, and `serve --state` takes up.
#pragma once

namespace keyvigil {

inline constexpr const char* kOrderSection = "order";
inline constexpr const char* kEngineSection = "engine";
inline constexpr const char* kRepeatsSection = "repeats";

}  // namespace keyvigil
