#include "apiserver/nodes/translation.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "api/status.h"

namespace podium::apiserver {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

http::ServerRequest Asked(const std::string& protocols, const std::string& upgrade = "websocket") {
  http::ServerRequest request;
  request.head = {.method = "GET",
                  .target = "/x",
                  .headers = {{"Host", "proxy"},
                              {"Authorization", "Bearer secret"},
                              {"Connection", "Upgrade"},
                              {"Upgrade", upgrade},
                              {"User-Agent", "me"},
                              {"Sec-WebSocket-Version", "13"},
                              {"Sec-WebSocket-Key", "AAAAAAAAAAAAAAAAAAAAAA=="},
                              {"Sec-WebSocket-Protocol", protocols}}};
  return request;
}

const BackendLocation kOld{
    .https = true, .host = "10.0.0.1", .port = "10250", .path = "/exec/a/b/c", .query = "tty=1"};

TEST(TranslationOf, OnlyWhatTheKubeletDoesNotSpeak) {
  const auto of = [](const std::string& protocols, std::string_view subresource,
                     bool speaks_websocket = false, const std::string& upgrade = "websocket") {
    BackendLocation location = kOld;
    location.speaks_websocket = speaks_websocket;
    return TranslationOf(Asked(protocols, upgrade).head, subresource, location);
  };
  constexpr auto kNone = StreamTranslation::kNone;
  EXPECT_EQ(of("v5.channel.k8s.io", "exec"), StreamTranslation::kChannels);
  EXPECT_EQ(of("v4.channel.k8s.io, v5.channel.k8s.io", "attach"), StreamTranslation::kChannels);
  EXPECT_EQ(of("v4.channel.k8s.io", "exec"), kNone);
  EXPECT_EQ(of("v5.channel.k8s.io", "exec", true), kNone);
  EXPECT_EQ(of("v5.channel.k8s.io", "exec", false, "SPDY/3.1"), kNone);
  EXPECT_EQ(of("v5.channel.k8s.io", "portforward"), kNone);
  EXPECT_EQ(of("x, SPDY/3.1+portforward.k8s.io", "portforward"), StreamTranslation::kTunnel);
  EXPECT_EQ(of("SPDY/3.1+portforward", "portforward"), kNone);
  EXPECT_EQ(of("SPDY/3.1+portforward.k8s.io", "portforward", true), kNone);
}

TEST(TranslatedHead, OfACommandIsTheServersOwn) {
  const auto head = TranslatedHead(Asked("v5.channel.k8s.io"), StreamTranslation::kChannels, kOld);
  EXPECT_EQ(head.method, "POST");
  EXPECT_EQ(head.target, "/exec/a/b/c?tty=1");
  const http::Headers expected{{"Host", "10.0.0.1:10250"},
                               {"Connection", "Upgrade"},
                               {"X-Stream-Protocol-Version", "v5.channel.k8s.io"},
                               {"X-Stream-Protocol-Version", "v4.channel.k8s.io"},
                               {"Content-Length", "0"},
                               {"Upgrade", "SPDY/3.1"}};
  EXPECT_EQ(head.headers, expected);
}

TEST(TranslatedHead, OfATunnelIsTheClients) {
  const auto head = TranslatedHead(Asked("SPDY/3.1+portforward.k8s.io, x, SPDY/3.1+v9.k8s.io"),
                                   StreamTranslation::kTunnel, kOld);
  EXPECT_EQ(head.method, "POST");
  EXPECT_EQ(head.headers.Get("User-Agent"), "me");
  EXPECT_EQ(head.headers.Get("Upgrade"), "SPDY/3.1");
  EXPECT_THAT(head.headers.All("X-Stream-Protocol-Version"),
              ElementsAre("portforward.k8s.io", "v9.k8s.io"));
  for (const char* name :
       {"Authorization", "Sec-WebSocket-Key", "Sec-WebSocket-Version", "Sec-WebSocket-Protocol"}) {
    EXPECT_EQ(head.headers.Find(name), nullptr) << name;
  }
}

TEST(SpdyProtocolOf, IsThatOfASwitchToSpdy) {
  const auto of = [](http::Headers headers) {
    return SpdyProtocolOf({.status = 101, .headers = std::move(headers)});
  };
  EXPECT_EQ(*of({{"Connection", "upgrade"},
                 {"Upgrade", "spdy/3.1"},
                 {"X-Stream-Protocol-Version", "v4.channel.k8s.io"}}),
            "v4.channel.k8s.io");
  EXPECT_EQ(*of({{"Connection", "Upgrade"}, {"Upgrade", "SPDY/3.1"}}), "");
  EXPECT_EQ(of({{"Connection", "Upgrade"}, {"Upgrade", "websocket"}}).error().message(),
            "unable to upgrade: missing upgrade headers in response");
  EXPECT_FALSE(of({{"Upgrade", "SPDY/3.1"}}).ok());
}

std::string Internal(const std::string& why) {
  return R"({"metadata":{},"status":"Failure","message":"Internal error occurred: )" + why +
         R"(","reason":"InternalError","details":{"causes":[{"message":")" + why +
         R"("}]},"code":500})";
}

TEST(CommandStatus, InUpstreamsWords) {
  const std::string success = R"({"metadata":{},"status":"Success"})";
  EXPECT_EQ(CommandStatus(""), success);
  EXPECT_EQ(CommandStatus(R"({"metadata":{},"status":"Success","message":"x"})"), success);
  EXPECT_EQ(CommandStatus(R"({"status":"Failure","reason":"NonZeroExitCode","message":"x",)"
                          R"("details":{"causes":[{"reason":"ExitCode","message":"255"}]}})"),
            R"({"metadata":{},"status":"Failure","message":"command terminated with non-zero exit )"
            R"(code: command terminated with exit code 255","reason":"NonZeroExitCode",)"
            R"("details":{"causes":[{"reason":"ExitCode","message":"255"}]}})");
  EXPECT_EQ(CommandStatus(R"({"status":"Failure","message":"no such container"})"),
            Internal("no such container"));
  EXPECT_EQ(CommandStatus(R"({"status":"Failure","reason":"NonZeroExitCode"})"),
            Internal("error stream protocol error: details must be set"));
  EXPECT_EQ(CommandStatus(R"({"status":"Failure","reason":"NonZeroExitCode","details":{}})"),
            Internal("error stream protocol error: no ExitCode cause given"));
  for (const char* code : {"256", "-1", "x", ""}) {
    EXPECT_EQ(CommandStatus(R"({"status":"Failure","reason":"NonZeroExitCode","details":)"
                            R"({"causes":[{"reason":"ExitCode","message":")" +
                            std::string(code) + R"("}]}})"),
              Internal("error stream protocol error: invalid exit code value \\\"" +
                       std::string(code) + "\\\""));
  }
  EXPECT_EQ(CommandStatus(R"({"status":"Maybe"})"),
            Internal("error stream protocol error: unknown error"));
  EXPECT_THAT(CommandStatus("oops"), HasSubstr("error stream protocol error: "));
}

TEST(CommandStatus, WithoutAnEndIsNoSuccess) {
  EXPECT_EQ(CommandStatus(std::nullopt),
            Internal("the node is gone before the end of the command"));
}

TEST(RefusedCommandStatus, IsWhatTheNodeSays) {
  EXPECT_EQ(RefusedCommandStatus("container not found\n"),
            Internal("unable to upgrade connection: container not found"));
  EXPECT_EQ(RefusedCommandStatus(R"({"kind":"Status","apiVersion":"v1","metadata":{},)"
                                 R"("status":"Failure","code":403})"),
            R"({"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure","code":403})");
  EXPECT_EQ(RefusedCommandStatus("{}"), Internal("unable to upgrade connection: {}"));
}

}  // namespace
}  // namespace podium::apiserver
