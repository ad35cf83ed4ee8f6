#include "http/proxy.h"

#include <gtest/gtest.h>

#include <map>

namespace podium::http {
namespace {

bool Proxied(const std::string& no_proxy, const std::string& url) {
  const ProxySettings settings{"proxy:3128", "proxy:3129", no_proxy};
  return ProxyFor(settings, *Url::Parse(url))->has_value();
}

TEST(Proxy, ReadsTheEnvironmentAsGoDoes) {
  std::map<std::string, const char*> environment = {{"HTTP_PROXY", "upper"},
                                                    {"http_proxy", "lower"},
                                                    {"HTTPS_PROXY", ""},
                                                    {"https_proxy", "lower"},
                                                    {"no_proxy", "a,b"}};
  const ProxySettings settings = ProxyFromEnvironment([&](const char* name) {
    const auto found = environment.find(name);
    return found == environment.end() ? nullptr : found->second;
  });
  EXPECT_EQ(settings.http_proxy, "upper");
  EXPECT_EQ(settings.https_proxy, "lower");
  EXPECT_EQ(settings.no_proxy, "a,b");
}

TEST(Proxy, IsChosenByScheme) {
  const ProxySettings settings{"plain:3128", "https://user:pass@secure", ""};
  EXPECT_EQ((*ProxyFor(settings, *Url::Parse("http://h/")))->ToString(), "http://plain:3128/");
  const Url secure = **ProxyFor(settings, *Url::Parse("https://h/"));
  EXPECT_EQ(secure.ToString(), "https://secure/");
  EXPECT_EQ(secure.user_info, "user:pass");
  EXPECT_FALSE(ProxyFor({}, *Url::Parse("http://h/"))->has_value());
}

TEST(Proxy, ThatIsNone) {
  EXPECT_EQ(ProxyFor({.http_proxy = "http://a b"}, *Url::Parse("http://h/")).error().code(),
            Code::kInvalidArgument);
  EXPECT_EQ(ProxyFor({.http_proxy = "ftp://h"}, *Url::Parse("http://h/")).error().code(),
            Code::kUnsupported);
}

TEST(Proxy, ThatIsForEverything) {
  const ProxySettings settings{.http_proxy = "other", .no_proxy = "*", .always = "socks5://p:1"};
  for (const char* url : {"http://localhost/", "https://127.0.0.1/", "https://h/"}) {
    const auto proxy = ProxyFor(settings, *Url::Parse(url));
    ASSERT_TRUE(proxy.ok() && *proxy) << url;
    EXPECT_EQ((*proxy)->scheme, "socks5");
  }
  EXPECT_EQ(ProxyFor({.always = "a b"}, *Url::Parse("http://h/")).error().code(),
            Code::kInvalidArgument);
}

TEST(NoProxy, LoopbackIsAlwaysReachedDirectly) {
  for (const char* url : {"http://localhost/", "http://127.0.0.1/", "http://127.8.8.8:5000/",
                          "https://[::1]/", "http://[::ffff:127.0.0.1]/"}) {
    EXPECT_FALSE(Proxied("", url)) << url;
  }
  EXPECT_TRUE(Proxied("", "http://localhost.example/"));
}

TEST(NoProxy, Names) {
  EXPECT_FALSE(Proxied("example.com", "http://example.com/"));
  EXPECT_FALSE(Proxied("example.com", "http://a.example.com/"));
  EXPECT_FALSE(Proxied(" Example.COM ", "http://A.Example.com/"));
  EXPECT_TRUE(Proxied("example.com", "http://notexample.com/"));
  EXPECT_TRUE(Proxied(".example.com", "http://example.com/"));
  EXPECT_FALSE(Proxied(".example.com", "http://a.example.com/"));
  EXPECT_TRUE(Proxied("*.example.com", "http://example.com/"));
  EXPECT_FALSE(Proxied("*.example.com", "http://a.example.com/"));
  EXPECT_FALSE(Proxied("x,*,y", "http://anything/"));
  EXPECT_FALSE(Proxied("a.example:8080", "http://a.example:8080/"));
  EXPECT_TRUE(Proxied("a.example:8080", "http://a.example/"));
  EXPECT_FALSE(Proxied("a.example:80", "http://a.example/"));
  EXPECT_TRUE(Proxied(",, ,:80,.", "http://a.example/"));
}

TEST(NoProxy, Addresses) {
  EXPECT_FALSE(Proxied("10.1.2.3", "http://10.1.2.3/"));
  EXPECT_TRUE(Proxied("10.1.2.3", "http://10.1.2.30/"));
  EXPECT_FALSE(Proxied("10.1.2.3:81", "http://10.1.2.3:81/"));
  EXPECT_TRUE(Proxied("10.1.2.3:81", "http://10.1.2.3/"));
  EXPECT_FALSE(Proxied("10.0.0.0/8", "http://10.255.0.1/"));
  EXPECT_TRUE(Proxied("10.0.0.0/8", "http://11.0.0.1/"));
  EXPECT_FALSE(Proxied("10.0.0.128/25", "http://10.0.0.200/"));
  EXPECT_TRUE(Proxied("10.0.0.128/25", "http://10.0.0.100/"));
  EXPECT_TRUE(Proxied("10.0.0.0/33", "http://10.0.0.0/"));
  EXPECT_TRUE(Proxied("0.0.0.0/0", "http://name/"));
  EXPECT_FALSE(Proxied("0.0.0.0/0", "http://9.9.9.9/"));
  EXPECT_TRUE(Proxied("::/0", "http://9.9.9.9/"));
  EXPECT_FALSE(Proxied("fd00::/8", "http://[fd12::1]/"));
  EXPECT_FALSE(Proxied("fd12::1", "http://[fd12:0::1]/"));
  EXPECT_FALSE(Proxied("[fd12::1]", "http://[fd12::1]/"));
  EXPECT_FALSE(Proxied("[fd12::1]:80", "http://[fd12::1]/"));
  EXPECT_TRUE(Proxied("[fd12::1]:81", "http://[fd12::1]/"));
}

}  // namespace
}  // namespace podium::http
