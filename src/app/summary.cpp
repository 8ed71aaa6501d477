#include "app/summary.h"

#include <fmt/format.h>

#include <algorithm>

#include "app/type_selection.h"
#include "catalogue/catalogue.h"

namespace keyvigil {
namespace {

class Lines {
 public:
  void add(std::string_view label, const std::string& text) { text_ += fmt::format("  {:<12} {}\n", label, text); }
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

// Every bound that was met and every list that looks wrong; nothing where all is well.
std::vector<std::string> warnings(const SummaryInput& input) {
  const RunCounts& counts = *input.counts;
  std::vector<std::string> out = input.list_watch->warnings(*input.book);
  if (counts.started_over) {
    out.emplace_back("the input was not sorted by time: started over and sorted it on disk first");
  }
  if (counts.unreadable_addresses > 0) {
    out.push_back(
        fmt::format("{} events name an address that cannot be read: it counts as unknown, and no list was "
                    "asked about it",
                    counts.unreadable_addresses));
  }
  if (counts.repeats.closed_early > 0) {
    out.push_back(fmt::format("{} alerts were closed early for want of room", counts.repeats.closed_early));
  }
  if (counts.repeats.records_left_out > 0) {
    out.push_back(
        fmt::format("{} record references were left out of alerts; totals are exact", counts.repeats.records_left_out));
  }
  if (counts.repeats.objects_left_out > 0) {
    out.push_back(fmt::format("{} reads found no room in an alert's rotation list", counts.repeats.objects_left_out));
  }
  if (counts.repeats.events_forgotten > 0) {
    out.push_back(fmt::format("{} events of the last day were forgotten for want of room; alerts that miss some say so",
                              counts.repeats.events_forgotten));
  }
  if (counts.vaults_forgotten > 0) {
    out.push_back(
        fmt::format("the 24-hour counts of {} vaults were forgotten for want of room", counts.vaults_forgotten));
  }
  if (counts.objects_forgotten > 0) {
    out.push_back(fmt::format("that {} objects had been read by their callers was forgotten for want of room",
                              counts.objects_forgotten));
  }
  if (counts.scope_changes_forgotten > 0) {
    out.push_back(fmt::format("{} changes of the Activity Log were forgotten within a day for want of room",
                              counts.scope_changes_forgotten));
  }
  if (input.list_watch->callers() == ListWatch::kCallersLimit) {
    out.emplace_back("more than 1,000,000 callers: shares of callers on lists are of the first million");
  }
  return out;
}

std::string learning_in_words(const RunCounts& counts) {
  if (!counts.learned_at) { return "nothing to learn from"; }
  return fmt::format(
      "{} callers and {} vaults known ({} forgotten for want of room); behaviour raises alerts since {}, {:.2g} a day "
      "by "
      "budget; {} findings before that held back",
      counts.callers, counts.vaults, counts.callers_forgotten, to_iso_milliseconds(*counts.learned_at),
      counts.alerts_per_day, counts.held_back);
}

}  // namespace

std::string summary_text(const SummaryInput& input) {
  const RunCounts& counts = *input.counts;
  Lines lines;
  add_inputs(input, lines);
  lines.add("records", fmt::format("{} read; {} refused ({}); skipped: {}", counts.records, input.refused->total(),
                                   refused_by_cause(*input.refused), skipped_by_cause(counts)));
  lines.add("events", fmt::format("{} decided: {}", counts.decided, events_by_outcome(counts)));
  lines.add("order", fmt::format("{} duplicates, {} late ({} beyond 48 h), {} held, {} parked for their clock",
                                 counts.order.duplicates + counts.duplicates_in_sort, counts.order.late,
                                 counts.order.beyond_late_horizon, counts.held, counts.order.parked));
  std::size_t entries = 0;
  for (const ThreatList& list : input.book->lists()) { entries += list.entries.size(); }
  lines.add("lists",
            fmt::format("{} lists, {} entries{}", input.book->lists().size(), entries,
                        input.book->lists().empty() ? "; without --tor or --suspicious nothing can match" : ""));
  if (!input.types.all()) { lines.add("only", to_string(input.types)); }
  const bool learned = (input.types & ~types_without_history()).any();
  lines.add("learning", learned ? learning_in_words(counts) : "nothing: --only names no alert that compares behaviour");
  std::string alerts = alerts_by_type(counts);
  if (input.with_state) { alerts += fmt::format(" ({} still open)", counts.open_alerts); }
  if (counts.learning_alerts > 0) {
    alerts += fmt::format(", {} Informational ones of the learning", counts.learning_alerts);
  }
  lines.add("alerts", alerts);
  for (const std::string& warning : warnings(input)) { lines.add("warning", warning); }
  return "keyvigil detect: summary\n" + lines.take();
}

}  // namespace keyvigil
