#include "store/backup.h"

#include <gtest/gtest.h>

#include <atomic>
#include <filesystem>
#include <string>
#include <thread>
#include <vector>

#include "reference/made_alert.h"
#include "unit/store/store_folder.h"

namespace keyvigil {
namespace {

TEST(Backup, IsOneMomentOfAStoreThatIsWrittenTo) {
  const StoreFolder folder;
  auto store = folder.open();
  std::atomic<bool> stop = false;
  std::thread writer([&] {
    for (std::uint64_t number = 1; !stop; ++number) {
      CheckpointCommit checkpoint;
      checkpoint.sections["number"] = section_of(std::to_string(number));
      ASSERT_TRUE(store->add_revisions(std::vector<RaisedRevision>{{made_alert(number), false, "", {}}}, {}));
      ASSERT_TRUE(store->append(std::vector{input("x")}));
      ASSERT_TRUE(store->commit(checkpoint));
    }
  });
  for (int i = 0; i < 5; ++i) {
    const std::string copy = folder.path("copy" + std::to_string(i));
    EXPECT_EQ(message_of(store->back_up(copy)), "");
    const auto opened = Store::open(copy);
    ASSERT_TRUE(opened) << message_of(opened);
    const auto checkpoint = (*opened)->last_checkpoint();
    ASSERT_TRUE(checkpoint) << message_of(checkpoint);
    const std::uint64_t number = *checkpoint ? std::stoull((*checkpoint)->sections.at("number")) : 0;
    const std::uint64_t alerts = (*opened)->figures()->alerts;
    EXPECT_GE(alerts, number);
    EXPECT_LE(alerts, number + 1) << "an alert is there before its checkpoint";
    EXPECT_GE((*opened)->figures()->journal_entries, number);
    AlertFilter filter;
    filter.text = "person1";
    EXPECT_EQ((*opened)->alerts(filter)->alerts.size(), alerts > 0 ? 1U : 0U);
    EXPECT_TRUE((*opened)->append(std::vector{input("goes on")}));
  }
  stop = true;
  writer.join();
}

TEST(Backup, NeverReplacesAFile) {
  const StoreFolder folder;
  auto store = folder.open();
  write_file(folder.path("copy"), "precious");
  const auto refused = store->back_up(folder.path("copy"));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, ErrorKind::kUsage);
  EXPECT_EQ(bytes_of_file(folder.path("copy")), "precious");
}

TEST(Backup, TakesNamesThatLookLikeParameters) {
  const StoreFolder folder;
  auto store = folder.open();
  const std::string name = folder.path("a?b=c&mode=memory#d%41");
  ASSERT_EQ(message_of(store->back_up(name)), "");
  EXPECT_EQ(message_of(Store::open(name)), "");
}

TEST(Backup, RefusesWhatIsNoStore) {
  const StoreFolder folder;
  EXPECT_NE(message_of(back_up_store(folder.path("absent"), folder.path("copy"))).find("expected to read the store"),
            std::string::npos);
  write_file(folder.path(), std::string(20'000, 'x'));
  for (const bool damaged : {false, true}) {
    EXPECT_FALSE(back_up_store(folder.path(), folder.path("copy"), {damaged}));
    EXPECT_FALSE(std::filesystem::exists(folder.path("copy")));
    EXPECT_FALSE(std::filesystem::exists(folder.path("copy.unfinished")));
  }
}

TEST(Backup, NeverHandsOnADamagedPage) {
  const StoreFolder folder;
  {
    auto store = folder.open();
    std::vector<RaisedRevision> revisions;
    for (std::uint64_t i = 0; i < 200; ++i) { revisions.push_back({made_alert(i), false, "", {}}); }
    ASSERT_TRUE(store->add_revisions(revisions, {}));
  }
  std::string bytes = bytes_of_file(folder.path());
  bytes[bytes.size() / 2] = static_cast<char>(bytes[bytes.size() / 2] ^ 1);
  write_file(folder.path(), bytes);
  EXPECT_NE(message_of(back_up_store(folder.path(), folder.path("copy"))).find("a page is damaged"), std::string::npos);
  EXPECT_FALSE(std::filesystem::exists(folder.path("copy")));
}

}  // namespace
}  // namespace keyvigil
