#include "detect/first_touch.h"

#include <algorithm>

#include "statistics/combination.h"
#include "statistics/tails.h"

namespace keyvigil {

double probability_of(const FirstTouch& touch) {
  const double once = novelty_probability(touch.rate.mean, touch.rate.dispersion, touch.surprise);
  // One of so many today is as odd: at most their number times its surprise. Whoever starts touches several at once.
  if (touch.today < 2 || touch.caller_is_new) { return once; }
  const auto today = static_cast<double>(touch.today);
  const double as_many = negative_binomial_upper_tail(today, touch.rate.mean, touch.rate.dispersion);
  return std::min({1.0, once, as_many * std::min(1.0, today * touch.surprise)});
}

double probability_of(const DayOfFirstTouches& day) {
  constexpr double kLooks = 2;
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
  reason.observed = touch.dormant ? static_cast<double>(touch.idle_days) : 1;
  reason.expected = touch.rate.mean;
  reason.low = static_cast<double>(touch.caller_things);
  reason.high = static_cast<double>(touch.thing_callers);
  reason.days_known = static_cast<double>(touch.caller_days);
  reason.surprise = touch.surprise;
  reason.sharing = touch.sharing;
  reason.sharing_and_using = touch.sharing_and_using;
  reason.nearest = touch.nearest_thing;
  return reason;
}

Reason reason_of(const DayOfFirstTouches& day, ReasonCode code) {
  constexpr std::int64_t kDaySeconds = 86'400;
  Reason reason;
  reason.code = code;
  reason.observed = static_cast<double>(day.vaults);
  reason.expected = day.rate.mean;
  reason.days_known = day.rate.days_known;
  reason.surprise = probability_of(day);
  reason.window_seconds = kDaySeconds;
  return reason;
}

}  // namespace keyvigil
