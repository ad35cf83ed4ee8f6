#include "network/addresses.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <set>

namespace podium::network {
namespace {

using ::testing::HasSubstr;

AddressPool Pool(const std::string& v4, uint32_t start = 0, const std::string& v6 = {}) {
  std::optional<Ipv6Range> range6;
  if (!v6.empty()) range6 = *ParseIpv6Range(v6);
  return *AddressPool::Create(*ParseIpv4Range(v4), range6, start);
}

TEST(AddressesTest, Ranges) {
  EXPECT_EQ(ParseIpv4Range("10.208.0.0/16")->hosts(), 0xffffU);
  EXPECT_TRUE(ParseIpv4Range("10.208.0.0/16")->contains(*ParseIpv4("10.208.255.255")));
  EXPECT_FALSE(ParseIpv4Range("10.208.0.0/16")->contains(*ParseIpv4("10.209.0.0")));
  EXPECT_TRUE(ParseIpv4Range("0.0.0.0/0").ok());
  EXPECT_TRUE(ParseIpv6Range("fd00::/64").ok());
  for (const char* text : {"", "10.0.0.0", "10.0.0.0/", "10.0.0.0/33", "10.0.0.1/8", "10.0.0/8",
                           "fd00::/64", "10.0.0.0/-1", "10.0.0.0/8 "}) {
    EXPECT_FALSE(ParseIpv4Range(text).ok()) << text;
  }
  for (const char* text : {"", "fd00::", "fd00::/129", "fd00::1/64", "10.0.0.0/8"}) {
    EXPECT_FALSE(ParseIpv6Range(text).ok()) << text;
  }
}

TEST(AddressesTest, EverythingFollowsFromTheNumber) {
  const AddressPool pool = Pool("10.208.0.0/16", 0, "fd00:1::/64");
  const PodAddress address = pool.AddressOf(0x0105);
  EXPECT_EQ(ToText(address.v4), "10.208.1.5");
  EXPECT_EQ(ToText(*address.v6), "fd00:1::105");
  EXPECT_EQ(ToText(address.mac), "0a:58:0a:d0:01:05");
  EXPECT_EQ(ToText(address.link_local), "fe80::858:aff:fed0:105");
  EXPECT_EQ(ToText(pool.gateway().v4), "10.208.0.1");
  EXPECT_EQ(ToText(*pool.gateway().v6), "fd00:1::1");
}

TEST(AddressesTest, OneAfterTheOtherAndRound) {
  AddressPool pool = Pool("10.0.0.0/28");
  std::set<uint32_t> seen;
  for (int i = 0; i < 13; ++i) seen.insert(pool.Take()->v4);
  // Without the range's own address, the gateway, and broadcast.
  EXPECT_EQ(seen.size(), 13U);
  EXPECT_EQ(ToText(*seen.begin()), "10.0.0.2");
  EXPECT_EQ(ToText(*seen.rbegin()), "10.0.0.14");
  const auto none = pool.Take();
  ASSERT_FALSE(none.ok());
  EXPECT_EQ(none.error().code(), Code::kResourceExhausted);
  EXPECT_THAT(none.error().message(), HasSubstr("all 13 addresses"));
  pool.Free(5);
  pool.Free(5);
  EXPECT_EQ(pool.taken(), 12U);
  EXPECT_EQ(pool.Take()->number, 5U);
}

TEST(AddressesTest, WhatWasFreedComesLast) {
  AddressPool pool = Pool("10.0.0.0/24", 17);
  const uint32_t first = pool.Take()->number;
  pool.Free(first);
  for (int i = 0; i < 252; ++i) {
    const uint32_t number = pool.Take()->number;
    ASSERT_NE(number, first) << i;
    pool.Free(number);
  }
  EXPECT_EQ(pool.Take()->number, first);
}

TEST(AddressesTest, Claims) {
  AddressPool pool = Pool("10.0.0.0/24");
  EXPECT_EQ(pool.Claim(*ParseIpv4("10.0.0.2"))->number, 2U);
  EXPECT_EQ(pool.Claim(*ParseIpv4("10.0.0.2")).error().code(), Code::kAlreadyExists);
  EXPECT_EQ(pool.Take()->number, 3U);
  for (const char* text : {"10.0.0.0", "10.0.0.1", "10.0.0.255", "10.0.1.2", "9.255.255.255"}) {
    EXPECT_EQ(pool.Claim(*ParseIpv4(text)).error().code(), Code::kInvalidArgument) << text;
  }
}

TEST(AddressesTest, RangesThatDoNotDo) {
  EXPECT_FALSE(AddressPool::Create(*ParseIpv4Range("10.0.0.0/29"), {}, 0).ok());
  EXPECT_FALSE(AddressPool::Create(*ParseIpv4Range("0.0.0.0/7"), {}, 0).ok());
  EXPECT_FALSE(
      AddressPool::Create(*ParseIpv4Range("10.0.0.0/16"), *ParseIpv6Range("fd00::/120"), 0).ok());
  EXPECT_TRUE(
      AddressPool::Create(*ParseIpv4Range("10.0.0.0/16"), *ParseIpv6Range("fd00::/112"), 0).ok());
}

TEST(AddressesTest, NeverTheSameTwice) {
  rc::check("whatever is taken, claimed and freed, no number has two owners", [] {
    AddressPool pool = Pool("10.0.0.0/27", *rc::gen::arbitrary<uint32_t>());
    std::set<uint32_t> owned;
    for (const uint8_t step : *rc::gen::arbitrary<std::vector<uint8_t>>()) {
      const uint32_t number = step % 34;
      if (step < 100) {
        const auto taken = pool.Take();
        RC_ASSERT(taken.ok() == (owned.size() < 29));
        if (taken.ok()) RC_ASSERT(owned.insert(taken->number).second);
      } else if (step < 180) {
        const auto claimed = pool.Claim(pool.v4().first + number);
        if (claimed.ok()) RC_ASSERT(owned.insert(claimed->number).second);
        if (number >= 2 && number <= 30) RC_ASSERT(owned.contains(number));
      } else {
        pool.Free(number);
        owned.erase(number);
      }
      RC_ASSERT(pool.taken() == owned.size());
    }
  });
}

}  // namespace
}  // namespace podium::network
