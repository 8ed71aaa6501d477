#include <initializer_list>
#include <string>

#include <gtest/gtest.h>

#include "catalogue/catalogue.h"
#include "detect/detectors.h"
#include "reference/event_builder.h"

namespace keyvigil {
namespace {

constexpr std::uint16_t kStatuses[] = {200, 201, 204, 301, 400, 401, 403, 404, 409, 429, 500, 503};

// Codes of what fires, joined.
std::string fired(const AccessEvent& event, bool tor, bool suspicious) {
  AddressFacts address;
  address.tor = tor;
  address.suspicious = suspicious;
  std::string codes;
  for (const DetectorRow& row : kDetectors) {
    for (const Suspicion& suspicion : row.decide({event, address, Facts{}})) {
      EXPECT_EQ(suspicion.p, 0.0);
      codes += std::string(catalogue_row(row.type).code) + " ";
    }
  }
  return codes;
}

TEST(ThreatListDetectors, SayNothingAboutAnAddressOnNoList) {
  for (const std::uint16_t status : kStatuses) {
    EXPECT_EQ(fired(EventBuilder().user("alice").status(status).build(), false, false), "") << status;
    EXPECT_EQ(fired(EventBuilder().anonymous().status(status).build(), false, false), "") << status;
  }
}

TEST(ThreatListDetectors, TellSuccessFromDenialOnASuspiciousAddress) {
  for (const std::uint16_t status : std::initializer_list<std::uint16_t>{200, 201, 204}) {
    EXPECT_EQ(fired(EventBuilder().user("alice").status(status).build(), false, true), "KV_SuspiciousIPAccess ");
  }
  for (const std::uint16_t status : std::initializer_list<std::uint16_t>{401, 403}) {
    EXPECT_EQ(fired(EventBuilder().user("alice").status(status).build(), false, true), "KV_SuspiciousIPAccessDenied ");
  }
}

TEST(ThreatListDetectors, LetAChallengeAndFailuresFromASuspiciousAddressPass) {
  EXPECT_EQ(fired(EventBuilder().anonymous().status(401).build(), false, true), "");
  for (const std::uint16_t status : std::initializer_list<std::uint16_t>{301, 400, 404, 409, 429, 500, 503}) {
    EXPECT_EQ(fired(EventBuilder().user("alice").status(status).build(), false, true), "") << status;
  }
}

TEST(ThreatListDetectors, RaiseTorForEveryOutcomeChallengesIncluded) {
  for (const std::uint16_t status : kStatuses) {
    EXPECT_EQ(fired(EventBuilder().user("alice").status(status).build(), true, false), "KV_TORAccess ") << status;
    EXPECT_EQ(fired(EventBuilder().anonymous().status(status).build(), true, false), "KV_TORAccess ") << status;
  }
}

TEST(ThreatListDetectors, RaiseTheTorAlertAloneForAnAddressOnBothKindsOfList) {
  for (const std::uint16_t status : kStatuses) {
    EXPECT_EQ(fired(EventBuilder().user("alice").status(status).build(), true, true), "KV_TORAccess ") << status;
  }
}

TEST(ThreatListDetectors, BlameTheCallerOrElseTheAddress) {
  const auto subject = [](const AccessEvent& event) {
    AddressFacts address;
    address.suspicious = true;
    return suspicious_ip_access_denied({event, address, Facts{}}).begin()->subject;
  };
  EXPECT_EQ(subject(EventBuilder().app("22222222-0000-4000-8000-000000000000").status(403).build()),
            SubjectKind::kCaller);
  EXPECT_EQ(subject(EventBuilder().anonymous().status(403).build()), SubjectKind::kAddress);
}

TEST(ThreatListDetectors, StandInTheOrderOfTheCatalogue) {
  for (std::size_t i = 1; i < kDetectors.size(); ++i) { EXPECT_LT(kDetectors[i - 1].type, kDetectors[i].type); }
}

}  // namespace
}  // namespace keyvigil
