#include "command/intel_command.h"

#include <gtest/gtest.h>

#include <sstream>

namespace keyvigil {
namespace {

struct Outcome {
  int code = -1;
  std::string out;
  std::string err;
};

Outcome check(const std::vector<NamedContent>& files) {
  std::ostringstream out;
  std::ostringstream err;
  const int code = run_intel_check(files, {}, out, err);
  return Outcome{code, out.str(), err.str()};
}

const NamedContent kTags{"tags.json",
                         R"({"changeNumber":7,"cloud":"Public","values":[)"
                         R"({"name":"AzureCloud","properties":{"addressPrefixes":["203.0.113.0/24"]}}]})",
                         {}};
const NamedContent kExits{
    "exits", "ExitNode 00000000000000000000000000000000000000AA\nExitAddress 198.51.100.7 2026-10-31 03:05:38\n", {}};
const NamedContent kBlocked{"blocked.txt", "203.0.113.7\n198.51.100.0/24\n10.0.0.1\n", {}};

TEST(IntelCheck, SaysWhatWasUnderstoodOfEachFile) {
  const Outcome run = check({kBlocked, kExits, kTags});
  EXPECT_EQ(run.code, 0);
  EXPECT_EQ(run.err, "");
  for (const char* line :
       {"blocked.txt\n", "  format      addresses and CIDRs, one a line\n", "  used as     suspicious addresses\n",
        "  entries     2 (2 IPv4 covering 257 addresses)\n", "  refused     1 not global address space\n",
        "             3  10.0.0.1\n", "  overlap     1 of 2 entries begin inside Microsoft's ranges (50.0 %)\n",
        "             1  203.0.113.7/32 in 203.0.113.0/24, AzureCloud\n", "  used as     Tor exits\n",
        "  used as     Microsoft's address ranges\n", "3 of 3 files understood\n"}) {
    EXPECT_NE(run.out.find(line), std::string::npos) << line << "is missing in\n" << run.out;
  }
  EXPECT_EQ(run.out.find("warning"), std::string::npos) << run.out;
}

TEST(IntelCheck, TheExitCodeTellsSomeFromNone) {
  const NamedContent broken{"page.html", "<html>", {}};
  const Outcome some = check({kBlocked, broken});
  EXPECT_EQ(some.code, 3);
  EXPECT_NE(some.err.find("keyvigil: page.html:1: expected"), std::string::npos);
  EXPECT_NE(some.out.find("1 of 2 files understood"), std::string::npos);
  EXPECT_EQ(check({broken}).code, 2);
}

TEST(IntelCheck, AGivenRoleIsKept) {
  const Outcome run = check({{"exits.txt", "198.51.100.7\n", ListRole::kTor}});
  EXPECT_NE(run.out.find("  used as     Tor exits\n"), std::string::npos);
}

}  // namespace
}  // namespace keyvigil
