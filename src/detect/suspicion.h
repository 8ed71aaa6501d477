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

// Stable codes for the statements in an alert's evidence; each has one sentence in alert/reasons.cpp. Saved: append.
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
  kContributors = 22,
  kReadsOfNewObjects = 23,
};
inline constexpr std::size_t kReasonCodeCount = 24;

// One statement with its numbers. What they mean is said by the sentence of its code.
struct Reason {
  ReasonCode code = ReasonCode::kAddressOnTorList;
  double observed = 0;
  double expected = 0;  // what is usual
  double low = 0;       // 80 % of what is usual lies between
  double high = 0;
  double days_known = 0;                // active days, windows or episodes behind `expected`
  double surprise = 1;                  // P(something benign of the kind is as odd)
  std::uint64_t sharing = 0;            // of those who share `nearest` with the subject,
  std::uint64_t sharing_and_using = 0;  // so many use the thing
  std::int64_t window_seconds = 0;
  std::string about;    // "credential reads", an application id, an address prefix
  std::string nearest;  // the vault nearest to the one in question
  auto fields() {
    return std::tie(code, observed, expected, low, high, days_known, surprise, sharing, sharing_and_using,
                    window_seconds, about, nearest);
  }
  friend bool operator==(const Reason&, const Reason&) = default;
};

struct Suspicion {
  SubjectKind subject = SubjectKind::kCaller;
  double p = 0;  // 0 for what is certain by rule: no calibration, no budget
  std::vector<Reason> reasons;
  // When what it looks at began, where the detector knows; else the first suspicion of the caller counts.
  std::optional<EventTime> began = std::nullopt;
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
  [[nodiscard]] auto begin() const { return items_.begin(); }
  [[nodiscard]] auto end() const { return items_.end(); }

 private:
  std::vector<Suspicion> items_;
};

}  // namespace keyvigil
