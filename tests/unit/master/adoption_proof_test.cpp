#include "master/adoption_proof.hpp"

#include <gtest/gtest.h>

namespace serval::master {
namespace {

constexpr const char* kNonce = "00112233445566778899aabbccddeeff";

TEST(AdoptionProof, NamesTheVersion) {
  const auto version = version_in_proof(adoption_proof("1.2.3", 4, kNonce), 4, kNonce);
  ASSERT_TRUE(version) << version.error();
  EXPECT_EQ(*version, "1.2.3");
}

TEST(AdoptionProof, NothingElseWillDo) {
  const std::string good = adoption_proof("1.2.3", 4, kNonce);
  for (const std::string& said :
       {std::string(), std::string("ok\n"), std::string("adopt 5 check\n"), good + good, good + "x", "x" + good,
        good.substr(1), good.substr(0, good.size() - 1), adoption_proof("1.2.3", 5, kNonce),
        adoption_proof("1.2.3", 4, "0"), adoption_proof("", 4, kNonce), adoption_proof("1 2", 4, kNonce)}) {
    EXPECT_FALSE(version_in_proof(said, 4, kNonce)) << said;
  }
}

TEST(AdoptionProof, AFailureSaysWhoseWordsAreWhose) {
  EXPECT_EQ(
      why_not(
          {.program = "/bin/cat", .end = "exit code 1", .output = "cat: adopt: No such file\ncat: 5: No such file\n"}),
      "/bin/cat: the new program cannot take over (exit code 1); its standard error: \"cat: adopt: No such file\\ncat: "
      "5: No such file\"");
  EXPECT_EQ(why_not({.program = "/bin/false", .end = "exit code 1"}),
            "/bin/false: the new program cannot take over (exit code 1)");
  EXPECT_EQ(why_not({.program = "/bin/x", .end = "killed by SIGKILL", .patience = std::chrono::seconds(20)}),
            "/bin/x: the new program did not answer within 20s whether it can take over, and was killed");
}

TEST(AdoptionProof, NoncesDiffer) {
  EXPECT_EQ(make_nonce().size(), 32u);
  EXPECT_NE(make_nonce(), make_nonce());
}

}  // namespace
}  // namespace serval::master
