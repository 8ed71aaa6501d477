// FileSource: the records of one file, of stdin, or of bytes in memory.
//
// A zip archive and a file of Event Hubs Capture (Avro) are read part by part: each entry, each event's body is framed
// as a file of its own, plain or compressed once. Lines and bytes count on over the parts. Archives inside archives are
// refused with a sentence.
#pragma once

#include <memory>
#include <string>

#include "source/byte_stream.h"
#include "source/expansion_limit.h"
#include "source/framer.h"
#include "source/source.h"

namespace keyvigil {

struct FileSourceOptions {
  std::size_t batch_bytes = kDefaultBatchBytes;
  std::size_t record_limit_bytes = kDefaultRecordLimitBytes;
  // Where input that cannot be read twice (stdin, pipes) is copied to, so that it can. Empty: it is not copied.
  std::string spool_folder;
  ExpansionLimit expansion;  // of archives
};

class FileSource : public Source {
 public:
  // `path` "-": stdin.
  [[nodiscard]] static Result<FileSource> open(const std::string& path, const FileSourceOptions& options);
  // `bytes`, as they are stored, must outlive the source. `name`: for messages.
  [[nodiscard]] static FileSource of_bytes(std::string_view bytes, std::string name, const FileSourceOptions& options);
  ~FileSource() override;
  FileSource(FileSource&&) noexcept;
  FileSource& operator=(FileSource&&) noexcept;

  [[nodiscard]] Result<bool> next(RawBatch& batch) override;

  // Starts over: next() gives the first batch again. Pipes need a spool folder for it.
  [[nodiscard]] Result<void> rewind();

  // So far: bytes as stored, and decompressed.
  [[nodiscard]] std::uint64_t stored_bytes() const;
  [[nodiscard]] std::uint64_t plain_bytes() const;

 private:
  struct State;
  FileSource(RawInput input, const FileSourceOptions& options);

  std::unique_ptr<State> state_;  // its parts point to each other
};

}  // namespace keyvigil
