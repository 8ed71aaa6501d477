#include "estate/decode_pool.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <memory>
#include <vector>

#include "source/file_source.h"

namespace keyvigil {
namespace {

std::string record(int minute) {
  return fmt::format(
      R"({{"time":"2026-05-05T10:{:02}:00Z","category":"AuditEvent","operationName":"SecretGet","resourceId":)"
      R"("/SUBSCRIPTIONS/0/RESOURCEGROUPS/RG/PROVIDERS/MICROSOFT.KEYVAULT/VAULTS/KV","properties":{{"httpStatusCode":)"
      R"(200}}}})"
      "\n",
      minute);
}

// Fails when it is read the second time.
class FailingSource : public Source {
 public:
  Result<bool> next(RawBatch& batch) override {
    batch = RawBatch{};
    if (reads_++ > 0) { return fail(ErrorKind::kInputOutput, "the disk is gone"); }
    return true;
  }
  [[nodiscard]] int reads() const { return reads_; }

 private:
  int reads_ = 0;
};

TEST(DecodePool, JobsOfOneSourceReadItInTheirOrder) {
  constexpr int kRecords = 60;
  std::string bytes;
  for (int minute = 0; minute < kRecords; ++minute) { bytes += record(minute); }
  for (const unsigned threads : {1U, 2U, 4U}) {
    FileSourceOptions options;
    options.batch_bytes = 1;
    FileSource source = FileSource::of_bytes(bytes, "made", options);
    DecodePool::Reading reading{.source = &source};
    std::array<DecodePool::Job, 3> jobs;
    DecodePool pool(threads, false);
    for (DecodePool::Job& job : jobs) {
      job.reading = &reading;
      pool.submit(job);
    }
    std::vector<std::int64_t> times;
    std::size_t ends = 0;
    for (std::size_t i = 0; ends < jobs.size(); ++i) {
      DecodePool::Job& job = jobs[i % jobs.size()];
      pool.wait(job);
      ASSERT_TRUE(job.more.has_value());
      if (!*job.more) {
        ++ends;
        continue;
      }
      ASSERT_EQ(ends, 0U) << "records behind the end";
      for (std::size_t at = 0; at < job.decoded.count; ++at) {
        times.push_back(job.decoded.events[at].time.milliseconds());
      }
      pool.submit(job);
    }
    EXPECT_EQ(times.size(), static_cast<std::size_t>(kRecords)) << threads << " threads";
    EXPECT_TRUE(std::ranges::is_sorted(times)) << threads << " threads";
  }
}

TEST(DecodePool, HandsOnThatASourceFailedAndDoesNotReadOn) {
  for (const unsigned threads : {1U, 3U}) {
    FailingSource source;
    DecodePool::Reading reading{.source = &source};
    std::array<DecodePool::Job, 3> jobs;
    DecodePool pool(threads, false);
    for (DecodePool::Job& job : jobs) {
      job.reading = &reading;
      pool.submit(job);
    }
    for (DecodePool::Job& job : jobs) { pool.wait(job); }
    EXPECT_TRUE(jobs[0].more.has_value() && *jobs[0].more);
    ASSERT_FALSE(jobs[1].more.has_value());
    EXPECT_EQ(jobs[1].more.error().message, "the disk is gone");
    EXPECT_TRUE(jobs[2].more.has_value() && !*jobs[2].more);
    EXPECT_EQ(source.reads(), 2);
  }
}

TEST(DecodePool, CancelledJobsLeaveTheSourceToOthers) {
  FileSourceOptions options;
  options.batch_bytes = 1;
  const std::string bytes = record(1) + record(2);
  FileSource source = FileSource::of_bytes(bytes, "made", options);
  DecodePool::Reading reading{.source = &source};
  std::array<DecodePool::Job, 2> jobs;
  DecodePool pool(1, false);
  for (DecodePool::Job& job : jobs) {
    job.reading = &reading;
    pool.submit(job);
  }
  pool.cancel(jobs[0]);
  pool.wait(jobs[1]);
  ASSERT_TRUE(*jobs[1].more);
  ASSERT_EQ(jobs[1].decoded.count, 1U);
  EXPECT_EQ(jobs[1].decoded.events[0].place.line, 1U);
}

}  // namespace
}  // namespace keyvigil
