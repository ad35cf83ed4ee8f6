// URLs as Go reads them, by the ideas of net/url's TestParse, TestParseErrors and
// TestParseRequestURI.
#include "api/go_url.h"

#include <gtest/gtest.h>

#include <string>

namespace podium::api {
namespace {

// "scheme|user|host|query|fragment", or the error.
std::string Text(const Result<GoUrl>& url) {
  if (!url.ok()) return url.error().message();
  std::string text = url->scheme + "|" + std::string(url->user.value_or("-")) + "|";
  text.append(url->host).append("|").append(url->query).append("|").append(url->fragment);
  return text;
}

TEST(GoUrl, Parts) {
  EXPECT_EQ(Text(ParseGoUrl("https://u:p@a.b:80/c?d=e#f")), "https|u:p|a.b:80|d=e|f");
  EXPECT_EQ(Text(ParseGoUrl("HTTPS://A")), "https|-|A||");
  EXPECT_EQ(Text(ParseGoUrl("")), "|-|||");
  EXPECT_EQ(Text(ParseGoUrl("*")), "|-|||");
  EXPECT_EQ(Text(ParseGoUrl("a/b:c")), "|-|||");
  EXPECT_EQ(Text(ParseGoUrl("//a/b")), "|-|a||");
  EXPECT_EQ(Text(ParseGoUrl("///a")), "|-|||");
  EXPECT_EQ(Text(ParseGoUrl("https:///a")), "https|-|||");
  EXPECT_EQ(Text(ParseGoUrl("mailto:a@b?c")), "mailto|-||c|");
  EXPECT_EQ(Text(ParseGoUrl("1a:b/c")),
            "parse \"1a:b/c\": first path segment in URL cannot contain colon");
  EXPECT_EQ(Text(ParseGoUrl("http://[::1]:80/")), "http|-|[::1]:80||");
  EXPECT_EQ(Text(ParseGoUrl("http://[fe80::1%25en0]/")), "http|-|[fe80::1%25en0]||");
  EXPECT_EQ(Text(ParseGoUrl("http://a:")), "http|-|a:||");
  EXPECT_EQ(Text(ParseGoUrl("http://%e4.b/%20")), "http|-|%e4.b||");
  EXPECT_EQ(Text(ParseGoUrl("http://@a/")), "http||a||");
}

TEST(GoUrl, Errors) {
  const struct {
    const char* url;
    const char* problem;
  } cases[] = {
      {":a", "missing protocol scheme"},
      {"a:b:c//", nullptr},
      {"http://a\x7f/", "net/url: invalid control character in URL"},
      {"http://a:b", "invalid port \":b\" after host"},
      {"http://[::1]b", "invalid port \"b\" after host"},
      {"http://[::1", "missing ']' in host"},
      {"http://a b/", "invalid character \" \" in host name"},
      {"http://a%20/", "invalid URL escape \"%20\""},
      {"http://a%2", "invalid URL escape \"%2\""},
      {"http://a/%zz", "invalid URL escape \"%zz\""},
      {"http://a^b@c/", "net/url: invalid userinfo"},
      {"http://a%@b/", "invalid URL escape \"%\""},
  };
  for (const auto& [url, problem] : cases) {
    const auto parsed = ParseGoUrl(url);
    if (problem == nullptr) {
      EXPECT_TRUE(parsed.ok()) << url;
      continue;
    }
    ASSERT_FALSE(parsed.ok()) << url;
    EXPECT_TRUE(parsed.error().message().starts_with("parse \"")) << parsed.error().message();
    EXPECT_TRUE(parsed.error().message().ends_with(std::string("\": ") + problem))
        << parsed.error().message();
  }
  // The fragment is no part of what is shown, but where it is at fault.
  EXPECT_EQ(Text(ParseGoUrl("http://a:b#c")),
            "parse \"http://a:b\": invalid port \":b\" after host");
  EXPECT_EQ(Text(ParseGoUrl("http://a#%z")), "parse \"http://a#%z\": invalid URL escape \"%z\"");
}

TEST(GoUrl, Requests) {
  EXPECT_EQ(Text(ParseGoRequestUri("/a:b?c#d")), "|-||c#d|");
  EXPECT_EQ(Text(ParseGoRequestUri("//a/b")), "|-|||");
  EXPECT_EQ(Text(ParseGoRequestUri("https://a/b")), "https|-|a||");
  EXPECT_EQ(Text(ParseGoRequestUri("")), "parse \"\": empty url");
  EXPECT_EQ(Text(ParseGoRequestUri("a")), "parse \"a\": invalid URI for request");
}

}  // namespace
}  // namespace podium::api
