#include "detect/first_touch.h"

#include <algorithm>

#include <fmt/format.h>

#include "detect/reasons.h"
#include "statistics/combination.h"
#include "statistics/tails.h"

namespace keyvigil {

double probability_of(const FirstTouch& touch) {
  const double once = novelty_probability(touch.rate.mean, touch.rate.dispersion, touch.surprise);
  if (touch.caller_is_new) { return once * touch.newcomers_with_as_many; }
  // One of so many today is as odd: at most their number times its surprise. Whoever starts touches several at once.
  if (touch.today < 2) { return once; }
  const auto today = static_cast<double>(touch.today);
  const double as_many = negative_binomial_upper_tail(today, touch.rate.mean, touch.rate.dispersion);
  return std::min({1.0, once, as_many * std::min(1.0, today * touch.surprise)});
}

double probability_of(const DayOfFirstTouches& day) {
  constexpr double kLooks = 2;
  if (day.newcomers_with_as_many > 0) { return std::min(1.0, day.rate.mean * day.newcomers_with_as_many); }
  const double joined = account_volume_probability(day.rate.mean, day.rate.dispersion, day.vaults, day.log_surprise);
  // Whoever visits every vault of the team, one as near as the other, is odd by their number alone.
  const double number =
      negative_binomial_upper_tail(static_cast<double>(day.vaults), day.rate.mean, day.rate.dispersion);
  return std::min(1.0, kLooks * std::min(joined, number));
}

Reason reason_of(const FirstTouch& touch, ReasonCode usual) {
  Reason reason;
  reason.code = usual;
  if (touch.dormant) { reason.code = ReasonCode::kReturnAfterDormancy; }
  if (touch.caller_is_new) { reason.code = ReasonCode::kFirstTouchByNewCaller; }
  reason.nearest = touch.nearest_thing;
  reason.with(Quantity::kProbability, probability_of(touch))
      .with(Quantity::kUsualPerDay, touch.rate.mean)
      .with(Quantity::kDaysSeen, touch.caller_days)
      .with(Quantity::kVaultsOfCaller, touch.caller_things)
      .with(Quantity::kCallersOfVault, static_cast<double>(touch.thing_callers));
  if (touch.dormant) { reason.with(Quantity::kIdleDays, static_cast<double>(touch.idle_days)); }
  if (touch.sharing > 0) {
    reason.with(Quantity::kSharing, touch.sharing).with(Quantity::kSharingAndUsing, touch.sharing_and_using);
  }
  return reason;
}

Reason reason_of(const DayOfFirstTouches& day, ReasonCode code, EventTime at) {
  constexpr std::int64_t kHours = 24;
  constexpr double kDaySeconds = 86'400;
  Reason reason;
  reason.code = code;
  reason.since = EventTime{(at.hour() - (kHours - 1)) * EventTime::kTicksPerHour};
  reason.with(Quantity::kObserved, static_cast<double>(day.vaults))
      .with(Quantity::kUsualPerDay, day.rate.mean)
      .with(Quantity::kDaysSeen, day.caller_days)
      .with(Quantity::kProbability, probability_of(day))
      .with(Quantity::kWindowSeconds, kDaySeconds);
  return reason;
}

// ---- in words ----

std::string neighbours_in_words(const Reason& reason, std::string_view vault) {
  const double sharing = reason.of(Quantity::kSharing);
  if (reason.nearest.empty() || sharing == 0) { return {}; }
  const double using_it = reason.of(Quantity::kSharingAndUsing);
  return fmt::format("{} of the {} of {} use{} {}", using_it == 0 ? "none" : number_in_words(using_it),
                     counted(sharing, "other caller"), last_part(reason.nearest), using_it == 1 ? "s" : "", vault);
}

namespace {

// Who the caller is in numbers, who else uses the vault, and how often such a thing is to be expected.
std::string touch_sentence(const Reason& reason, const ReasonNames& names, std::string_view what) {
  const double days = reason.of(Quantity::kDaysSeen);
  const double others = reason.of(Quantity::kCallersOfVault);
  std::string neighbours = neighbours_in_words(reason, names.vault);
  if (!neighbours.empty()) { neighbours = "; " + neighbours; }
  const std::string seen = days == 0 ? std::string("this is the first day on which it is seen")
                                     : fmt::format("it was seen on {} before and uses {}", counted(days, "day"),
                                                   counted(reason.of(Quantity::kVaultsOfCaller), "vault"));
  return fmt::format("{} {}: {}; {} used this vault by the last full hour{}. Something as odd is expected of it {}.",
                     names.caller, what, seen,
                     others == 0 ? std::string("nobody else") : counted(others, "other caller"), neighbours,
                     frequency_in_words(reason.of(Quantity::kProbability), "active day"));
}

std::string many_vaults_sentence(const Reason& reason, std::string_view what) {
  return fmt::format("{} {} since {}; usual for it is {} on an active day. As many that are as odd are expected {}.",
                     counted(reason.of(Quantity::kObserved), "vault"), what, minute_in_words(reason.since),
                     number_in_words(reason.of(Quantity::kUsualPerDay)),
                     frequency_in_words(reason.of(Quantity::kProbability), "active day"));
}

}  // namespace

std::string first_touch_sentence(const Reason& reason, const ReasonNames& names) {
  return touch_sentence(reason, names, fmt::format("used {} for the first time", names.vault));
}

std::string new_caller_sentence(const Reason& reason, const ReasonNames& names) {
  return touch_sentence(reason, names, fmt::format("is new to the estate and used {}, which is not", names.vault));
}

std::string return_sentence(const Reason& reason, const ReasonNames& names) {
  return touch_sentence(
      reason, names,
      fmt::format("used {} again after {}", names.vault, counted(reason.of(Quantity::kIdleDays), "day")));
}

std::string first_refusal_sentence(const Reason& reason, const ReasonNames& names) {
  return touch_sentence(reason, names, fmt::format("was refused by {}, which it had not used before", names.vault));
}

std::string many_new_vaults_sentence(const Reason& reason, const ReasonNames& names) {
  return many_vaults_sentence(reason, fmt::format("were used by {} for the first time", names.caller));
}

std::string many_vaults_of_new_caller_sentence(const Reason& reason, const ReasonNames& names) {
  return fmt::format(
      "{} that are in use for long were used since {} by {}, which is new to the estate (it was seen on {} before). A "
      "new caller that begins with as many is expected {} of callers like it.",
      counted(reason.of(Quantity::kObserved), "vault"), minute_in_words(reason.since), names.caller,
      counted(reason.of(Quantity::kDaysSeen), "day"),
      frequency_in_words(reason.of(Quantity::kProbability), "active day"));
}

std::string many_refused_vaults_sentence(const Reason& reason, const ReasonNames& names) {
  return many_vaults_sentence(reason, fmt::format("that {} had not used before refused it", names.caller));
}

}  // namespace keyvigil
