// CHECK(condition): an invariant of our own code, kept in release builds.
//
// A detector that has lost its invariants must stop rather than keep saying that all is quiet.
// Never used on input: bad input is a Result.
#pragma once

#include <cstdio>
#include <cstdlib>

namespace keyvigil {

[[noreturn]] inline void check_failed(const char* condition, const char* file, int line) {
  std::fprintf(stderr, "keyvigil: broken invariant: %s (%s:%d)\n", condition, file, line);
  std::abort();
}

}  // namespace keyvigil

#define CHECK(condition) ((condition) ? void(0) : ::keyvigil::check_failed(#condition, __FILE__, __LINE__))
