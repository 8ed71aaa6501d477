// The eleven detectors of behaviour as pure functions of facts that are made by hand.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <vector>

#include "detect/detectors.h"
#include "detect/episode.h"
#include "reference/event_builder.h"
#include "statistics/combination.h"
#include "statistics/tails.h"

namespace keyvigil {
namespace {

// The smallest p of what the detector holds against the subject; 1: nothing.
double p_of(Detector& detector, const Facts& facts, SubjectKind subject = SubjectKind::kCaller, double access = 1,
            bool microsoft = false) {
  const AccessEvent event = EventBuilder().user("alice").build();
  AddressFacts address;
  address.microsoft = microsoft;
  double p = 1;
  for (const Suspicion& suspicion :
       detector({event, address, facts, true, {.p = access, .reasons = nullptr, .at = {}}})) {
    EXPECT_FALSE(suspicion.reasons.empty());
    EXPECT_GE(suspicion.p, 0);
    EXPECT_LE(suspicion.p, 1);
    if (suspicion.subject == subject) { p = std::min(p, suspicion.p); }
  }
  return p;
}

FirstTouch touch(double rate, double surprise) {
  FirstTouch made;
  made.rate = {rate, 1, 30};
  made.surprise = surprise;
  made.caller_days = 30;
  return made;
}

TEST(BehaviourDetectors, SayNothingWithoutFacts) {
  for (const DetectorRow& row : kDetectors) { EXPECT_EQ(p_of(*row.decide, Facts{}), 1); }
}

TEST(BehaviourDetectors, LeaveOutDearReasonsThatNobodyReads) {
  Facts facts;
  VolumeFact& volume = facts.volumes.emplace_back();
  volume.count = 30;
  volume.usual = 3;
  EpisodeFacts& episode = facts.list_episode.emplace();
  episode.reads = 12;
  episode.usual = 2;
  episode.openings_today = 1;
  const AccessEvent event = EventBuilder().user("alice").build();
  for (Detector* detector : {operation_volume_anomaly, list_get_anomaly}) {
    const AddressFacts address;
    const Suspicions whole = detector({event, address, facts});
    ASSERT_EQ(whole.size(), 1U);
    const double p = whole.begin()->p;
    for (const double limit : {p * 0.9, p, 1.0}) {
      const Suspicions found = detector({event, address, facts, false, {}, limit});
      ASSERT_EQ(found.size(), 1U);
      EXPECT_EQ(found.begin()->p, p);
      EXPECT_EQ(found.begin()->reasons, limit < p ? std::vector<Reason>{} : whole.begin()->reasons);
    }
  }
}

TEST(BehaviourDetectors, FirstTouchesAreOfUsersOrOfApplications) {
  Facts facts;
  facts.new_vault = touch(0.01, 0.02);
  EXPECT_NEAR(p_of(user_anomaly, facts), 2e-4, 1e-6);
  EXPECT_EQ(p_of(app_anomaly, facts), 1);
  facts.caller_class = CallerClass::kApp;
  EXPECT_EQ(p_of(user_anomaly, facts), 1);
  EXPECT_NEAR(p_of(app_anomaly, facts), 2e-4, 1e-6);
}

TEST(BehaviourDetectors, AFirstTouchCountsLessWhereTheyAreUsualOrNear) {
  Facts facts;
  facts.new_vault = touch(0.01, 0.02);
  const double odd = p_of(user_anomaly, facts);
  facts.new_vault = touch(0.01, 0.9);
  EXPECT_GT(p_of(user_anomaly, facts), 40 * odd);
  facts.new_vault = touch(1, 0.02);
  EXPECT_GT(p_of(user_anomaly, facts), 90 * odd);
}

TEST(BehaviourDetectors, TheSecondFirstTouchOfADayCountsMoreButNotOfANewCaller) {
  Facts facts;
  facts.new_denied_vault = touch(0.01, 0.5);
  const double once = p_of(user_access_denied_anomaly, facts);
  facts.new_denied_vault->today = 2;
  EXPECT_LT(p_of(user_access_denied_anomaly, facts), once / 20);
  facts.new_denied_vault->caller_is_new = true;
  EXPECT_EQ(p_of(user_access_denied_anomaly, facts), once);
}

TEST(BehaviourDetectors, ManyVaultsCountByNumberAndByOddness) {
  Facts facts;
  facts.new_vaults_day = DayOfFirstTouches{3, 1, {0.5, 1, 30}};
  const double three = p_of(account_volume_anomaly, facts);
  facts.new_vaults_day = DayOfFirstTouches{6, 2, {0.5, 1, 30}};
  const double six = p_of(account_volume_anomaly, facts);
  facts.new_vaults_day = DayOfFirstTouches{6, 20, {0.5, 1, 30}};
  EXPECT_LT(six, three);
  facts.new_vaults_day = DayOfFirstTouches{12, 4, {0.5, 1, 30}};  // as near as any
  EXPECT_LT(p_of(account_volume_anomaly, facts), 1e-5) << "odd by number alone";
  EXPECT_LT(p_of(account_volume_anomaly, facts), six);
  EXPECT_EQ(p_of(account_volume_access_denied_anomaly, facts), 1);
  facts.denied_vaults_day = facts.new_vaults_day;
  EXPECT_EQ(p_of(account_volume_access_denied_anomaly, facts), p_of(account_volume_anomaly, facts));
}

TEST(BehaviourDetectors, AClientThatNobodyUsesIsLookedAtFromBothSides) {
  Facts facts;
  facts.new_client = touch(0.5, 0.5);
  const double usual = p_of(user_app_anomaly, facts);
  EXPECT_GT(usual, 0.1);
  facts.new_client->unheard_rate = 1e-4;
  EXPECT_NEAR(p_of(user_app_anomaly, facts), 1e-4 / 0.6, 1e-9);
}

TEST(BehaviourDetectors, VolumesAreOfCallersAndOfVaults) {
  Facts facts;
  VolumeFact usual;
  usual.count = 12;
  usual.usual = 10;
  usual.dispersion = 0.2;
  VolumeFact wild = usual;
  wild.count = 500;
  wild.of_vault = true;
  facts.volumes = {usual, wild};
  EXPECT_GT(p_of(operation_volume_anomaly, facts), 0.5);
  EXPECT_LT(p_of(operation_volume_anomaly, facts, SubjectKind::kVault), 1e-12);
}

TEST(BehaviourDetectors, DeletionsBySomebodyWhoReadsAreNoHabit) {
  Facts facts;
  SessionFacts session;
  session.self.fill(0.05);
  session.population.fill(1.0 / kOperationClassCount);
  session.self[static_cast<std::size_t>(OperationClass::kSecretGet)] = 55;
  session.by_days = session.self;
  session.counts[static_cast<std::size_t>(OperationClass::kSecretGet)] = 8;
  session.events = 8;
  facts.session = session;
  EXPECT_EQ(p_of(operation_pattern_anomaly, facts), 1);
  session.counts = {};
  session.counts[static_cast<std::size_t>(OperationClass::kDelete)] = 3;
  session.events = 3;
  facts.session = session;
  EXPECT_LT(p_of(operation_pattern_anomaly, facts), 1e-5);
  facts.session->by_days[static_cast<std::size_t>(OperationClass::kDelete)] = 10;
  EXPECT_GT(p_of(operation_pattern_anomaly, facts), 0.01) << "drowned in reads, but done every few days";
}

TEST(BehaviourDetectors, DeletionsAnHourApartCountByTheDay) {
  Facts facts;
  facts.destruction = DestructionFacts{.count = 6, .usual = 0.01, .dispersion = 4, .days_known = 30};
  EXPECT_LT(p_of(operation_pattern_anomaly, facts), 1e-5);
  facts.destruction->usual = 3;
  EXPECT_GT(p_of(operation_pattern_anomaly, facts), 0.1);
}

EpisodeFacts episode(double reads, double usual) {
  EpisodeFacts made;
  made.reads = reads;
  made.usual = usual;
  made.dispersion = 0.8;
  made.openings_today = 1;
  made.openings_usual = 0.2 / 30;
  made.openings_dispersion = 1 / 0.2;
  return made;
}

// By hand, two ways.
TEST(BehaviourDetectors, PartsOfAnEpisodeHaveTheKnownProbabilities) {
  const EpisodeFacts known = episode(20, 2);
  EXPECT_NEAR(opening_probability(known) / 0.00653650804430439, 1, 1e-9);
  EXPECT_NEAR(reading_probability(known) / 0.00011435999195927723, 1, 1e-9);
  EXPECT_NEAR(fisher(std::array{opening_probability(known), reading_probability(known)}) / 1.1292344021979018e-05, 1,
              1e-9);
}

TEST(BehaviourDetectors, ReadsAfterAListCountBesideTheCallersHabit) {
  Facts facts;
  facts.list_episode = episode(20, 2);
  const EpisodeFacts& one = *facts.list_episode;
  // One such episode in so many days, looked at in two ways.
  EXPECT_NEAR(p_of(list_get_anomaly, facts) / (2 * one.openings_usual * reading_probability(one)), 1, 1e-9);
  facts.list_episode->openings_today = 5;
  EXPECT_LT(p_of(list_get_anomaly, facts), 1e-9) << "a sweep";
  facts.list_episode = episode(20, 25);
  EXPECT_GT(p_of(list_get_anomaly, facts), 0.005);
  facts.list_episode = episode(2, 0.1);
  EXPECT_GT(p_of(list_get_anomaly, facts), 1e-3) << "two reads are no dump";
  facts.list_episode = episode(20, 2);
  facts.list_episode->new_vault = touch(0.01, 0.02);
  EXPECT_LT(p_of(list_get_anomaly, facts), 1e-7);
}

// A caller that never listed, on a vault that it knows; its class lists now and then and reads twenty or so.
EpisodeFacts first_list(double reads, double fresh) {
  EpisodeFacts made = episode(reads, 20);
  made.of_class = {20, 0.8};
  made.beginner_rate = 0.001;
  made.fresh = FreshReads{.count = fresh, .of_caller = {0.02, 20}, .of_class = {0.02, 20}, .episodes_learned = 0};
  return made;
}

TEST(BehaviourDetectors, OnAKnownVaultReadsOfNewObjectsCount) {
  Facts facts;
  facts.list_episode = first_list(12, 0);
  EXPECT_GT(p_of(list_get_anomaly, facts), 0.001) << "all of it known";
  facts.list_episode->fresh.reset();
  const double unknown = p_of(list_get_anomaly, facts);
  facts.list_episode = first_list(12, 10);
  EXPECT_LT(p_of(list_get_anomaly, facts), 1e-6);
  EXPECT_LT(p_of(list_get_anomaly, facts), unknown / 100) << "louder than without knowing what was read before";
  facts.list_episode->fresh->of_caller = {9, 0.1};
  EXPECT_GT(p_of(list_get_anomaly, facts), 0.001) << "the caller always reads something new";
  facts.list_episode = first_list(12, 10);
  facts.list_episode->fresh->of_class = {9, 0.8};
  EXPECT_GT(p_of(list_get_anomaly, facts), 0.001) << "so do all others";
}

TEST(BehaviourDetectors, KnownObjectsAreOddByTheirNumberAlone) {
  Facts facts;
  facts.list_episode = first_list(30, 0);
  facts.list_episode->usual = 1.5;
  facts.list_episode->dispersion = 0.05;
  facts.list_episode->of_class = {20, 8};
  EXPECT_GT(p_of(list_get_anomaly, facts), 0.001) << "odd for the caller, but its class varies much";
  facts.list_episode->of_class = {1.5, 0.05};
  EXPECT_LT(p_of(list_get_anomaly, facts), 1e-9) << "a person who reads thirty";
}

TEST(BehaviourDetectors, ANewVaultIsJudgedByAllReads) {
  Facts facts;
  facts.list_episode = first_list(20, 0);
  facts.list_episode->new_vault = touch(0.01, 0.02);
  const double p = p_of(list_get_anomaly, facts);
  facts.list_episode->fresh.reset();
  EXPECT_EQ(p_of(list_get_anomaly, facts), p);
}

// Somebody known for weeks, on a vault of others, in an estate in which so many visits were seen.
Facts visit(double reads, double with_as_many, double all) {
  Facts facts;
  EpisodeFacts& made = facts.list_episode.emplace();
  made.reads = reads;
  made.usual = 1.5;
  made.dispersion = 0.05;
  made.of_class = {1.5, 0.05};
  made.openings_today = 1;
  made.openings_usual = 1.2;
  made.openings_dispersion = 0.05;
  made.new_vault = touch(0.1, 0.3);
  made.visits = {with_as_many, all};
  return facts;
}

// By hand: (10 * P(6 or more of mean 1.5 and dispersion 0.05) + 0) / (10 + 90).
TEST(BehaviourDetectors, ReadsOnANewVaultHaveTheProbabilityOfVisits) {
  const EpisodeFacts known = *visit(6, 0, 90).list_episode;
  EXPECT_NEAR(visit_probability(known), reading_probability(known) / 10, 1e-12);
  EXPECT_NEAR(visit_probability(*visit(6, 0, 0).list_episode), reading_probability(known), 1e-12);
  EXPECT_NEAR(visit_probability(*visit(6, 30, 90).list_episode), 0.3, 0.001);
}

// A threshold of a usual estate is 2e-4: who opens a few in an unknown vault stays ten times away from it.
TEST(BehaviourDetectors, WhoOpensAFewInANewVaultIsFarFromWhoReadsAll) {
  EXPECT_GT(p_of(list_get_anomaly, visit(1, 70, 90)), 0.1);
  EXPECT_GT(p_of(list_get_anomaly, visit(3, 20, 90)), 5e-3);
  EXPECT_GT(p_of(list_get_anomaly, visit(8, 20, 90)), 5e-3) << "here visitors read many";
  EXPECT_LT(p_of(list_get_anomaly, visit(8, 0, 90)), 2e-5);
  EXPECT_GT(p_of(list_get_anomaly, visit(8, 0, 0)), p_of(list_get_anomaly, visit(8, 0, 90)) * 5) << "nobody knows yet";
  Facts colleague = visit(4, 1, 90);
  colleague.list_episode->new_vault = touch(0.1, 0.9);
  EXPECT_GT(p_of(list_get_anomaly, colleague), 2e-3) << "four in a vault of the own team";
}

TEST(BehaviourDetectors, WhatIntrudersDoAroundAPolicyChangeMakesItRarer) {
  Facts facts;
  facts.policy_episode = episode(3, 1);
  const double plain = p_of(put_get_anomaly, facts);
  facts.policy_episode->reverted = true;
  EXPECT_NEAR(p_of(put_get_anomaly, facts), plain / 10, 1e-12);
  facts.policy_episode = episode(3, 1);
  facts.policy_episode->denied_before = true;
  EXPECT_LT(p_of(put_get_anomaly, facts), plain);
}

// By hand: 2 looks * 2.5e-4 changes a day * P(2 or more of mean 1 and dispersion 1) = 1/4 * 0.05.
TEST(BehaviourDetectors, AFirstChangeOfPolicyIsAsRareAsFirstChangesAre) {
  Facts facts;
  EpisodeFacts& made = facts.policy_episode.emplace();
  made.reads = 2;
  made.openings_today = 1;
  made.usual = 1;
  made.beginner_rate = 2.5e-4;
  made.denied_before = true;
  EXPECT_NEAR(p_of(put_get_anomaly, facts) / 6.25e-6, 1, 1e-9);
  made.denied_before = false;
  EXPECT_NEAR(p_of(put_get_anomaly, facts) / 1.25e-4, 1, 1e-9);
  made.beginner_rate = 0;
  made.openings_usual = 0.05;
  EXPECT_GT(p_of(put_get_anomaly, facts), 0.01) << "an administrator who does so every third week";
}

TEST(BehaviourDetectors, ANewAddressNeedsUnusualAccessAndMustNotBeMicrosofts) {
  Facts facts;
  facts.new_address = touch(0.02, 0.5);
  EXPECT_EQ(p_of(unusual_access_suspicious_ip, facts, SubjectKind::kCaller, 0.2), 1);
  EXPECT_LT(p_of(unusual_access_suspicious_ip, facts, SubjectKind::kCaller, 1e-3), 2e-4);
  EXPECT_EQ(p_of(unusual_access_suspicious_ip, facts, SubjectKind::kCaller, 1e-3, true), 1);
  facts.new_address = touch(0.5, 0.9);
  EXPECT_EQ(p_of(unusual_access_suspicious_ip, facts, SubjectKind::kCaller, 1e-3), 1) << "a traveller";
}

// Of 40 visits from new networks and ten that are assumed.
Facts visit_facts(double reads, double with_as_many) {
  Facts facts;
  facts.address_prefix = "203.0.113.0/24";
  NetworkVisit& visit = facts.network_visit.emplace();
  visit.since_ticks = 1;
  visit.reads = reads;
  visit.listed = true;
  visit.visits = {with_as_many, 40};
  return facts;
}

std::vector<ReasonCode> reasons_of(const Facts& facts) {
  const AccessEvent event = EventBuilder().user("alice").build();
  const AddressFacts address;
  std::vector<ReasonCode> codes;
  for (const Suspicion& suspicion : unusual_access_suspicious_ip({event, address, facts, true})) {
    for (const Reason& reason : suspicion.reasons) { codes.push_back(reason.code); }
  }
  return codes;
}

// By hand: ten visits are assumed, half of which list, and of which an eighth reads seven or more.
TEST(BehaviourDetectors, AVisitIsAsRareAsItsNetworkAndWhatIsReadFromThere) {
  Facts facts = visit_facts(7, 1);
  EXPECT_EQ(p_of(unusual_access_suspicious_ip, facts), 1) << "of a network that is known nothing is said";
  facts.new_address = touch(0.1, 0.5);
  const double network = novelty_probability(0.1, 1, 0.5);
  EXPECT_NEAR(p_of(unusual_access_suspicious_ip, facts), network * (10 * 0.5 / 8 + 1) / 50, 1e-12);
  EXPECT_EQ(reasons_of(facts), (std::vector{ReasonCode::kNewAddress, ReasonCode::kReadsFromNewNetwork}));
  EXPECT_EQ(p_of(unusual_access_suspicious_ip, facts, SubjectKind::kCaller, 1, true), 1) << "Microsoft's";
  facts.new_address->caller_is_new = true;
  EXPECT_EQ(p_of(unusual_access_suspicious_ip, facts), 1) << "whoever starts has no network yet";
}

TEST(BehaviourDetectors, ANewCallerCountsWhereNobodyUsedItsNetwork) {
  Facts facts = visit_facts(7, 0);
  facts.network_visit->newcomers_per_day = 0.02;
  EXPECT_NEAR(p_of(unusual_access_suspicious_ip, facts), 0.02 * (10 * 0.5 / 8) / 50, 1e-12);
  EXPECT_EQ(reasons_of(facts), (std::vector{ReasonCode::kNewCallerAtUnusedNetwork, ReasonCode::kReadsFromNewNetwork}));
}

TEST(BehaviourDetectors, AnApplicationOutsideOfAzureCountsByItself) {
  Facts facts = visit_facts(0, 40);
  facts.network_visit->outside_per_day = 1e-5;
  EXPECT_NEAR(p_of(unusual_access_suspicious_ip, facts), 1e-5, 1e-12);
  EXPECT_EQ(reasons_of(facts), (std::vector{ReasonCode::kFirstTimeOutsideAzure}));
}

// Eight networks of one who is expected to use one in twenty days.
TEST(BehaviourDetectors, ManyNewNetworksOfADayCountByTheirNumber) {
  Facts facts = visit_facts(0, 40);
  facts.new_address = touch(0.05, 1);
  facts.network_visit->networks_today = 2;
  EXPECT_GT(p_of(unusual_access_suspicious_ip, facts), 0.01);
  facts.network_visit->networks_today = 8;
  EXPECT_LT(p_of(unusual_access_suspicious_ip, facts), 1e-9);
  EXPECT_EQ(reasons_of(facts), (std::vector{ReasonCode::kManyNewNetworks, ReasonCode::kNewAddress}));
}

TEST(BehaviourDetectors, ANewCallerOnManyVaultsIsComparedWithNewCallers) {
  Facts facts;
  facts.new_vaults_day = DayOfFirstTouches{.vaults = 10, .log_surprise = 0, .rate = {0.001, 1, 0}};
  const double known = p_of(account_volume_anomaly, facts);
  facts.new_vaults_day->newcomers_with_as_many = 0.002;
  EXPECT_NEAR(p_of(account_volume_anomaly, facts), 0.001 * 0.002, 1e-12);
  EXPECT_NE(p_of(account_volume_anomaly, facts), known);
  facts = {};
  facts.caller_class = CallerClass::kApp;
  facts.new_vault = touch(0.001, 0.5);
  facts.new_vault->caller_is_new = true;
  const double first = p_of(app_anomaly, facts);
  facts.new_vault->newcomers_with_as_many = 0.002;
  EXPECT_NEAR(p_of(app_anomaly, facts) / first, 0.002, 1e-9);
}

TEST(BehaviourDetectors, ACountIsNoRarerThanItsDistanceFromTheRecord) {
  Facts facts;
  VolumeFact& volume = facts.volumes.emplace_back();
  volume.count = 300;
  volume.usual = 3;
  volume.dispersion = 0.1;
  EXPECT_LT(p_of(operation_volume_anomaly, facts), 1e-20);
  volume.as_far_above = 1e-3;
  EXPECT_NEAR(p_of(operation_volume_anomaly, facts), 1e-3, 1e-12);
}

}  // namespace
}  // namespace keyvigil
