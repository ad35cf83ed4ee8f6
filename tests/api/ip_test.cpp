#include "api/ip.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace podium::api {
namespace {

constexpr const char* kNoIP = "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)";
constexpr const char* kNoCIDR = "must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)";
constexpr const char* kZeros = "must not have leading 0s";
constexpr const char* kMapped = "must not be an IPv4-mapped IPv6 address";
constexpr const char* kCIDRZeros = "must not have leading 0s in IP or prefix length";
constexpr const char* kCIDRMapped = "must not have an IPv4-mapped IPv6 address";
constexpr const char* kCIDRBits = "must not have bits set beyond the prefix length";

std::string First(const Messages& messages) { return messages.empty() ? "" : messages.front(); }

TEST(IPTest, Addresses) {
  struct Case {
    const char* text;
    const char* loose;
    const char* strict;
    const char* canonical;  // what IsValidIP says
  };
  const Case cases[] = {
      {"1.2.3.4", "", "", ""},
      {"0.0.0.0", "", "", ""},
      {"255.255.255.255", "", "", ""},
      {"::", "", "", ""},
      {"::1", "", "", ""},
      {"fe80::abc", "", "", ""},
      {"1:2:3:4:5:6:7:8", "", "", ""},
      {"2001:db8::", "", "", ""},
      {"FE80::ABC", "", "", "must be in canonical form (\"fe80::abc\")"},
      {"fe80:0:0:0:0:0:0:abc", "", "", "must be in canonical form (\"fe80::abc\")"},
      {"::0abc", "", "", "must be in canonical form (\"::abc\")"},
      {"1:0:0:2:0:0:0:3", "", "", "must be in canonical form (\"1:0:0:2::3\")"},
      {"1:2:3:4:5:6:7::", "", "", "must be in canonical form (\"1:2:3:4:5:6:7:0\")"},
      {"::1.2.3.4", "", "", "must be in canonical form (\"::102:304\")"},
      {"1:2:3:4:5:6:1.2.3.4", "", "", "must be in canonical form (\"1:2:3:4:5:6:102:304\")"},
      {"01.2.3.4", "", kZeros, kZeros},
      {"1.2.3.000", "", kZeros, kZeros},
      {"00001::", "", kZeros, kZeros},
      {"00001::1.2.3.4", "", kZeros, kZeros},
      {"::ffff:1.2.3.04", "", kZeros, kZeros},
      {"::ffff:1.2.3.4", "", kMapped, kMapped},
      {"::ffff:102:304", "", kMapped, kMapped},
      {"", kNoIP, kNoIP, kNoIP},
      {"a", kNoIP, kNoIP, kNoIP},
      {"1.2.3", kNoIP, kNoIP, kNoIP},
      {"1.2.3.4.5", kNoIP, kNoIP, kNoIP},
      {"1.2.3.", kNoIP, kNoIP, kNoIP},
      {"1..3.4", kNoIP, kNoIP, kNoIP},
      {"1.2.3.256", kNoIP, kNoIP, kNoIP},
      {"1.2.3.4 ", kNoIP, kNoIP, kNoIP},
      {"-1.2.3.4", kNoIP, kNoIP, kNoIP},
      {"1.2.3.a", kNoIP, kNoIP, kNoIP},
      {"1.2.3.4/24", kNoIP, kNoIP, kNoIP},
      {":", kNoIP, kNoIP, kNoIP},
      {":::", kNoIP, kNoIP, kNoIP},
      {"1:", kNoIP, kNoIP, kNoIP},
      {":1", kNoIP, kNoIP, kNoIP},
      {"1::2::3", kNoIP, kNoIP, kNoIP},
      {"1:2:3:4:5:6:7", kNoIP, kNoIP, kNoIP},
      {"1:2:3:4:5:6:7:8:9", kNoIP, kNoIP, kNoIP},
      {"1:2:3:4:5:6:7:8::", kNoIP, kNoIP, kNoIP},
      {"1:2:3:4::5:6:7:8", kNoIP, kNoIP, kNoIP},
      {"10000::", kNoIP, kNoIP, kNoIP},
      {"g::", kNoIP, kNoIP, kNoIP},
      {"fe80::1%eth0", kNoIP, kNoIP, kNoIP},
      {"1:2:3:4:5:1.2.3.4", kNoIP, kNoIP, kNoIP},
      {"1:2:3:4:5:6:7:1.2.3.4", kNoIP, kNoIP, kNoIP},
      {"::1.2.3.4:5", kNoIP, kNoIP, kNoIP},
      {"::1.2.3", kNoIP, kNoIP, kNoIP},
  };
  for (const Case& c : cases) {
    EXPECT_EQ(First(IsValidIPForLegacyField(c.text, IPRules::kLoose)), c.loose) << c.text;
    EXPECT_EQ(First(IsValidIPForLegacyField(c.text)), c.strict) << c.text;
    EXPECT_EQ(First(IsValidIP(c.text)), c.canonical) << c.text;
  }
}

TEST(IPTest, Families) {
  EXPECT_EQ(First(IsValidIPv4Address("1.2.3.4")), "");
  EXPECT_EQ(First(IsValidIPv4Address("::ffff:1.2.3.4")), "");
  EXPECT_EQ(First(IsValidIPv4Address("::1")), "must be a valid IPv4 address");
  EXPECT_EQ(First(IsValidIPv4Address("x")), "must be a valid IPv4 address");
  EXPECT_EQ(First(IsValidIPv6Address("::1")), "");
  EXPECT_EQ(First(IsValidIPv6Address("1.2.3.4")), "must be a valid IPv6 address");
  EXPECT_EQ(First(IsValidIPv6Address("::ffff:1.2.3.4")), "must be a valid IPv6 address");
  EXPECT_EQ(First(IsValidIPv6Address("x")), "must be a valid IPv6 address");
}

TEST(IPTest, Networks) {
  struct Case {
    const char* text;
    const char* loose;
    const char* strict;
    const char* canonical;  // what IsValidCIDR says
  };
  const Case cases[] = {
      {"10.0.0.0/8", "", "", ""},
      {"0.0.0.0/0", "", "", ""},
      {"1.2.3.4/32", "", "", ""},
      {"2001:db8::/64", "", "", ""},
      {"::1/128", "", "", ""},
      {"::/0", "", "", ""},
      {"2001:0db8::/64", "", "", "must be in canonical form (\"2001:db8::/64\")"},
      {"10.0.0.1/8", "", kCIDRBits, kCIDRBits},
      {"10.0.0.128/24", "", kCIDRBits, kCIDRBits},
      {"10.0.0.128/25", "", "", ""},
      {"2001:db8::1/64", "", kCIDRBits, kCIDRBits},
      {"10.0.0.0/08", "", kCIDRZeros, kCIDRZeros},
      {"010.0.0.0/8", "", kCIDRZeros, kCIDRZeros},
      {"::ffff:1.2.3.0/120", "", kCIDRMapped, kCIDRMapped},
      {"10.0.0.0", kNoCIDR, kNoCIDR, kNoCIDR},
      {"10.0.0.0/", kNoCIDR, kNoCIDR, kNoCIDR},
      {"10.0.0.0/33", kNoCIDR, kNoCIDR, kNoCIDR},
      {"10.0.0.0/-1", kNoCIDR, kNoCIDR, kNoCIDR},
      {"10.0.0.0/a", kNoCIDR, kNoCIDR, kNoCIDR},
      {"10.0.0.0/8/8", kNoCIDR, kNoCIDR, kNoCIDR},
      {"::/129", kNoCIDR, kNoCIDR, kNoCIDR},
      {"/8", kNoCIDR, kNoCIDR, kNoCIDR},
      {"", kNoCIDR, kNoCIDR, kNoCIDR},
  };
  for (const Case& c : cases) {
    EXPECT_EQ(First(IsValidCIDRForLegacyField(c.text, IPRules::kLoose)), c.loose) << c.text;
    EXPECT_EQ(First(IsValidCIDRForLegacyField(c.text)), c.strict) << c.text;
    EXPECT_EQ(First(IsValidCIDR(c.text)), c.canonical) << c.text;
  }
}

TEST(IPTest, InterfaceAddresses) {
  struct Case {
    const char* text;
    const char* want;
  };
  const Case cases[] = {
      {"10.9.8.7/24", ""},
      {"2001:db8::1/64", ""},
      {"10.9.8.07/24", "must be in canonical form (\"10.9.8.7/24\")"},
      {"2001:DB8::1/064", "must be in canonical form (\"2001:db8::1/64\")"},
      {"::ffff:192.168.0.1/120", "must be in canonical form (\"192.168.0.1/24\")"},
      {"10.9.8.7", "must be a valid address in CIDR form, (e.g. 10.9.8.7/24 or 2001:db8::1/64)"},
  };
  for (const Case& c : cases) EXPECT_EQ(First(IsValidInterfaceAddress(c.text)), c.want) << c.text;
}

// inet_pton takes no leading zeros and no groups of five digits, and otherwise the same.
RC_GTEST_PROP(IPProperty, AgreesWithTheCLibrary, ()) {
  std::string text =
      *rc::gen::container<std::string>(rc::gen::elementOf(std::string("10f:::::..")));
  RC_PRE(text.size() < 46);
  in6_addr address;
  bool want = inet_pton(AF_INET6, text.c_str(), &address) == 1;
  if (want) {
    RC_ASSERT(ParseIP(text).has_value());
    IPAddress ours = *ParseIP(text);
    RC_ASSERT(std::equal(ours.bytes.begin(), ours.bytes.end(), address.s6_addr));
  } else if (text.contains(':') && First(IsValidIPForLegacyField(text)) != kZeros) {
    RC_ASSERT(!ParseIP(text).has_value());
  }
}

RC_GTEST_PROP(IPProperty, TextIsAFixpoint, ()) {
  IPAddress address;
  for (uint8_t& byte : address.bytes) {
    byte = *rc::gen::weightedOneOf<uint8_t>(
        {{3, rc::gen::just<uint8_t>(0)}, {1, rc::gen::arbitrary<uint8_t>()}});
  }
  std::string text = address.String();
  RC_ASSERT(ParseIP(text) == address);
  RC_ASSERT(IsValidIP(text).empty());
  char buffer[INET6_ADDRSTRLEN];
  inet_ntop(AF_INET6, address.bytes.data(), buffer, sizeof buffer);
  // The C library writes the deprecated ::a.b.c.d with dots.
  if (!std::string_view(buffer).contains('.')) RC_ASSERT(text == buffer);
}

}  // namespace
}  // namespace podium::api
