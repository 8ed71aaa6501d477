// Exit codes of every command (README.md): scripts depend on them.
#pragma once

#include "base/result.h"

namespace keyvigil {

enum class ExitCode : int {
  kDone = 0,
  kFailOnMet = 1,       // done, and an alert of the asked severity was raised
  kUsage = 2,           // words or configuration
  kInputOutput = 3,     // input or output failed
  kRefusedInput = 4,    // more input was refused than allowed
  kNothingDecided = 5,  // done, but there was nothing to decide
  kCutInput = 6,        // done, but some input was cut off
};

[[nodiscard]] constexpr ExitCode exit_code_of(const Error& error) {
  return error.kind == ErrorKind::kUsage ? ExitCode::kUsage : ExitCode::kInputOutput;
}

}  // namespace keyvigil
