// Judge: calibrates suspicions, compares them with what the budget allows, and joins weak ones of one caller.
//
// Experience only takes significance away: a p-value counts as the larger of the model's and the calibrated one, for an
// estate in which nothing ever happened has no proof that a usual thing is rare.
// The unit of a test is one detector, one subject, one UTC day: the day's smallest p enters the calibrator when the day
// is over, 1 for subjects that were active and gave no cause (detection-method notes 1.1, 1.5). Suspicions of one
// caller within 24 hours are fused over seven families of evidence; where together they pass and none did alone, the
// family with the smallest p gives the alert its name (design section 4 point 8).
// Until an estate has been seen for kSettlingDays its models rest on assumptions, and their p-values are no experience.
// Bounds: kSubjects a day; what is over is judged, and counted as left out of calibration. Threads: one owner.
#pragma once

#include <absl/container/flat_hash_map.h>
#include <absl/container/flat_hash_set.h>

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "base/event_time.h"
#include "base/result.h"
#include "base/snapshot.h"
#include "catalogue/alert_type.h"
#include "catalogue/catalogue.h"
#include "detect/observation.h"
#include "detect/suspicion.h"
#include "judge/budget.h"
#include "judge/calibrator.h"
#include "judge/verdict.h"

namespace keyvigil {

// Whose tests are compared with each other.
enum class SubjectClass : std::uint8_t { kUser = 0, kApp = 1, kVault = 2 };
inline constexpr std::size_t kSubjectClassCount = 3;

struct Subject {
  std::uint64_t hash = 0;  // of the caller's key or the vault's id
  SubjectClass subject_class = SubjectClass::kUser;
  friend auto operator<=>(const Subject&, const Subject&) = default;
  auto fields() { return std::tie(hash, subject_class); }
  template <typename H>
  friend H AbslHashValue(H state, const Subject& subject) {
    return H::combine(std::move(state), subject.hash, subject.subject_class);
  }
};

// Evidence of one caller that no single detector found sufficient.
struct Fusion {
  AlertType type = AlertType::kUserAnomaly;  // of the family with the smallest p
  std::string vault_id;                      // that its evidence is about
  Verdict verdict;
  std::vector<Reason> reasons;
  std::vector<EventTime> pieces;  // when each piece of evidence happened
};

class Judge {
 public:
  static constexpr std::size_t kSubjects = 1'200'000;
  static constexpr std::size_t kFused = 100'000;  // callers with evidence
  static constexpr std::int64_t kSettlingDays = 7;

  explicit Judge(double alerts_per_thousand_vault_days = AlertBudget::kDefaultAlertsPerThousandVaultDays)
      : budget_(alerts_per_thousand_vault_days) {}

  // The subject is active today: every detector of its class tests it.
  void see(const Subject& subject);
  // REQUIRES: see(subject) today. `may_alert`: false while the estate is being learned.
  // `vault_id`: of the event.
  [[nodiscard]] Verdict judge(AlertType type, const Subject& subject, const Suspicion& suspicion,
                              std::string_view vault_id, EventTime at, bool may_alert);
  // A suspicion with a larger p than this neither passes nor counts as evidence, whatever experience says.
  [[nodiscard]] double matters_up_to(AlertType type) const;
  // After the suspicions of one event were judged.
  [[nodiscard]] std::optional<Fusion> fuse(const Subject& caller, EventTime at, bool may_alert);
  // Valid until the next call of judge().
  [[nodiscard]] UnusualAccess unusual_access(const Subject& caller, EventTime at) const;

  // `vaults`: seen in the estate lately.
  void close_hour(std::int64_t hour, std::uint64_t vaults);

  [[nodiscard]] const AlertBudget& budget() const { return budget_; }
  [[nodiscard]] std::uint64_t left_out() const { return left_out_; }

  [[nodiscard]] std::string save() const;
  [[nodiscard]] Result<void> load(std::string_view bytes);

 private:
  static constexpr double kMissing = 0.5;  // what a family without evidence counts in a fusion

  struct DayOfTests {
    std::array<float, kAlertTypeCount> smallest{};  // p; 0 stands for none
    float fused = 0;
    std::uint16_t alerted = 0;  // bits by AlertType
    bool fused_alerted = false;
    auto fields() { return std::tie(smallest, fused, alerted, fused_alerted); }
  };
  struct Evidence {
    double p = 1;  // calibrated, times the detectors of the family
    std::int64_t ticks = INT64_MIN;
    AlertType type = AlertType::kUserAnomaly;
    std::string vault_id;
    std::vector<Reason> reasons;
    auto fields() { return std::tie(p, ticks, type, vault_id, reasons); }
  };
  using CallerEvidence = std::array<Evidence, kFamilyCount>;

  [[nodiscard]] Calibrator& calibrator(AlertType type, SubjectClass subject_class) {
    return calibrators_[static_cast<std::size_t>(type)][static_cast<std::size_t>(subject_class)];
  }
  void add_evidence(const Subject& subject, AlertType type, const Suspicion& suspicion, std::string_view vault_id,
                    double p, EventTime at);
  // Of today; null where the subject was not seen.
  [[nodiscard]] DayOfTests* tests_of(const Subject& subject);
  using SubjectCounts = std::array<std::uint32_t, kSubjectClassCount>;
  void close_day();
  [[nodiscard]] bool load_alerted(SnapshotReader& reader);
  void calibrate(SubjectCounts quiet);

  AlertBudget budget_;
  std::array<std::array<Calibrator, kSubjectClassCount>, kAlertTypeCount> calibrators_;
  std::array<Calibrator, kSubjectClassCount> fused_calibrators_;
  absl::flat_hash_set<Subject> seen_;                 // today
  absl::flat_hash_map<Subject, DayOfTests> today_;    // of those that gave a cause
  std::map<std::uint64_t, CallerEvidence> evidence_;  // by caller
  std::int64_t day_ = INT64_MIN;
  std::int64_t first_day_ = INT64_MIN;
  std::uint64_t left_out_ = 0;  // subjects beyond kSubjects

  bool new_evidence_ = false;  // since the last fuse()
  bool passed_alone_ = false;
};

}  // namespace keyvigil
