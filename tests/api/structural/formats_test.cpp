#include "api/structural/formats.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace podium::api {
namespace {

struct Case {
  std::string_view format;
  std::vector<std::string> good;
  std::vector<std::string> bad;
};

// By the tests of k8s.io/kube-openapi/pkg/validation/strfmt, and the rules they are made of.
const std::vector<Case>& Cases() {
  static const auto& cases = *new std::vector<Case>{
      {"bsonobjectid", {"507f1f77bcf86cd799439011"}, {"507f1f77bcf86cd79943901", "x"}},
      {"byte", {"aGk=", "aGVs", "aA=="}, {"", "aGk", "a-_="}},
      {"cidr", {"192.0.2.1/24", "2001:db8::/32"}, {"192.0.2.1", "192.0.2.1/33"}},
      {"creditcard", {"4111-1111-1111-1111", "4012888888881881"}, {"4111-1111-1111-1112", "1"}},
      {"date", {"2014-12-15"}, {"2014-13-15", "2014-02-30", "14-12-15", "2014-12-15T"}},
      {"date-time",
       {"2014-12-15T08:00:00.000Z", "2014-12-15t08:00:00z", "2011-08-18T19:03:37.123000000+01:00"},
       {"2014-12-15", "2014-12-15T24:00:00Z", "2014-12-15 08:00:00Z", "2014-12-15T08:00:00"}},
      {"duration",
       {"3s", "1h2m", "2 weeks", "5 DAYS", "1µs", "7 hrs 3 min", "-1.5h"},
       {"", "3", "1 parsec", "s3", "99999999999999999999 days"}},
      {"email",
       {"a@b", "Bob <bob@example.com>", "\"a b\"@example.com", "<x@y.z>", "a (c) <d@e>",
        "user+tag@example.com", "a@[127.0.0.1]"},
       {"", "a", "@b", "a@", "a@@b", "a b@c", ".a@b", "a..b@c", "Bob <a@b", "a@b, c@d"}},
      {"hexcolor", {"#FFFFFF", "fff"}, {"#fffffffz", "ff"}},
      {"hostname",
       {"somewhere.com", "a.b.c.xyz", "localhost", "1.example.com", "日本.jp"},
       {"", "-a.com", "a_b.com", "a..com", "somewhere.com!"}},
      {"ipv4", {"192.0.2.1", "010.0.0.1", "::ffff:1.2.3.4"}, {"::1", "192.0.2", "1.2.3.256"}},
      {"ipv6", {"::1", "2001:db8::ff"}, {"192.0.2.1", "::g", "fe80::1%eth0"}},
      {"isbn", {"0321751043", "978-0321751041"}, {"0321751044"}},
      {"isbn10", {"0321751043", "0-8044-2957-X"}, {"978-0321751041"}},
      {"isbn13", {"978-0321751041", "978 0321751041"}, {"9780321751042", "0321751043"}},
      {"k8s-short-name", {"a-1"}, {"A", "a.b", "-a", std::string(64, 'a')}},
      {"k8s-long-name", {"a.b-c", std::string(64, 'a')}, {"a..b", "a.", std::string(254, 'a')}},
      {"mac",
       {"01:02:03:04:05:06", "01-02-03-04-05-06", "0102.0304.0506", "01:02:03:04:05:06:07:08"},
       {"01:02:03:04:05", "01:02:03:04:05:0g", "01:02-03:04:05:06", "01:02:03:04:05:06:07"}},
      {"password", {"", "x"}, {}},
      {"quantity", {"10Gi", "500m"}, {"x", "10 Gi"}},
      {"rgbcolor", {"rgb(255,255,255)", "rgb( 0, 1, 2 )"}, {"rgb(256,0,0)", "rgb(1,2)"}},
      {"ssn", {"111-11-1111", "111 11 1111", "111111111"}, {"999 99 999", "a"}},
      {"uri",
       {"http://somewhere.com", "/path", "*", "mailto:a@b", "http://u:p@h:80/x?y#z",
        "http://[::1]:8080/"},
       {"", "somewhere.com", ":x", "/a%zz", "http://a b/", "http://h:x/", "/a\nb", "http://[::1/"}},
      {"uuid",
       {"a8098c1a-f86e-11da-bd1a-00112444be1e", "A8098C1AF86E11DABD1A00112444BE1E"},
       {"a8098c1a-f86e-11da-bd1a-00112444be1"}},
      {"uuid3", {"bcd02e22-68f0-3046-a512-327cca9def8f"}, {"bcd02e22-68f0-4046-a512-327cca9def8f"}},
      {"uuid4", {"025b0d74-00a2-4048-bf57-227c5111bb34"}, {"025b0d74-00a2-4048-cf57-227c5111bb34"}},
      {"uuid5", {"886313e1-3b8a-5372-9b90-0c9aee199e5d"}, {"886313e1-3b8a-4372-9b90-0c9aee199e5d"}},
  };
  return cases;
}

TEST(FormatsTest, TakeWhatUpstreamTakes) {
  for (const Case& c : Cases()) {
    EXPECT_TRUE(IsKnownFormat(c.format)) << c.format;
    for (const std::string& text : c.good) {
      EXPECT_TRUE(HasFormat(c.format, text)) << c.format << ": " << text;
    }
    for (const std::string& text : c.bad) {
      EXPECT_FALSE(HasFormat(c.format, text)) << c.format << ": " << text;
    }
  }
}

TEST(FormatsTest, HyphensDoNotCount) {
  EXPECT_TRUE(IsKnownFormat("datetime"));
  EXPECT_TRUE(IsKnownFormat("date-time"));
  EXPECT_TRUE(IsKnownFormat("ip-v4"));
  EXPECT_FALSE(IsKnownFormat("int32"));
  EXPECT_FALSE(IsKnownFormat(""));
  EXPECT_FALSE(IsKnownFormat("semver"));
}

}  // namespace
}  // namespace podium::api
