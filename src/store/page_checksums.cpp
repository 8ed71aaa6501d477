#include "store/page_checksums.h"

#include <sqlite3.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <string_view>

#include "base/check.h"
#include "base/hash.h"

namespace keyvigil {
namespace {

constexpr const char* kName = "keyvigil-checked";
constexpr int kSummedBytes = kPageBytes - kPageChecksumBytes;

// SQLite allocates szOsFile bytes: this, then the file of the operating system's own VFS.
struct CheckedFile {
  sqlite3_file base;
  sqlite3_file* inner;
};

sqlite3_file* inner_of(sqlite3_file* file) {
  return reinterpret_cast<CheckedFile*>(file)->inner;
}
sqlite3_vfs* system_vfs(sqlite3_vfs* vfs) {
  return static_cast<sqlite3_vfs*>(vfs->pAppData);
}

std::uint64_t checksum_of(const char* page, sqlite3_int64 offset) {
  constexpr std::uint64_t kOdd = 0x9E3779B97F4A7C15U;
  const auto number = static_cast<std::uint64_t>(offset / kPageBytes) + 1;
  return hash64({page, static_cast<std::size_t>(kSummedBytes)}) + number * kOdd;
}

bool is_whole_page(int amount, sqlite3_int64 offset) {
  return amount == kPageBytes && offset % kPageBytes == 0;
}

int read_checked(sqlite3_file* file, void* to, int amount, sqlite3_int64 offset) {
  sqlite3_file* inner = inner_of(file);
  const int code = inner->pMethods->xRead(inner, to, amount, offset);
  if (code != SQLITE_OK || !is_whole_page(amount, offset)) { return code; }
  const char* page = static_cast<const char*>(to);
  std::uint64_t kept = 0;
  std::memcpy(&kept, page + kSummedBytes, sizeof(kept));
  return kept == checksum_of(page, offset) ? SQLITE_OK : SQLITE_IOERR_DATA;
}

int write_checked(sqlite3_file* file, const void* from, int amount, sqlite3_int64 offset) {
  sqlite3_file* inner = inner_of(file);
  if (!is_whole_page(amount, offset)) { return inner->pMethods->xWrite(inner, from, amount, offset); }
  std::array<char, kPageBytes> page{};
  std::memcpy(page.data(), from, kSummedBytes);
  const std::uint64_t checksum = checksum_of(page.data(), offset);
  std::memcpy(page.data() + kSummedBytes, &checksum, sizeof(checksum));
  return inner->pMethods->xWrite(inner, page.data(), amount, offset);
}

int close_file(sqlite3_file* file) {
  sqlite3_file* inner = inner_of(file);
  return inner->pMethods == nullptr ? SQLITE_OK : inner->pMethods->xClose(inner);
}

// Version 2: with shared memory (for the write-ahead log), without memory maps, which would go past the checksums.
const sqlite3_io_methods& methods() {
  static const sqlite3_io_methods kMethods = {
      2,
      close_file,
      read_checked,
      write_checked,
      [](sqlite3_file* f, sqlite3_int64 size) { return inner_of(f)->pMethods->xTruncate(inner_of(f), size); },
      [](sqlite3_file* f, int flags) { return inner_of(f)->pMethods->xSync(inner_of(f), flags); },
      [](sqlite3_file* f, sqlite3_int64* size) { return inner_of(f)->pMethods->xFileSize(inner_of(f), size); },
      [](sqlite3_file* f, int level) { return inner_of(f)->pMethods->xLock(inner_of(f), level); },
      [](sqlite3_file* f, int level) { return inner_of(f)->pMethods->xUnlock(inner_of(f), level); },
      [](sqlite3_file* f, int* held) { return inner_of(f)->pMethods->xCheckReservedLock(inner_of(f), held); },
      [](sqlite3_file* f, int op, void* arg) { return inner_of(f)->pMethods->xFileControl(inner_of(f), op, arg); },
      [](sqlite3_file* f) { return inner_of(f)->pMethods->xSectorSize(inner_of(f)); },
      [](sqlite3_file* f) { return inner_of(f)->pMethods->xDeviceCharacteristics(inner_of(f)); },
      [](sqlite3_file* f, int region, int size, int extend, void volatile** at) {
        return inner_of(f)->pMethods->xShmMap(inner_of(f), region, size, extend, at);
      },
      [](sqlite3_file* f, int offset, int n, int flags) {
        return inner_of(f)->pMethods->xShmLock(inner_of(f), offset, n, flags);
      },
      [](sqlite3_file* f) { inner_of(f)->pMethods->xShmBarrier(inner_of(f)); },
      [](sqlite3_file* f, int remove) { return inner_of(f)->pMethods->xShmUnmap(inner_of(f), remove); },
      nullptr,
      nullptr,
  };
  return kMethods;
}

int open_file(sqlite3_vfs* vfs, const char* name, sqlite3_file* file, int flags, int* out_flags) {
  sqlite3_vfs* system = system_vfs(vfs);
  if ((flags & SQLITE_OPEN_MAIN_DB) == 0) { return system->xOpen(system, name, file, flags, out_flags); }
  auto* checked = reinterpret_cast<CheckedFile*>(file);
  checked->inner = reinterpret_cast<sqlite3_file*>(checked + 1);
  checked->inner->pMethods = nullptr;
  const int code = system->xOpen(system, name, checked->inner, flags, out_flags);
  checked->base.pMethods = code == SQLITE_OK ? &methods() : nullptr;
  return code;
}

// SQLite wants an object that it can link into its list and that lives as long as the program.
sqlite3_vfs* make_vfs() {
  static sqlite3_vfs vfs;
  sqlite3_vfs* system = sqlite3_vfs_find("unix");
  CHECK(system != nullptr);
  vfs = *system;
  vfs.pNext = nullptr;
  vfs.zName = kName;
  vfs.pAppData = system;
  vfs.szOsFile = static_cast<int>(sizeof(CheckedFile)) + system->szOsFile;
  vfs.xOpen = open_file;
  vfs.xDelete = [](sqlite3_vfs* v, const char* name, int sync) {
    return system_vfs(v)->xDelete(system_vfs(v), name, sync);
  };
  vfs.xAccess = [](sqlite3_vfs* v, const char* name, int flags, int* result) {
    return system_vfs(v)->xAccess(system_vfs(v), name, flags, result);
  };
  vfs.xFullPathname = [](sqlite3_vfs* v, const char* name, int size, char* out) {
    return system_vfs(v)->xFullPathname(system_vfs(v), name, size, out);
  };
  return &vfs;
}

}  // namespace

const char* checked_vfs() {
  static const int kRegistered = sqlite3_vfs_register(make_vfs(), 0);
  CHECK(kRegistered == SQLITE_OK);
  return kName;
}

Result<std::uint64_t> first_damaged_page(sqlite3* connection, const std::set<std::uint32_t>& in_log) {
  sqlite3_file* file = nullptr;
  sqlite3_int64 bytes = 0;
  CHECK(sqlite3_file_control(connection, "main", SQLITE_FCNTL_FILE_POINTER, &file) == SQLITE_OK);
  CHECK(file != nullptr && file->pMethods == &methods());
  if (file->pMethods->xFileSize(file, &bytes) != SQLITE_OK) {
    return fail(ErrorKind::kInputOutput, "expected to ask the store's file for its size, found an error");
  }
  std::array<char, kPageBytes> page{};
  std::uint64_t number = 1;
  for (sqlite3_int64 offset = 0; offset < bytes; offset += kPageBytes, ++number) {
    const int code = file->pMethods->xRead(file, page.data(), kPageBytes, offset);
    if (code == SQLITE_OK || in_log.contains(static_cast<std::uint32_t>(number))) { continue; }
    // A page that was freed before it was ever written is a hole in the file. In use, it fails where it is read.
    const bool hole = code == SQLITE_IOERR_DATA && std::all_of(page.begin(), page.end(), [](char c) { return c == 0; });
    if (!hole) { return number; }
  }
  return 0;
}

}  // namespace keyvigil
