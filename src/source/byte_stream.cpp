#include "source/byte_stream.h"

#include <algorithm>
#include <cstring>
#include <limits>
#include <utility>

#include <fmt/format.h>
#include <zlib.h>
#include <zstd.h>

namespace keyvigil {

namespace {

constexpr std::size_t kStoredChunkBytes = std::size_t{256} << 10;
constexpr std::size_t kMagicBytes = 4;
constexpr int kGzipWindowBits = 15 + 16;  // the largest window; gzip framing only
constexpr int kZstdWindowBits = 27;

enum class Form : std::uint8_t { kUnclear, kPlain, kGzip, kZstd };

struct FreeZstd {
  void operator()(ZSTD_DStream* stream) const { ZSTD_freeDStream(stream); }
};
struct FreeGzip {
  void operator()(z_stream* stream) const {
    inflateEnd(stream);
    std::default_delete<z_stream>()(stream);
  }
};

}  // namespace

bool is_gzip(std::string_view head) {
  return head.starts_with("\x1F\x8B");
}

bool is_zstd(std::string_view head) {
  if (head.size() < kMagicBytes) return false;
  const bool skippable = (static_cast<unsigned char>(head[0]) & 0xF0U) == 0x50U && head.substr(1, 3) == "\x2A\x4D\x18";
  return skippable || head.starts_with("\x28\xB5\x2F\xFD");
}

struct ByteStream::State {
  explicit State(RawInput raw)
      : input(std::move(raw)),
        stored(std::clamp(input.memory_bytes().value_or(kStoredChunkBytes), kMagicBytes, kStoredChunkBytes)) {}

  RawInput input;
  std::vector<char> stored;  // bytes of the input not yet used: [begin, end)
  std::size_t begin = 0;
  std::size_t end = 0;
  bool input_ended = false;
  Form form = Form::kUnclear;
  std::uint64_t stored_bytes = 0;
  std::uint64_t plain_bytes = 0;
  std::optional<std::string> damage;
  bool in_member = false;  // a gzip member or zstd frame is open
  bool finished = false;
  std::string head;    // the first plain bytes, to find compression inside compression
  std::string peeked;  // plain bytes that were looked at before they are read
  std::unique_ptr<z_stream, FreeGzip> gzip;
  std::unique_ptr<ZSTD_DStream, FreeZstd> zstd;

  [[nodiscard]] std::string_view unused() const { return std::string_view(stored.data() + begin, end - begin); }

  // At least `least` unused bytes, unless the input ends before.
  Result<void> fill(std::size_t least) {
    while (end - begin < least && !input_ended) {
      if (begin > 0) std::memmove(stored.data(), stored.data() + begin, end - begin);
      end -= std::exchange(begin, 0);
      const Result<std::size_t> size = input.read(stored.data() + end, stored.size() - end);
      if (!size) return tl::unexpected(size.error());
      input_ended = *size == 0;
      end += *size;
      stored_bytes += *size;
    }
    return {};
  }

  void set_damage(const std::string& what) {
    const std::uint64_t place = stored_bytes - (end - begin);
    damage = fmt::format(
        "expected a complete {} stream, found {} at byte {} of {} ({} bytes could be decompressed before it); "
        "fetch or compress the file again",
        form == Form::kGzip ? "gzip" : "zstd", what, place, input.name(), plain_bytes);
    finished = true;
  }

  Result<void> find_form() {
    if (auto filled = fill(kMagicBytes); !filled) return filled;
    form = Form::kPlain;
    if (is_gzip(unused())) form = Form::kGzip;
    if (is_zstd(unused())) form = Form::kZstd;
    return {};
  }

  Result<std::size_t> read_plain(char* to, std::size_t room) {
    const std::size_t left = std::min(room, end - begin);
    if (left > 0) {
      std::memcpy(to, stored.data() + begin, left);
      begin += left;
      return left;
    }
    Result<std::size_t> size = input.read(to, room);
    if (size) stored_bytes += *size;
    return size;
  }

  // Between members: true where another one follows.
  bool begin_member() {
    const std::string_view next = unused();
    if (next.empty()) {
      finished = true;
      return false;
    }
    if (form == Form::kGzip ? !is_gzip(next) : !is_zstd(next)) {
      // tape and block devices pad with zeros
      if (next.find_first_not_of('\0') == std::string_view::npos) {
        begin = end;
        return true;
      }
      set_damage("bytes of another form behind the compressed ones");
      return false;
    }
    in_member = form == Form::kGzip ? begin_gzip() : begin_zstd();
    if (!in_member) set_damage("no memory for a decompressor");
    return in_member;
  }

  bool begin_gzip() {
    if (gzip) return inflateReset(gzip.get()) == Z_OK;
    auto fresh = std::make_unique<z_stream>();
    if (inflateInit2(fresh.get(), kGzipWindowBits) != Z_OK) return false;
    gzip.reset(fresh.release());
    return true;
  }

  bool begin_zstd() {
    if (!zstd) {
      zstd.reset(ZSTD_createDStream());
      if (!zstd || ZSTD_isError(ZSTD_DCtx_setParameter(zstd.get(), ZSTD_d_windowLogMax, kZstdWindowBits)) != 0) {
        return false;
      }
    }
    return ZSTD_isError(ZSTD_DCtx_reset(zstd.get(), ZSTD_reset_session_only)) == 0;
  }

  std::size_t inflate_some(char* to, std::size_t room) {
    // zlib's interface is not const-correct and counts in 32 bits
    gzip->next_in = reinterpret_cast<Bytef*>(stored.data() + begin);
    gzip->avail_in = static_cast<uInt>(end - begin);
    gzip->next_out = reinterpret_cast<Bytef*>(to);
    const auto out_room = static_cast<uInt>(std::min<std::size_t>(room, std::numeric_limits<uInt>::max()));
    gzip->avail_out = out_room;
    const int status = inflate(gzip.get(), Z_NO_FLUSH);
    begin = end - gzip->avail_in;
    if (status == Z_STREAM_END) in_member = false;
    const bool fine = status == Z_OK || status == Z_STREAM_END || status == Z_BUF_ERROR;
    if (!fine) set_damage(gzip->msg == nullptr ? "damaged bytes" : fmt::format("damaged bytes ({})", gzip->msg));
    return out_room - gzip->avail_out;
  }

  std::size_t unzstd_some(char* to, std::size_t room) {
    ZSTD_inBuffer in{stored.data() + begin, end - begin, 0};
    ZSTD_outBuffer out{to, room, 0};
    const std::size_t status = ZSTD_decompressStream(zstd.get(), &out, &in);
    begin += in.pos;
    if (ZSTD_isError(status) != 0) {
      set_damage(fmt::format("damaged bytes ({})", ZSTD_getErrorName(status)));
    } else if (status == 0) {
      in_member = false;
    }
    return out.pos;
  }

  Result<std::size_t> read_compressed(char* to, std::size_t room) {
    while (!finished) {
      if (!in_member || begin == end) {
        if (auto filled = fill(in_member ? 1 : kMagicBytes); !filled) return tl::unexpected(filled.error());
      }
      if (!in_member && !begin_member()) continue;
      if (!in_member) continue;  // padding was skipped
      const std::size_t size = form == Form::kGzip ? inflate_some(to, room) : unzstd_some(to, room);
      if (size > 0) return size;
      if (in_member && input_ended && begin == end) set_damage("the end of the file inside the stream");
    }
    return std::size_t{0};
  }

  // One level of compression is read, not two. True where there are two.
  bool is_nested(std::string_view plain) {
    if (head.size() >= kMagicBytes) return false;
    head.append(plain.substr(0, kMagicBytes - head.size()));
    return is_gzip(head) || is_zstd(head);
  }
};

ByteStream::ByteStream(RawInput input) : state_(std::make_unique<State>(std::move(input))) {}
ByteStream::~ByteStream() = default;
ByteStream::ByteStream(ByteStream&&) noexcept = default;
ByteStream& ByteStream::operator=(ByteStream&&) noexcept = default;

Result<std::string_view> ByteStream::peek(std::size_t least) {
  std::string bytes;
  while (bytes.size() < least) {
    const std::size_t filled = bytes.size();
    bytes.resize(least);
    const Result<std::size_t> size = read(bytes.data() + filled, least - filled);
    if (!size) return tl::unexpected(size.error());
    bytes.resize(filled + *size);
    if (*size == 0) break;
  }
  state_->plain_bytes -= bytes.size();
  state_->peeked = std::move(bytes);
  return std::string_view(state_->peeked);
}

bool ByteStream::is_compressed() const {
  return state_->form == Form::kGzip || state_->form == Form::kZstd;
}

RawInput& ByteStream::input() {
  return state_->input;
}

Result<std::size_t> ByteStream::read(char* to, std::size_t room) {
  State& state = *state_;
  if (!state.peeked.empty()) {
    const std::size_t given = state.peeked.copy(to, room);
    state.peeked.erase(0, given);
    state.plain_bytes += given;
    return given;
  }
  if (state.form == Form::kUnclear) {
    if (auto found = state.find_form(); !found) return tl::unexpected(found.error());
  }
  const bool plain = state.form == Form::kPlain;
  Result<std::size_t> size = plain ? state.read_plain(to, room) : state.read_compressed(to, room);
  if (!size) return size;
  if (!plain && *size > 0 && state.is_nested(std::string_view(to, *size))) {
    state.set_damage("compressed bytes inside compressed bytes (one level is read: decompress it once)");
    return std::size_t{0};
  }
  state.plain_bytes += *size;
  return size;
}

Result<void> ByteStream::rewind() {
  State& state = *state_;
  if (auto rewound = state.input.rewind(); !rewound) return rewound;
  state.begin = 0;
  state.end = 0;
  state.input_ended = false;
  state.form = Form::kUnclear;
  state.stored_bytes = 0;
  state.plain_bytes = 0;
  state.damage.reset();
  state.in_member = false;
  state.finished = false;
  state.head.clear();
  state.peeked.clear();
  return {};
}

const std::optional<std::string>& ByteStream::damage() const {
  return state_->damage;
}
std::uint64_t ByteStream::stored_bytes() const {
  return state_->stored_bytes - (state_->end - state_->begin);
}
std::uint64_t ByteStream::plain_bytes() const {
  return state_->plain_bytes;
}

namespace {

Result<ByteStream> open_stream(const std::string& path) {
  Result<RawInput> input = RawInput::open(path, "");
  if (!input) return tl::unexpected(input.error());
  return ByteStream(std::move(*input));
}

// Reads until the end or until `out` is full; how much.
Result<std::size_t> read_into(ByteStream& stream, std::string& out) {
  std::size_t filled = 0;
  while (filled < out.size()) {
    Result<std::size_t> size = stream.read(out.data() + filled, out.size() - filled);
    if (!size) return size;
    if (*size == 0) break;
    filled += *size;
  }
  return filled;
}

}  // namespace

Result<std::string> read_head(const std::string& path, std::size_t limit_bytes) {
  Result<ByteStream> stream = open_stream(path);
  if (!stream) return tl::unexpected(stream.error());
  std::string head(limit_bytes, '\0');
  const Result<std::size_t> size = read_into(*stream, head);
  if (!size) return tl::unexpected(size.error());
  head.resize(*size);
  return head;
}

Result<std::string> read_whole_file(const std::string& path, std::size_t limit_bytes) {
  Result<ByteStream> stream = open_stream(path);
  if (!stream) return tl::unexpected(stream.error());
  std::string text;
  std::string chunk(kStoredChunkBytes, '\0');
  while (true) {
    const Result<std::size_t> size = read_into(*stream, chunk);
    if (!size) return tl::unexpected(size.error());
    if (stream->damage()) return fail(ErrorKind::kInput, *stream->damage());
    if (*size == 0) return text;
    if (*size > limit_bytes - text.size()) {
      return fail(ErrorKind::kLimit,
                  fmt::format("{} is longer than the limit of {} bytes (decompressed); split it", path, limit_bytes));
    }
    text.append(chunk, 0, *size);
  }
}

}  // namespace keyvigil
