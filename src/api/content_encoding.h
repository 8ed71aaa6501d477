// Content-Encoding (RFC 9110 8.4): gzip, deflate, zstd, identity; never more than was asked for.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace keyvigil {

// The plain body. `content_encoding` without regard to case; empty: identity. Errors: kLimit where the plain body is
// longer than `limit_bytes`, or more than 1000 times the stored one beyond 1 MiB (memory grows with what comes out, so
// neither is held); kInput for what is damaged, cut, followed by something else, or of another encoding, also of
// more than one.
[[nodiscard]] Result<std::string> decompress_body(std::string_view body, std::string_view content_encoding,
                                                  std::size_t limit_bytes);

// Empty where there is no memory for it. At most 2 GiB.
[[nodiscard]] std::string gzip(std::string_view plain);
// Whether an Accept-Encoding header lets gzip be used.
[[nodiscard]] bool accepts_gzip(std::string_view accept_encoding);

}  // namespace keyvigil
