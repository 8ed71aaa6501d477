// OpenSslOwner: owns what OpenSSL has made, and gives it back with the function that is named.
#pragma once

#include <memory>

namespace keyvigil {

template <auto Free>
struct OpenSslFree {
  template <typename T>
  void operator()(T* what) const {
    Free(what);
  }
};
template <typename T, auto Free>
using OpenSslOwner = std::unique_ptr<T, OpenSslFree<Free>>;

}  // namespace keyvigil
