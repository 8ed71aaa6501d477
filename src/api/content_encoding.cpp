#include "api/content_encoding.h"

#include <zlib.h>
#include <zstd.h>

#include <algorithm>
#include <memory>
#include <optional>

#include <fmt/format.h>

#include "api/http_message.h"

namespace keyvigil {
namespace {

constexpr std::size_t kStepBytes = std::size_t{64} << 10;
constexpr std::size_t kRatioLimit = 1000;
constexpr std::size_t kRatioFreeBytes = std::size_t{1} << 20;
constexpr int kGzipWindow = 15 + 16;
constexpr int kZlibWindow = 15;
constexpr int kZstdWindowLogMax = 27;

struct InflateEnd {
  void operator()(z_stream* stream) const { inflateEnd(stream); }
};
struct ZstdFree {
  void operator()(ZSTD_DCtx* context) const { ZSTD_freeDCtx(context); }
};

tl::unexpected<Error> damaged(std::string_view encoding) {
  return fail(ErrorKind::kInput, fmt::format("Expected a whole body with Content-Encoding '{}', found one that is "
                                             "damaged, cut, or followed by something else.",
                                             encoding));
}

// The error where so much plain text is more than the limits let through.
std::optional<Error> excess(std::size_t plain_bytes, std::size_t stored_bytes, std::size_t limit_bytes) {
  if (plain_bytes > limit_bytes) {
    return Error{ErrorKind::kLimit,
                 fmt::format("The decompressed body is longer than {} bytes. Send it in smaller parts.", limit_bytes)};
  }
  if (plain_bytes > kRatioFreeBytes && plain_bytes / kRatioLimit > stored_bytes) {
    return Error{ErrorKind::kLimit,
                 fmt::format("The decompressed body is more than {} times as long as it was sent.", kRatioLimit)};
  }
  return std::nullopt;
}

Bytef* bytes_of(const char* text) {
  return const_cast<Bytef*>(reinterpret_cast<const Bytef*>(text));  // zlib does not write to its input
}

Result<std::string> inflate_all(std::string_view body, std::string_view encoding, int window, std::size_t limit_bytes) {
  z_stream stream{};
  if (inflateInit2(&stream, window) != Z_OK) { return fail(ErrorKind::kLimit, "No memory to decompress a body."); }
  const std::unique_ptr<z_stream, InflateEnd> end(&stream);
  stream.next_in = bytes_of(body.data());
  stream.avail_in = static_cast<uInt>(body.size());
  std::string plain;
  int state = Z_OK;
  while (state != Z_STREAM_END || stream.avail_in > 0) {
    if (state == Z_STREAM_END) {  // members of gzip follow one another; zlib has one
      if (window != kGzipWindow || inflateReset(&stream) != Z_OK) { return damaged(encoding); }
    }
    const std::size_t before = plain.size();
    plain.resize(before + kStepBytes);
    stream.next_out = reinterpret_cast<Bytef*>(plain.data() + before);
    stream.avail_out = static_cast<uInt>(kStepBytes);
    state = inflate(&stream, Z_NO_FLUSH);
    plain.resize(before + kStepBytes - stream.avail_out);
    if (auto error = excess(plain.size(), body.size(), limit_bytes)) {
      return tl::unexpected<Error>(*std::move(error));
    }
    if (state != Z_OK && state != Z_STREAM_END) { return damaged(encoding); }
    if (state == Z_OK && stream.avail_in == 0 && plain.size() == before) { return damaged(encoding); }
  }
  return plain;
}

Result<std::string> unzstd_all(std::string_view body, std::string_view encoding, std::size_t limit_bytes) {
  const std::unique_ptr<ZSTD_DCtx, ZstdFree> context(ZSTD_createDCtx());
  if (!context) { return fail(ErrorKind::kLimit, "No memory to decompress a body."); }
  ZSTD_DCtx_setParameter(context.get(), ZSTD_d_windowLogMax, kZstdWindowLogMax);
  ZSTD_inBuffer in{body.data(), body.size(), 0};
  std::string plain;
  std::size_t state = 1;  // 0: a frame is complete and flushed
  while (in.pos < in.size || state != 0) {
    const std::size_t before = plain.size();
    plain.resize(before + kStepBytes);
    ZSTD_outBuffer out{plain.data() + before, kStepBytes, 0};
    const std::size_t taken = in.pos;
    state = ZSTD_decompressStream(context.get(), &out, &in);
    plain.resize(before + out.pos);
    if (auto error = excess(plain.size(), body.size(), limit_bytes)) {
      return tl::unexpected<Error>(*std::move(error));
    }
    if (ZSTD_isError(state) != 0 || (state != 0 && in.pos == taken && out.pos == 0)) { return damaged(encoding); }
  }
  return plain;
}

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

Result<std::string> decompress_body(std::string_view body, std::string_view content_encoding, std::size_t limit_bytes) {
  const std::string encoding = lower_case(trimmed(content_encoding));
  if (encoding.empty() || encoding == "identity") {
    if (auto error = excess(body.size(), body.size(), limit_bytes)) { return tl::unexpected<Error>(*std::move(error)); }
    return std::string(body);
  }
  if (body.size() > limit_bytes) {  // also keeps sizes within zlib's integers
    return fail(ErrorKind::kLimit, fmt::format("The body is longer than {} bytes before it is decompressed. Send it in "
                                               "smaller parts.",
                                               limit_bytes));
  }
  if (encoding == "gzip" || encoding == "x-gzip") { return inflate_all(body, "gzip", kGzipWindow, limit_bytes); }
  if (encoding == "deflate") { return inflate_all(body, "deflate", kZlibWindow, limit_bytes); }
  if (encoding == "zstd") { return unzstd_all(body, "zstd", limit_bytes); }
  return fail(ErrorKind::kInput, "Expected Content-Encoding gzip, deflate, zstd or identity, found another one.");
}

std::string gzip(std::string_view plain) {
  z_stream stream{};
  constexpr int kMemoryLevel = 8;
  if (deflateInit2(&stream, Z_BEST_SPEED, Z_DEFLATED, kGzipWindow, kMemoryLevel, Z_DEFAULT_STRATEGY) != Z_OK) {
    return {};
  }
  std::string out(deflateBound(&stream, plain.size()), '\0');
  stream.next_in = bytes_of(plain.data());
  stream.avail_in = static_cast<uInt>(plain.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  const int state = deflate(&stream, Z_FINISH);
  out.resize(state == Z_STREAM_END ? out.size() - stream.avail_out : 0);
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
