// FileSource: the records of one file, of stdin, or of bytes in memory.
#pragma once

#include <memory>
#include <string>

#include "source/byte_stream.h"
#include "source/framer.h"
#include "source/source.h"

namespace keyvigil {

struct FileSourceOptions {
  std::size_t batch_bytes = kDefaultBatchBytes;
  std::size_t record_limit_bytes = kDefaultRecordLimitBytes;
  // Where input that cannot be read twice (stdin, pipes) is copied to, so that it can. Empty: it is not copied.
  std::string spool_folder;
};

class FileSource : public Source {
 public:
  // `path` "-": stdin.
  [[nodiscard]] static Result<FileSource> open(const std::string& path, const FileSourceOptions& options);
  // `bytes`, as they are stored, must outlive the source. `name`: for messages.
  [[nodiscard]] static FileSource of_bytes(std::string_view bytes, std::string name, const FileSourceOptions& options);

  [[nodiscard]] Result<bool> next(RawBatch& batch) override;

  // Starts over: next() gives the first batch again. Pipes need a spool folder for it.
  [[nodiscard]] Result<void> rewind();

  // So far: bytes as stored, and decompressed.
  [[nodiscard]] std::uint64_t stored_bytes() const { return stream_->stored_bytes(); }
  [[nodiscard]] std::uint64_t plain_bytes() const { return stream_->plain_bytes(); }

 private:
  FileSource(RawInput input, const FileSourceOptions& options);
  void start();

  FileSourceOptions options_;
  std::unique_ptr<ByteStream> stream_;  // the framer's reader points to it
  std::unique_ptr<Framer> framer_;
  std::uint64_t reported_bytes_ = 0;
  bool damage_reported_ = false;
};

}  // namespace keyvigil
