#include "judge/judge.h"

#include <algorithm>
#include <set>

#include "base/snapshot.h"
#include "statistics/combination.h"

namespace keyvigil {
namespace {

constexpr std::int64_t kHoursPerDay = 24;
constexpr double kWorthFusing = 0.1;  // what is less rare is no evidence

bool is_tested(AlertType type, SubjectClass subject_class) {
  const TestedSubjects& tests = catalogue_row(type).tests;
  switch (subject_class) {
    case SubjectClass::kUser:
      return tests.users;
    case SubjectClass::kApp:
      return tests.apps;
    case SubjectClass::kVault:
      break;
  }
  return tests.vaults;
}

bool is_tested(std::size_t type, std::size_t subject_class) {
  return is_tested(static_cast<AlertType>(type), static_cast<SubjectClass>(subject_class));
}

std::int64_t day_of(std::int64_t hour) {
  return EventTime{hour * EventTime::kTicksPerHour}.day();
}

}  // namespace

void Judge::see(const Subject& subject) {
  if (seen_.size() >= kSubjects) {
    left_out_ += seen_.contains(subject) ? 0U : 1U;
    return;
  }
  seen_.insert(subject);
}

Judge::DayOfTests* Judge::tests_of(const Subject& subject) {
  return seen_.contains(subject) ? &today_[subject] : nullptr;
}

Verdict Judge::judge(AlertType type, const Subject& subject, const Suspicion& suspicion, std::string_view vault_id,
                     EventTime at, bool may_alert) {
  Verdict verdict;
  verdict.model_p = suspicion.p;
  verdict.calibrated_p = std::max(suspicion.p, calibrator(type, subject.subject_class).calibrated(suspicion.p));
  verdict.threshold = budget_.threshold(type);
  verdict.tests_per_day = budget_.tests_per_day(type);
  verdict.alerts_per_day = budget_.alerts_per_day();
  verdict.passed = may_alert && verdict.calibrated_p <= verdict.threshold;
  if (DayOfTests* tests = tests_of(subject); tests != nullptr) {
    float& smallest = tests->smallest[static_cast<std::size_t>(type)];
    const auto p = static_cast<float>(std::max(1e-37, suspicion.p));
    if (smallest == 0 || p < smallest) { smallest = p; }
    if (verdict.passed) {
      tests->alerted = static_cast<std::uint16_t>(tests->alerted | 1U << static_cast<unsigned>(type));
    }
  }
  passed_alone_ = passed_alone_ || verdict.passed;
  if (subject.subject_class != SubjectClass::kVault) {
    add_evidence(subject, type, suspicion, vault_id, verdict.calibrated_p * catalogue_row(type).detectors_of_family,
                 at);
  }
  return verdict;
}

double Judge::matters_up_to(AlertType type) const {
  return std::max(kWorthFusing, budget_.threshold(type));
}

void Judge::add_evidence(const Subject& subject, AlertType type, const Suspicion& suspicion, std::string_view vault_id,
                         double p, EventTime at) {
  if (p > kWorthFusing) { return; }
  if (!evidence_.contains(subject.hash) && evidence_.size() >= kFused) { return; }
  Evidence& evidence = evidence_[subject.hash][static_cast<std::size_t>(catalogue_row(type).family)];
  const bool stale = !at.is_within(EventTime::kTicksPerDay, evidence.ticks);
  if (!stale && p >= evidence.p) { return; }
  evidence = {p, at.ticks, type, std::string(vault_id), suspicion.reasons};
  new_evidence_ = true;
}

UnusualAccess Judge::unusual_access(const Subject& caller, EventTime at) const {
  const auto found = evidence_.find(caller.hash);
  if (found == evidence_.end()) { return {}; }
  constexpr double kAccessFamilies = kFamilyCount - 1;
  UnusualAccess access;
  for (std::size_t family = 0; family < kFamilyCount; ++family) {
    const Evidence& evidence = found->second[family];
    const bool fresh = at.is_within(EventTime::kTicksPerDay, evidence.ticks);
    if (family == static_cast<std::size_t>(Family::kAddress) || !fresh || evidence.p >= access.p) { continue; }
    access = {evidence.p, &evidence.reasons, EventTime{evidence.ticks}};
  }
  access.p = std::min(1.0, access.p * kAccessFamilies);
  return access;
}

std::optional<Fusion> Judge::fuse(const Subject& caller, EventTime at, bool may_alert) {
  const bool alone = passed_alone_;
  const bool news = new_evidence_;
  passed_alone_ = false;
  new_evidence_ = false;
  if (!news) { return std::nullopt; }
  const CallerEvidence& families = evidence_.at(caller.hash);
  std::array<double, kFamilyCount> probabilities{};
  const Evidence* best = nullptr;
  std::size_t present = 0;
  for (std::size_t family = 0; family < kFamilyCount; ++family) {
    const Evidence& evidence = families[family];
    const bool fresh = at.is_within(EventTime::kTicksPerDay, evidence.ticks);
    probabilities[family] = fresh ? std::min(kMissing, evidence.p) : kMissing;
    if (!fresh) { continue; }
    ++present;
    if (best == nullptr || evidence.p < best->p) { best = &evidence; }
  }
  Fusion fusion;
  fusion.verdict.model_p = fisher(probabilities);
  const auto subject_class = static_cast<std::size_t>(caller.subject_class);
  fusion.verdict.calibrated_p =
      std::max(fusion.verdict.model_p, fused_calibrators_[subject_class].calibrated(fusion.verdict.model_p));
  fusion.verdict.threshold = budget_.fused_threshold();
  fusion.verdict.alerts_per_day = budget_.alerts_per_day();
  fusion.verdict.passed =
      may_alert && !alone && present >= 2 && fusion.verdict.calibrated_p <= fusion.verdict.threshold;
  if (DayOfTests* tests = tests_of(caller); tests != nullptr) {
    const auto p = static_cast<float>(std::max(1e-37, fusion.verdict.model_p));
    if (tests->fused == 0 || p < tests->fused) { tests->fused = p; }
    tests->fused_alerted = tests->fused_alerted || fusion.verdict.passed;
  }
  if (!fusion.verdict.passed) { return std::nullopt; }
  fusion.type = best->type;
  fusion.vault_id = best->vault_id;
  fusion.reasons = best->reasons;
  fusion.pieces.push_back(EventTime{best->ticks});
  for (const Evidence& evidence : families) {
    if (&evidence == best || !at.is_within(EventTime::kTicksPerDay, evidence.ticks)) { continue; }
    fusion.reasons.insert(fusion.reasons.end(), evidence.reasons.begin(), evidence.reasons.end());
    fusion.pieces.push_back(EventTime{evidence.ticks});
  }
  Reason fused;
  fused.code = ReasonCode::kFusedEvidence;
  fused.with(Quantity::kPieces, static_cast<double>(present)).with(Quantity::kProbability, fusion.verdict.calibrated_p);
  fusion.reasons.push_back(fused);
  return fusion;
}

void Judge::close_hour(std::int64_t hour, std::uint64_t vaults) {
  if (day_ == INT64_MIN) { day_ = first_day_ = day_of(hour - 1); }
  if (day_of(hour) > day_) {
    close_day();
    day_ = day_of(hour);
    const std::int64_t stale = (hour - kHoursPerDay) * EventTime::kTicksPerHour;
    std::erase_if(evidence_, [stale](const auto& item) {
      return std::ranges::all_of(item.second, [stale](const Evidence& evidence) { return evidence.ticks < stale; });
    });
  }
  for (std::size_t type = 0; type < kAlertTypeCount; ++type) {
    const double threshold = budget_.threshold(static_cast<AlertType>(type));
    for (Calibrator& of_class : calibrators_[type]) { of_class.close_hour(hour, threshold); }
  }
  for (Calibrator& of_class : fused_calibrators_) { of_class.close_hour(hour, budget_.fused_threshold()); }
  budget_.close_hour(hour, vaults);
}

void Judge::close_day() {
  SubjectCounts subjects{};
  for (const Subject& subject : seen_) { ++subjects[static_cast<std::size_t>(subject.subject_class)]; }
  for (std::size_t subject_class = 0; subject_class < kSubjectClassCount; ++subject_class) {
    for (std::size_t type = 0; type < kAlertTypeCount; ++type) {
      if (is_tested(type, subject_class)) { budget_.add_test(static_cast<AlertType>(type), subjects[subject_class]); }
    }
    const bool fused = subject_class != static_cast<std::size_t>(SubjectClass::kVault);
    if (fused) { budget_.add_fused_test(subjects[subject_class]); }
  }
  if (day_ - first_day_ >= kSettlingDays) { calibrate(subjects); }
  seen_.clear();
  today_.clear();
}

// `quiet`: seen today; those that gave a cause are taken off as they enter.
void Judge::calibrate(SubjectCounts quiet) {
  std::array<double, kFamilyCount> nothing{};
  nothing.fill(kMissing);
  const double no_evidence = fisher(nothing);
  for (const auto& [subject, tests] : today_) {
    const auto subject_class = static_cast<std::size_t>(subject.subject_class);
    --quiet[subject_class];
    for (std::size_t type = 0; type < kAlertTypeCount; ++type) {
      if (!is_tested(type, subject_class)) { continue; }
      const auto p = static_cast<double>(tests.smallest[type]);
      calibrators_[type][subject_class].add(p == 0 ? 1 : p, (tests.alerted >> type & 1U) != 0);
    }
    if (subject.subject_class == SubjectClass::kVault) { continue; }
    const auto fused = static_cast<double>(tests.fused);
    fused_calibrators_[subject_class].add(fused == 0 ? no_evidence : fused, tests.fused_alerted);
  }
  for (std::size_t subject_class = 0; subject_class < kSubjectClassCount; ++subject_class) {
    const std::uint32_t tests = quiet[subject_class];
    if (tests == 0) { continue; }
    for (std::size_t type = 0; type < kAlertTypeCount; ++type) {
      if (is_tested(type, subject_class)) { calibrators_[type][subject_class].add(1, false, tests); }
    }
    if (subject_class == static_cast<std::size_t>(SubjectClass::kVault)) { continue; }
    fused_calibrators_[subject_class].add(no_evidence, false, tests);
  }
}

std::string Judge::save() const {
  SnapshotWriter writer;
  writer.write(budget_);
  writer.write(calibrators_);
  writer.write(fused_calibrators_);
  writer.write(std::set<Subject>(seen_.begin(), seen_.end()));
  writer.write(std::map<Subject, DayOfTests>(today_.begin(), today_.end()));
  writer.write(evidence_);
  writer.write(day_);
  writer.write(first_day_);
  writer.write(left_out_);
  const auto write_alerted = [&writer](const Calibrator& of_class) { writer.write(of_class.alerted()); };
  for (const auto& of_type : calibrators_) { std::ranges::for_each(of_type, write_alerted); }
  std::ranges::for_each(fused_calibrators_, write_alerted);
  return writer.bytes();
}

bool Judge::load_alerted(SnapshotReader& reader) {
  const auto read = [&reader](Calibrator& of_class) { return reader.read(of_class.alerted()); };
  return std::ranges::all_of(calibrators_, [&read](auto& of_type) { return std::ranges::all_of(of_type, read); }) &&
         std::ranges::all_of(fused_calibrators_, read);
}

Result<void> Judge::load(std::string_view bytes) {
  const auto sound = [](const auto& item) {
    return std::ranges::all_of(item.second, [](const Evidence& evidence) {
      return static_cast<std::size_t>(evidence.type) < kAlertTypeCount &&
             std::ranges::all_of(evidence.reasons, is_sound);
    });
  };
  const auto known = [](const Subject& subject) {
    return static_cast<std::size_t>(subject.subject_class) < kSubjectClassCount;
  };
  std::set<Subject> seen;
  std::map<Subject, DayOfTests> today;
  SnapshotReader reader(bytes);
  const bool whole = reader.read(budget_) && reader.read(calibrators_) && reader.read(fused_calibrators_) &&
                     reader.read(seen) && reader.read(today) && reader.read(evidence_) && reader.read(day_) &&
                     reader.read(first_day_) && reader.read(left_out_) &&
                     (reader.at_end() || load_alerted(reader)) &&  // version 7 ends here
                     reader.at_end() && std::ranges::all_of(evidence_, sound) && std::ranges::all_of(seen, known) &&
                     std::ranges::all_of(today, [&seen](const auto& item) { return seen.contains(item.first); });
  if (!whole) {
    return fail(ErrorKind::kInput,
                "state of the judge: expected what was saved, found damaged bytes; start without --state or from an "
                "older copy of the file");
  }
  seen_ = absl::flat_hash_set<Subject>(seen.begin(), seen.end());
  today_ = absl::flat_hash_map<Subject, DayOfTests>(today.begin(), today.end());
  for (auto& of_type : calibrators_) {
    for (Calibrator& of_class : of_type) { of_class.settle(); }
  }
  for (Calibrator& of_class : fused_calibrators_) { of_class.settle(); }
  return {};
}

}  // namespace keyvigil
