#include "source/file_source.h"

#include <utility>

namespace keyvigil {

Result<FileSource> FileSource::open(const std::string& path, const FileSourceOptions& options) {
  Result<RawInput> input =
      path == "-" ? RawInput::open_stdin(options.spool_folder) : RawInput::open(path, options.spool_folder);
  if (!input) return tl::unexpected(input.error());
  return FileSource(std::move(*input), options);
}

FileSource FileSource::of_bytes(std::string_view bytes, std::string name, const FileSourceOptions& options) {
  return FileSource(RawInput::of_bytes(bytes, std::move(name)), options);
}

FileSource::FileSource(RawInput input, const FileSourceOptions& options)
    : options_(options), stream_(std::make_unique<ByteStream>(std::move(input))) {
  start();
}

void FileSource::start() {
  const auto read = [stream = stream_.get()](char* to, std::size_t room) { return stream->read(to, room); };
  framer_ = std::make_unique<Framer>(read, FramingOptions{options_.batch_bytes, options_.record_limit_bytes});
  reported_bytes_ = 0;
  damage_reported_ = false;
}

Result<bool> FileSource::next(RawBatch& batch) {
  Result<bool> more = framer_->next(batch);
  if (!more) return more;
  batch.input_bytes = stream_->stored_bytes() - reported_bytes_;
  reported_bytes_ += batch.input_bytes;
  if (*more || !stream_->damage() || damage_reported_) return more;
  damage_reported_ = true;
  batch.refused.push_back(FramingRefusal{RefusalCause::kBadCompression, framer_->line(), framer_->position(),
                                         *stream_->damage(), std::string()});
  return true;
}

Result<void> FileSource::rewind() {
  if (auto rewound = stream_->rewind(); !rewound) return rewound;
  start();
  return {};
}

}  // namespace keyvigil
