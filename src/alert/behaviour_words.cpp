#include "alert/behaviour_words.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "alert/reasons.h"
#include "base/check.h"
#include "statistics/combination.h"

namespace keyvigil {
namespace {

constexpr double kAttackPrior = 1e-3;

// By ReasonCode, from the first that is no threat list's.
constexpr std::size_t kFirstCode = static_cast<std::size_t>(ReasonCode::kFirstTouchOfVault);
constexpr std::array<BehaviourCode, kReasonCodeCount - kFirstCode> kCodes = {{
    {"FirstTouchOfVault", "The caller had not used this key vault before"},
    {"FirstTouchByNewCaller", "A caller who is new here used a key vault that has been in use for long"},
    {"ReturnAfterDormancy", "The caller had not used this key vault for more than 90 days"},
    {"FirstRefusal", "A key vault that the caller had not used before refused access"},
    {"NewClientOfUser", "The user had not worked through this client application before"},
    {"NewClientOnVault", "The user had not opened this key vault through this client application before"},
    {"ManyNewVaults", "The caller used unusually many key vaults for the first time within a day"},
    {"ManyRefusedVaults", "Unusually many key vaults refused the caller within a day"},
    {"VolumeOfCaller", "The caller did unusually much"},
    {"VolumeOfVault", "Unusually much was done in the key vault"},
    {"PaceOfUser", "The user read objects faster than usual for a person"},
    {"OperationsUnlikeHabit", "The operations are unlike what the caller usually does"},
    {"ReadsAfterList", "The caller listed the credentials of the key vault and then read unusually many"},
    {"ReadsAfterPolicyChange", "The access policy was changed, and credentials were listed or read thereafter"},
    {"PolicyReverted", "The access policy was changed again shortly after credentials were read"},
    {"RefusedBeforePolicyChange", "The caller had been refused shortly before the access policy was changed"},
    {"NewAddress", "The caller had not worked from this network before"},
    {"UnusualAccess", "The access from that network was unusual in itself"},
    {"FusedEvidence", "Several weak signs about the caller came together"},
    {"DestructionOfDay", "The caller deleted unusually much within a day"},
    {"Contributors", "Callers who did most of it"},
    {"ReadsOfNewObjects", "How many of the objects the caller had not read before"},
}};

std::string_view plural(double count) {
  return count == 1 ? "" : "s";
}

// Whole numbers as such, others with two digits.
std::string number(double value) {
  if (value == std::floor(value) && std::abs(value) < 1e15) { return fmt::format("{:.0f}", value); }
  return value < 0.01 ? fmt::format("{:.2g}", value) : fmt::format("{:.2f}", value);
}

// Vaults are known by their resource ids; the name says enough in a sentence.
std::string_view last_part(std::string_view id) {
  return id.substr(id.rfind('/') + 1);
}

std::string window_in_words(std::int64_t seconds) {
  constexpr std::int64_t kHour = 3600;
  constexpr std::int64_t kDay = 86'400;
  if (seconds == kDay) { return "a day"; }
  return seconds == kHour ? "an hour" : "a minute";
}

// "none of the 7 callers who share kv-a with the caller uses kv-pay"
std::string neighbours(const Alert& alert, const Reason& reason) {
  if (reason.nearest.empty() || reason.sharing == 0) {
    return "nobody who shares a vault with the caller is known to use it";
  }
  const std::string using_it = reason.sharing_and_using == 0 ? "none" : fmt::format("{}", reason.sharing_and_using);
  return fmt::format("{} of the {} other caller{} of {} use{} {}", using_it, reason.sharing,
                     plural(static_cast<double>(reason.sharing)), last_part(reason.nearest),
                     reason.sharing_and_using == 1 ? "s" : "", alert.vault_name);
}

std::string touch_sentence(const Alert& alert, const Reason& reason, std::string_view what) {
  return fmt::format(
      "{} {}: the caller was seen on {} day{} before and used {} vault{}, with {} new one{} on an active day on "
      "average; {} other caller{} use{} this vault; {}; {} harmless first touch in {} is as odd.",
      caller_in_words(alert), what, number(reason.days_known), plural(reason.days_known), number(reason.low),
      plural(reason.low), number(reason.expected), plural(reason.expected), number(reason.high), plural(reason.high),
      reason.high == 1 ? "s" : "", neighbours(alert, reason), "one", number(std::round(1 / reason.surprise)));
}

std::string volume_sentence(const Reason& reason, std::string_view whose) {
  return fmt::format(
      "{} {} of {} in {}; usual are {} (four times in five between {} and {}), the most so far {}, over {} learned "
      "windows.",
      number(reason.observed), reason.about, whose, window_in_words(reason.window_seconds), number(reason.expected),
      number(reason.low), number(reason.high), number(std::round(reason.surprise)),
      number(std::round(reason.days_known)));
}

}  // namespace

BehaviourCode behaviour_code(ReasonCode code) {
  const auto at = static_cast<std::size_t>(code);
  CHECK(at >= kFirstCode && at < kReasonCodeCount);
  return kCodes[at - kFirstCode];
}

std::string odds_in_words(double probability) {
  if (!(probability > 1e-12)) { return "less than 1 in 1e12"; }
  const double odds = 1 / probability;
  return odds < 1e6 ? fmt::format("1 in {:.0f}", odds) : fmt::format("1 in {:.1g}", odds);
}

std::string behaviour_sentence(const Alert& alert, const Reason& reason) {
  switch (reason.code) {
    case ReasonCode::kFirstTouchOfVault:
      return touch_sentence(alert, reason, fmt::format("used {} for the first time", alert.vault_name));
    case ReasonCode::kFirstTouchByNewCaller:
      return touch_sentence(alert, reason,
                            fmt::format("is new to the estate and used {}, which is no new vault", alert.vault_name));
    case ReasonCode::kReturnAfterDormancy:
      return touch_sentence(alert, reason,
                            fmt::format("used {} again after {} days", alert.vault_name, number(reason.observed)));
    case ReasonCode::kFirstRefusal:
      return touch_sentence(alert, reason, fmt::format("was refused by {}, never used before", alert.vault_name));
    case ReasonCode::kNewClientOfUser:
      return fmt::format(
          "{} came through the client application {} for the first time; {} other caller{} of the "
          "estate use{} it, and the user starts with a new one {} times on an active day.",
          caller_in_words(alert), reason.about, number(reason.high), plural(reason.high), reason.high == 1 ? "s" : "",
          number(reason.expected));
    case ReasonCode::kNewClientOnVault:
      return fmt::format("{} is known on {} and known to use the client application {}, but not the two together.",
                         caller_in_words(alert), alert.vault_name, reason.about);
    case ReasonCode::kManyNewVaults:
      return fmt::format(
          "{} vaults were new to {} within 24 hours; usual is {} on an active day. Chance of as many "
          "that are as odd: {}.",
          number(reason.observed), caller_in_words(alert), number(reason.expected), odds_in_words(reason.surprise));
    case ReasonCode::kManyRefusedVaults:
      return fmt::format(
          "{} vaults that {} had never used refused access within 24 hours; usual is {} on an active "
          "day. Chance of as many that are as odd: {}.",
          number(reason.observed), caller_in_words(alert), number(reason.expected), odds_in_words(reason.surprise));
    case ReasonCode::kVolumeOfCaller:
      return volume_sentence(reason, caller_in_words(alert));
    case ReasonCode::kVolumeOfVault:
      return volume_sentence(reason, "the vault " + alert.vault_name);
    case ReasonCode::kPaceOfUser:
      return volume_sentence(reason, caller_in_words(alert));
    case ReasonCode::kOperationsUnlikeHabit:
      return fmt::format("{} of the {} requests of this session are {}; by habit of {} there would be {}.",
                         number(reason.observed), number(reason.high), reason.about, caller_in_words(alert),
                         number(reason.expected));
    case ReasonCode::kReadsAfterList:
      return fmt::format(
          "After a list of the credentials, {} distinct one{} {} read within the hour; usual after a "
          "list are {} (nine times in ten below {}), over {} learned lists; it was list {} of the day.",
          number(reason.observed), plural(reason.observed), reason.observed == 1 ? "was" : "were",
          number(reason.expected), number(reason.high), number(std::round(reason.days_known)), number(reason.low));
    case ReasonCode::kReadsAfterPolicyChange:
      return fmt::format(
          "After a change of policy, {} list{} or read{} followed within a day; usual after a change are "
          "{}, over {} learned changes. Chance of a change on a day: {}.",
          number(reason.observed), plural(reason.observed), plural(reason.observed), number(reason.expected),
          number(std::round(reason.days_known)), odds_in_words(reason.surprise));
    case ReasonCode::kPolicyReverted:
      return "The policy was changed a second time within the hour after the first read: whoever lets himself in, "
             "and out again, hides it.";
    case ReasonCode::kRefusedBeforePolicyChange:
      return "The same caller was refused by this vault within the hour before the policy was changed.";
    case ReasonCode::kNewAddress:
      return fmt::format(
          "{} came from {} for the first time within the last day; {} other caller{} use{} that network, "
          "and {} network{} usual for the caller.{}",
          caller_in_words(alert), reason.about, number(reason.high), plural(reason.high), reason.high == 1 ? "s" : "",
          number(reason.low), reason.low == 1 ? " is" : "s are",
          reason.sharing == 0 ? " Without a service-tags file it is not known whether it is Microsoft's." : "");
    case ReasonCode::kUnusualAccess:
      return fmt::format("What the caller did within 24 hours is by itself as rare as {}.",
                         odds_in_words(reason.surprise));
    case ReasonCode::kFusedEvidence:
      return fmt::format(
          "{} kinds of weak evidence about the caller came together within 24 hours, which happens with "
          "chance {}; none was enough alone.",
          number(reason.observed), odds_in_words(reason.surprise));
    case ReasonCode::kDestructionOfDay:
      return fmt::format("{} deletions, purges and recoveries by {} within a day; usual are {} on an active day.",
                         number(reason.observed), caller_in_words(alert), number(reason.expected));
    case ReasonCode::kContributors:
      return fmt::format("Of these {} were done by: {}.", number(reason.expected), reason.about);
    case ReasonCode::kReadsOfNewObjects:
      if (reason.observed == 0) { return "The caller had read all of these within the 90 days before."; }
      return fmt::format(
          "{} of these had not been read by {} within the 90 days before; usual after a list are {}, over {} learned "
          "list{}.",
          number(reason.observed), caller_in_words(alert), number(reason.expected),
          number(std::round(reason.days_known)), plural(std::round(reason.days_known)));
    case ReasonCode::kAddressOnTorList:
    case ReasonCode::kAddressOnSuspiciousList:
      break;
  }
  return {};
}

std::string behaviour_counterfactual(const Alert& alert) {
  const Verdict& verdict = alert.verdict;
  return fmt::format(
      "It would not have been raised if such a case were more common than {} (it is {}), or with a budget below {} of "
      "the present one: {} alerts a day for {} tests of this kind a day.",
      odds_in_words(verdict.threshold), odds_in_words(verdict.calibrated_p),
      number(verdict.threshold > 0 ? verdict.calibrated_p / verdict.threshold : 0), number(verdict.alerts_per_day),
      number(std::round(verdict.tests_per_day)));
}

std::string behaviour_explanation(const Alert& alert) {
  for (const auto& [code, reason] : alert.reasons) {
    if (reason.sharing_and_using > 0) { return fmt::format("Nearest: {}.", neighbours(alert, reason)); }
  }
  switch (alert.type) {
    case AlertType::kUserAnomaly:
    case AlertType::kUserAccessDeniedAnomaly:
      return "Nearest: a person who changed teams, stands in for somebody or was called out; nobody near to them uses "
             "this vault.";
    case AlertType::kAppAnomaly:
      return "Nearest: a new deployment or a setting that points to another vault.";
    case AlertType::kUserAppAnomaly:
      return "Nearest: a new tool on the user's desk.";
    case AlertType::kOperationVolumeAnomaly:
      return "Nearest: a restart loop, a migration or a load test.";
    case AlertType::kListGetAnomaly:
      return "Nearest: a configuration provider that lists and loads everything when it starts.";
    case AlertType::kPutGetAnomaly:
      return "Nearest: an administrator who sets a vault up and tries it.";
    case AlertType::kAccountVolumeAnomaly:
    case AlertType::kAccountVolumeAccessDeniedAnomaly:
      return "Nearest: an inventory, an audit or a scanner that was not announced.";
    case AlertType::kOperationPatternAnomaly:
      return "Nearest: a clean-up, a migration or a new version of the application.";
    case AlertType::kUnusualAccessSuspiciousIP:
      return "Nearest: a journey, a new provider or a new exit of the company's network.";
    default:
      return {};
  }
}

Severity behaviour_confidence(const Alert& alert) {
  const double bound = attack_probability_bound(std::max(1e-300, alert.verdict.calibrated_p), kAttackPrior);
  if (bound > 0.9) { return Severity::kHigh; }
  return bound > 0.5 ? Severity::kMedium : Severity::kLow;
}

}  // namespace keyvigil
