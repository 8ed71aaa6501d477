// Test: a list of credentials and then, within the hour, reads of distinct ones in the same vault: how likely are a
// list today and so many reads after it, for this caller, on a vault that may be new to it? Two ways of looking: all of
// it together (many lists count), and one such episode on a day, as a hurdle: expected lists times the chance of so
// many reads after one. The second begins at three reads: before, it would only say again that the vault is new.
//
// On a vault that the caller has used before, both look at the reads of what it had not read before: an application
// that loads at its start what it reads anyway is no news. The number of all reads is a third way of looking then,
// whatever was read; a list on that day is no evidence there, and the caller may vary as much as its class does:
// another vault of the same loader has another number of secrets.
#include <algorithm>
#include <cmath>
#include <vector>

#include <fmt/format.h>

#include "detect/detectors.h"
#include "detect/episode.h"
#include "detect/first_touch.h"
#include "detect/reasons.h"
#include "statistics/combination.h"

namespace keyvigil {
namespace {

constexpr double kLeastReads = 3;
constexpr double kLooks = 2;
constexpr double kLooksOnKnownVault = 3;

// The first two ways of looking, with the probability of the reads; the smaller one.
double list_and_reads(const EpisodeFacts& episode, double reading) {
  std::vector<double> probabilities = {opening_probability(episode), reading};
  double hurdle = openings_to_expect(episode);
  if (episode.new_vault) {
    probabilities.push_back(probability_of(*episode.new_vault));
    hurdle = std::min(hurdle, probabilities.back());
  }
  const double once = episode.reads < kLeastReads ? 1 : hurdle * reading;
  return std::min(fisher(probabilities), once);
}

double probability_of(const EpisodeFacts& episode) {
  if (episode.new_vault) { return kLooks * list_and_reads(episode, visit_probability(episode)); }
  if (!episode.fresh) { return kLooks * list_and_reads(episode, reading_probability(episode)); }
  const double fresh = list_and_reads(episode, probability_of(*episode.fresh));
  return kLooksOnKnownVault * std::min(fresh, number_probability(episode));
}

}  // namespace

std::string reads_after_list_sentence(const Reason& reason, const ReasonNames& names) {
  const double reads = reason.of(Quantity::kObserved);
  const double usual = reason.of(Quantity::kUsual);
  const double learned = std::floor(reason.of(Quantity::kLearnedWindows) + 0.5);
  std::string sentence =
      fmt::format("{} listed the credentials of {} at {} and then read {} within the hour. {}", names.caller,
                  names.vault, minute_in_words(reason.since), reads_in_words(reads, "distinct one"),
                  opening_in_words(reason, "listed any", "lists some"));
  // What is usual is a reason only where it is less.
  if (learned >= 1 && usual < reads) {
    sentence +=
        fmt::format(" After its lists {} are usual (nine times in ten at most {}), learned over about {}.",
                    number_in_words(usual), number_in_words(reason.of(Quantity::kUsualHigh)), counted(learned, "list"));
  }
  return sentence;
}

std::string reads_of_new_objects_sentence(const Reason& reason, const ReasonNames& names) {
  const double fresh = reason.of(Quantity::kObserved);
  if (fresh == 0) {
    return fmt::format("{} had read all of these in {} within the 90 days before.", names.caller, names.vault);
  }
  const double usual = reason.of(Quantity::kUsual);
  const double learned = std::floor(reason.of(Quantity::kLearnedWindows) + 0.5);
  std::string sentence = fmt::format("{} of these had not been read by {} in {} within the 90 days before.",
                                     number_in_words(fresh), names.caller, names.vault);
  if (learned >= 1 && usual < fresh) {
    sentence += fmt::format(" After its lists {} such are usual, learned over about {}.", number_in_words(usual),
                            counted(learned, "list"));
  }
  return sentence;
}

Suspicions list_get_anomaly(const Observation& seen) {
  constexpr double kWindowSeconds = 3600;
  Suspicions found;
  if (!seen.facts.list_episode) { return found; }
  const EpisodeFacts& episode = *seen.facts.list_episode;
  Suspicion suspicion{
      SubjectKind::kCaller, std::min(1.0, probability_of(episode)), {}, EventTime{episode.opened_ticks}};
  if (suspicion.p <= seen.explained_up_to) {
    suspicion.reasons.push_back(reason_of(episode, ReasonCode::kReadsAfterList, kWindowSeconds));
    if (episode.new_vault) {
      suspicion.reasons.push_back(reason_of(*episode.new_vault, ReasonCode::kFirstTouchOfVault));
    } else if (episode.fresh) {
      suspicion.reasons.push_back(reason_of(*episode.fresh, ReasonCode::kReadsOfNewObjects, kWindowSeconds));
    }
  }
  found.add(std::move(suspicion));
  return found;
}

}  // namespace keyvigil
