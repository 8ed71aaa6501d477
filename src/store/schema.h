// The store's file: who may open it, what is in it, and how older ones become newer ones.
//
// An SQLite file with application id 0x4B565631 ("KVV1") and the schema's version in PRAGMA user_version, pages of
// kPageBytes with checksums, write-ahead log.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "base/file_descriptor.h"
#include "base/result.h"
#include "store/database.h"

namespace keyvigil {

inline constexpr std::int64_t kApplicationId = 0x4B565631;

// Each entry makes version i + 1 of version i. An entry that was released is never changed.
[[nodiscard]] std::span<const char* const> migrations();

// One transaction for each step. REQUIRES: the file's version is at most migrations.size().
[[nodiscard]] Result<void> migrate(Database& database, std::span<const char* const> steps);

struct OpenedStore {
  FileDescriptor lock;  // of "<path>.lock": one process has the store
  Database writer;
};

// Makes the file where there is none. Refuses, and leaves as it is: a file that is no store, a newer store, a damaged
// one, a read-only one, one that another process has. Reads the whole file.
[[nodiscard]] Result<OpenedStore> open_store_file(const std::string& path);

// Whether the head of the file is that of a store that this program can read, as a sentence if not.
[[nodiscard]] Result<void> check_head(const std::string& path);

}  // namespace keyvigil
