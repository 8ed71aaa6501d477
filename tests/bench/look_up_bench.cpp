// Look-ups over the Azure service tags plus 250,000 random ranges: the bar is 60 ns each.
//
// The service tags come from $KEYVIGIL_SHARED (the plain or gzipped JSON), else a set of the same shape is made.
#include <benchmark/benchmark.h>
#include <zlib.h>

#include <array>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <random>
#include <sstream>

#include "intel/address_book.h"

namespace keyvigil {
namespace {

constexpr std::size_t kRandomRanges = 250'000;
constexpr std::size_t kLookUps = 100'000;
constexpr std::uint64_t kSeed = 20260822;

std::string read_service_tags_file() {
  const char* shared = std::getenv("KEYVIGIL_SHARED");
  if (shared == nullptr) { return {}; }
  const std::string path = std::string(shared) + "/samples/ti/ServiceTags_Public.full.json.gz";
  gzFile file = gzopen(path.c_str(), "rb");
  if (file == nullptr) { return {}; }
  std::string content;
  std::array<char, 65536> buffer{};
  int count = 0;
  while ((count = gzread(file, buffer.data(), buffer.size())) > 0) {
    content.append(buffer.data(), static_cast<std::size_t>(count));
  }
  gzclose(file);
  return content;
}

IpAddress random_v4(std::mt19937_64& random) {
  return IpAddress::from_v4(static_cast<std::uint32_t>(random()));
}

IpAddress random_v6(std::mt19937_64& random) {
  return IpAddress{random() >> 3 | std::uint64_t{1} << 61, random(), true};
}

IpPrefix cut(IpAddress base, int length) {
  base.high &= length >= 64 ? ~std::uint64_t{0} : ~std::uint64_t{0} << (64 - length);
  base.low &= length <= 64 ? 0 : ~std::uint64_t{0} << (128 - length);
  return IpPrefix{base, length};
}

// 90,493 prefixes, 26 % of them IPv6 /40 to /64 under 2603:1000::/24, as in the file of July 2025.
ThreatList like_service_tags(std::mt19937_64& random) {
  ThreatList list;
  for (int i = 0; i < 90'493; ++i) {
    ListEntry entry;
    if (i % 100 < 26) {
      const std::uint64_t high = 0x2603'1000'0000'0000 | (random() & 0xFF'FFFF'FFFF);
      entry.prefix = cut(IpAddress{high, 0, true}, 40 + static_cast<int>(random() % 25));
    } else {
      const auto top = static_cast<std::uint32_t>(random() % 12 * 16 + 4) << 24;
      entry.prefix = cut(IpAddress::from_v4(top | static_cast<std::uint32_t>(random() & 0xFF'FFFF)),
                         96 + 20 + static_cast<int>(random() % 13));
    }
    list.entries.push_back(entry);
  }
  return list;
}

ThreatList service_tags(std::mt19937_64& random) {
  const std::string content = read_service_tags_file();
  ListOptions options;
  options.role = ListRole::kServiceTags;
  Result<ThreatList> list = parse_threat_list("ServiceTags_Public.json", content, options);
  ThreatList tags = list ? std::move(*list) : like_service_tags(random);
  std::cout << (list ? "service tags: real file" : "service tags: made up") << ", " << tags.entries.size()
            << " prefixes\n";
  tags.role = ListRole::kServiceTags;
  return tags;
}

struct World {
  PrefixTable table;
  AddressBook book;
  std::vector<IpPrefix> v4;
  std::vector<IpPrefix> v6;
};

World make_world() {
  std::mt19937_64 random(kSeed);
  std::vector<ThreatList> lists{service_tags(random), ThreatList{}};
  while (lists[1].entries.size() < kRandomRanges) {
    ListEntry entry;
    const bool v6 = lists[1].entries.size() % 5 == 0;
    entry.prefix = v6 ? cut(random_v6(random), 32 + static_cast<int>(random() % 97))
                      : cut(random_v4(random), 96 + 16 + static_cast<int>(random() % 17));
    // As a list is read: no entry reaches into non-global space.
    if (is_global(entry.prefix)) { lists[1].entries.push_back(entry); }
  }
  World world;
  std::vector<PrefixTable::Row> rows;
  for (const ThreatList& list : lists) {
    for (const ListEntry& entry : list.entries) {
      rows.push_back({entry.prefix, static_cast<std::uint32_t>(rows.size())});
      (entry.prefix.base.is_v4() ? world.v4 : world.v6).push_back(entry.prefix);
    }
  }
  world.table = PrefixTable::build(rows);
  world.book = AddressBook(std::move(lists));
  std::cout << world.table.range_count() << " ranges, " << world.table.memory_bytes() / 1024 << " KiB, seed " << kSeed
            << '\n';
  return world;
}

const World& world() {
  static const World kWorld = make_world();
  return kWorld;
}

enum class Where { kInsideV4, kOutsideV4, kInsideV6, kOutsideV6 };

std::vector<IpAddress> addresses(Where where) {
  std::mt19937_64 random(kSeed + 1);
  const bool v6 = where == Where::kInsideV6 || where == Where::kOutsideV6;
  const bool inside = where == Where::kInsideV4 || where == Where::kInsideV6;
  const std::vector<IpPrefix>& prefixes = v6 ? world().v6 : world().v4;
  std::vector<IpAddress> found;
  while (found.size() < kLookUps) {
    IpAddress address = v6 ? random_v6(random) : random_v4(random);
    if (inside) {
      const IpPrefix& prefix = prefixes[random() % prefixes.size()];
      const int length = prefix.length_bits;
      address.high = length >= 64 ? prefix.base.high : prefix.base.high | (address.high & ~std::uint64_t{0} >> length);
      address.low = length == 128  ? prefix.base.low
                    : length <= 64 ? address.low
                                   : prefix.base.low | (address.low & ~std::uint64_t{0} >> (length - 64));
    }
    if (world().table.find(address).empty() != inside) { found.push_back(address); }
  }
  return found;
}

void find_in_table(benchmark::State& state, Where where) {
  const std::vector<IpAddress> asked = addresses(where);
  for (auto _ : state) {
    std::size_t values = 0;
    for (const IpAddress& address : asked) { values += world().table.find(address).size(); }
    benchmark::DoNotOptimize(values);
  }
  const auto total = static_cast<double>(state.iterations()) * static_cast<double>(asked.size());
  state.counters["ns_each"] =
      benchmark::Counter(total / 1e9, benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
}

void look_up_in_book(benchmark::State& state, Where where) {
  const std::vector<IpAddress> asked = addresses(where);
  for (auto _ : state) {
    std::size_t listed = 0;
    for (const IpAddress& address : asked) {
      const AddressFacts facts = world().book.look_up(address, EventTime{});
      listed += static_cast<std::size_t>(facts.suspicious) + static_cast<std::size_t>(facts.microsoft);
    }
    benchmark::DoNotOptimize(listed);
  }
  const auto total = static_cast<double>(state.iterations()) * static_cast<double>(asked.size());
  state.counters["ns_each"] =
      benchmark::Counter(total / 1e9, benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
}

void parse_addresses(benchmark::State& state, Where where) {
  std::vector<std::string> texts;
  for (const IpAddress& address : addresses(where)) { texts.push_back(to_string(address)); }
  for (auto _ : state) {
    std::uint64_t sum = 0;
    for (const std::string& text : texts) {
      const std::optional<IpAddress> address = parse_ip_address(text);
      sum += address ? address->low : 0;
    }
    benchmark::DoNotOptimize(sum);
  }
  const auto total = static_cast<double>(state.iterations()) * static_cast<double>(texts.size());
  state.counters["ns_each"] =
      benchmark::Counter(total / 1e9, benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
}

void load_service_tags(benchmark::State& state) {
  const std::string content = read_service_tags_file();
  if (content.empty()) {
    state.SkipWithError("set KEYVIGIL_SHARED to the folder that holds the service tags file");
    return;
  }
  ListOptions options;
  options.role = ListRole::kServiceTags;
  for (auto _ : state) {
    Result<ThreatList> list = parse_threat_list("ServiceTags_Public.json", content, options);
    benchmark::DoNotOptimize(list);
  }
}

BENCHMARK_CAPTURE(find_in_table, inside_v4, Where::kInsideV4);
BENCHMARK_CAPTURE(find_in_table, outside_v4, Where::kOutsideV4);
BENCHMARK_CAPTURE(find_in_table, inside_v6, Where::kInsideV6);
BENCHMARK_CAPTURE(find_in_table, outside_v6, Where::kOutsideV6);
BENCHMARK_CAPTURE(look_up_in_book, inside_v4, Where::kInsideV4);
BENCHMARK_CAPTURE(look_up_in_book, outside_v4, Where::kOutsideV4);
BENCHMARK_CAPTURE(look_up_in_book, inside_v6, Where::kInsideV6);
BENCHMARK_CAPTURE(look_up_in_book, outside_v6, Where::kOutsideV6);
BENCHMARK_CAPTURE(parse_addresses, v4, Where::kOutsideV4);
BENCHMARK_CAPTURE(parse_addresses, v6, Where::kOutsideV6);
BENCHMARK(load_service_tags)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace keyvigil

BENCHMARK_MAIN();
