#include "alert/product.h"

namespace keyvigil {

std::string_view product_version() {
  return KEYVIGIL_VERSION;
}

}  // namespace keyvigil
