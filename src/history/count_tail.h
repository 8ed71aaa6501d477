// CountTail: how many of something one caller or vault does in a window in which it does any, and how likely so many
// are.
//
// A negative binomial over count - 1, because windows without any are not learned. Its mean is shrunk to the parent's
// by a few windows' worth, its dispersion is estimated from one-step-ahead residuals, so that it holds the uncertainty
// of the mean and its drift too. Half of the weight is lost in 30 learned windows. Learning bounds what one window can
// teach, so an attack does not become normal by happening (detection-method notes, P2); what happens a second time on
// the same scale, as a weekly backup does, becomes the record. 56 bytes. No allocation.
#pragma once

#include <tuple>

namespace keyvigil {

// What is usual for all of a kind: mean of count - 1, and dispersion. A member that is hardly known may be any of them
// and is dispersed as all are together; one whose own mean is known varies only as members do about theirs.
struct CountParent {
  double mean = 1;
  double dispersion = 1;
  double windows = 3;                  // what it weighs beside a member's own windows
  double own_dispersion = dispersion;  // within a member whose mean is known
};

struct CountTail {
  static constexpr double kPriorDispersionWindows = 10;
  static constexpr double kHalfLifeWindows = 30;
  static constexpr double kRecordHalfLifeWindows = 2000;
  static constexpr double kRecordMargin = 1.25;  // up to this much above the largest count so far is no news
  static constexpr double kLeastDispersion = 0.05;

  double windows = 0;        // decayed exposure learned
  double sum = 0;            // decayed sum of count - 1
  double residuals = 0;      // decayed sum of (y - m)^2 - m
  double squared_means = 0;  // decayed sum of m^2
  double largest = 0;        // decayed largest count, surprising ones only as far as they came twice
  double once = 0;           // decayed largest surprising count that came once

  // `exposure`: how busy the window is expected to be beside an average one, > 0.
  [[nodiscard]] double mean(const CountParent& parent, double exposure) const;
  [[nodiscard]] double dispersion(const CountParent& parent, double exposure) const;
  // P(so many or more in a window with any), in [0, 1].
  [[nodiscard]] double tail(double count, const CountParent& parent, double exposure) const;
  // The cheap question to ask first: an integer compare instead of a tail.
  [[nodiscard]] bool is_within_record(double count) const { return count <= kRecordMargin * largest; }
  // At the end of a window with count >= 1.
  void learn(double count, const CountParent& parent, double exposure);

  auto fields() { return std::tie(windows, sum, residuals, squared_means, largest, once); }
};

}  // namespace keyvigil
