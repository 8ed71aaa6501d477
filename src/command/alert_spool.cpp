#include "command/alert_spool.h"

#include <fmt/format.h>
#include <stdlib.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string_view>

#include "base/snapshot.h"

namespace keyvigil {
namespace {

tl::unexpected<Error> temporary_failure(const std::string& folder, const char* what) {
  return fail(ErrorKind::kInputOutput,
              fmt::format("expected to {} a temporary file in '{}', found: {}; free some space or "
                          "name another folder with --tmp",
                          what, folder, std::strerror(errno)));
}

}  // namespace

Result<void> AlertSpool::add(const Alert& alert) {
  SnapshotWriter writer;
  writer.write(alert);
  SnapshotWriter size;
  size.write(std::uint64_t{writer.bytes().size()});
  bytes_ += size.bytes();
  bytes_ += writer.bytes();
  return bytes_.size() < kMemoryLimitBytes ? Result<void>{} : flush();
}

Result<void> AlertSpool::flush() {
  if (file_ == nullptr) {
    std::string path = folder_ + "/keyvigil-alerts-XXXXXX";
    const int descriptor = mkstemp(path.data());
    if (descriptor < 0) { return temporary_failure(folder_, "create"); }
    (void)unlink(path.c_str());
    file_.reset(fdopen(descriptor, "w+b"));
    if (file_ == nullptr) { return temporary_failure(folder_, "open"); }
  }
  if (std::fwrite(bytes_.data(), 1, bytes_.size(), file_.get()) != bytes_.size() || std::fflush(file_.get()) != 0) {
    return temporary_failure(folder_, "write");
  }
  chunk_sizes_.push_back(bytes_.size());
  bytes_.clear();
  return {};
}

Result<void> AlertSpool::replay_bytes(std::string_view bytes, AlertSink& sink) const {
  while (!bytes.empty()) {
    std::uint64_t size = 0;
    SnapshotReader sizes(bytes);
    CHECK(sizes.read(size));
    bytes.remove_prefix(sizeof(size));
    Alert alert;
    SnapshotReader reader(bytes.substr(0, size));
    CHECK(reader.read(alert));
    bytes.remove_prefix(size);
    if (auto written = sink.write({&alert, 1}); !written) { return written; }
  }
  return {};
}

Result<void> AlertSpool::replay(AlertSink& sink) {
  if (file_ != nullptr) { std::rewind(file_.get()); }
  for (const std::size_t size : chunk_sizes_) {
    std::string chunk(size, '\0');
    if (std::fread(chunk.data(), 1, size, file_.get()) != size) { return temporary_failure(folder_, "read"); }
    if (auto written = replay_bytes(chunk, sink); !written) { return written; }
  }
  return replay_bytes(bytes_, sink);
}

}  // namespace keyvigil
