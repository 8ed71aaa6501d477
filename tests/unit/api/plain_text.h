// The plain text of one gzip member, by zlib alone.
#pragma once

#include <zlib.h>

#include <string>
#include <string_view>

namespace keyvigil {

// Empty where it is damaged, or longer than `limit_bytes`.
inline std::string plain_text(std::string_view compressed, std::size_t limit_bytes) {
  z_stream stream{};
  if (inflateInit2(&stream, 15 + 16) != Z_OK) { return {}; }
  std::string plain(limit_bytes, '\0');
  stream.next_in = const_cast<Bytef*>(reinterpret_cast<const Bytef*>(compressed.data()));
  stream.avail_in = static_cast<uInt>(compressed.size());
  stream.next_out = reinterpret_cast<Bytef*>(plain.data());
  stream.avail_out = static_cast<uInt>(plain.size());
  const int state = inflate(&stream, Z_FINISH);
  plain.resize(state == Z_STREAM_END && stream.avail_in == 0 ? plain.size() - stream.avail_out : 0);
  inflateEnd(&stream);
  return plain;
}

}  // namespace keyvigil
