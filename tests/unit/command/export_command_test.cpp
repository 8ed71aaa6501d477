#include "command/export_command.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>
#include <sstream>
#include <string>
#include <vector>

#include "reference/event_builder.h"
#include "reference/list_world.h"
#include "unit/store/store_folder.h"

namespace keyvigil {
namespace {

constexpr const char* kOurs = "11111111-2222-4333-8444-555555555555";

// Three alerts, an hour apart, of alice over Tor; the last one dismissed by a rule.
class ExportTest : public testing::Test {
 protected:
  ExportTest() {
    ListWorld world;
    const std::vector<AccessEvent> events = {
        EventBuilder().at("2026-09-28T10:00:00Z").user("alice").vault("kv-a").object("secrets/db").build(),
        EventBuilder().at("2026-09-28T11:00:00Z").user("alice").vault("kv-b").object("secrets/db").build(),
        EventBuilder().at("2026-09-28T12:00:00Z").user("alice").vault("kv-c").object("secrets/db").build()};
    alerts_ = world.run_all(events);
    EXPECT_EQ(alerts_.size(), 3U);
    const auto store = folder_.open();
    std::vector<RaisedRevision> revisions;
    for (const Alert& alert : alerts_) { revisions.push_back({alert, false, "", {}}); }
    revisions.back().dismissed_by_rule = "noise";
    EXPECT_TRUE(store->add_revisions(revisions, {}));
    options_.store = folder_.path();
    options_.output = folder_.path("out");
  }
  ExitCode run() { return run_export(options_); }
  // The vault of each line.
  std::vector<std::string> vaults() const {
    std::vector<std::string> names;
    std::istringstream lines(bytes_of_file(options_.output));
    std::string line;
    while (std::getline(lines, line)) {
      for (const char* name : {"kv-a", "kv-b", "kv-c"}) {
        if (line.find("/vaults/" + std::string(name)) != std::string::npos) { names.emplace_back(name); }
      }
    }
    return names;
  }
  using Vaults = std::vector<std::string>;

  StoreFolder folder_;
  std::vector<Alert> alerts_;
  ExportOptions options_;
};

TEST_F(ExportTest, WritesTheAlertsOfAStoreNewestFirst) {
  EXPECT_EQ(run(), ExitCode::kDone);
  EXPECT_EQ(vaults(), (Vaults{"kv-c", "kv-b", "kv-a"}));
  EXPECT_NE(bytes_of_file(options_.output).find("Dismissed"), std::string::npos) << "with what became of them";
}

TEST_F(ExportTest, IsBoundedByTimeAndSubscription) {
  options_.from = "2026-09-28T11:00:00Z";
  EXPECT_EQ(run(), ExitCode::kDone);
  EXPECT_EQ(vaults(), (Vaults{"kv-c", "kv-b"}));
  options_.until = "2026-09-28T12:00:00Z";
  EXPECT_EQ(run(), ExitCode::kDone);
  EXPECT_EQ(vaults(), Vaults{"kv-b"});
  options_.subscriptions = {"99999999-2222-4333-8444-555555555555"};
  EXPECT_EQ(run(), ExitCode::kDone);
  EXPECT_EQ(vaults(), Vaults{});
  std::string upper = kOurs;
  std::ranges::transform(upper, upper.begin(), [](char c) { return static_cast<char>(std::toupper(c)); });
  options_.subscriptions = {upper};
  EXPECT_EQ(run(), ExitCode::kDone);
  EXPECT_EQ(vaults(), Vaults{"kv-b"});
}

TEST_F(ExportTest, SaysWhatItCannotDo) {
  ExportOptions options = options_;
  options.format = "docx";
  EXPECT_EQ(run_export(options), ExitCode::kUsage);
  options = options_;
  options.from = "yesterday";
  EXPECT_EQ(run_export(options), ExitCode::kUsage);
  options = options_;
  options.state = "both.state";
  EXPECT_EQ(run_export(options), ExitCode::kUsage);
  options = options_;
  options.store = folder_.path("nowhere");
  EXPECT_EQ(run_export(options), ExitCode::kInputOutput);
  options = options_;
  options.output = folder_.path("no/such/folder/out");
  EXPECT_EQ(run_export(options), ExitCode::kInputOutput);
}

}  // namespace
}  // namespace keyvigil
