#include "source/file_source.h"

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "source/avro_events.h"
#include "source/date_order_survey.h"
#include "source/zip_archive.h"

namespace keyvigil {

namespace {

constexpr std::size_t kMagicBytes = 4;
constexpr std::size_t kLeastBatchBytes = std::size_t{4} << 10;  // of a small body

ReadBytes reader_of(ByteStream& bytes) {
  return [stream = &bytes](char* to, std::size_t room) { return stream->read(to, room); };
}

}  // namespace

struct FileSource::State {
  State(RawInput input, const FileSourceOptions& own_options) : options(own_options), whole(std::move(input)) {}

  FileSourceOptions options;
  ByteStream whole;
  bool opened = false;
  std::optional<ZipArchive> zip;
  std::size_t next_entry = 0;
  std::optional<ByteStream> entry;  // of the zip, at hand
  std::string entry_name;
  std::optional<AvroEvents> events;  // of the file, or of the entry at hand
  std::uint64_t next_event = 0;
  std::optional<ByteStream> body;  // of the event at hand

  ByteStream* at_hand = nullptr;  // what the framer reads
  std::optional<Framer> framer;   // of the part at hand
  std::uint64_t line = 1;         // where the next part begins
  std::uint64_t byte = 0;
  std::uint64_t finished_stored_bytes = 0;  // of entries
  std::uint64_t finished_plain_bytes = 0;   // of parts
  std::uint64_t reported_bytes = 0;
  std::uint64_t blank_parts = 0;
  std::vector<FramingRefusal> refusals;  // that no framer found

  void refuse(RefusalCause cause, std::string message) {
    refusals.push_back(FramingRefusal{cause, line, byte, std::move(message), std::string()});
  }

  // ---- parts ----

  void frame(ByteStream& bytes, std::size_t batch_bytes) {
    at_hand = &bytes;
    FramingOptions framing{batch_bytes, options.record_limit_bytes, std::nullopt,
                           [this] { return settle_date_order(); }};
    framer.emplace(reader_of(bytes), framing, line, byte);
  }

  // False: there are no more parts.
  Result<bool> open_part() {
    if (!opened) return open_whole();
    if (events) {
      auto more = open_event();
      if (!more || *more) return more;
    }
    return zip ? open_entry() : Result<bool>(false);
  }

  Result<bool> open_whole() {
    opened = true;
    const auto head = whole.peek(kMagicBytes);
    if (!head) return tl::unexpected(head.error());
    if (is_avro(*head)) return open_events(whole);
    if (!is_zip(*head) || whole.is_compressed()) {
      frame(whole, options.batch_bytes);
      return true;
    }
    ZipLimits limits;
    limits.expansion = options.expansion;
    auto archive = ZipArchive::open(whole.input(), limits);
    if (archive) {
      zip.emplace(*std::move(archive));
      blank_parts += zip->passed_over();
      return open_entry();
    }
    if (archive.error().kind != ErrorKind::kInput) return tl::unexpected(archive.error());
    refuse(RefusalCause::kUnknownForm, archive.error().message);
    return false;
  }

  Result<bool> open_entry() {
    if (next_entry == zip->entry_count() || zip->is_exhausted()) return false;
    entry_name = zip->name(next_entry);
    entry.emplace(zip->open_entry(next_entry++));
    const auto head = entry->peek(kMagicBytes);
    if (!head) return tl::unexpected(head.error());
    if (is_avro(*head)) return open_events(*entry);
    frame(*entry, options.batch_bytes);
    return true;
  }

  Result<bool> open_events(ByteStream& bytes) {
    AvroLimits limits;
    limits.expansion = options.expansion;
    events.emplace(reader_of(bytes), entry_name.empty() ? whole.input().name() : entry_name, limits);
    next_event = 0;
    at_hand = &bytes;
    return open_part();
  }

  Result<bool> open_event() {
    const auto bytes = events->next();
    if (!bytes) return tl::unexpected(bytes.error());
    if (*bytes) {
      ++next_event;
      body.emplace(RawInput::of_bytes(**bytes, fmt::format("event {}", next_event)));
      frame(*body, std::clamp((*bytes)->size(), kLeastBatchBytes, std::max(kLeastBatchBytes, options.batch_bytes)));
      return true;
    }
    if (events->damage()) refuse(RefusalCause::kBadCompression, *events->damage());
    blank_parts += events->empty_bodies();
    events.reset();
    if (zip) end_entry();
    return false;
  }

  void end_part() {
    line = framer->line();
    byte = framer->position();
    framer.reset();
    if (body) {
      finished_plain_bytes += body->plain_bytes();
      if (body->damage()) refuse(RefusalCause::kBadCompression, in_part(*body->damage()));
      body.reset();
      return;
    }
    if (entry) return end_entry();
    if (whole.damage()) refuse(RefusalCause::kBadCompression, *whole.damage());
  }

  void end_entry() {
    const std::optional<std::string>& damage = zip->damage() ? zip->damage() : entry->damage();
    if (damage) refuse(RefusalCause::kBadCompression, *damage);
    finished_plain_bytes += entry->plain_bytes();
    finished_stored_bytes += zip->stored_bytes(next_entry - 1);
    entry.reset();
    at_hand = nullptr;
  }

  [[nodiscard]] std::string in_part(const std::string& message) const {
    std::string place;
    if (body) place = fmt::format("in the body of event {}", next_event);
    if (entry) place += fmt::format("{}in the entry \"{}\"", place.empty() ? "" : " ", printable(entry_name));
    return place.empty() ? message : place + ": " + message;
  }

  // Reads the part at hand from its beginning, and goes back to where it stood.
  Result<std::optional<DateOrder>> settle_date_order() {
    const std::uint64_t position = at_hand->plain_bytes();
    if (auto rewound = at_hand->rewind(); !rewound) return tl::unexpected(rewound.error());
    FramingOptions framing;
    framing.record_limit_bytes = options.record_limit_bytes;
    auto order = survey_date_order(reader_of(*at_hand), framing);
    if (!order) return order;
    if (auto rewound = at_hand->rewind(); !rewound) return tl::unexpected(rewound.error());
    std::vector<char> chunk(std::min<std::uint64_t>(position, kDefaultBatchBytes));
    while (at_hand->plain_bytes() < position) {
      const std::uint64_t left = position - at_hand->plain_bytes();
      const Result<std::size_t> size = at_hand->read(chunk.data(), std::min<std::uint64_t>(left, chunk.size()));
      if (!size) return tl::unexpected(size.error());
      if (*size == 0) return fail(ErrorKind::kInputOutput, "the file became shorter while it was read");
    }
    return order;
  }

  // ---- batches ----

  Result<bool> next(RawBatch& batch) {
    while (true) {
      if (!framer) {
        auto more = open_part();
        if (!more) return more;
        if (!*more) return hand_over_rest(batch);
      }
      Result<bool> more = framer->next(batch);
      if (!more) return more;
      for (FramingRefusal& refusal : batch.refused) refusal.message = in_part(refusal.message);
      report_bytes(batch);
      if (*more) return more;
      end_part();
    }
  }

  Result<bool> hand_over_rest(RawBatch& batch) {
    FrameWindow nothing;
    nothing.begin_batch(batch);
    batch.refused = std::exchange(refusals, {});
    batch.blank_records = std::exchange(blank_parts, 0);
    report_bytes(batch);
    return !batch.refused.empty() || batch.blank_records > 0;
  }

  void report_bytes(RawBatch& batch) {
    const std::uint64_t so_far = std::max(stored_bytes(), reported_bytes);
    batch.input_bytes = so_far - std::exchange(reported_bytes, so_far);
  }

  [[nodiscard]] std::uint64_t stored_bytes() const { return zip ? finished_stored_bytes : whole.stored_bytes(); }
  [[nodiscard]] std::uint64_t plain_bytes() const {
    if (!zip && !events && finished_plain_bytes == 0) return whole.plain_bytes();
    return finished_plain_bytes + (framer && at_hand != nullptr ? at_hand->plain_bytes() : 0);
  }
};

FileSource::FileSource(RawInput input, const FileSourceOptions& options)
    : state_(std::make_unique<State>(std::move(input), options)) {}
FileSource::~FileSource() = default;
FileSource::FileSource(FileSource&&) noexcept = default;
FileSource& FileSource::operator=(FileSource&&) noexcept = default;

Result<FileSource> FileSource::open(const std::string& path, const FileSourceOptions& options) {
  Result<RawInput> input =
      path == "-" ? RawInput::open_stdin(options.spool_folder) : RawInput::open(path, options.spool_folder);
  if (!input) return tl::unexpected(input.error());
  return FileSource(std::move(*input), options);
}

FileSource FileSource::of_bytes(std::string_view bytes, std::string name, const FileSourceOptions& options) {
  return FileSource(RawInput::of_bytes(bytes, std::move(name)), options);
}

Result<bool> FileSource::next(RawBatch& batch) {
  return state_->next(batch);
}

Result<void> FileSource::rewind() {
  auto fresh = std::make_unique<State>(std::move(state_->whole.input()), state_->options);
  state_ = std::move(fresh);
  return state_->whole.rewind();
}

std::uint64_t FileSource::stored_bytes() const {
  return state_->stored_bytes();
}
std::uint64_t FileSource::plain_bytes() const {
  return state_->plain_bytes();
}

}  // namespace keyvigil
