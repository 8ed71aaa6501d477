#include "engine/spill_run.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>

#include "base/check.h"
#include "event/canonical.h"

namespace keyvigil {
namespace {

constexpr std::size_t kBufferBytes = std::size_t{64} * 1024;
constexpr std::size_t kHeaderBytes = sizeof(std::uint32_t) + sizeof(std::uint64_t);

}  // namespace

bool keyed_less(const KeyedEvent& left, const KeyedEvent& right) {
  if (left.milliseconds != right.milliseconds) { return left.milliseconds < right.milliseconds; }
  if (left.hash != right.hash) { return left.hash < right.hash; }
  return compare_within_hash(left.event, right.event) < 0;
}

Error SpillRun::file_error(ErrorKind kind, const char* action, int code) const {
  return Error{kind, fmt::format("{} a temporary file in {} failed: {}; give --tmp a folder with more room", action,
                                 directory_, std::strerror(code))};
}

Result<SpillRun> SpillRun::create(const std::string& directory) {
  int descriptor = ::open(directory.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
  if (descriptor < 0 && (errno == EOPNOTSUPP || errno == EISDIR)) {  // a file system without nameless files
    std::string path = directory + "/keyvigil-XXXXXX";
    descriptor = ::mkostemp(path.data(), O_CLOEXEC);
    if (descriptor >= 0) { ::unlink(path.c_str()); }
  }
  if (descriptor < 0) {
    return fail(ErrorKind::kNoRoom,
                fmt::format("expected to create a temporary file in {}, found: {}; give --tmp a folder that exists and "
                            "can be written",
                            directory, std::strerror(errno)));
  }
  return SpillRun(FileDescriptor(descriptor), directory);
}

Result<void> SpillRun::append(std::uint64_t hash, const AccessEvent& event) {
  const std::size_t start = buffer_.size();
  buffer_.resize(start + kHeaderBytes);
  append_event(buffer_, event);
  const auto size = static_cast<std::uint32_t>(buffer_.size() - start - kHeaderBytes);
  std::memcpy(buffer_.data() + start, &size, sizeof(size));
  std::memcpy(buffer_.data() + start + sizeof(size), &hash, sizeof(hash));
  if (buffer_.size() < kBufferBytes) { return {}; }
  return flush();
}

Result<void> SpillRun::flush() {
  std::string_view left = buffer_;
  while (!left.empty()) {
    const ssize_t written = ::write(file_.get(), left.data(), left.size());
    if (written < 0) {
      if (errno == EINTR) { continue; }
      return tl::unexpected<Error>(file_error(ErrorKind::kNoRoom, "writing", errno));
    }
    left.remove_prefix(static_cast<std::size_t>(written));
    file_size_bytes_ += static_cast<std::uint64_t>(written);
  }
  buffer_.clear();
  return {};
}

Result<void> SpillRun::finish_writing() {
  if (auto flushed = flush(); !flushed) { return flushed; }
  taken_ = 0;
  read_bytes_ = 0;
  return {};
}

// Makes `size` bytes readable at buffer_[taken_]; false at the end of the file.
Result<bool> SpillRun::fill(std::size_t size) {
  if (buffer_.size() - taken_ >= size) { return true; }
  buffer_.erase(0, taken_);
  taken_ = 0;
  while (buffer_.size() < size) {
    const std::size_t had = buffer_.size();
    const std::size_t wanted = std::max(kBufferBytes, size) - had;
    buffer_.resize(had + wanted);
    const ssize_t got = ::pread(file_.get(), buffer_.data() + had, wanted, static_cast<off_t>(read_bytes_));
    const int code = errno;
    buffer_.resize(had + static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
    if (got < 0 && code == EINTR) { continue; }
    if (got < 0) { return tl::unexpected<Error>(file_error(ErrorKind::kInputOutput, "reading", code)); }
    if (got == 0) {
      if (buffer_.empty()) { return false; }
      return tl::unexpected<Error>(
          file_error(ErrorKind::kInputOutput, "reading", EIO));  // the file is shorter than what was written
    }
    read_bytes_ += static_cast<std::uint64_t>(got);
  }
  return true;
}

Result<bool> SpillRun::next(KeyedEvent& out) {
  auto filled = fill(kHeaderBytes);
  if (!filled || !*filled) { return filled; }
  std::uint32_t size = 0;
  std::memcpy(&size, buffer_.data() + taken_, sizeof(size));
  std::memcpy(&out.hash, buffer_.data() + taken_ + sizeof(size), sizeof(out.hash));
  filled = fill(kHeaderBytes + size);
  if (!filled) { return filled; }
  std::string_view bytes = std::string_view(buffer_).substr(taken_ + kHeaderBytes, size);
  if (!read_event(bytes, out.event)) {
    return tl::unexpected<Error>(file_error(ErrorKind::kInputOutput, "reading", EIO));
  }
  out.milliseconds = out.event.time.milliseconds();
  taken_ += kHeaderBytes + size;
  return true;
}

Result<SpillRun> SpillRun::again() const {
  SpillRun copy(FileDescriptor(::dup(file_.get())), directory_);
  if (!copy.file_.valid()) { return tl::unexpected<Error>(file_error(ErrorKind::kInputOutput, "reading", errno)); }
  copy.buffer_ = buffer_;
  copy.taken_ = taken_;
  copy.file_size_bytes_ = file_size_bytes_;
  copy.read_bytes_ = read_bytes_;
  return copy;
}

Result<void> SpillRun::for_each_left(const std::function<void(const AccessEvent&)>& visit) const {
  auto copy = again();
  if (!copy) { return tl::unexpected<Error>(copy.error()); }
  KeyedEvent keyed;
  while (true) {
    const auto more = copy->next(keyed);
    if (!more) { return tl::unexpected<Error>(more.error()); }
    if (!*more) { return {}; }
    visit(keyed.event);
  }
}

bool SpillMerge::later(std::size_t left, std::size_t right) const {
  return keyed_less(runs_[right].head, runs_[left].head);
}

Result<void> SpillMerge::add(SpillRun run) {
  CHECK(heap_.size() < kFanIn);
  OpenRun open{std::move(run), {}};
  const auto more = open.run.next(open.head);
  if (!more) { return tl::unexpected<Error>(more.error()); }
  if (!*more) { return {}; }
  std::size_t index = runs_.size();
  if (read_up_.empty()) {
    runs_.push_back(std::move(open));
  } else {
    index = read_up_.back();
    read_up_.pop_back();
    runs_[index] = std::move(open);
  }
  heap_.push_back(index);
  std::push_heap(heap_.begin(), heap_.end(), [this](std::size_t l, std::size_t r) { return later(l, r); });
  return {};
}

void SpillMerge::sift_down() {
  std::size_t at = 0;
  while (true) {
    std::size_t child = 2 * at + 1;
    if (child >= heap_.size()) { return; }
    if (child + 1 < heap_.size() && later(heap_[child], heap_[child + 1])) { ++child; }
    if (!later(heap_[at], heap_[child])) { return; }
    std::swap(heap_[at], heap_[child]);
    at = child;
  }
}

Result<void> SpillMerge::drop_head() {
  OpenRun& open = runs_[heap_.front()];
  const auto more = open.run.next(open.head);
  if (!more) { return tl::unexpected<Error>(more.error()); }
  if (!*more) {
    open.run.close();
    read_up_.push_back(heap_.front());
    heap_.front() = heap_.back();
    heap_.pop_back();
  }
  if (!heap_.empty()) { sift_down(); }
  return {};
}

Result<void> SpillMerge::for_each_left(const std::function<void(const AccessEvent&)>& visit) const {
  for (const std::size_t index : heap_) {
    visit(runs_[index].head.event);
    if (auto done = runs_[index].run.for_each_left(visit); !done) { return done; }
  }
  return {};
}

Result<SpillMerge> SpillMerge::again() const {
  SpillMerge copy;
  for (const std::size_t index : heap_) {
    auto run = runs_[index].run.again();
    if (!run) { return tl::unexpected<Error>(run.error()); }
    copy.heap_.push_back(copy.runs_.size());  // the same order, so a heap again
    copy.runs_.push_back({*std::move(run), runs_[index].head});
  }
  return copy;
}

Result<SpillRun> SpillMerge::drain(const std::string& directory, std::uint64_t& duplicates) {
  auto merged = SpillRun::create(directory);
  if (!merged) { return merged; }
  KeyedEvent kept;
  bool any = false;
  while (!empty()) {
    KeyedEvent& next = head();
    if (any && next.milliseconds == kept.milliseconds && next.hash == kept.hash &&
        is_duplicate(kept.event, next.event)) {
      ++duplicates;
    } else {
      std::swap(kept, next);
      any = true;
      if (auto done = merged->append(kept.hash, kept.event); !done) { return tl::unexpected<Error>(done.error()); }
    }
    if (auto done = drop_head(); !done) { return tl::unexpected<Error>(done.error()); }
  }
  if (auto done = merged->finish_writing(); !done) { return tl::unexpected<Error>(done.error()); }
  return merged;
}

}  // namespace keyvigil
