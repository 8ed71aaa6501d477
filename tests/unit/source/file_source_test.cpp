#include "source/file_source.h"

#include <thread>

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <zlib.h>
#include <zstd.h>

#include "folder.h"
#include "framed.h"

namespace keyvigil {
namespace {

std::string gzip(const std::string& text) {
  z_stream stream{};
  CHECK(deflateInit2(&stream, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) == Z_OK);
  std::string in = text;
  std::string out(deflateBound(&stream, text.size()) + 64, '\0');
  stream.next_in = reinterpret_cast<Bytef*>(in.data());
  stream.avail_in = static_cast<uInt>(in.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  CHECK(deflate(&stream, Z_FINISH) == Z_STREAM_END);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

// With a checksum, as the zstd command writes it.
std::string zstd(const std::string& text) {
  std::string out(ZSTD_compressBound(text.size()), '\0');
  ZSTD_CCtx* const context = ZSTD_createCCtx();
  ZSTD_CCtx_setParameter(context, ZSTD_c_checksumFlag, 1);
  out.resize(ZSTD_compress2(context, out.data(), out.size(), text.data(), text.size()));
  ZSTD_freeCCtx(context);
  return out;
}

std::string lines(int from, int until) {
  std::string text;
  for (int i = from; i < until; ++i) text += "{\"n\":" + std::to_string(i) + "}\n";
  return text;
}

struct Read {
  Framed framed;
  std::uint64_t input_bytes = 0;
};

Read read_all(FileSource& source) {
  Read read;
  RawBatch batch;
  for (Result<bool> more = source.next(batch); more && *more; more = source.next(batch)) {
    add_batch(batch, read.framed);
    read.input_bytes += batch.input_bytes;
  }
  return read;
}

Read read_file(const std::string& path, const FileSourceOptions& options = {}) {
  Result<FileSource> source = FileSource::open(path, options);
  CHECK(source.has_value());
  return read_all(*source);
}

TEST(FileSource, ReadsPlainGzipAndZstdAlikeAlsoInManyParts) {
  const Folder folder;
  const std::string first = lines(0, 5000);
  const std::string second = lines(5000, 9000);
  const Framed plain = frame(first + second);
  for (const std::string& stored :
       {first + second, gzip(first) + gzip(second), zstd(first) + zstd(second), gzip(first) + gzip("") + gzip(second),
        zstd(first) + std::string("\x50\x2A\x4D\x18\x03\0\0\0abc", 11) + zstd(second),
        gzip(first + second) + std::string(2000, '\0')}) {
    const Read read = read_file(folder.write("log", stored));
    EXPECT_EQ(read.framed, plain);
    EXPECT_EQ(read.input_bytes, stored.size());
  }
}

TEST(FileSource, GivesWhatCouldBeReadOfADamagedFileAndThenSaysSo) {
  const Folder folder;
  const std::string text = lines(0, 200'000);
  for (const std::string& whole : {gzip(text), zstd(text)}) {
    std::string flipped = whole;
    for (std::size_t i = whole.size() / 2; i < whole.size() / 2 + 50; ++i) flipped[i] = static_cast<char>(~flipped[i]);
    for (const std::string& stored : {whole.substr(0, whole.size() / 2), flipped, whole + "tail"}) {
      const Read read = read_file(folder.write("log", stored));
      ASSERT_FALSE(read.framed.causes.empty());
      EXPECT_EQ(read.framed.causes.back(), RefusalCause::kBadCompression);
      EXPECT_GT(read.framed.records.size(), 1000u);
      EXPECT_NE(read.framed.refused.back().find("at byte"), std::string::npos);
    }
  }
}

TEST(FileSource, RefusesCompressionInsideCompression) {
  const Folder folder;
  for (const std::string& stored : {gzip(gzip(lines(0, 9))), zstd(gzip(lines(0, 9))), gzip(zstd(lines(0, 9)))}) {
    const Read read = read_file(folder.write("log", stored));
    EXPECT_TRUE(read.framed.records.empty());
    EXPECT_EQ(read.framed.causes, std::vector<RefusalCause>{RefusalCause::kBadCompression});
  }
}

TEST(FileSource, StaysSmallWhileAFileExpandsAThousandfold) {
  const Folder folder;
  FileSourceOptions options;
  options.record_limit_bytes = std::size_t{1} << 20;
  const std::string bomb =
      zstd(std::string(std::size_t{256} << 20, ' ') + "\n" + std::string(std::size_t{64} << 20, '{'));
  Result<FileSource> source = FileSource::open(folder.write("bomb", bomb), options);
  ASSERT_TRUE(source.has_value());
  const Read read = read_all(*source);
  EXPECT_LE(read.framed.largest_batch_bytes, std::size_t{8} << 20);
  EXPECT_EQ(read.framed.causes, std::vector<RefusalCause>{RefusalCause::kTooDeep});
  EXPECT_GT(source->plain_bytes() / source->stored_bytes(), 1000u);
}

TEST(FileSource, StartsOverOnAFileAndOnASpooledPipe) {
  const Folder folder;
  const std::string text = lines(0, 100'000);
  const std::string pipe = folder.path() + "/pipe";
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
  std::thread writer([&] { std::ofstream(pipe) << text; });
  FileSourceOptions options;
  options.batch_bytes = std::size_t{64} << 10;
  options.spool_folder = folder.path();
  Result<FileSource> piped = FileSource::open(pipe, options);
  ASSERT_TRUE(piped.has_value());
  Result<FileSource> file = FileSource::open(folder.write("log", text), options);
  ASSERT_TRUE(file.has_value());
  const Framed expected = frame(text);
  RawBatch batch;
  for (FileSource* source : {&*piped, &*file}) {
    for (int i = 0; i < 3; ++i) ASSERT_TRUE(source->next(batch).value_or(false));
    ASSERT_TRUE(source->rewind().has_value());  // in the middle: the rest still comes from the pipe
    EXPECT_EQ(read_all(*source).framed, expected);
    ASSERT_TRUE(source->rewind().has_value());
    EXPECT_EQ(read_all(*source).framed, expected);
  }
  writer.join();
  // Nothing of the spool has a name: only the pipe and the log are there.
  const std::filesystem::directory_iterator entries(folder.path());
  EXPECT_EQ(std::distance(begin(entries), end(entries)), 2);
}

TEST(FileSource, SaysWhatCannotBeOpened) {
  const Folder folder;
  const Result<FileSource> missing = FileSource::open(folder.path() + "/none", {});
  ASSERT_FALSE(missing.has_value());
  EXPECT_EQ(missing.error().kind, ErrorKind::kInputOutput);
  EXPECT_NE(missing.error().message.find("/none"), std::string::npos);
  EXPECT_FALSE(FileSource::open(folder.path(), {}).has_value());
}

TEST(ReadWholeFile, DecompressesAndKeepsItsLimit) {
  const Folder folder;
  const std::string text = lines(0, 1000);
  const std::string path = folder.write("list", gzip(text));
  EXPECT_EQ(read_whole_file(path, text.size()).value_or(""), text);
  const Result<std::string> longer = read_whole_file(path, text.size() - 1);
  ASSERT_FALSE(longer.has_value());
  EXPECT_EQ(longer.error().kind, ErrorKind::kLimit);
  const Result<std::string> cut = read_whole_file(folder.write("cut", gzip(text).substr(0, 100)), text.size());
  ASSERT_FALSE(cut.has_value());
  EXPECT_EQ(cut.error().kind, ErrorKind::kInput);
}

TEST(ReadHead, GivesTheFirstBytesDecompressed) {
  const Folder folder;
  const std::string text = lines(0, 10'000);
  EXPECT_EQ(read_head(folder.write("log", zstd(text)), 1000).value_or(""), text.substr(0, 1000));
  EXPECT_EQ(read_head(folder.write("short", "ab")).value_or(""), "ab");
}

}  // namespace
}  // namespace keyvigil
