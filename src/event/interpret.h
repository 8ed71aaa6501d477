// RecordFields to AccessEvent: what the fields of a record mean. Room-internal.
#pragma once

#include "event/decode.h"
#include "event/record_fields.h"

namespace keyvigil {

[[nodiscard]] Decoded interpret(const RecordFields& fields, AccessEvent& event);

}  // namespace keyvigil
