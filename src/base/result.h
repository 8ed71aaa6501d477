// Result<T>: a value, or an Error with a sentence for a person.
//
// Errors are values here; the project throws nothing of its own. An Error's message says what was
// expected, what was found, where, and what to do.
#pragma once

#include <string>
#include <utility>

#include <tl/expected.hpp>

namespace keyvigil {

enum class ErrorKind {
  kUsage,        // the caller's words or configuration are wrong
  kInput,        // bytes from outside are not what they should be
  kInputOutput,  // the operating system refused to read or write
  kLimit,        // a stated limit was met
  kNoRoom,       // there is no room to write now (a disk is full): the same may succeed later
};

struct Error {
  ErrorKind kind;
  std::string message;
};

template <typename T>
using Result = tl::expected<T, Error>;

[[nodiscard]] inline tl::unexpected<Error> fail(ErrorKind kind, std::string message) {
  return tl::unexpected<Error>(Error{kind, std::move(message)});
}

}  // namespace keyvigil
