// docs/openapi.yaml as it was when this program was built (CMakeLists.txt puts it in).
#pragma once

#include <string_view>

namespace keyvigil {

[[nodiscard]] std::string_view openapi_document();

}  // namespace keyvigil
