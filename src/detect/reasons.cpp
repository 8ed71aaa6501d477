#include "detect/reasons.h"

#include <fmt/format.h>

#include <cmath>

namespace keyvigil {
namespace {

// By Quantity.
constexpr std::array<std::string_view, kQuantityCount> kQuantityNames = {
    "observed",       "usual",           "usualLow",         "usualHigh",        "probability",       "windowSeconds",
    "learnedWindows", "daysSeen",        "vaultsOfCaller",   "callersOfVault",   "sharing",           "sharingAndUsing",
    "idleDays",       "callersOfClient", "networksOfCaller", "callersOfNetwork", "requestsOfSession", "openingsToday",
    "usualOpenings",  "beginnersRate",   "pieces",           "usualPerDay",      "letInByAnother",    "microsoftKnown",
    "listed"};

// Two significant digits of what is at least 1: 1234 is 1200.
double rounded(double value) {
  double magnitude = 1;
  while (value / magnitude >= 100) { magnitude *= 10; }
  return std::floor(value / magnitude + 0.5) * magnitude;
}

}  // namespace

std::string_view quantity_name(Quantity quantity) {
  return kQuantityNames[static_cast<std::size_t>(quantity)];
}

std::string number_in_words(double value) {
  if (value == std::floor(value) && value < 1e15) { return fmt::format("{:.0f}", value); }
  if (value >= 10) { return fmt::format("{:.0f}", value); }
  return value < 0.01 ? "less than 0.01" : fmt::format("{:.2g}", value);
}

std::string counted(double count, std::string_view singular) {
  return fmt::format("{} {}{}", number_in_words(count), singular, count == 1 ? "" : "s");
}

std::string frequency_in_words(double probability, std::string_view unit) {
  constexpr double kPracticallyNever = 1e-6;
  if (!(probability >= kPracticallyNever)) {
    return fmt::format("practically never (less than once in a million {}s)", unit);
  }
  if (probability > 0.66) { return fmt::format("on nearly every {}", unit); }
  const double in = rounded(1 / probability);
  const auto thousands = static_cast<std::uint64_t>(in) / 1000;
  const auto rest = static_cast<std::uint64_t>(in) % 1000;
  return thousands == 0 ? fmt::format("once in {} {}s", rest, unit)
                        : fmt::format("once in {},{:03} {}s", thousands, rest, unit);
}

std::string minute_in_words(EventTime time) {
  std::string text = to_iso_milliseconds(time).substr(0, 16);
  text[10] = ' ';
  return text + " UTC";
}

std::string_view last_part(std::string_view id) {
  return id.substr(id.rfind('/') + 1);
}

std::string fused_evidence_sentence(const Reason& reason, const ReasonNames& names) {
  return fmt::format(
      "{} kinds of evidence about {} came together within 24 hours; none was rare enough alone, and all together are "
      "expected {}.",
      number_in_words(reason.of(Quantity::kPieces)), names.caller,
      frequency_in_words(reason.of(Quantity::kProbability), "active day"));
}

}  // namespace keyvigil
