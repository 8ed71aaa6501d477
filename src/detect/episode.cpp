#include "detect/episode.h"

#include <algorithm>

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

Reason reason_of(const FreshReads& fresh, ReasonCode code, std::int64_t window_seconds) {
  Reason reason;
  reason.code = code;
  reason.observed = fresh.count;
  reason.expected = fresh.of_caller.mean;
  reason.days_known = fresh.episodes_learned;
  reason.surprise = probability_of(fresh);
  reason.window_seconds = window_seconds;
  return reason;
}

Reason reason_of(const EpisodeFacts& episode, ReasonCode code, std::int64_t window_seconds) {
  Reason reason;
  reason.code = code;
  reason.observed = episode.reads;
  reason.expected = episode.usual;
  reason.low = episode.openings_today;
  reason.high = std::max(episode.usual, static_cast<double>(critical_count(episode.usual, episode.dispersion, 0.1)));
  reason.days_known = episode.episodes_learned;
  reason.surprise = opening_probability(episode);
  reason.window_seconds = window_seconds;
  return reason;
}

}  // namespace keyvigil
