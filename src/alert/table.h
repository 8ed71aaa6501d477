// Alerts for a terminal: a block each that says who, where, when, what, why and what next, and totals at the end. Text
// from outside cannot act on the terminal.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>

#include "alert/alert.h"

namespace keyvigil {

struct TableStyle {
  std::size_t width_columns = 100;  // of the terminal; narrower than 60 counts as 60
  bool colour = false;
};

// Ends with an empty line.
[[nodiscard]] std::string table_block(const Alert& alert, const TableStyle& style);

// What a table ends with: how many alerts by severity, confidence, vault, caller and day.
class TableTotals {
 public:
  static constexpr std::size_t kNamesLimit =
      10'000;  // of vaults, and of callers; alerts of others are counted together

  void add(const Alert& alert);
  // Empty where there was no alert.
  [[nodiscard]] std::string text(const TableStyle& style) const;

 private:
  struct Names {
    std::map<std::string, std::uint64_t> counts;
    std::uint64_t others = 0;

    void add(const std::string& name);
    [[nodiscard]] std::string most(std::size_t width_columns) const;
  };

  std::uint64_t alerts_ = 0;
  std::map<Severity, std::uint64_t> severities_;
  std::map<Severity, std::uint64_t> confidences_;
  Names vaults_;
  Names callers_;
  std::map<std::int64_t, std::uint64_t> days_;  // EventTime::day()
};

}  // namespace keyvigil
