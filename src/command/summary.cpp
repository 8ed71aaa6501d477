#include "command/summary.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <optional>

#include "alert/printable.h"
#include "catalogue/catalogue.h"
#include "command/learning_note.h"
#include "command/type_selection.h"
#include "intel/list_losses.h"

namespace keyvigil {
namespace {

class Lines {
 public:
  void add(std::string_view label, const std::string& text) {
    text_ += fmt::format("  {:<12} {}\n", label, harmless(text));
  }
  [[nodiscard]] std::string take() { return std::move(text_); }

 private:
  std::string text_;
};

// "12 denied, 3 challenge": parts that are not zero; "none" where all are.
class Parts {
 public:
  void add(std::uint64_t count, std::string_view name) {
    if (count == 0) { return; }
    text_ += fmt::format("{}{} {}", text_.empty() ? "" : ", ", count, name);
  }
  [[nodiscard]] std::string text() const { return text_.empty() ? "none" : text_; }

 private:
  std::string text_;
};

std::string refused_by_cause(const RefusedRecords& refused) {
  Parts parts;
  for (std::size_t i = 0; i < static_cast<std::size_t>(RefusalCause::kCount); ++i) {
    const auto cause = static_cast<RefusalCause>(i);
    parts.add(refused.count(cause), to_string(cause));
  }
  return parts.text();
}

std::string skipped_by_cause(const RunCounts& counts) {
  Parts parts;
  for (std::size_t i = 0; i < counts.skipped.size(); ++i) {
    parts.add(counts.skipped[i], to_string(static_cast<SkipCause>(i)));
  }
  return parts.text();
}

std::string events_by_outcome(const RunCounts& counts) {
  Parts parts;
  for (std::size_t i = 0; i < counts.outcomes.size(); ++i) {
    parts.add(counts.outcomes[i], to_string(static_cast<Outcome>(i)));
  }
  return parts.text();
}

std::string alerts_by_type(const RunCounts& counts) {
  Parts parts;
  for (const CatalogueRow& row : catalogue()) {
    parts.add(counts.alerts[static_cast<std::size_t>(row.type)], row.code);
  }
  return parts.text();
}

void add_inputs(const SummaryInput& input, Lines& lines) {
  const RunCounts& counts = *input.counts;
  Parts skipped;
  skipped.add(input.inputs->hidden_skipped, "hidden");
  skipped.add(input.inputs->empty_skipped, "empty");
  skipped.add(input.inputs->repeated_skipped, "named twice");
  skipped.add(input.inputs->other_skipped, "not regular");
  const double seconds = std::max(input.seconds, 0.001);
  lines.add("input", fmt::format("{} files, {:.1f} MB in {:.1f} s ({:.0f} records/s); files skipped: {}",
                                 input.inputs->files.size(), static_cast<double>(counts.input_bytes) / 1e6,
                                 input.seconds, static_cast<double>(counts.records) / seconds, skipped.text()));
}

// The date that the list says, or else that of its file: a copy may be younger than what it holds, never older.
std::optional<EventTime> newest_date(const ThreatList& list) {
  if (const auto said = date_of(list)) { return said; }
  struct stat status {};
  if (::stat(list.file.c_str(), &status) != 0) { return std::nullopt; }
  return EventTime::from_milliseconds(status.st_mtim.tv_sec * std::int64_t{1000});
}

// What the lists lost, and those that cannot know the addresses of the logs' time.
void add_list_warnings(const SummaryInput& input, std::vector<std::string>& out) {
  for (const ThreatList& list : input.book->lists()) {
    if (const std::string losses = losses_of(list); !losses.empty()) {
      out.push_back(fmt::format("list '{}': {}", list.file, losses));
    }
    for (const std::string& warning : list.warnings) {
      out.push_back(fmt::format("list '{}': {}", list.file, warning));
    }
    const auto date = newest_date(list);
    const auto& first = input.counts->first_event;
    if (!date || !first || date->ticks + EventTime::kTicksPerDay >= first->ticks) { continue; }
    out.push_back(
        fmt::format("list '{}' is of {}, the logs begin {}: addresses that became bad since are missing; "
                    "load the list again",
                    list.file, to_iso_milliseconds(*date).substr(0, 10), to_iso_milliseconds(*first).substr(0, 10)));
  }
}

// What a run that goes on where another stopped has to say.
void add_state_warnings(const SummaryInput& input, std::vector<std::string>& out) {
  const RunCounts& counts = *input.counts;
  if (counts.order.too_old > 0 && counts.decided_known_from) {
    out.push_back(
        fmt::format("{} records are older than {}, up to where it is no longer known what was decided: they "
                    "were left out",
                    counts.order.too_old, to_iso_milliseconds(*counts.decided_known_from)));
  }
  if (counts.decided == 0 && counts.held == 0 && counts.order.duplicates > 0) {
    out.emplace_back("nothing was new: every record had been decided before; check that the export goes on");
  }
}

// Every bound that was met and every list that looks wrong; nothing where all is well.
std::vector<std::string> warnings(const SummaryInput& input) {
  const RunCounts& counts = *input.counts;
  std::vector<std::string> out = input.list_watch->warnings(*input.book);
  add_list_warnings(input, out);
  add_state_warnings(input, out);
  if (counts.started_over) {
    out.emplace_back("the input was not sorted by time: started over and sorted it on disk first");
  }
  if (counts.unreadable_addresses > 0) {
    out.push_back(
        fmt::format("{} events name an address that cannot be read: it counts as unknown, and no list was "
                    "asked about it",
                    counts.unreadable_addresses));
  }
  for (const BoundMet& bound : counts.bounds) {
    if (bound.count > 0) { out.push_back(fmt::format("{} {}", bound.count, bound.what)); }
  }
  if (input.list_watch->callers() == ListWatch::kCallersLimit) {
    out.emplace_back("more than 1,000,000 callers: shares of callers on lists are of the first million");
  }
  return out;
}

std::string learning_in_words(const RunCounts& counts) {
  if (!counts.learned_at) { return "nothing to learn from"; }
  return fmt::format(
      "{} callers and {} vaults known ({} forgotten for want of room); behaviour raises alerts {} {}, {:.2g} a day by "
      "budget; {} findings before that held back",
      counts.callers, counts.vaults, counts.callers_forgotten, has_learned(counts) ? "since" : "only from",
      to_iso_milliseconds(*counts.learned_at) + (has_learned(counts) ? "" : " on"), counts.alerts_per_day,
      counts.held_back);
}

std::string order_in_words(const SummaryInput& input) {
  const RunCounts& counts = *input.counts;
  const std::uint64_t duplicates = counts.order.duplicates + counts.duplicates_in_sort;
  const std::string before =
      counts.order.decided_before == 0 ? "" : fmt::format(" ({} decided before)", counts.order.decided_before);
  return fmt::format("{} duplicates{}, {} late ({} beyond 48 h), {} held, {} parked for their clock{}", duplicates,
                     before, counts.order.late, counts.order.beyond_late_horizon, counts.held, counts.order.parked,
                     counts.order.too_old == 0 ? "" : fmt::format(", {} too old to know", counts.order.too_old));
}

std::string lists_in_words(const AddressBook& book) {
  std::size_t entries = 0;
  for (const ThreatList& list : book.lists()) { entries += list.entries.size(); }
  const bool tor = book.has_role(ListRole::kTor);
  const bool suspicious = book.has_role(ListRole::kSuspicious);
  std::string_view missing;
  if (!tor && !suspicious) {
    missing = "; without --tor and --suspicious the three alerts by threat lists cannot be raised";
  } else if (!tor) {
    missing = "; without --tor KV_TORAccess cannot be raised";
  } else if (!suspicious) {
    missing = "; without --suspicious two alerts by threat lists cannot be raised";
  }
  return fmt::format("{} lists, {} entries{}", book.lists().size(), entries, missing);
}

std::string alerts_in_words(const SummaryInput& input) {
  const RunCounts& counts = *input.counts;
  std::string alerts = alerts_by_type(counts);
  if (input.with_state) {
    alerts += fmt::format(" ({} still open, {} of an earlier run are unchanged and not printed)", counts.open_alerts,
                          counts.unchanged_alerts);
  }
  if (counts.learning_alerts > 0) {
    alerts += fmt::format(", {} Informational ones of the learning", counts.learning_alerts);
  }
  return alerts;
}

}  // namespace

std::string summary_text(const SummaryInput& input) {
  const RunCounts& counts = *input.counts;
  Lines lines;
  add_inputs(input, lines);
  lines.add("records", fmt::format("{} read; {} refused ({}); skipped: {}", counts.records, input.refused->total(),
                                   refused_by_cause(*input.refused), skipped_by_cause(counts)));
  lines.add("events", fmt::format("{} decided: {}", counts.decided, events_by_outcome(counts)));
  lines.add("order", order_in_words(input));
  lines.add("lists", lists_in_words(*input.book));
  if (!input.types.all()) { lines.add("only", to_string(input.types)); }
  const bool learned = (input.types & ~types_without_history()).any();
  lines.add("learning", learned ? learning_in_words(counts) : "nothing: --only names no alert that compares behaviour");
  lines.add("alerts", alerts_in_words(input));
  for (const std::string& warning : warnings(input)) { lines.add("warning", warning); }
  return "keyvigil detect: summary\n" + lines.take();
}

}  // namespace keyvigil
