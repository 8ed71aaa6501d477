// The store's file: who may open it, what is in it, and how older ones become newer ones.
//
// An SQLite file with application id 0x4B565631 ("KVV1") and the schema's version in PRAGMA user_version, pages of
// kPageBytes with checksums, write-ahead log.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "base/file_descriptor.h"
#include "base/format_versions.h"
#include "base/result.h"
#include "store/database.h"

namespace keyvigil {

// A kind of file. `steps`: each entry makes version i + 1 of version i; one that was released is never changed.
struct FileForm {
  std::uint32_t application_id = 0;
  std::span<const char* const> steps;
  bool check_all = true;  // read the whole file at open; otherwise damage shows where it is read
};

[[nodiscard]] FileForm store_form();
[[nodiscard]] FormatVersions versions_of(const FileForm& form, std::string_view name);

// One transaction for each step. REQUIRES: the file's version is at most steps.size().
[[nodiscard]] Result<void> migrate(Database& database, std::span<const char* const> steps);

struct OpenedStore {
  FileDescriptor lock;  // of "<path>.lock": one process has the store
  Database writer;
};

// Makes the file where there is none. Refuses, and leaves as it is: a file of another kind, a newer one, a damaged one,
// a read-only one.
[[nodiscard]] Result<Database> open_file(const std::string& path, const FileForm& form);
// The same for a store; also refuses one that another process has.
[[nodiscard]] Result<OpenedStore> open_store_file(const std::string& path);

// Whether the head of the file is one that this program can read.
[[nodiscard]] Result<void> check_head(const std::string& path, const FileForm& form);

}  // namespace keyvigil
