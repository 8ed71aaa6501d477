#include "source/avro_events.h"

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <snappy-c.h>
#include <zlib.h>
#include <zstd.h>
#include <zstd_errors.h>

#include "base/ascii.h"
#include "source/avro_schema.h"

namespace keyvigil {

namespace {

constexpr std::string_view kMagic("Obj\x01", 4);
constexpr std::size_t kMarkBytes = 16;  // between blocks
constexpr std::size_t kChunkBytes = std::size_t{256} << 10;
constexpr std::size_t kChecksumBytes = 4;
constexpr std::size_t kLeastRoomBytes = 4096;

enum class Unpacked : std::uint8_t { kDone, kNeedsRoom, kDamaged };

// Each decompresses a whole block to `out`, as long as there is room, and shortens it to what the block holds.
using Codec = Unpacked (*)(std::string_view stored, std::string& out);

Unpacked inflate_block(std::string_view stored, std::string& out) {
  constexpr int kRawWindowBits = -15;  // no header, no checksum
  z_stream stream{};
  if (inflateInit2(&stream, kRawWindowBits) != Z_OK) return Unpacked::kDamaged;
  // zlib's interface is not const-correct; it only reads next_in.
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(stored.data()));
  stream.avail_in = static_cast<uInt>(stored.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  const int status = inflate(&stream, Z_FINISH);
  const bool full = stream.avail_out == 0;
  const std::size_t size = stream.total_out;
  inflateEnd(&stream);
  if (status == Z_STREAM_END) {
    out.resize(size);
    return Unpacked::kDone;
  }
  return full && status == Z_BUF_ERROR ? Unpacked::kNeedsRoom : Unpacked::kDamaged;
}

Unpacked unsnappy_block(std::string_view stored, std::string& out) {
  if (stored.size() < kChecksumBytes) return Unpacked::kDamaged;
  const std::string_view packed = stored.substr(0, stored.size() - kChecksumBytes);
  std::size_t size = 0;
  if (snappy_uncompressed_length(packed.data(), packed.size(), &size) != SNAPPY_OK) return Unpacked::kDamaged;
  if (size > out.size()) return Unpacked::kNeedsRoom;
  if (snappy_uncompress(packed.data(), packed.size(), out.data(), &size) != SNAPPY_OK) return Unpacked::kDamaged;
  out.resize(size);
  uLong wanted = 0;
  for (const char byte : stored.substr(packed.size())) wanted = wanted << 8 | static_cast<unsigned char>(byte);
  const uLong found = crc32(0, reinterpret_cast<const Bytef*>(out.data()), static_cast<uInt>(size));
  return found == wanted ? Unpacked::kDone : Unpacked::kDamaged;
}

Unpacked unzstd_block(std::string_view stored, std::string& out) {
  const std::size_t size = ZSTD_decompress(out.data(), out.size(), stored.data(), stored.size());
  if (ZSTD_isError(size) != 0) {
    return ZSTD_getErrorCode(size) == ZSTD_error_dstSize_tooSmall ? Unpacked::kNeedsRoom : Unpacked::kDamaged;
  }
  out.resize(size);
  return Unpacked::kDone;
}

Unpacked copy_block(std::string_view stored, std::string& out) {
  if (stored.size() > out.size()) return Unpacked::kNeedsRoom;
  out = stored;
  return Unpacked::kDone;
}

constexpr std::array<std::pair<std::string_view, Codec>, 5> kCodecs{{{"", &copy_block},
                                                                     {"null", &copy_block},
                                                                     {"deflate", &inflate_block},
                                                                     {"snappy", &unsnappy_block},
                                                                     {"zstandard", &unzstd_block}}};

}  // namespace

bool is_avro(std::string_view head) {
  return head.starts_with(kMagic);
}

struct AvroEvents::State {
  State(ReadBytes read_bytes, std::string input_name, const AvroLimits& own_limits)
      : read(std::move(read_bytes)), name(std::move(input_name)), limits(own_limits) {}

  ReadBytes read;
  std::string name;
  AvroLimits limits;
  std::string stored;  // read and not used: from `begin` on
  std::size_t begin = 0;
  std::uint64_t used_bytes = 0;   // of the file
  std::uint64_t plain_bytes = 0;  // of all blocks
  bool header_read = false;
  std::optional<std::string> damage;
  std::uint64_t empty_bodies = 0;

  std::string mark;
  Codec codec = nullptr;
  AvroSchema schema;
  std::size_t body_field = 0;
  std::string plain;  // the block at hand
  std::uint64_t records_left = 0;
  AvroCursor cursor{std::string_view()};

  Result<void> set_damage(std::string_view what) {
    damage = fmt::format(
        "expected a file of Event Hubs Capture (an Avro object container), found {} at byte {} of {}; "
        "fetch the file again",
        what, used_bytes, name);
    return {};
  }
  Result<bool> stop(std::string_view what) {
    (void)set_damage(what);
    return false;
  }

  // `size` bytes from `begin` on in hand; false: the file ends before.
  Result<bool> fill(std::size_t size) {
    if (stored.size() - begin >= size) return true;
    stored.erase(0, std::exchange(begin, 0));
    while (stored.size() < size) {
      const std::size_t filled = stored.size();
      stored.resize(filled + kChunkBytes);
      const Result<std::size_t> got = read(stored.data() + filled, kChunkBytes);
      stored.resize(filled + got.value_or(0));
      if (!got) return tl::unexpected(got.error());
      if (*got == 0) return false;
    }
    return true;
  }
  std::string_view take(std::size_t size) {
    const std::string_view taken = std::string_view(stored).substr(begin, size);
    begin += size;
    used_bytes += size;
    return taken;
  }

  // A number, or nothing: the file ends in it.
  Result<std::optional<std::int64_t>> number() {
    constexpr std::size_t kMostBytes = 10;
    if (auto filled = fill(kMostBytes); !filled) return tl::unexpected(filled.error());
    const std::string_view rest = std::string_view(stored).substr(begin, kMostBytes);
    const auto last =
        std::ranges::find_if(rest, [](char byte) { return (static_cast<unsigned char>(byte) >> 7) == 0; });
    if (last == rest.end()) return std::nullopt;
    const auto size = static_cast<std::size_t>(last - rest.begin()) + 1;
    std::int64_t value = 0;
    if (!AvroCursor(rest.substr(0, size)).number(value)) return std::nullopt;
    (void)take(size);
    return value;
  }

  // A length within `limit` and as many bytes; nothing: there are fewer, or the length is beyond it.
  Result<std::optional<std::string_view>> sized(std::uint64_t limit) {
    const auto size = number();
    if (!size) return tl::unexpected(size.error());
    if (!*size || **size < 0 || static_cast<std::uint64_t>(**size) > limit) return std::nullopt;
    const auto wanted = static_cast<std::size_t>(**size);
    const auto filled = fill(wanted);
    if (!filled) return tl::unexpected(filled.error());
    return *filled ? std::optional(take(wanted)) : std::nullopt;
  }

  Result<void> read_header() {
    header_read = true;
    const auto filled = fill(kMagic.size());
    if (!filled) return tl::unexpected(filled.error());
    if (!*filled || take(kMagic.size()) != kMagic) return set_damage("another beginning");
    std::string schema_text;
    std::string codec_name;
    const auto fits = read_metadata(schema_text, codec_name);
    if (!fits) return tl::unexpected(fits.error());
    const auto marked = fill(kMarkBytes);
    if (!marked) return tl::unexpected(marked.error());
    if (!*fits || !*marked) return set_damage("a damaged header");
    mark = take(kMarkBytes);
    choose_codec(codec_name);
    if (!damage) choose_body(schema_text);
    return {};
  }

  Result<bool> read_metadata(std::string& schema_text, std::string& codec_name) {
    while (used_bytes <= limits.header_bytes) {
      const auto count = number();
      if (!count) return tl::unexpected(count.error());
      if (!*count) return false;
      if (**count == 0) return true;
      std::uint64_t left = static_cast<std::uint64_t>(**count);
      if (**count < 0) {
        left = ~left + 1;
        const auto size = number();
        if (!size) return tl::unexpected(size.error());
        if (!*size) return false;
      }
      for (; left > 0 && used_bytes <= limits.header_bytes; --left) {
        const auto key = sized(limits.header_bytes);
        if (!key) return tl::unexpected(key.error());
        if (!*key) return false;
        const std::string key_text(**key);
        const auto value = sized(limits.header_bytes);
        if (!value) return tl::unexpected(value.error());
        if (!*value) return false;
        if (key_text == "avro.schema") schema_text = **value;
        if (key_text == "avro.codec") codec_name = **value;
      }
    }
    return false;
  }

  void choose_codec(const std::string& wanted) {
    const auto found = std::ranges::find(kCodecs, wanted, &std::pair<std::string_view, Codec>::first);
    if (found != kCodecs.end()) {
      codec = found->second;
      return;
    }
    damage = fmt::format(
        "expected an Avro file whose blocks are plain, deflate, snappy or zstandard, found the codec "
        "'{}' in {}; write it again with one of these",
        wanted.substr(0, 40), name);
  }

  void choose_body(const std::string& schema_text) {
    auto read_schema = read_avro_schema(schema_text);
    if (!read_schema) {
      (void)set_damage("a schema that is none");
      return;
    }
    schema = *std::move(read_schema);
    const AvroType& root = schema.types[schema.root];
    const auto found = std::ranges::find_if(root.field_names,
                                            [](const std::string& field) { return equal_without_case(field, "Body"); });
    if (root.kind != AvroKind::kRecord || found == root.field_names.end()) {
      damage = fmt::format(
          "expected a file of Event Hubs Capture, whose records have a Body, found an Avro file with "
          "another schema in {}; convert it to JSON lines",
          name);
      return;
    }
    body_field = static_cast<std::size_t>(found - root.field_names.begin());
  }

  // Blocks do not say how long they become: room is made for what is likely, then for what is possible.
  [[nodiscard]] bool decompress(std::string_view block) {
    constexpr std::size_t kLikely = 16;
    std::size_t room = std::max(kLeastRoomBytes, block.size() * kLikely);
    while (true) {
      room = std::min<std::size_t>(room, limits.block_bytes);
      plain.resize(room);
      const Unpacked outcome = codec(block, plain);
      if (outcome == Unpacked::kDone) return true;
      if (outcome == Unpacked::kDamaged || room == limits.block_bytes) return false;
      room *= kLikely;
    }
  }

  // Fills `plain`; false: there are no more blocks.
  Result<bool> read_block() {
    const auto more = fill(1);
    if (!more) return tl::unexpected(more.error());
    if (!*more) return false;
    const auto count = number();
    if (!count) return tl::unexpected(count.error());
    const auto block = sized(limits.block_bytes);
    if (!block) return tl::unexpected(block.error());
    if (!*count || **count < 0 || !*block) return stop("a block that is cut, damaged or too long");
    if (!decompress(**block)) return stop("a block that cannot be decompressed, or becomes too long");
    plain_bytes += plain.size();
    if (plain_bytes > limits.expansion.allowed(used_bytes)) {
      return stop(fmt::format("{} bytes unpacked from so few that no log does so", plain_bytes));
    }
    const auto marked = fill(kMarkBytes);
    if (!marked) return tl::unexpected(marked.error());
    if (!*marked || take(kMarkBytes) != mark) return stop("no mark behind a block");
    cursor = AvroCursor(plain);
    records_left = static_cast<std::uint64_t>(**count);
    return true;
  }

  [[nodiscard]] bool read_record(std::string_view& body) {
    const AvroType& root = schema.types[schema.root];
    for (std::size_t field = 0; field < root.parts.size(); ++field) {
      const bool fits =
          field == body_field ? cursor.text(schema, root.parts[field], body) : cursor.skip(schema, root.parts[field]);
      if (!fits) return false;
    }
    return true;
  }
};

AvroEvents::AvroEvents(ReadBytes read, std::string name, const AvroLimits& limits)
    : state_(std::make_unique<State>(std::move(read), std::move(name), limits)) {}
AvroEvents::~AvroEvents() = default;
AvroEvents::AvroEvents(AvroEvents&&) noexcept = default;
AvroEvents& AvroEvents::operator=(AvroEvents&&) noexcept = default;

Result<std::optional<std::string_view>> AvroEvents::next() {
  State& state = *state_;
  if (!state.header_read) {
    if (auto read = state.read_header(); !read) return tl::unexpected(read.error());
  }
  while (!state.damage) {
    if (state.records_left == 0) {
      const auto more = state.read_block();
      if (!more) return tl::unexpected(more.error());
      if (!*more) break;
      continue;
    }
    --state.records_left;
    std::string_view body;
    if (!state.read_record(body)) {
      (void)state.set_damage("a record that does not fit its schema");
      break;
    }
    if (!body.empty()) return body;
    ++state.empty_bodies;
  }
  return std::nullopt;
}

const std::optional<std::string>& AvroEvents::damage() const {
  return state_->damage;
}
std::uint64_t AvroEvents::empty_bodies() const {
  return state_->empty_bodies;
}

}  // namespace keyvigil
