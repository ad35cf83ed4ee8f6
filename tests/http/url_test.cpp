#include "http/url.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace podium::http {
namespace {

std::string Shown(std::string_view text) {
  auto url = Url::Parse(text);
  return url.ok() ? url->ToString() : "error: " + url.error().message();
}

TEST(Url, HasItsParts) {
  const Url url = *Url::Parse("HTTPS://us%40er:p%3Aw@Registry.Example:5000/v2/a%20b?n=1&x#part");
  EXPECT_EQ(url.scheme, "https");
  EXPECT_EQ(url.user_info, "us%40er:p%3Aw");
  EXPECT_EQ(url.host, "registry.example");
  EXPECT_EQ(url.port, 5000);
  EXPECT_EQ(url.path, "/v2/a%20b");
  EXPECT_EQ(url.query, "n=1&x");
  EXPECT_EQ(url.Authority(), "registry.example:5000");
  EXPECT_EQ(url.Target(), "/v2/a%20b?n=1&x");
  // No password in what is shown.
  EXPECT_EQ(url.ToString(), "https://registry.example:5000/v2/a%20b?n=1&x");
}

TEST(Url, FillsWhatIsLeftOut) {
  EXPECT_EQ(Shown("http://host"), "http://host/");
  EXPECT_EQ(Shown("http://host?q"), "http://host/?q");
  EXPECT_EQ(Shown("http://host:/x"), "http://host/x");
  EXPECT_EQ(Shown("http://host:80/x"), "http://host/x");
  EXPECT_EQ(Shown("https://host:80/x"), "https://host:80/x");
  EXPECT_EQ(Shown("http://[FE80::1]:8080/x"), "http://[fe80::1]:8080/x");
  EXPECT_EQ(Url::Parse("http://h")->EffectivePort(), 80);
  EXPECT_EQ(Url::Parse("https://h")->EffectivePort(), 443);
  EXPECT_EQ(Shown("http://h/\xC3\xA4"), "http://h/%C3%A4");
}

TEST(Url, RefusesWhatIsNone) {
  for (const char* text : {"",
                           "host/x",
                           "//host",
                           "http:/host",
                           "http://",
                           "http:///x",
                           "http://ho st/",
                           "http://host/a b",
                           "http://host/\x01",
                           "http://host/\x7F",
                           "http://host:0/",
                           "http://host:65536/",
                           "http://host:8x/",
                           "http://[::1/",
                           "http://[1.2.3.4]/",
                           "http://[::1]8/",
                           "http://host/%zz",
                           "http://host/%4",
                           "http://a/b\r\nHost: x",
                           "1http://h/",
                           "http://h\xC3\xA4/",
                           "http://h,i/"}) {
    EXPECT_FALSE(Url::Parse(text).ok()) << text;
  }
}

// The examples of RFC 3986, section 5.4, less those that are no URL of a host.
TEST(Url, ResolvesReferences) {
  const Url base = *Url::Parse("http://a/b/c/d;p?q");
  const std::pair<const char*, const char*> cases[] = {
      {"g", "http://a/b/c/g"},
      {"./g", "http://a/b/c/g"},
      {"g/", "http://a/b/c/g/"},
      {"/g", "http://a/g"},
      {"//g", "http://g/"},
      {"?y", "http://a/b/c/d;p?y"},
      {"g?y", "http://a/b/c/g?y"},
      {"#s", "http://a/b/c/d;p?q"},
      {"g#s", "http://a/b/c/g"},
      {";x", "http://a/b/c/;x"},
      {"", "http://a/b/c/d;p?q"},
      {".", "http://a/b/c/"},
      {"./", "http://a/b/c/"},
      {"..", "http://a/b/"},
      {"../", "http://a/b/"},
      {"../g", "http://a/b/g"},
      {"../..", "http://a/"},
      {"../../g", "http://a/g"},
      {"../../../g", "http://a/g"},
      {"/./g", "http://a/g"},
      {"/../g", "http://a/g"},
      {"g.", "http://a/b/c/g."},
      {"..g", "http://a/b/c/..g"},
      {"./../g", "http://a/b/g"},
      {"g;x=1/../y", "http://a/b/c/y"},
      {"g?y/./x", "http://a/b/c/g?y/./x"},
      {"https://z:1/q", "https://z:1/q"},
  };
  for (const auto& [reference, expected] : cases) {
    auto url = base.Resolve(reference);
    ASSERT_TRUE(url.ok()) << reference;
    EXPECT_EQ(url->ToString(), expected) << reference;
  }
  EXPECT_FALSE(base.Resolve("mailto:x").ok());
  EXPECT_FALSE(base.Resolve("/a b").ok());
}

TEST(Url, TellsOriginsApart) {
  const Url url = *Url::Parse("https://host/x");
  EXPECT_TRUE(SameOrigin(url, *Url::Parse("https://HOST:443/y")));
  EXPECT_FALSE(SameOrigin(url, *Url::Parse("http://host/x")));
  EXPECT_FALSE(SameOrigin(url, *Url::Parse("https://host:444/x")));
  EXPECT_FALSE(SameOrigin(url, *Url::Parse("https://host.example/x")));
}

TEST(Query, IsReadAndWritten) {
  auto parameters = ParseQuery("command=sh&command=-c&x=a+b%26%3D&&flag");
  ASSERT_TRUE(parameters.ok());
  EXPECT_EQ(*parameters,
            (QueryParameters{{"command", "sh"}, {"command", "-c"}, {"x", "a b&="}, {"flag", ""}}));
  EXPECT_EQ(EncodeQuery({{"a b", "c&d"}, {"e", ""}}), "a%20b=c%26d&e=");
  EXPECT_FALSE(ParseQuery("a=%4").ok());
  EXPECT_TRUE(ParseQuery("")->empty());
}

RC_GTEST_PROP(Query, SurvivesTheWay, (const QueryParameters& parameters)) {
  auto back = ParseQuery(EncodeQuery(parameters));
  RC_ASSERT(back.ok());
  RC_ASSERT(*back == parameters);
}

RC_GTEST_PROP(PercentEncoding, SurvivesTheWay, (const std::string& text)) {
  const std::string encoded = PercentEncode(text);
  RC_ASSERT(*PercentDecode(encoded) == text);
  auto url = Url::Parse("http://h/" + encoded);
  RC_ASSERT(url.ok());
  RC_ASSERT(url->path == "/" + encoded);
}

}  // namespace
}  // namespace podium::http
