// ReaderPool: connections that only read. Each is lent to one thread at a time; they neither wait for writers nor make
// them wait.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "store/database.h"

namespace keyvigil {

class ReaderPool {
 public:
  [[nodiscard]] Result<void> open(const std::string& path, std::size_t connections) {
    for (std::size_t i = 0; i < connections; ++i) {
      auto database = Database::open(path, DatabaseMode::kReadOnly);
      if (!database) { return tl::unexpected(database.error()); }
      free_.push_back(*std::move(database));
    }
    return {};
  }

  // All that `work` reads is of one moment. `work` takes a Database& and returns a Result.
  template <typename Work>
  auto read(const Work& work) -> decltype(work(std::declval<Database&>())) {
    Database database = take();
    auto result = read_at_one_moment(database, work);
    give_back(std::move(database));
    return result;
  }

 private:
  template <typename Work>
  static auto read_at_one_moment(Database& database, const Work& work) -> decltype(work(database)) {
    if (auto begun = database.run("BEGIN"); !begun) { return tl::unexpected(begun.error()); }
    auto result = work(database);
    auto ended = database.run("COMMIT");
    if (!ended && result) { return tl::unexpected(ended.error()); }
    return result;
  }

  Database take() {
    std::unique_lock held(mutex_);
    changed_.wait(held, [&] { return !free_.empty(); });
    Database database = std::move(free_.back());
    free_.pop_back();
    return database;
  }
  void give_back(Database database) {
    {
      const std::lock_guard held(mutex_);
      free_.push_back(std::move(database));
    }
    changed_.notify_one();
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<Database> free_;
};

}  // namespace keyvigil
