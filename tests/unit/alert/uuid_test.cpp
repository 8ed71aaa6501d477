#include "alert/uuid.h"

#include <gtest/gtest.h>

namespace keyvigil {
namespace {

TEST(UuidOfName, IsThatOfTheStandards) {
  // RFC 9562 appendix A.4: the DNS name space and www.example.com.
  constexpr UuidBytes kDns = {0x6b, 0xa7, 0xb8, 0x10, 0x9d, 0xad, 0x11, 0xd1,
                              0x80, 0xb4, 0x00, 0xc0, 0x4f, 0xd4, 0x30, 0xc8};
  EXPECT_EQ(uuid_of_name(kDns, "www.example.com"), "2ed6657d-e927-568b-95e1-2665a8aea6a2");
  // The STIX 2.1 name space and an address: published examples have this id.
  constexpr UuidBytes kStix = {0x00, 0xab, 0xed, 0xb4, 0xaa, 0x42, 0x46, 0x6c,
                               0x9c, 0x01, 0xfe, 0xd2, 0x33, 0x15, 0xa9, 0xb7};
  EXPECT_EQ(uuid_of_name(kStix, R"({"value":"192.0.2.1"})"), "8dded90c-40c0-545a-8027-5b212bb37e8e");
}

}  // namespace
}  // namespace keyvigil
