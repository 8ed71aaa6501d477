// Suspicion: what one detector holds against one subject because of one event.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "base/check.h"
#include "base/event_time.h"

namespace keyvigil {

// Values are hashed into alert ids: do not renumber.
enum class SubjectKind : std::uint8_t { kCaller = 0, kClientApp = 1, kVault = 2, kAddress = 3 };

// Stable codes for the statements in an alert's evidence; each has one row in detect/reasons.h. Saved: append.
enum class ReasonCode : std::uint8_t {
  kAddressOnTorList = 0,
  kAddressOnSuspiciousList = 1,
  kFirstTouchOfVault = 2,
  kFirstTouchByNewCaller = 3,
  kReturnAfterDormancy = 4,
  kFirstRefusal = 5,
  kNewClientOfUser = 6,
  kNewClientOnVault = 7,
  kManyNewVaults = 8,
  kManyRefusedVaults = 9,
  kVolumeOfCaller = 10,
  kVolumeOfVault = 11,
  kPaceOfUser = 12,
  kOperationsUnlikeHabit = 13,
  kReadsAfterList = 14,
  kReadsAfterPolicyChange = 15,
  kPolicyReverted = 16,
  kRefusedBeforePolicyChange = 17,
  kNewAddress = 18,
  kUnusualAccess = 19,
  kFusedEvidence = 20,
  kDestructionOfDay = 21,
  kReadsOfNewObjects = 22,
  kReadsFromNewNetwork = 23,
  kManyNewNetworks = 24,
  kNewCallerAtUnusedNetwork = 25,
  kFirstTimeOutsideAzure = 26,
  kManyVaultsOfNewCaller = 27,
};
inline constexpr std::size_t kReasonCodeCount = 28;

// What a number of a reason is; quantity_name() is its name in every outward shape. Saved: append.
enum class Quantity : std::uint8_t {
  kObserved = 0,           // the count that is unusual
  kUsual = 1,              // expected in its place
  kUsualLow = 2,           // 80 % of what is usual lies between
  kUsualHigh = 3,          // and this
  kProbability = 4,        // the only one that is one: in [0, 1]
  kWindowSeconds = 5,      // of what was counted
  kLearnedWindows = 6,     // behind `usual`; older ones count less
  kDaysSeen = 7,           // UTC days before this one on which the caller was seen
  kVaultsOfCaller = 8,     // used within 90 days
  kCallersOfVault = 9,     // others, as of the last full hour
  kSharing = 10,           // callers of the nearest vault
  kSharingAndUsing = 11,   // of these: who use the vault in question
  kIdleDays = 12,          // since the last use
  kCallersOfClient = 13,   // others
  kNetworksOfCaller = 14,  // used within 90 days
  kCallersOfNetwork = 15,  // others
  kRequestsOfSession = 16,
  kOpeningsToday = 17,   // began to list (anew after 15 minutes), or changed a policy
  kUsualOpenings = 18,   // on an active day
  kBeginnersRate = 19,   // of those who never did: how often one begins to, per active day
  kPieces = 20,          // kinds of evidence that came together
  kUsualPerDay = 21,     // first uses on an active day
  kLetInByAnother = 22,  // 1: somebody else changed the policy, for this caller
  kMicrosoftKnown = 23,  // 0: there is no service-tags file, so an address of Microsoft's cannot be told
  kListed = 24,          // 1: credentials were listed
};
inline constexpr std::size_t kQuantityCount = 25;

struct Number {
  Quantity quantity = Quantity::kObserved;
  double value = 0;
  auto fields() { return std::tie(quantity, value); }
  friend bool operator==(const Number&, const Number&) = default;
};

// One statement with its numbers, which the file of the detector puts into a sentence.
struct Reason {
  ReasonCode code = ReasonCode::kAddressOnTorList;
  std::vector<Number> numbers;  // each quantity once
  EventTime since;              // when what was counted began; 0: not said
  std::string vault;            // resource id of the vault that it is about; empty: of the alert
  std::string about;            // "credential reads", an application id, an address prefix
  std::string nearest;          // the vault nearest to the one in question

  Reason& with(Quantity quantity, double value) {
    numbers.push_back({quantity, value});
    return *this;
  }
  [[nodiscard]] std::optional<double> find(Quantity quantity) const {
    for (const Number& number : numbers) {
      if (number.quantity == quantity) { return number.value; }
    }
    return std::nullopt;
  }
  [[nodiscard]] double of(Quantity quantity) const { return find(quantity).value_or(0); }

  auto fields() { return std::tie(code, numbers, since.ticks, vault, about, nearest); }
  friend bool operator==(const Reason&, const Reason&) = default;
};

// After loading: whether its code and its quantities are of the enumerations.
[[nodiscard]] inline bool is_sound(const Reason& reason) {
  bool sound = static_cast<std::size_t>(reason.code) < kReasonCodeCount;
  for (const Number& number : reason.numbers) {
    sound = sound && static_cast<std::size_t>(number.quantity) < kQuantityCount;
  }
  return sound;
}

struct Suspicion {
  SubjectKind subject = SubjectKind::kCaller;
  double p = 0;  // 0 for what is certain by rule: no calibration, no budget
  std::vector<Reason> reasons;
  // When what it looks at began: a window, an episode, a session. Nothing: with the event itself.
  std::optional<EventTime> began = std::nullopt;
  std::vector<std::uint8_t> operation_classes = {};  // that stand out, see history/operation_class.h
};

// Up to three: caller, client application of a user, vault. Empty for nearly every event, and then without cost.
class Suspicions {
 public:
  static constexpr std::size_t kLimit = 3;
  void add(Suspicion suspicion) {
    CHECK(items_.size() < kLimit);
    items_.push_back(std::move(suspicion));
  }
  [[nodiscard]] std::size_t size() const { return items_.size(); }
  [[nodiscard]] bool empty() const { return items_.empty(); }
  [[nodiscard]] auto begin() { return items_.begin(); }
  [[nodiscard]] auto end() { return items_.end(); }
  [[nodiscard]] auto begin() const { return items_.begin(); }
  [[nodiscard]] auto end() const { return items_.end(); }

 private:
  std::vector<Suspicion> items_;
};

}  // namespace keyvigil
