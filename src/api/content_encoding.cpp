#include "api/content_encoding.h"

#include <zlib.h>

#include <algorithm>

#include "api/http_message.h"

namespace keyvigil {
namespace {

constexpr int kGzipWindow = 15 + 16;  // the largest window, with the header of gzip

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) { text.remove_prefix(1); }
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) { text.remove_suffix(1); }
  return text;
}

// Whether one element of Accept-Encoding, after its name, does not forbid: no ";q=0", ";q=0.000".
bool has_weight(std::string_view parameters) {
  const std::size_t at = parameters.find("q=");
  if (at == std::string_view::npos) { return true; }
  return parameters.substr(at + 2).find_first_of("123456789") != std::string_view::npos;
}

}  // namespace

std::string gzip(std::string_view plain) {
  z_stream stream{};
  constexpr int kMemoryLevel = 8;
  if (deflateInit2(&stream, Z_BEST_SPEED, Z_DEFLATED, kGzipWindow, kMemoryLevel, Z_DEFAULT_STRATEGY) != Z_OK) {
    return {};
  }
  std::string out(deflateBound(&stream, plain.size()), '\0');
  // zlib does not write to its input.
  stream.next_in = const_cast<Bytef*>(reinterpret_cast<const Bytef*>(plain.data()));
  stream.avail_in = static_cast<uInt>(plain.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  const int state = deflate(&stream, Z_FINISH);
  out.erase(state == Z_STREAM_END ? stream.total_out : 0);
  deflateEnd(&stream);
  return out;
}

bool accepts_gzip(std::string_view accept_encoding) {
  while (!accept_encoding.empty()) {
    const std::string_view element = accept_encoding.substr(0, accept_encoding.find(','));
    accept_encoding.remove_prefix(std::min(accept_encoding.size(), element.size() + 1));
    const std::string_view name = trimmed(element.substr(0, element.find(';')));
    if (equal_without_case(name, "gzip")) { return has_weight(element.substr(std::min(element.size(), name.size()))); }
  }
  return false;
}

}  // namespace keyvigil
