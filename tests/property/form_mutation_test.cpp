// Every form in which logs arrive, damaged at every byte: each byte replaced, removed and cut at. Whatever comes of it,
// nothing is read past an end, and every record that was found is an event, refused or skipped.
#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "estate/decode_pool.h"
#include "reference/archives.h"
#include "source/file_source.h"
#include "workload/render.h"
#include "workload/world.h"

namespace keyvigil {
namespace {

std::vector<workload::Activity> two_activities() {
  workload::WorldOptions options = workload::world_of_size("small").value();
  options.seed = 7;
  workload::World world(options);
  std::vector<workload::Activity> activities;
  workload::Activity activity;
  while (activities.size() < 2 && world.next(activity)) {
    if (!activity.vault.managed_hsm) { activities.push_back(activity); }
  }
  return activities;
}

std::string utf16(std::string_view ascii) {
  std::string bytes = "\xFF\xFE";
  for (const char byte : ascii) {
    bytes += byte;
    bytes += '\0';
  }
  return bytes;
}

std::string replaced(std::string text, std::string_view from, std::string_view to) {
  for (std::size_t at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size())) {
    text.replace(at, from.size(), to);
  }
  return text;
}

std::vector<std::pair<std::string, std::string>> all_forms() {
  const std::vector<workload::Activity> activities = two_activities();
  std::vector<std::pair<std::string, std::string>> forms;
  for (std::size_t i = 0; i < workload::kFormCount; ++i) {
    const auto form = static_cast<workload::Form>(i);
    forms.emplace_back(to_string(form), workload::render(form, activities));
  }
  const std::string raw = workload::render(workload::Form::kRaw, activities);
  const std::string csv = workload::render(workload::Form::kCsvDiagnosticsUs, activities);
  forms.emplace_back("gzip", workload::compress_gzip(raw).value());
  forms.emplace_back("zstd", workload::compress_zstd(raw).value());
  forms.emplace_back("zip", zip_of({{"y=2026/m=09/d=28/h=10/m=00/PT1H.json", raw}, {"a.csv", csv}}));
  forms.emplace_back("capture", capture_of({raw, raw}, "null"));
  forms.emplace_back("capture deflate", capture_of({raw, raw}, "deflate"));
  forms.emplace_back("capture snappy", capture_of({raw, raw}, "snappy"));
  forms.emplace_back("utf-16", utf16(csv.substr(3)));
  forms.emplace_back("carriage returns", replaced(csv, "\r\n", "\r"));
  forms.emplace_back("sep", "sep=,\r\n" + csv.substr(3));
  forms.emplace_back("type", "#TYPE System.Object\r\n" + csv.substr(3));
  return forms;
}

class Judge {
 public:
  void read(std::string_view text) {
    // In a buffer of exactly this size.
    const std::vector<char> bytes(text.begin(), text.end());
    FileSourceOptions options;
    options.batch_bytes = std::size_t{4} << 10;
    options.expansion.free_bytes = std::size_t{1} << 20;
    FileSource source = FileSource::of_bytes({bytes.data(), bytes.size()}, "mutant", options);
    while (source.next(raw_).value_or(false)) {
      decode_batch(raw_, 0, true, decoder_, batch_);
      events_ += batch_.count;
      const std::uint64_t skipped = std::accumulate(batch_.skipped.begin(), batch_.skipped.end(), std::uint64_t{0});
      const std::uint64_t accounted = batch_.count + batch_.refusals.size() + skipped;
      ASSERT_GE(accounted, batch_.records);
    }
  }
  [[nodiscard]] std::uint64_t events() const { return events_; }

 private:
  RawBatch raw_;
  Decoder decoder_;
  DecodedBatch batch_;
  std::uint64_t events_ = 0;
};

TEST(FormMutation, EveryFormIsReadUndamaged) {
  for (const auto& [name, text] : all_forms()) {
    Judge judge;
    judge.read(text);
    EXPECT_GE(judge.events(), 2U) << name;
  }
}

// Sanitizers are slow, and see the same code at every seventh byte.
#if defined(__has_feature)
#if __has_feature(address_sanitizer)
constexpr std::size_t kStride = 7;
#else
constexpr std::size_t kStride = 1;
#endif
#else
constexpr std::size_t kStride = 1;
#endif

TEST(FormMutation, AnyByteOfAnyFormReplacedRemovedOrCutAt) {
  using namespace std::string_view_literals;
  constexpr std::string_view kReplacements = "\"{}[],:;\n\r\\\0\xFF\x80 9"sv;
  for (const auto& [name, text] : all_forms()) {
    SCOPED_TRACE(name);
    Judge judge;
    for (std::size_t at = 0; at < text.size(); at += kStride) {
      std::string changed = text;
      // Another replacement at each byte, all of them at the same kind of byte in the end.
      changed[at] = kReplacements[at % kReplacements.size()];
      judge.read(changed);
      changed.erase(at, 1);
      judge.read(changed);
      judge.read(std::string_view(text).substr(0, at));
    }
    EXPECT_GT(judge.events(), 0U);
  }
}

}  // namespace
}  // namespace keyvigil
