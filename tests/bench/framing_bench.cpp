// How fast records are found: the bytes only, nothing is decoded.
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>

#include <benchmark/benchmark.h>

#include "source/file_source.h"
#include "source/framer.h"

namespace keyvigil {
namespace {

constexpr std::size_t kInputBytes = std::size_t{256} << 20;
constexpr std::size_t kLineBytes = 1200;  // the mean of real records

std::string line(std::string_view separator) {
  std::string text = R"({"time":"2026-09-28T10:00:00.0000000Z","identity":{"claim":{"oid":"x"}},"properties":{"id":")";
  text.append(kLineBytes - text.size() - 4, 'x');
  return text + "\"}}" + std::string(separator);
}

std::string repeated(const std::string& text, std::size_t bytes) {
  std::string out;
  while (out.size() < bytes) out += text;
  return out;
}

void frame_memory(benchmark::State& state, std::string_view text) {
  std::size_t records = 0;
  RawBatch batch;
  for (auto round : state) {
    std::size_t taken = 0;
    const auto read = [&](char* to, std::size_t room) -> Result<std::size_t> {
      const std::size_t size = std::min(room, text.size() - taken);
      std::memcpy(to, text.data() + taken, size);
      taken += size;
      return size;
    };
    Framer framer(read, FramingOptions{});
    for (Result<bool> more = framer.next(batch); more && *more; more = framer.next(batch)) {
      records += batch.records.size();
    }
  }
  benchmark::DoNotOptimize(records);
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(text.size()));
  state.SetItemsProcessed(static_cast<std::int64_t>(records));
}

void json_lines_from_memory(benchmark::State& state) {
  frame_memory(state, repeated(line("\n"), kInputBytes));
}
BENCHMARK(json_lines_from_memory)->Unit(benchmark::kMillisecond);

void json_array_from_memory(benchmark::State& state) {
  const std::string text = "[" + repeated(line(","), kInputBytes) + "{}]";
  frame_memory(state, text);
}
BENCHMARK(json_array_from_memory)->Unit(benchmark::kMillisecond);

void csv_from_memory(benchmark::State& state) {
  const std::string row = "2026-09-28T10:00:00Z,SecretGet,\"" + std::string(kLineBytes / 2, 'x') + "\",200\n";
  frame_memory(state, "TimeGenerated,OperationName,ResourceId,httpStatusCode_d\n" + repeated(row, kInputBytes));
}
BENCHMARK(csv_from_memory)->Unit(benchmark::kMillisecond);

// The file is in the page cache after the first round. The argument: batch size in KiB.
void json_lines_from_file(benchmark::State& state) {
  const std::string path = std::filesystem::temp_directory_path() / "keyvigil_framing_bench.jsonl";
  const std::string text = repeated(line("\n"), kInputBytes);
  std::ofstream(path) << text;
  FileSourceOptions options;
  options.batch_bytes = static_cast<std::size_t>(state.range(0)) << 10;
  std::size_t records = 0;
  RawBatch batch;
  for (auto round : state) {
    Result<FileSource> source = FileSource::open(path, options);
    if (!source) return state.SkipWithError(source.error().message.c_str());
    for (Result<bool> more = source->next(batch); more && *more; more = source->next(batch)) {
      records += batch.records.size();
    }
  }
  std::remove(path.c_str());
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(text.size()));
  state.SetItemsProcessed(static_cast<std::int64_t>(records));
}
BENCHMARK(json_lines_from_file)->Arg(128)->Arg(256)->Arg(512)->Arg(1024)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace keyvigil

BENCHMARK_MAIN();
