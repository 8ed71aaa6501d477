// RefusedRecords: what became of records that could not be decoded: counted by cause, sampled, and written whole to a
// file where asked for.
#pragma once

#include <array>
#include <cstdint>
#include <fstream>
#include <string>
#include <vector>

#include "base/result.h"
#include "estate/decode_pool.h"

namespace keyvigil {

class RefusedRecords {
 public:
  static constexpr std::size_t kSamplesPerCause = 3;

  // `path` empty: nothing is written.
  [[nodiscard]] Result<void> open(const std::string& path);
  // `input_name`: the file the record stood in.
  [[nodiscard]] Result<void> take(const Refusal& refusal, const std::string& input_name);
  [[nodiscard]] Result<void> close();
  // Forgets everything: the input is read again from its start.
  [[nodiscard]] Result<void> start_over();

  [[nodiscard]] std::uint64_t total() const { return total_; }
  [[nodiscard]] std::uint64_t count(RefusalCause cause) const { return counts_[static_cast<std::size_t>(cause)]; }
  // Of these: the input ends inside a value or a compressed stream, which may be damaged there. What it held from there
  // on is missing, however much that is.
  [[nodiscard]] std::uint64_t cut() const { return cut_; }
  // "file:line" of the first of these.
  [[nodiscard]] const std::string& first_cut() const { return first_cut_; }
  // "file:line (byte N): message; begins with: ...", the first few of each cause, in the order of the input.
  [[nodiscard]] const std::vector<std::string>& samples() const { return samples_; }

 private:
  std::string path_;
  std::ofstream file_;
  std::uint64_t total_ = 0;
  std::uint64_t cut_ = 0;
  std::string first_cut_;
  std::array<std::uint64_t, static_cast<std::size_t>(RefusalCause::kCount)> counts_{};
  std::vector<std::string> samples_;
};

}  // namespace keyvigil
