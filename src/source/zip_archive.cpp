#include "source/zip_archive.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <utility>

#include <fmt/format.h>
#include <zip.h>

#include "base/event_time.h"
#include "source/find_inputs.h"

namespace keyvigil {

namespace {

constexpr std::size_t kNameBytes = 1024;  // of an entry, as it is shown

// The bytes of the archive as libzip asks for them.
struct ArchiveBytes {
  RawInput* input = nullptr;
  std::uint64_t size = 0;
  std::uint64_t position = 0;
  std::optional<Error> failure;
  zip_error_t error{};
};

zip_int64_t answer(ArchiveBytes& bytes, void* data, zip_uint64_t room, zip_source_cmd_t command) {
  switch (command) {
    case ZIP_SOURCE_SUPPORTS:
      return zip_source_make_command_bitmap(ZIP_SOURCE_OPEN, ZIP_SOURCE_READ, ZIP_SOURCE_CLOSE, ZIP_SOURCE_STAT,
                                            ZIP_SOURCE_ERROR, ZIP_SOURCE_FREE, ZIP_SOURCE_SEEK, ZIP_SOURCE_TELL,
                                            ZIP_SOURCE_SUPPORTS, -1);
    case ZIP_SOURCE_OPEN:
      bytes.position = 0;
      return 0;
    case ZIP_SOURCE_READ: {
      const Result<std::size_t> size = bytes.input->read_at(bytes.position, static_cast<char*>(data), room);
      if (!size) {
        bytes.failure = size.error();
        zip_error_set(&bytes.error, ZIP_ER_READ, EIO);
        return -1;
      }
      bytes.position += *size;
      return static_cast<zip_int64_t>(*size);
    }
    case ZIP_SOURCE_STAT: {
      auto* stat = static_cast<zip_stat_t*>(data);
      zip_stat_init(stat);
      stat->size = bytes.size;
      stat->valid = ZIP_STAT_SIZE;
      return sizeof(zip_stat_t);
    }
    case ZIP_SOURCE_ERROR:
      return zip_error_to_data(&bytes.error, data, room);
    case ZIP_SOURCE_SEEK: {
      const zip_int64_t to = zip_source_seek_compute_offset(bytes.position, bytes.size, data, room, &bytes.error);
      if (to < 0) return -1;
      bytes.position = static_cast<std::uint64_t>(to);
      return 0;
    }
    case ZIP_SOURCE_TELL:
      return static_cast<zip_int64_t>(bytes.position);
    case ZIP_SOURCE_CLOSE:
    case ZIP_SOURCE_FREE:
      return 0;
    default:
      zip_error_set(&bytes.error, ZIP_ER_OPNOTSUPP, 0);
      return -1;
  }
}

zip_int64_t answer_libzip(void* state, void* data, zip_uint64_t room, zip_source_cmd_t command) {
  return answer(*static_cast<ArchiveBytes*>(state), data, room, command);
}

std::uint64_t little_endian(const char* bytes, std::size_t count) {
  std::uint64_t value = 0;
  for (std::size_t i = count; i-- > 0;) value = value << 8 | static_cast<unsigned char>(bytes[i]);
  return value;
}

// The most entries that any end record near the end of the archive speaks of: libzip makes room for as many before it
// has read one. (APPNOTE 4.3.14 to 4.3.16.)
Result<std::uint64_t> claimed_entries(const RawInput& input, std::uint64_t size) {
  constexpr std::uint64_t kTailBytes = 65'557;
  constexpr std::size_t kLocatorBytes = 20;
  constexpr std::size_t kEndBytes = 22;
  std::string tail(std::min(size, kTailBytes), '\0');
  const std::uint64_t begin = size - tail.size();
  const Result<std::size_t> got = input.read_at(begin, tail.data(), tail.size());
  if (!got) return tl::unexpected(got.error());
  tail.resize(*got);
  std::uint64_t most = 0;
  constexpr std::string_view kEnd("PK\x05\x06", 4);
  for (std::size_t at = tail.find(kEnd); at != std::string::npos; at = tail.find(kEnd, at + 1)) {
    if (at + kEndBytes > tail.size()) break;
    most = std::max(most, little_endian(tail.data() + at + 10, 2));
    if (at < kLocatorBytes || tail.compare(at - kLocatorBytes, 4, "PK\x06\x07") != 0) continue;
    std::array<char, 8> count{};
    const std::uint64_t record = little_endian(tail.data() + at - kLocatorBytes + 8, 8);
    const Result<std::size_t> read = input.read_at(std::min(record, size) + 32, count.data(), count.size());
    if (!read) return tl::unexpected(read.error());
    most = std::max(most, little_endian(count.data(), count.size()));
  }
  return most;
}

bool belongs_to_a_file_system(std::string_view name) {
  const std::string_view file = name.substr(name.rfind('/') + 1);
  return file.empty() || name.starts_with("__MACOSX/") || file == ".DS_Store" || file == "Thumbs.db";
}

struct FreeArchive {
  void operator()(zip_t* archive) const { zip_discard(archive); }
};
struct CloseEntry {
  void operator()(zip_file_t* file) const { zip_fclose(file); }
};

}  // namespace

bool is_zip(std::string_view head) {
  return head.starts_with("PK\x03\x04") || head.starts_with("PK\x05\x06");
}

struct ZipArchive::State {
  struct Entry {
    std::uint64_t index = 0;
    std::string name;
    std::uint64_t stored_bytes = 0;
    std::optional<EventTime> hour;
  };

  ArchiveBytes bytes;
  ZipLimits limits;
  std::unique_ptr<zip_t, FreeArchive> archive;
  std::vector<Entry> entries;
  std::uint64_t passed_over = 0;
  std::unique_ptr<zip_file_t, CloseEntry> file;  // the entry at hand
  std::size_t at_hand = 0;
  std::optional<std::string> damage;
  std::uint64_t plain_bytes = 0;  // given out, of all entries
  std::uint64_t entry_bytes = 0;  // of the one at hand
  bool exhausted = false;

  [[nodiscard]] tl::unexpected<Error> failure(const std::string& what) const {
    if (bytes.failure) return tl::unexpected(*bytes.failure);
    return fail(ErrorKind::kInput,
                fmt::format("expected a complete zip archive, found {} in {}; download or pack it again, or unpack it "
                            "and read the folder",
                            what, bytes.input->name()));
  }

  Result<void> open_archive() {
    zip_error_t error;
    zip_error_init(&error);
    zip_source_t* source = zip_source_function_create(&answer_libzip, &bytes, &error);
    if (source != nullptr) archive.reset(zip_open_from_source(source, ZIP_RDONLY, &error));
    if (source != nullptr && !archive) zip_source_free(source);
    const std::string what = archive ? std::string() : zip_error_strerror(&error);
    zip_error_fini(&error);
    if (!archive) return failure(fmt::format("damage ({})", what));
    return {};
  }

  Result<void> list_entries() {
    const zip_int64_t count = zip_get_num_entries(archive.get(), 0);
    for (zip_uint64_t index = 0; index < static_cast<zip_uint64_t>(std::max<zip_int64_t>(count, 0)); ++index) {
      zip_stat_t stat;
      zip_stat_init(&stat);
      if (zip_stat_index(archive.get(), index, ZIP_FL_ENC_GUESS, &stat) != 0) return failure("damaged entries");
      Entry entry;
      entry.index = index;
      if ((stat.valid & ZIP_STAT_NAME) != 0) entry.name = std::string_view(stat.name).substr(0, kNameBytes);
      if ((stat.valid & ZIP_STAT_COMP_SIZE) != 0) entry.stored_bytes = stat.comp_size;
      if (belongs_to_a_file_system(entry.name)) {
        ++passed_over;
        continue;
      }
      if (entry.name == "xl/workbook.xml") {
        return fail(ErrorKind::kInput,
                    fmt::format("expected logs, found an Excel workbook (xlsx) in {}; save the sheet as CSV UTF-8, or "
                                "export it again as CSV",
                                bytes.input->name()));
      }
      entry.hour = blob_path_time(entry.name);
      entries.push_back(std::move(entry));
    }
    std::ranges::sort(entries, {}, [](const Entry& entry) {
      return std::pair(entry.hour.value_or(EventTime{INT64_MIN}), std::string_view(entry.name));
    });
    return {};
  }

  void set_damage(std::string_view what) {
    damage = fmt::format(
        "expected the entry \"{}\" of {} to be whole, found {}; download or pack it again, or unpack it "
        "and read the folder",
        entries[at_hand].name, bytes.input->name(), what);
  }

  void open_at_hand() {
    entry_bytes = 0;
    file.reset(zip_fopen_index(archive.get(), entries[at_hand].index, 0));
    if (!file) set_damage(zip_error_strerror(zip_get_error(archive.get())));
  }

  Result<std::size_t> read(char* to, std::size_t room) {
    if (!file || damage || exhausted) return 0;
    const std::uint64_t allowed = limits.expansion.allowed(bytes.size) - plain_bytes;
    char probe = 0;
    const zip_int64_t size = allowed == 0 ? zip_fread(file.get(), &probe, 1)
                                          : zip_fread(file.get(), to, std::min<std::uint64_t>(room, allowed));
    if (bytes.failure) return tl::unexpected(*bytes.failure);
    if (size < 0) {
      set_damage(zip_error_strerror(zip_file_get_error(file.get())));
      return 0;
    }
    if (allowed == 0) {
      exhausted = size > 0;
      if (exhausted) {
        set_damage(
            fmt::format("that the archive expands from {} bytes to more than {}, which no log does; the rest of "
                        "it is left unread",
                        bytes.size, plain_bytes));
      }
      return 0;
    }
    plain_bytes += static_cast<std::uint64_t>(size);
    entry_bytes += static_cast<std::uint64_t>(size);
    return static_cast<std::size_t>(size);
  }
};

ZipArchive::ZipArchive(std::unique_ptr<State> state) : state_(std::move(state)) {}
ZipArchive::~ZipArchive() = default;
ZipArchive::ZipArchive(ZipArchive&&) noexcept = default;
ZipArchive& ZipArchive::operator=(ZipArchive&&) noexcept = default;

Result<ZipArchive> ZipArchive::open(RawInput& input, const ZipLimits& limits) {
  const Result<std::uint64_t> size = input.size_bytes();
  if (!size) return tl::unexpected(size.error());
  const Result<std::uint64_t> claimed = claimed_entries(input, *size);
  if (!claimed) return tl::unexpected(claimed.error());
  auto state = std::make_unique<State>();
  state->bytes.input = &input;
  state->bytes.size = *size;
  state->limits = limits;
  zip_error_init(&state->bytes.error);
  if (*claimed > limits.entries) {
    return state->failure(fmt::format("{} entries, where {} are the limit,", *claimed, limits.entries));
  }
  if (auto opened = state->open_archive(); !opened) return tl::unexpected(opened.error());
  if (auto listed = state->list_entries(); !listed) return tl::unexpected(listed.error());
  return ZipArchive(std::move(state));
}

std::size_t ZipArchive::entry_count() const {
  return state_->entries.size();
}
const std::string& ZipArchive::name(std::size_t entry) const {
  return state_->entries[entry].name;
}
std::uint64_t ZipArchive::stored_bytes(std::size_t entry) const {
  return state_->entries[entry].stored_bytes;
}
std::uint64_t ZipArchive::passed_over() const {
  return state_->passed_over;
}

RawInput ZipArchive::open_entry(std::size_t entry) {
  State* state = state_.get();
  state->at_hand = entry;
  state->damage.reset();
  state->open_at_hand();
  const auto read = [state](char* to, std::size_t room) { return state->read(to, room); };
  const auto rewind = [state]() -> Result<void> {
    state->plain_bytes -= state->entry_bytes;
    state->damage.reset();
    state->open_at_hand();
    return {};
  };
  return RawInput::of_reader(read, rewind,
                             fmt::format("{} in {}", state->entries[entry].name, state->bytes.input->name()));
}

const std::optional<std::string>& ZipArchive::damage() const {
  return state_->damage;
}
bool ZipArchive::is_exhausted() const {
  return state_->exhausted;
}

}  // namespace keyvigil
