#include "image/registry_errors.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "image/backoff.h"
#include "image/registry.h"

namespace podium::image {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST(RegistryMessageTest, OfRegistriesAndTokenServers) {
  EXPECT_EQ(RegistryMessage(R"({"errors":[{"code":"NAME_UNKNOWN","message":"not known to us"},)"
                            R"({"code":"DENIED"}, 5]})"),
            "name unknown: not known to us, denied");
  EXPECT_EQ(RegistryMessage(R"({"details":"incorrect username or password"})"),
            "incorrect username or password");
  EXPECT_EQ(RegistryMessage(R"({"error":"invalid_grant","error_description":"gone"})"), "gone");
  EXPECT_EQ(RegistryMessage("<html>"), "");
  EXPECT_EQ(RegistryMessage("[]"), "");
  EXPECT_EQ(RegistryMessage(R"({"errors":[{"message":"a\u001b[31mb\n"}]})"), ": a [31mb ");
  EXPECT_LT(RegistryMessage(R"({"message":")" + std::string(100'000, 'x') + R"("})").size(), 600);
}

TEST(RetryAfterTest, SecondsAndDates) {
  const auto now = std::chrono::system_clock::from_time_t(784111777);  // 08:49:37
  EXPECT_EQ(RetryAfter("120", now), seconds(120));
  EXPECT_EQ(RetryAfter("0", now), seconds(0));
  EXPECT_EQ(RetryAfter("Sun, 06 Nov 1994 08:50:00 GMT", now), seconds(23));
  EXPECT_EQ(RetryAfter("Sun, 06 Nov 1994 08:00:00 GMT", now), seconds(0));
  for (const char* bad : {"", "-1", "soon", "1.5", "Sun, 06 Nov 1994 08:50:00 GMT+1"}) {
    EXPECT_EQ(RetryAfter(bad, now), std::nullopt) << bad;
  }
}

TEST(BackoffTest, DoublesUpToTheMaximumWithAtLeastHalfOfEach) {
  const RetryPolicy policy{.attempts = 6,
                           .first_delay = milliseconds(1),
                           .max_delay = milliseconds(5),
                           .max_retry_after = milliseconds(1000)};
  Backoff backoff(policy);
  for (const int whole : {1, 2, 4, 5, 5}) {
    for (int i = 0; i < 50; ++i) {
      const auto delay = backoff.NextDelay();
      EXPECT_GE(delay, milliseconds(whole / 2));
      EXPECT_LE(delay, milliseconds(whole));
    }
    EXPECT_TRUE(*backoff.Wait(nullptr));
  }
  EXPECT_FALSE(*backoff.Wait(nullptr));
  backoff.Reset();
  EXPECT_TRUE(*backoff.Wait(nullptr));
  // More than anyone waits for.
  EXPECT_FALSE(*backoff.Wait(nullptr, seconds(2)));
}

TEST(BackoffTest, WaitsAsLongAsTheServerSaysUntilCancelled) {
  const RetryPolicy policy{.first_delay = milliseconds(1)};
  Backoff backoff(policy);
  const auto begin = std::chrono::steady_clock::now();
  EXPECT_TRUE(*backoff.Wait(nullptr, seconds(1)));
  EXPECT_GE(std::chrono::steady_clock::now() - begin, seconds(1));
  const auto cancellation = *http::Cancellation::Create();
  cancellation->Cancel();
  const auto waited = backoff.Wait(cancellation.get(), seconds(60));
  ASSERT_FALSE(waited.ok());
  EXPECT_EQ(waited.error().code(), Code::kCancelled);
}

TEST(BackoffTest, FarFailuresDoNotOverflow) {
  const RetryPolicy policy{
      .attempts = 1000, .first_delay = milliseconds(0), .max_delay = seconds(0)};
  Backoff backoff(policy);
  for (int i = 0; i < 100; ++i) EXPECT_TRUE(*backoff.Wait(nullptr));
}

TEST(RegistriesTest, EndpointsAreMirrorsThenTheRegistry) {
  RegistryOptions options;
  options.registries["docker.io"].mirrors = {"https://mirror.example/hub", "http://10.0.0.1:5000"};
  options.registries["plain.example:5000"].plain_http = true;
  Registries registries(options);
  const auto hub = *registries.EndpointsOf("docker.io");
  ASSERT_EQ(hub.size(), 3);
  EXPECT_EQ(hub[0].host, "mirror.example");
  EXPECT_EQ(hub[0].prefix, "hub/");
  EXPECT_EQ(hub[0].mirrored, "docker.io");
  EXPECT_EQ(hub[0].credentials_name, "mirror.example");
  EXPECT_THAT(registries.SchemesOf(hub[1]), ElementsAre("http"));
  EXPECT_EQ(hub[1].host, "10.0.0.1:5000");
  EXPECT_EQ(hub[2].host, "registry-1.docker.io");
  EXPECT_EQ(hub[2].credentials_name, "docker.io");
  EXPECT_THAT(registries.SchemesOf(hub[2]), ElementsAre("https"));

  const auto plain = registries.EndpointsOf("plain.example:5000")->front();
  EXPECT_THAT(registries.SchemesOf(plain), ElementsAre("https", "http"));
  registries.RememberScheme(plain, "http");
  EXPECT_THAT(registries.SchemesOf(plain), ElementsAre("http"));

  options.registries["bad.example"].mirrors = {"ftp//x"};
  const auto bad = Registries(options).EndpointsOf("bad.example");
  ASSERT_FALSE(bad.ok());
  EXPECT_THAT(bad.error().message(), HasSubstr("the mirror ftp//x"));
}

TEST(RegistriesTest, OnlyLoopbackIsLoopback) {
  for (const char* host :
       {"localhost", "localhost:5000", "127.0.0.1:5000", "127.9.9.9", "[::1]:80", "LOCALHOST"}) {
    EXPECT_TRUE(IsLoopbackHost(host)) << host;
  }
  for (const char* host :
       {"127.example.com", "localhost.example.com", "10.0.0.1", "[::2]", "128.0.0.1", "", "a b"}) {
    EXPECT_FALSE(IsLoopbackHost(host)) << host;
  }
}

TEST(AdviceTest, SaysWhatToDo) {
  const auto advised = [](Code code, const char* text) {
    return WithAdvice(Error(code, text), "r.example").message();
  };
  EXPECT_THAT(advised(Code::kUnsupported, "http: server gave HTTP response to HTTPS client"),
              HasSubstr("(r.example speaks plain HTTP: allow that for it"));
  EXPECT_THAT(advised(Code::kPermissionDenied, "tls: failed to verify certificate: x"),
              HasSubstr("trust the certificate's authority for r.example"));
  EXPECT_THAT(advised(Code::kNotFound, "lookup r.example: no such host"),
              HasSubstr("see whether the registry's name is right"));
  EXPECT_THAT(advised(Code::kUnavailable, "connect: Connection refused"),
              HasSubstr("nothing listens there"));
  EXPECT_THAT(advised(Code::kUnauthenticated, "x"), HasSubstr("imagePullSecret for r.example"));
  EXPECT_EQ(advised(Code::kNotFound, "a: not found"), "a: not found");
}

}  // namespace
}  // namespace podium::image
