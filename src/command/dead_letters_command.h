// keyvigil outputs dead list|show|revive: what outputs did not take, from the store.
//
// list and show also while serve runs; revive needs the store for itself: while serve runs, its API does it.
#pragma once

#include <CLI/CLI.hpp>
#include <cstdint>
#include <iosfwd>
#include <string>
#include <vector>

#include "base/event_time.h"
#include "command/exit_code.h"

namespace keyvigil {

struct DeadLettersOptions {
  std::string store;
  std::string output;  // empty: all
  std::vector<std::uint64_t> ids;
  std::uint64_t limit = 100;

  const CLI::App* list = nullptr;
  const CLI::App* show = nullptr;
  const CLI::App* revive = nullptr;
  [[nodiscard]] bool parsed() const { return list->parsed() || show->parsed() || revive->parsed(); }
};

void add_dead_letters_command(CLI::App& outputs, DeadLettersOptions& options);

// REQUIRES: options.parsed(). `now`: the wall clock.
[[nodiscard]] ExitCode run_dead_letters(const DeadLettersOptions& options, EventTime now, std::ostream& out,
                                        std::ostream& err);

}  // namespace keyvigil
