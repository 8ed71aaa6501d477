// Two hundred simulated accesses, rendered in every form in which Azure delivers the log, plain and compressed, are the
// same canonical events.
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <span>
#include <string>
#include <vector>

#include "estate/decode_pool.h"
#include "event/canonical.h"
#include "source/file_source.h"
#include "workload/render.h"
#include "workload/world.h"

namespace keyvigil {
namespace {

constexpr std::size_t kEvents = 200;

class Forms : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = std::filesystem::temp_directory_path() / ("keyvigil-forms-" + std::to_string(::getpid()));
    std::filesystem::create_directories(folder_);
    workload::WorldOptions options = workload::world_of_size("small").value();
    options.seed = 11;
    options.attacks = {workload::AttackKind::kTorSuccess, workload::AttackKind::kPolicyThenRead};
    workload::World world(options);
    workload::Activity activity;
    while (activities_.size() < kEvents && world.next(activity)) {
      // The portal's US times carry no more than milliseconds.
      activity.time = EventTime::from_milliseconds(activity.time.milliseconds());
      if (!activity.vault.managed_hsm) { activities_.push_back(activity); }
    }
    ASSERT_EQ(activities_.size(), kEvents);
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  std::vector<AccessEvent> read(const std::string& bytes) {
    const std::string path = (folder_ / "input").string();
    std::ofstream(path, std::ios::binary) << bytes;
    auto source = FileSource::open(path, {});
    EXPECT_TRUE(source.has_value());
    std::vector<AccessEvent> events;
    RawBatch raw;
    Decoder decoder;
    DecodedBatch batch;
    while (source && source->next(raw).value_or(false)) {
      decode_batch(raw, 0, true, decoder, batch);
      for (const Refusal& refusal : batch.refusals) { ADD_FAILURE() << refusal.message << "\n" << refusal.record; }
      events.insert(events.end(), batch.events.begin(),
                    batch.events.begin() + static_cast<std::ptrdiff_t>(batch.count));
    }
    std::sort(events.begin(), events.end(), CanonicalOrder{});
    return events;
  }

  static void expect_same(const std::vector<AccessEvent>& expected, const std::vector<AccessEvent>& got,
                          std::string_view what) {
    ASSERT_EQ(got.size(), expected.size()) << what;
    for (std::size_t i = 0; i < got.size(); ++i) {
      ASSERT_TRUE(same_canonical_event(expected[i], got[i]))
          << what << ": " << expected[i].uri() << " / " << got[i].uri() << " at " << to_iso_milliseconds(got[i].time)
          << "\n"
          << expected[i].text << "\n"
          << got[i].text;
    }
  }

  std::filesystem::path folder_;
  std::vector<workload::Activity> activities_;
};

TEST_F(Forms, AllHoldTheSameCanonicalEvents) {
  const std::vector<AccessEvent> expected = read(workload::render(workload::Form::kRaw, activities_));
  ASSERT_EQ(expected.size(), kEvents);
  for (std::size_t form = 0; form < workload::kFormCount; ++form) {
    const auto wanted = static_cast<workload::Form>(form);
    // Records of Managed HSMs say less, and of other resources.
    if (wanted == workload::Form::kHsm) { continue; }
    expect_same(expected, read(workload::render(wanted, activities_)), to_string(wanted));
  }
}

TEST_F(Forms, AreTheSameCompressed) {
  const std::string plain = workload::render(workload::Form::kCsvAuditUs, activities_);
  const std::vector<AccessEvent> expected = read(plain);
  expect_same(expected, read(workload::compress_gzip(plain).value()), "gzip");
  expect_same(expected, read(workload::compress_zstd(plain).value()), "zstd");
}

TEST_F(Forms, OfManagedHsmsAreReadWithoutRefusal) {
  EXPECT_EQ(read(workload::render(workload::Form::kHsm, activities_)).size(), kEvents);
}

}  // namespace
}  // namespace keyvigil
