#include "alert/uuid.h"

#include <openssl/evp.h>

#include <fmt/format.h>

#include "base/check.h"

namespace keyvigil {

std::string uuid_of_name(const UuidBytes& name_space, std::string_view name) {
  std::string bytes(name_space.begin(), name_space.end());
  bytes += name;
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned size = 0;
  CHECK(EVP_Digest(bytes.data(), bytes.size(), digest.data(), &size, EVP_sha1(), nullptr) == 1 && size == 20);
  digest[6] = static_cast<unsigned char>((digest[6] & 0x0FU) | 0x50U);
  digest[8] = static_cast<unsigned char>((digest[8] & 0x3FU) | 0x80U);
  std::string text;
  for (std::size_t i = 0; i < 16; ++i) {
    if (i == 4 || i == 6 || i == 8 || i == 10) { text += '-'; }
    text += fmt::format("{:02x}", digest[i]);
  }
  return text;
}

}  // namespace keyvigil
