// Reasons in words: one row for each code; the sentence stands in the file of the detector that gives the numbers.
//
// A sentence says what is compared with what and over what it was learned, and names the vault that the reason is
// about. Probabilities are told as frequencies that a person can weigh. Threads: pure.
#pragma once

#include <array>
#include <string>
#include <string_view>

#include "detect/suspicion.h"

namespace keyvigil {

// Whom and what a sentence speaks of.
struct ReasonNames {
  std::string caller;  // "user alice@contoso.com"
  std::string vault;   // name of the vault that the reason is about
};

using ReasonSentence = std::string(const Reason& reason, const ReasonNames& names);

// first_touch.cpp
ReasonSentence first_touch_sentence;
ReasonSentence new_caller_sentence;
ReasonSentence return_sentence;
ReasonSentence first_refusal_sentence;
ReasonSentence many_new_vaults_sentence;
ReasonSentence many_refused_vaults_sentence;
ReasonSentence many_vaults_of_new_caller_sentence;
// user_app_anomaly.cpp
ReasonSentence new_client_sentence;
ReasonSentence new_client_on_vault_sentence;
// operation_volume_anomaly.cpp
ReasonSentence volume_of_caller_sentence;
ReasonSentence volume_of_vault_sentence;
ReasonSentence pace_sentence;
// operation_pattern_anomaly.cpp
ReasonSentence unlike_habit_sentence;
ReasonSentence destruction_sentence;
// list_get_anomaly.cpp
ReasonSentence reads_after_list_sentence;
ReasonSentence reads_of_new_objects_sentence;
// put_get_anomaly.cpp
ReasonSentence reads_after_policy_change_sentence;
ReasonSentence policy_reverted_sentence;
ReasonSentence refused_before_change_sentence;
// unusual_access_suspicious_ip.cpp
ReasonSentence new_address_sentence;
ReasonSentence unusual_access_sentence;
ReasonSentence reads_from_new_network_sentence;
ReasonSentence many_new_networks_sentence;
ReasonSentence new_caller_at_unused_network_sentence;
ReasonSentence first_time_outside_azure_sentence;
// reasons.cpp: what the judge joins
ReasonSentence fused_evidence_sentence;

struct ReasonRow {
  ReasonCode code;
  std::string_view name;   // stable: "FirstTouchOfVault"
  bool about_vault;        // of one vault, and not of the caller wherever it goes
  std::string_view brief;  // one sentence without a full stop, in the style of Defender's "Alert Reasons"
  // Null: told from the entries of the lists that an alert holds.
  ReasonSentence* sentence;
};

// By ReasonCode.
inline constexpr std::array<ReasonRow, kReasonCodeCount> kReasons = {{
    {ReasonCode::kAddressOnTorList, "AddressOnTorList", false,
     "The key vault was accessed through an exit node of the TOR network, which hides where the caller is", nullptr},
    {ReasonCode::kAddressOnSuspiciousList, "AddressOnSuspiciousList", false,
     "The key vault was accessed from an IP address that a threat list names", nullptr},
    {ReasonCode::kFirstTouchOfVault, "FirstTouchOfVault", true, "The caller had not used this key vault before",
     first_touch_sentence},
    {ReasonCode::kFirstTouchByNewCaller, "FirstTouchByNewCaller", true,
     "A caller who is new here used a key vault that has been in use for long", new_caller_sentence},
    {ReasonCode::kReturnAfterDormancy, "ReturnAfterDormancy", true,
     "The caller had not used this key vault for more than 90 days", return_sentence},
    {ReasonCode::kFirstRefusal, "FirstRefusal", true, "A key vault that the caller had not used before refused access",
     first_refusal_sentence},
    {ReasonCode::kNewClientOfUser, "NewClientOfUser", false,
     "The user had not worked through this client application before", new_client_sentence},
    {ReasonCode::kNewClientOnVault, "NewClientOnVault", true,
     "The user had not opened this key vault through this client application before", new_client_on_vault_sentence},
    {ReasonCode::kManyNewVaults, "ManyNewVaults", false,
     "The caller used unusually many key vaults for the first time within a day", many_new_vaults_sentence},
    {ReasonCode::kManyRefusedVaults, "ManyRefusedVaults", false,
     "Unusually many key vaults refused the caller within a day", many_refused_vaults_sentence},
    {ReasonCode::kVolumeOfCaller, "VolumeOfCaller", false, "The caller did unusually much", volume_of_caller_sentence},
    {ReasonCode::kVolumeOfVault, "VolumeOfVault", true, "Unusually much was done in the key vault",
     volume_of_vault_sentence},
    {ReasonCode::kPaceOfUser, "PaceOfUser", false, "The user read objects faster than usual for a person",
     pace_sentence},
    {ReasonCode::kOperationsUnlikeHabit, "OperationsUnlikeHabit", false,
     "The operations are unlike what the caller usually does", unlike_habit_sentence},
    {ReasonCode::kReadsAfterList, "ReadsAfterList", true,
     "The caller listed the credentials of the key vault and then read some of them", reads_after_list_sentence},
    {ReasonCode::kReadsAfterPolicyChange, "ReadsAfterPolicyChange", true,
     "The access policy was changed, and credentials were listed or read thereafter",
     reads_after_policy_change_sentence},
    {ReasonCode::kPolicyReverted, "PolicyReverted", true,
     "The access policy was changed again shortly after credentials were read", policy_reverted_sentence},
    {ReasonCode::kRefusedBeforePolicyChange, "RefusedBeforePolicyChange", true,
     "The caller had been refused shortly before the access policy was changed", refused_before_change_sentence},
    {ReasonCode::kNewAddress, "NewAddress", false, "The caller had not worked from this network before",
     new_address_sentence},
    {ReasonCode::kUnusualAccess, "UnusualAccess", false, "The access from that network was unusual in itself",
     unusual_access_sentence},
    {ReasonCode::kFusedEvidence, "FusedEvidence", false, "Several weak signs about the caller came together",
     fused_evidence_sentence},
    {ReasonCode::kDestructionOfDay, "DestructionOfDay", false, "The caller deleted unusually much within a day",
     destruction_sentence},
    {ReasonCode::kReadsOfNewObjects, "ReadsOfNewObjects", true,
     "How many of the objects the caller had not read before", reads_of_new_objects_sentence},
    {ReasonCode::kReadsFromNewNetwork, "ReadsFromNewNetwork", false,
     "The caller did unusually much from a network that was new to it", reads_from_new_network_sentence},
    {ReasonCode::kManyNewNetworks, "ManyNewNetworks", false,
     "The caller came from unusually many networks for the first time within a day", many_new_networks_sentence},
    {ReasonCode::kNewCallerAtUnusedNetwork, "NewCallerAtUnusedNetwork", false,
     "A caller who is new here came from a network that nobody had used", new_caller_at_unused_network_sentence},
    {ReasonCode::kFirstTimeOutsideAzure, "FirstTimeOutsideAzure", false,
     "An application came from an address outside of Azure for the first time", first_time_outside_azure_sentence},
    {ReasonCode::kManyVaultsOfNewCaller, "ManyVaultsOfNewCaller", false,
     "A caller who is new here used unusually many key vaults within a day", many_vaults_of_new_caller_sentence},
}};

constexpr bool reasons_are_in_order() {
  for (std::size_t i = 0; i < kReasons.size(); ++i) {
    if (static_cast<std::size_t>(kReasons[i].code) != i || kReasons[i].name.empty()) { return false; }
  }
  return true;
}
static_assert(reasons_are_in_order(), "there is one row for each ReasonCode, in its order");

// REQUIRES: a code of the enumeration.
[[nodiscard]] constexpr const ReasonRow& reason_row(ReasonCode code) {
  return kReasons[static_cast<std::size_t>(code)];
}

// "observed", "usual": camel case, as properties of JSON are called.
[[nodiscard]] std::string_view quantity_name(Quantity quantity);

// ---- words that the sentences share ----

// Whole numbers as such, others with two significant digits.
[[nodiscard]] std::string number_in_words(double value);
// "1 vault", "3 vaults".
[[nodiscard]] std::string counted(double count, std::string_view singular);
// "once in 40 active days", "on nearly every active day"; "practically never" from one in a million on. `unit`, in the
// singular: of which the probability is one's.
[[nodiscard]] std::string frequency_in_words(double probability, std::string_view unit);
// "2026-10-06 16:00 UTC"
[[nodiscard]] std::string minute_in_words(EventTime time);
// Vaults are known by their resource ids; the last part says enough in a sentence.
[[nodiscard]] std::string_view last_part(std::string_view id);

}  // namespace keyvigil
