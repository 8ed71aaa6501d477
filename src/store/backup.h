// Backup: a whole copy of a store at one moment, made by any process while another one serves from it.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"

namespace keyvigil {

struct BackupOptions {
  // Pages that do not fit their checksums are read as they are: what is damaged may come along. For stores that open()
  // refuses, and for files that another program salvaged.
  bool damaged = false;
};

// `to` must not exist; it is whole or not there. It has the size of what is in the store, not of its file.
[[nodiscard]] Result<void> back_up_store(const std::string& from, const std::string& to,
                                         const BackupOptions& options = {});

// What bears the copy until it is whole; one of an earlier try is removed.
[[nodiscard]] std::string unfinished_backup(const std::string& to);

// The store and what SQLite keeps beside it.
[[nodiscard]] std::vector<std::string> store_files(const std::string& path);

}  // namespace keyvigil
