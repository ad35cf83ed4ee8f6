#include "apiserver/nodes/forward.h"

#include <gtest/gtest.h>

#include "apiserver/nodes/node_way.h"

namespace podium::apiserver {
namespace {

http::ServerRequest Asked(http::Headers headers, std::string method = "GET") {
  http::ServerRequest request;
  request.head = {.method = std::move(method), .target = "/x", .headers = std::move(headers)};
  auto remote = std::make_shared<http::RemoteEnd>();
  remote->address = "[fd00::1]:4711";
  request.remote = remote;
  return request;
}

const BackendLocation kWeb{.host = "fd00::2", .port = "80", .path = "/a%20b", .query = "c=d"};

TEST(ForwardedHead, WithoutWhatIsTheServersOrTheConnections) {
  const auto head = ForwardedHead(Asked({{"Host", "proxy"},
                                         {"Authorization", "Bearer secret"},
                                         {"Impersonate-User", "admin"},
                                         {"impersonate-extra-scopes", "all"},
                                         {"Connection", "keep-alive, X-Hop"},
                                         {"X-Hop", "1"},
                                         {"Keep-Alive", "5"},
                                         {"TE", "trailers, deflate"},
                                         {"Transfer-Encoding", "chunked"},
                                         {"Content-Length", "5"},
                                         {"Expect", "100-continue"},
                                         {"Upgrade", "h2c"},
                                         {"X-Forwarded-For", "10.0.0.9"},
                                         {"Cookie", "a=b"},
                                         {"Accept", "a"},
                                         {"Accept", "b"}}),
                                  kWeb);
  EXPECT_EQ(head.target, "/a%20b?c=d");
  const http::Headers expected{{"Host", "proxy"},
                               {"Cookie", "a=b"},
                               {"Accept", "a"},
                               {"Accept", "b"},
                               {"X-Forwarded-For", "10.0.0.9, fd00::1"},
                               {"Te", "trailers"},
                               {"Connection", "close"}};
  EXPECT_EQ(head.headers, expected);
}

TEST(ForwardedHead, OfAnUpgrade) {
  const auto head = ForwardedHead(
      Asked({{"Connection", "Upgrade"},
             {"Upgrade", "websocket"},
             {"Sec-WebSocket-Key", "k"},
             {"Sec-WebSocket-Protocol",
              "base64url.bearer.authorization.k8s.io.c2VjcmV0, v4.channel.k8s.io, x"}}),
      kWeb);
  const http::Headers expected{{"Host", "[fd00::2]:80"},
                               {"Sec-WebSocket-Key", "k"},
                               {"Sec-WebSocket-Protocol", "v4.channel.k8s.io, x"},
                               {"X-Forwarded-For", "fd00::1"},
                               {"Connection", "Upgrade"},
                               {"Upgrade", "websocket"}};
  EXPECT_EQ(head.headers, expected);
}

TEST(AnswerHeaders, WithoutWhatIsTheConnections) {
  const http::ResponseHead head{.headers = {{"Content-Type", "x"},
                                            {"Content-Length", "1"},
                                            {"Connection", "close, X-Hop"},
                                            {"X-Hop", "1"},
                                            {"Trailer", "y"},
                                            {"access-control-allow-origin", "*"},
                                            {"Set-Cookie", "a"},
                                            {"Set-Cookie", "b"}}};
  const http::Headers expected{{"Content-Type", "x"}, {"Set-Cookie", "a"}, {"Set-Cookie", "b"}};
  EXPECT_EQ(AnswerHeaders(head), expected);
}

TEST(SplitProxyPath, KeepsTheClientsEncoding) {
  const std::string decoded = "/api/v1/namespaces/a/pods/b:8/proxy/c d/e";
  const std::string_view proxy = std::string_view(decoded).substr(decoded.find("proxy"), 5);
  const ProxyPath path =
      SplitProxyPath("/api/v1/namespaces/a/pods/b%3A8/proxy/c%20d/e?q=/", decoded, proxy);
  EXPECT_EQ(path.prefix, "/api/v1/namespaces/a/pods/b%3A8/proxy");
  EXPECT_EQ(path.rest, "/c%20d/e");
  const std::string bare = "/api/v1/nodes/proxy/proxy";
  const std::string_view last = std::string_view(bare).substr(bare.rfind("proxy"));
  EXPECT_EQ(SplitProxyPath("/api/v1/nodes/proxy/proxy?a", bare, last).rest, "");
  EXPECT_EQ(SplitProxyPath("/api/v1/nodes/proxy/proxy?a", bare, last).prefix, bare);
  // A target in absolute form (RFC 9112, section 3.2.2).
  EXPECT_EQ(SplitProxyPath("http://x/api/v1/n", decoded, proxy).rest, "/c%20d/e");
}

http::Treatment TreatmentOf(const std::string& target, http::Headers headers) {
  http::Treatment treatment;
  NodeWay::Treat({.method = "POST", .target = target, .headers = std::move(headers)}, &treatment);
  return treatment;
}

TEST(NodeWay, BodiesAreStreamedToProxiesAlone) {
  const http::Headers body{{"Content-Length", "5"}};
  EXPECT_TRUE(TreatmentOf("/api/v1/namespaces/a/pods/b/proxy", body).stream_body);
  EXPECT_TRUE(TreatmentOf("/api/v1/namespaces/a/services/b/proxy/c?d", body).stream_body);
  EXPECT_TRUE(TreatmentOf("/api/v1/nodes/b/proxy/c", body).stream_body);
  EXPECT_TRUE(
      TreatmentOf("/api/v1/nodes/b/proxy/c", {{"Transfer-Encoding", "chunked"}}).stream_body);
  EXPECT_FALSE(TreatmentOf("/api/v1/nodes/b/proxy/c", {{"Content-Length", "0"}}).stream_body);
  EXPECT_FALSE(TreatmentOf("/api/v1/namespaces/a/configmaps/b/proxy", body).stream_body);
  EXPECT_FALSE(TreatmentOf("/apis/apps/v1/namespaces/a/pods/b/proxy", body).stream_body);
  EXPECT_FALSE(TreatmentOf("/api/v1/namespaces/a/pods", body).stream_body);
  EXPECT_TRUE(TreatmentOf("/api/v1/namespaces/a/pods/b/log?follow=true", {}).long_running);
  EXPECT_TRUE(TreatmentOf("/api/v1/namespaces/a/pods/b/exec", {}).long_running);
  EXPECT_FALSE(TreatmentOf("/api/v1/namespaces/a/pods/b/status", {}).long_running);
}

}  // namespace
}  // namespace podium::apiserver
