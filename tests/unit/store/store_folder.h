// A folder for the stores of one test, gone with it.
#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>
#include <utility>

#include "store/store.h"

namespace keyvigil {

class StoreFolder {
 public:
  StoreFolder() {
    std::string name = (std::filesystem::temp_directory_path() / "keyvigil-store-XXXXXX").string();
    EXPECT_NE(mkdtemp(name.data()), nullptr);
    folder_ = name;
  }
  StoreFolder(const StoreFolder&) = delete;
  StoreFolder& operator=(const StoreFolder&) = delete;
  ~StoreFolder() { std::filesystem::remove_all(folder_); }

  [[nodiscard]] std::string path(const std::string& name = "store") const { return (folder_ / name).string(); }
  [[nodiscard]] std::unique_ptr<Store> open(const StoreOptions& options = {}) const {
    auto store = Store::open(path(), options);
    EXPECT_TRUE(store) << (store ? "" : store.error().message);
    return store ? *std::move(store) : nullptr;
  }

 private:
  std::filesystem::path folder_;
};

inline std::string bytes_of_file(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

inline void write_file(const std::string& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary | std::ios::trunc) << bytes;
}

// "" where it succeeded.
template <typename T>
std::string message_of(const Result<T>& result) {
  return result ? "" : result.error().message;
}

inline JournalEntry input(std::string body, std::string name = "logs") {
  JournalEntry entry;
  entry.input = std::move(name);
  entry.body = std::move(body);
  return entry;
}

inline AuditLine done_by(const std::string& who, const std::string& action) {
  return {EventTime::from_milliseconds(1'790'000'000'000), who, "203.0.113.9", action, "target", "done"};
}

}  // namespace keyvigil
