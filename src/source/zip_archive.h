// ZipArchive: the entries of a zip, one after the other, by the hour that their path names, then by name.
//
// Entries are decompressed while they are read. Bounded: entries, expansion (ExpansionLimit) and their names; folders
// and what file systems leave beside files are passed over. libzip reads the directory and the entries.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "source/expansion_limit.h"
#include "source/raw_input.h"

namespace keyvigil {

// True where `head` begins with the magic bytes of an entry, or of an archive without one.
[[nodiscard]] bool is_zip(std::string_view head);

struct ZipLimits {
  std::uint64_t entries = 1'000'000;
  ExpansionLimit expansion;
};

class ZipArchive {
 public:
  // `input` must outlive the archive. An error of kind kInput: it is no archive that can be read, with what to do.
  [[nodiscard]] static Result<ZipArchive> open(RawInput& input, const ZipLimits& limits = {});
  ~ZipArchive();
  ZipArchive(ZipArchive&&) noexcept;
  ZipArchive& operator=(ZipArchive&&) noexcept;

  [[nodiscard]] std::size_t entry_count() const;
  [[nodiscard]] const std::string& name(std::size_t entry) const;
  [[nodiscard]] std::uint64_t stored_bytes(std::size_t entry) const;
  [[nodiscard]] std::uint64_t passed_over() const;  // folders, and files of file systems

  // The bytes of one entry, as a file of that name would hold them; one at a time. Damage ends them early.
  [[nodiscard]] RawInput open_entry(std::size_t entry);
  // Why the entry at hand ended early; nothing where it did not.
  [[nodiscard]] const std::optional<std::string>& damage() const;
  // The archive has expanded too far: nothing more is read from it.
  [[nodiscard]] bool is_exhausted() const;

 private:
  struct State;
  explicit ZipArchive(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace keyvigil
