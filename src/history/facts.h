// Facts: what was usual just before an event, with numbers. Everything a detector may know beside the event itself.
//
// Each part is present only where it has something to say, which is rare: a first touch, a count above all earlier
// ones, a check point of a session or an episode. Absent parts cost the hot path nothing. Rates are per active day.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "history/count_tail.h"
#include "history/operation_class.h"

namespace keyvigil {

// Behaviour is compared within a class.
enum class CallerClass : std::uint8_t { kUser = 0, kApp = 1 };
inline constexpr std::size_t kCallerClassCount = 2;

// How often one of a kind makes something new, on a day on which it does anything.
struct NewThingRate {
  double mean = 0;
  double dispersion = 1;
  double days_known = 0;  // decayed active days behind it; 0: all from the class
};

// A first touch of one thing (a vault, an address prefix, a client application) by a caller, or the first in 90 days.
struct FirstTouch {
  bool dormant = false;  // known before, not seen for 90 days
  std::int64_t idle_days = 0;
  // P(a benign first touch of this class is as odd), in (0, 1].
  double surprise = 1;
  NewThingRate rate;
  // Where the thing is new to everybody: how often known callers bring such a one, per active caller-day; else 0.
  double unheard_rate = 0;
  // The caller has been seen on fewer than 3 days: the rate is that of first touches by such callers on things older
  // than 14 days, per active caller-day of the class.
  bool caller_is_new = false;
  // Of such callers on a day: the share that touches as many things; where the caller is not new, 1.
  double newcomers_with_as_many = 1;
  std::uint32_t today = 1;          // first touches of the caller today, this one included
  std::uint32_t caller_days = 0;    // on which the caller was seen before
  std::uint32_t caller_things = 0;  // live ones the caller touches
  std::uint64_t thing_callers = 0;  // other callers of this thing, as of the last whole hour
  // The nearest way from what the caller uses: of `sharing` callers of nearest_thing, so many use the new one.
  std::string nearest_thing;
  std::uint32_t sharing = 0;
  std::uint32_t sharing_and_using = 0;
};

// All first touches of one caller in the current hour and the 23 before it.
struct DayOfFirstTouches {
  std::uint64_t vaults = 0;
  double log_surprise = 0;  // sum of ln(1/surprise)
  NewThingRate rate;        // see FirstTouch
  std::uint32_t caller_days = 0;
  // Where the caller is new: the share of such callers that touches as many on a day; else 0.
  double newcomers_with_as_many = 0;
};

enum class VolumeMeasure : std::uint8_t { kOperations = 0, kCredentialReads = 1, kDistinctObjects = 2 };
inline constexpr std::size_t kVolumeMeasureCount = 3;
enum class VolumeWindow : std::uint8_t { kHour = 0, kDay = 1, kMinute = 2 };

// A count that passed everything seen before by more than a quarter.
struct VolumeFact {
  bool of_vault = false;  // else of the caller
  VolumeMeasure measure = VolumeMeasure::kOperations;
  VolumeWindow window = VolumeWindow::kHour;
  double count = 0;
  double usual = 0;       // expected count of a window with any
  double dispersion = 1;  // of count - 1
  double largest = 0;     // decayed largest count so far
  double windows = 0;     // decayed windows learned
  // P(a window of the class passes its member's record as far); 0: there is no record yet.
  double as_far_above = 0;
};

// A session of one caller, at a check point.
struct SessionFacts {
  OperationMixWeights self{};        // Dirichlet weights of the caller's habit, by operations
  OperationMixWeights by_days{};     // and by the days on which it does such
  OperationMixWeights population{};  // of its class
  OperationMixWeights counts{};      // in this session
  double events = 0;
  std::int64_t began_ticks = 0;
};

// Deletions, purges and recoveries of one caller on the current day, from the second one on.
struct DestructionFacts {
  double count = 0;       // this one included
  double usual = 0;       // on an active day
  double dispersion = 1;  // of the count
  double days_known = 0;  // decayed active days behind it
};

// What is expected of a count, and how much it varies.
struct ExpectedCount {
  double mean = 0;
  double dispersion = 1;
};

// Of the reads in an episode: those of objects that the caller had not read within 90 days, in a vault that it had used
// on an earlier day. Expected are the fresh reads of such episodes; where the vault is not known for a week, all reads.
struct FreshReads {
  double count = 0;
  ExpectedCount of_caller;
  ExpectedCount of_class;
  double episodes_learned = 0;  // of the caller
};

// Of the visits of a class to what was new to its callers (vaults, networks), decayed.
struct LearnedVisits {
  double with_as_many = 0;  // reads or more
  double all = 0;
};

// An episode: a list or a change of policy, then reads in the same vault.
struct EpisodeFacts {
  std::int64_t opened_ticks = 0;
  double reads = 0;  // of distinct objects since it was opened; credential lists too after a change of policy
  double usual = 0;  // of this caller's episodes, expected reads
  double dispersion = 1;
  double episodes_learned = 0;
  ExpectedCount of_class;  // reads, of the class
  std::optional<FreshReads> fresh;
  double openings_today = 0;  // this one included
  double openings_usual = 1;  // expected on an active day
  double openings_dispersion = 1;
  // Of a caller that never opened one before today: how often such a caller begins to, per active day; else 0.
  double beginner_rate = 0;
  std::uint32_t caller_days = 0;        // on which the caller was seen before today
  bool denied_before = false;           // within the hour before a change of policy
  bool reverted = false;                // a second change within an hour after the first read
  std::optional<FirstTouch> new_vault;  // the first touch of this vault, where it was within the last 24 h
  LearnedVisits visits;                 // where new_vault is: by callers that are as new as this one
  bool by_principal = false;            // the reader is whom the policy was added for, not who changed it
};

// What a caller did so far from a network that was new to it within the last 24 h, where the event adds to that.
struct NetworkVisit {
  std::int64_t since_ticks = 0;
  std::int64_t first_today_ticks = 0;  // of the networks that were new to it on the same day
  std::uint32_t networks_today = 1;    // so many, this one included
  double reads = 0;                    // of distinct credentials, exact to 64
  bool listed = false;                 // credentials
  // Of harmless visits by callers that are as new: with as many reads or more, and a list where this one has one.
  LearnedVisits visits;
  // Where the caller is new and nobody of the estate had used the network: how often such ones come, per active
  // caller-day of the class; else 0.
  double newcomers_per_day = 0;
  // Where an application moved out of Azure: how often one does that never had, per active day; else 0.
  double outside_per_day = 0;
};

struct Facts {
  CallerClass caller_class = CallerClass::kUser;
  bool behaviour_known = false;  // false: nobody's behaviour (a challenge, no identity, a service's routine)
  bool caller_first_today = false;
  bool vault_first_today = false;
  bool throttled = false;
  OperationClass operation_class = OperationClass::kOther;  // of the event
  std::optional<FirstTouch> new_vault;                      // answered with success
  std::optional<FirstTouch> new_denied_vault;               // refused
  std::optional<DayOfFirstTouches> new_vaults_day;
  std::optional<DayOfFirstTouches> denied_vaults_day;
  std::optional<FirstTouch> new_client;  // of a user
  bool client_new_to_pair_only = false;  // the user knows the client, the vault does not know both
  std::vector<VolumeFact> volumes;
  // The event opened an episode (a list, a change of policy) that is not the caller's everyday one.
  bool opens_episode = false;
  bool first_touch = false;    // of the vault by the caller, as `new_vaults_day` counts them
  bool first_refusal = false;  // as `denied_vaults_day` counts them
  bool policy_change = false;
  std::optional<SessionFacts> session;
  std::optional<DestructionFacts> destruction;
  std::optional<EpisodeFacts> list_episode;
  std::optional<EpisodeFacts> policy_episode;
  // The caller's prefix is new to the caller, or was so within the last 24 h.
  std::optional<FirstTouch> new_address;
  std::int64_t address_since_ticks = 0;  // when it became new
  std::string address_prefix;
  std::optional<NetworkVisit> network_visit;

  void clear();
};

// Whether a detector of behaviour may say anything.
[[nodiscard]] bool has_something_to_say(const Facts& facts);

}  // namespace keyvigil
