#include "base/base64.h"

#include <openssl/evp.h>

#include <algorithm>

namespace keyvigil {

std::string base64(std::string_view bytes) {
  std::string out(4 * ((bytes.size() + 2) / 3) + 1, '\0');  // EVP_EncodeBlock ends it with a NUL
  const int size =
      EVP_EncodeBlock(reinterpret_cast<unsigned char*>(out.data()),
                      reinterpret_cast<const unsigned char*>(bytes.data()), static_cast<int>(bytes.size()));
  out.resize(static_cast<std::size_t>(size));
  return out;
}

std::optional<std::string> base64_decoded(std::string_view text) {
  if (text.empty() || text.size() % 4 != 0) { return std::nullopt; }
  // OpenSSL trims blanks and reads '=' as a zero wherever it stands: both are refused here.
  const std::string_view body = text.substr(0, text.find('='));
  const std::size_t padding = text.size() - body.size();
  const bool plain = std::all_of(body.begin(), body.end(), [](char c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '+' || c == '/';
  });
  if (!plain || padding > 2 || text.substr(body.size()) != std::string(padding, '=')) { return std::nullopt; }
  std::string out(text.size() / 4 * 3, '\0');
  const int size = EVP_DecodeBlock(reinterpret_cast<unsigned char*>(out.data()),
                                   reinterpret_cast<const unsigned char*>(text.data()), static_cast<int>(text.size()));
  if (size < 0) { return std::nullopt; }
  out.resize(static_cast<std::size_t>(size) - padding);
  return out;
}

}  // namespace keyvigil
