// Attempt: what became of one try to deliver one alert.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "alert/alert.h"
#include "alert/alert_standing.h"

namespace keyvigil {

struct OutgoingAlert {
  Alert alert;
  AlertStanding standing;
};

struct Attempt {
  enum class Outcome : std::uint8_t {
    kDelivered,
    kTryAgain,  // later: the receiver is away, busy or refuses us for now
    kNever,     // the receiver refuses this alert, and would again
    kNotTried,  // an earlier one of the batch found the receiver away
  };
  Outcome outcome = Outcome::kDelivered;
  std::int64_t wait_seconds = 0;  // kTryAgain: at least so long, as the receiver asks
  bool receiver_away = false;     // kTryAgain: others would fare the same now
  std::string why;                // a sentence without secrets; empty where delivered

  [[nodiscard]] static Attempt delivered() { return {}; }
  [[nodiscard]] static Attempt away(std::string why, std::int64_t wait_seconds = 0) {
    return {Outcome::kTryAgain, wait_seconds, true, std::move(why)};
  }
  [[nodiscard]] static Attempt again(std::string why) { return {Outcome::kTryAgain, 0, false, std::move(why)}; }
  [[nodiscard]] static Attempt never(std::string why) { return {Outcome::kNever, 0, false, std::move(why)}; }
  [[nodiscard]] static Attempt not_tried() { return {Outcome::kNotTried, 0, false, {}}; }
};

}  // namespace keyvigil
