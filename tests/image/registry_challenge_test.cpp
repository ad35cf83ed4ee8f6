#include "image/registry_challenge.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace podium::image {
namespace {

using ::testing::IsEmpty;
using ::testing::SizeIs;

TEST(ChallengeTest, BearerAsDockerHubSendsIt) {
  const auto challenges =
      ParseChallenges(R"(Bearer realm="https://auth.docker.io/token",service="registry.docker.io",)"
                      R"(scope="repository:library/nginx:pull,push")");
  ASSERT_THAT(challenges, SizeIs(1));
  EXPECT_EQ(challenges[0].scheme, "bearer");
  EXPECT_EQ(challenges[0].Get("realm"), "https://auth.docker.io/token");
  EXPECT_EQ(challenges[0].Get("service"), "registry.docker.io");
  EXPECT_EQ(challenges[0].Get("scope"), "repository:library/nginx:pull,push");
  EXPECT_EQ(challenges[0].Get("error"), "");
}

TEST(ChallengeTest, SeveralInOneHeader) {
  const auto challenges = ParseChallenges(
      R"(Negotiate, Negotiate a87421000492aa874209af8bc028==, Basic realm="a \"b\" \\c, d=e", )"
      R"(BEARER Realm = x , SCOPE="" ,, digest nonce=1)");
  ASSERT_THAT(challenges, SizeIs(5));
  EXPECT_EQ(challenges[0].scheme, "negotiate");
  EXPECT_EQ(challenges[0].token, "");
  EXPECT_EQ(challenges[1].token, "a87421000492aa874209af8bc028==");
  EXPECT_THAT(challenges[1].parameters, IsEmpty());
  EXPECT_EQ(challenges[2].scheme, "basic");
  EXPECT_EQ(challenges[2].Get("realm"), R"(a "b" \c, d=e)");
  EXPECT_EQ(challenges[3].scheme, "bearer");
  EXPECT_EQ(challenges[3].Get("realm"), "x");
  EXPECT_EQ(challenges[4].scheme, "digest");
  EXPECT_EQ(challenges[4].Get("nonce"), "1");
}

TEST(ChallengeTest, TheFirstOfTwoParametersCounts) {
  const auto challenges = ParseChallenges("bearer realm=a, realm=b");
  ASSERT_THAT(challenges, SizeIs(1));
  EXPECT_EQ(challenges[0].Get("realm"), "a");
  EXPECT_THAT(challenges[0].parameters, SizeIs(1));
}

TEST(ChallengeTest, TheFirstOfTwoParametersCountsAlsoWhenItIsEmpty) {
  const auto challenges = ParseChallenges(R"(Bearer realm="", realm="https://elsewhere/")");
  ASSERT_EQ(challenges.size(), 1u);
  ASSERT_EQ(challenges[0].parameters.size(), 1u);
  EXPECT_EQ(challenges[0].Get("realm"), "");
}

TEST(ChallengeTest, WhatStandsBeforeAMistakeCounts) {
  EXPECT_THAT(ParseChallenges(""), IsEmpty());
  EXPECT_THAT(ParseChallenges(" , ,"), IsEmpty());
  EXPECT_THAT(ParseChallenges("\"quoted\""), IsEmpty());
  EXPECT_THAT(ParseChallenges("basic/5 realm=x"), IsEmpty());
  const auto unended = ParseChallenges(R"(Basic realm="r", Bearer realm="x)");
  ASSERT_THAT(unended, SizeIs(2));
  EXPECT_EQ(unended[0].Get("realm"), "r");
  EXPECT_THAT(unended[1].parameters, IsEmpty());
  EXPECT_THAT(ParseChallenges("Basic \x01 Bearer realm=y"), SizeIs(1));
}

TEST(ChallengeTest, CountsAreBounded) {
  std::string many;
  for (int i = 0; i < 1000; ++i) many += "basic, ";
  EXPECT_THAT(ParseChallenges(many), SizeIs(16));
  std::string parameters = "basic ";
  for (int i = 0; i < 1000; ++i) parameters += "p" + std::to_string(i) + "=1,";
  EXPECT_THAT(ParseChallenges(parameters)[0].parameters, SizeIs(32));
}

}  // namespace
}  // namespace podium::image
