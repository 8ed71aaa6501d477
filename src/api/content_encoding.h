// Content-Encoding of responses (RFC 9110 8.4): gzip for whoever asks for it. What comes in compressed is decompressed
// where it is framed (source/byte_stream.h), so that it is never held whole.
#pragma once

#include <string>
#include <string_view>

namespace keyvigil {

// Empty where there is no memory for it. At most 2 GiB.
[[nodiscard]] std::string gzip(std::string_view plain);
// Whether an Accept-Encoding header lets gzip be used.
[[nodiscard]] bool accepts_gzip(std::string_view accept_encoding);

}  // namespace keyvigil
