// Names of the sections of a state file: what `detect --state` saves, and `serve --state` takes up.
#pragma once

namespace keyvigil {

inline constexpr const char* kOrderSection = "order";
inline constexpr const char* kEngineSection = "engine";
inline constexpr const char* kRepeatsSection = "repeats";
// Open alerts that were printed, with the revision: `detect` alone reads it.
inline constexpr const char* kPrintedSection = "printed";
// Marks a state that was written without histories.
inline constexpr const char* kWithoutHistoriesSection = "without-histories";

}  // namespace keyvigil
