#include "detect/episode.h"

#include <algorithm>

#include <fmt/format.h>

#include "detect/reasons.h"
#include "statistics/tails.h"

namespace keyvigil {
namespace {

double tail(double count, const ExpectedCount& expected) {
  return negative_binomial_upper_tail(count, expected.mean, expected.dispersion);
}

}  // namespace

double openings_to_expect(const EpisodeFacts& episode) {
  return episode.beginner_rate > 0 ? episode.beginner_rate : episode.openings_usual;
}

double opening_probability(const EpisodeFacts& episode) {
  // Whoever begins may do so several times at once.
  if (episode.beginner_rate > 0) { return std::min(1.0, episode.beginner_rate); }
  return tail(episode.openings_today, {episode.openings_usual, episode.openings_dispersion});
}

double reading_probability(const EpisodeFacts& episode) {
  return tail(episode.reads, {episode.usual, episode.dispersion});
}

double visit_probability(const EpisodeFacts& episode) {
  constexpr double kAssumedVisits = 10;  // whose reads are as those of the caller's episodes
  return (kAssumedVisits * reading_probability(episode) + episode.visits.with_as_many) /
         (kAssumedVisits + episode.visits.all);
}

double probability_of(const FreshReads& fresh) {
  return std::max(tail(fresh.count, fresh.of_caller), tail(fresh.count, fresh.of_class));
}

double number_probability(const EpisodeFacts& episode) {
  return tail(episode.reads, {episode.usual, std::max(episode.dispersion, episode.of_class.dispersion)});
}

Reason reason_of(const FreshReads& fresh, ReasonCode code, double window_seconds) {
  Reason reason;
  reason.code = code;
  reason.with(Quantity::kObserved, fresh.count)
      .with(Quantity::kUsual, fresh.of_caller.mean)
      .with(Quantity::kLearnedWindows, fresh.episodes_learned)
      .with(Quantity::kProbability, probability_of(fresh))
      .with(Quantity::kWindowSeconds, window_seconds);
  return reason;
}

Reason reason_of(const EpisodeFacts& episode, ReasonCode code, double window_seconds) {
  Reason reason;
  reason.code = code;
  reason.since = EventTime{episode.opened_ticks};
  reason.with(Quantity::kObserved, episode.reads)
      .with(Quantity::kUsual, episode.usual)
      .with(Quantity::kUsualHigh,
            std::max(episode.usual, static_cast<double>(critical_count(episode.usual, episode.dispersion, 0.1))))
      .with(Quantity::kLearnedWindows, episode.episodes_learned)
      .with(Quantity::kDaysSeen, episode.caller_days)
      .with(Quantity::kOpeningsToday, episode.openings_today)
      .with(Quantity::kUsualOpenings, episode.openings_usual)
      .with(Quantity::kProbability, opening_probability(episode))
      .with(Quantity::kWindowSeconds, window_seconds);
  if (episode.beginner_rate > 0) { reason.with(Quantity::kBeginnersRate, episode.beginner_rate); }
  return reason;
}

std::string reads_in_words(double reads, std::string_view singular) {
  constexpr double kExactReads = 64;  // history/episodes.h
  return fmt::format("{}{}", reads >= kExactReads ? "at least " : "", counted(reads, singular));
}

std::string opening_in_words(const Reason& reason, std::string_view done, std::string_view often) {
  if (const auto beginners = reason.find(Quantity::kBeginnersRate)) {
    return fmt::format("It had never {} on the {} before today on which it was seen; callers like it begin to {}.",
                       done, counted(reason.of(Quantity::kDaysSeen), "day"),
                       frequency_in_words(*beginners, "active day"));
  }
  return fmt::format("It {} {} times on an active day.", often, number_in_words(reason.of(Quantity::kUsualOpenings)));
}

}  // namespace keyvigil
