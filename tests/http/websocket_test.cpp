#include "http/websocket.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>
#include <sys/socket.h>

#include "http/channels.h"
#include "http/test_server.h"
#include "http/transport.h"

namespace podium::http {
namespace {

using ::testing::HasSubstr;
using namespace std::string_literals;
using ExchangePtr = std::shared_ptr<Exchange>;

using Mask4 = std::array<unsigned char, 4>;

TEST(WebSocketFrame, HeadersSurviveTheWay) {
  for (const uint64_t length : {uint64_t{0}, uint64_t{125}, uint64_t{126}, uint64_t{65535},
                                uint64_t{65536}, uint64_t{1} << 40}) {
    for (const auto& mask : {std::optional<Mask4>(), std::optional<Mask4>({1, 2, 3, 4})}) {
      const FrameHeader header{false, Opcode::kText, mask, length};
      const std::string bytes = SerializeFrameHeader(header);
      EXPECT_LE(bytes.size(), kMaxFrameHeader);
      auto parsed = ParseFrameHeader(bytes + "rest");
      ASSERT_TRUE(parsed.ok());
      EXPECT_EQ(parsed->header, header);
      EXPECT_EQ(parsed->size, bytes.size());
      for (size_t cut = 0; cut < bytes.size(); ++cut) {
        EXPECT_EQ(ParseFrameHeader(bytes.substr(0, cut))->size, 0U);
      }
    }
  }
}

TEST(WebSocketFrame, RefusesWhatIsNone) {
  for (const std::string& bytes : {
           "\xC1\x00"s,               // a reserved bit
           "\x83\x00"s, "\x8B\x00"s,  // unknown opcodes
           "\x09\x00"s,               // a fragmented ping
           "\x89\x7E\x00\x7E"s,       // a long one
           "\x82\x7E\x00\x7D"s,       // lengths that are too long for what they say
           "\x82\x7F\x00\x00\x00\x00\x00\x00\xFF\xFF"s,
           "\x82\x7F\x80\x00\x00\x00\x00\x00\x00\x00"s,  // beyond 63 bits
       }) {
    EXPECT_FALSE(ParseFrameHeader(bytes).ok());
  }
  EXPECT_EQ(ParseClose("")->code, 1005);
  EXPECT_EQ(ParseClose("\x03\xE8"
                       "bye")
                ->reason,
            "bye");
  for (const std::string& payload : {"\x03"s, "\x03\xE7"s, "\x03\xEC"s, "\x03\xED"s, "\x03\xEE"s,
                                     "\x03\xF7"s, "\x0B\xB7"s, "\x13\x88"s, "\x03\xE8\xFF"s}) {
    EXPECT_FALSE(ParseClose(payload).ok());
  }
}

RC_GTEST_PROP(WebSocketFrame, MaskingTwiceIsNothing, (const Mask4& mask, std::string text)) {
  const std::string before = text;
  const size_t cut = text.size() / 3;
  Mask(mask, 0, text);
  for (size_t i = 0; i < text.size(); ++i) {
    RC_ASSERT(static_cast<unsigned char>(text[i]) ==
              (static_cast<unsigned char>(before[i]) ^ mask[i % 4]));
  }
  // In pieces, as it arrives.
  Mask(mask, 0, {text.data(), cut});
  Mask(mask, cut, {text.data() + cut, text.size() - cut});
  RC_ASSERT(text == before);
}

// The server's half of a WebSocket, and the other end as raw bytes.
class WebSocketPair : public ::testing::Test {
 protected:
  WebSocketPair() {
    int fds[2];
    EXPECT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
    socket_ = std::make_unique<WebSocket>(StreamOver(*SocketTransport(UniqueFd(fds[0]))),
                                          WebSocket::Role::kServer, "", WebSocketLimits{1000});
    socket_->SetLimits({.idle = std::chrono::seconds(5)});
    peer_ = std::make_unique<Peer>(UniqueFd(fds[1]));
  }
  void SendFrame(Opcode opcode, std::string payload, bool fin = true) {
    FrameHeader header{fin, opcode, Mask4{9, 8, 7, 6}, payload.size()};
    Mask(*header.mask, 0, payload);
    peer_->Send(SerializeFrameHeader(header) + payload);
  }
  // The payload of the next frame, its opcode in front; lengths below 126.
  std::string NextFrame() {
    const std::string head = peer_->ReadExactly(2);
    if (head.size() < 2) return "";
    return std::to_string(head[0] & 0xF) + peer_->ReadExactly(static_cast<size_t>(head[1]));
  }
  // What Read says when the peer did wrong, and the code that the peer is told.
  std::string Failure() {
    auto message = socket_->Read();
    if (message.ok()) return "none";
    const std::string frame = NextFrame();
    if (frame.size() < 3 || frame[0] != '8') return "no close frame: " + frame;
    const auto byte = [&](size_t i) { return static_cast<unsigned char>(frame[i]); };
    return std::to_string(byte(1) * 256 + byte(2));
  }

  std::unique_ptr<WebSocket> socket_;
  std::unique_ptr<Peer> peer_;
};

TEST_F(WebSocketPair, ReadsMessages) {
  SendFrame(Opcode::kText, "h\xC3\xA4llo");
  SendFrame(Opcode::kBinary, std::string("\xFF\x00", 2));
  SendFrame(Opcode::kBinary, "");
  auto text = socket_->Read();
  ASSERT_TRUE(text.ok()) << text.error().message();
  EXPECT_TRUE((*text)->text);
  EXPECT_EQ((*text)->data, "h\xC3\xA4llo");
  auto binary = socket_->Read();
  EXPECT_FALSE((*binary)->text);
  EXPECT_EQ((*binary)->data, std::string("\xFF\x00", 2));
  EXPECT_EQ((*socket_->Read())->data, "");
}

TEST_F(WebSocketPair, JoinsFragmentsAndAnswersPingsAmidThem) {
  // A character of two bytes is cut in two.
  SendFrame(Opcode::kText, "a\xC3", false);
  SendFrame(Opcode::kPing, "still there?");
  SendFrame(Opcode::kContinuation, "", false);
  SendFrame(Opcode::kPong, "unasked");
  SendFrame(Opcode::kContinuation, "\xA4");
  EXPECT_EQ((*socket_->Read())->data, "a\xC3\xA4");
  EXPECT_EQ(NextFrame(), "10still there?");
}

TEST_F(WebSocketPair, ReadsBytesAsTheyCome) {
  std::thread writer([&] {
    std::string payload = "slowly";
    const FrameHeader header{true, Opcode::kText, Mask4{1, 2, 3, 4}, payload.size()};
    Mask(*header.mask, 0, payload);
    for (const char c : SerializeFrameHeader(header) + payload) {
      peer_->Send({&c, 1});
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
  });
  EXPECT_EQ((*socket_->Read())->data, "slowly");
  writer.join();
}

TEST_F(WebSocketPair, ClosesInOrder) {
  SendFrame(Opcode::kClose,
            "\x03\xE9"
            "away");
  EXPECT_FALSE(socket_->Read()->has_value());
  EXPECT_EQ(socket_->close_status().code, 1001);
  EXPECT_EQ(socket_->close_status().reason, "away");
  EXPECT_EQ(NextFrame(), "8\x03\xE9");
  EXPECT_FALSE(socket_->SendText("late").ok());
  EXPECT_FALSE(socket_->Read()->has_value());
}

TEST_F(WebSocketPair, ClosesFirst) {
  ASSERT_TRUE(socket_->Close(1000, "done").ok());
  ASSERT_TRUE(socket_->Close(1000, "twice").ok());
  EXPECT_EQ(NextFrame(),
            "8\x03\xE8"
            "done");
  // What was under way arrives.
  SendFrame(Opcode::kText, "last");
  SendFrame(Opcode::kClose, "");
  EXPECT_EQ((*socket_->Read())->data, "last");
  EXPECT_FALSE(socket_->Read()->has_value());
  EXPECT_EQ(socket_->close_status().code, 1005);
}

TEST_F(WebSocketPair, AnEndWithoutCloseIsAnError) {
  EXPECT_EQ(socket_->close_status().code, 1006);
  peer_->CloseWrite();
  EXPECT_EQ(socket_->Read().error().code(), Code::kUnavailable);
}

TEST_F(WebSocketPair, RefusesFramesWithoutMask) {
  peer_->Send(std::string("\x81\x02hi", 4));
  EXPECT_EQ(Failure(), "1002");
}

TEST_F(WebSocketPair, RefusesReservedBits) {
  peer_->Send(std::string("\xC1\x80\x01\x02\x03\x04", 6));
  EXPECT_EQ(Failure(), "1002");
}

TEST_F(WebSocketPair, RefusesAContinuationOfNothing) {
  SendFrame(Opcode::kContinuation, "x");
  EXPECT_EQ(Failure(), "1002");
}

TEST_F(WebSocketPair, RefusesAMessageWithinAnother) {
  SendFrame(Opcode::kText, "x", false);
  SendFrame(Opcode::kText, "y");
  EXPECT_EQ(Failure(), "1002");
}

TEST_F(WebSocketPair, RefusesTextThatIsNone) {
  SendFrame(Opcode::kText, "\xC3");
  EXPECT_EQ(Failure(), "1007");
}

TEST_F(WebSocketPair, RefusesBadCloseFrames) {
  SendFrame(Opcode::kClose, "x");
  EXPECT_EQ(Failure(), "1002");
}

TEST_F(WebSocketPair, RefusesWhatIsTooLarge) {
  SendFrame(Opcode::kBinary, std::string(1000, 'x'));
  EXPECT_TRUE(socket_->Read().ok());
  SendFrame(Opcode::kBinary, std::string(600, 'x'), false);
  SendFrame(Opcode::kContinuation, std::string(401, 'x'));
  EXPECT_EQ(Failure(), "1009");
}

// A header may announce what it likes: memory comes with the bytes.
TEST_F(WebSocketPair, RefusesWhatIsAnnouncedAsTooLarge) {
  peer_->Send(SerializeFrameHeader({true, Opcode::kBinary, Mask4{}, uint64_t{1} << 62}));
  EXPECT_EQ(Failure(), "1009");
}

class WebSocketOverHttp : public ::testing::Test {
 protected:
  Result<WebSocketAnswer> Connect(const TestServer& server,
                                  const std::vector<std::string>& protocols, Headers headers = {}) {
    return ConnectWebSocket(client_, {.url = server.Url("/"), .headers = std::move(headers)},
                            protocols);
  }
  static Treatment LongRunning(const RequestHead&) { return {.long_running = true}; }
  const Client client_ = *Client::Create();
};

TEST_F(WebSocketOverHttp, EchoesEverySize) {
  TestServer server(
      [](const ExchangePtr& exchange) {
        auto socket = AcceptWebSocket(*exchange, {});
        ASSERT_TRUE(socket.ok());
        while (true) {
          auto message = (*socket)->Read();
          ASSERT_TRUE(message.ok()) << message.error().message();
          if (!*message) break;
          const auto& [text, data] = **message;
          ASSERT_TRUE((text ? (*socket)->SendText(data) : (*socket)->SendBinary(data)).ok());
        }
      },
      {.treatment = LongRunning});
  auto answer = Connect(server, {});
  ASSERT_TRUE(answer.ok()) << answer.error().message();
  ASSERT_TRUE(answer->socket);
  for (const size_t size : {0U, 1U, 125U, 126U, 127U, 65535U, 65536U, 3000000U}) {
    const std::string data(size, 'x');
    ASSERT_TRUE(answer->socket->SendText(data).ok());
    EXPECT_EQ((*answer->socket->Read())->data, data);
  }
  EXPECT_FALSE(answer->socket->SendText("\xFF").ok());
  ASSERT_TRUE(answer->socket->Close(1000, "").ok());
  EXPECT_FALSE(answer->socket->Read()->has_value());
  EXPECT_EQ(answer->socket->close_status().code, 1000);
}

TEST_F(WebSocketOverHttp, ChoosesTheClientsFirstProtocol) {
  TestServer server([](const ExchangePtr& exchange) {
    auto socket = AcceptWebSocket(*exchange, {"b", "c"});
    if (socket.ok()) (void)(*socket)->Close(1000);
  });
  EXPECT_EQ(Connect(server, {"a", "c", "b"})->socket->protocol(), "c");
  auto none = Connect(server, {"a"});
  ASSERT_TRUE(none.ok());
  EXPECT_FALSE(none->socket);
  EXPECT_EQ(none->refusal->status(), 400);
  EXPECT_EQ(*none->refusal->ReadAll(100), "websocket: unsupported protocol\n");
}

TEST_F(WebSocketOverHttp, RefusesRequestsThatAreNone) {
  TestServer server(
      [](const ExchangePtr& exchange) { EXPECT_FALSE(AcceptWebSocket(*exchange, {}).ok()); });
  const std::string cases[] = {
      "GET / HTTP/1.1\r\nHost: h\r\n",
      "GET / HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
      "Sec-WebSocket-Version: 8\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n",
      "GET / HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
      "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: short\r\n",
      "POST / HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
      "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n",
  };
  for (const std::string& head : cases) {
    const auto client = server.Connect();
    client->Send(head + "Connection: close\r\n\r\n");
    EXPECT_THAT(client->ReadToEnd(), HasSubstr("400 Bad Request")) << head;
  }
}

// The example of RFC 6455, section 1.3.
TEST_F(WebSocketOverHttp, ProvesThatItKnowsTheProtocol) {
  TestServer server([](const ExchangePtr& exchange) {
    auto socket = AcceptWebSocket(*exchange, {"chat"});
    if (socket.ok()) (void)(*socket)->Close(1000);
  });
  const auto client = server.Connect();
  client->Send(
      "GET /chat HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nConnection: keep-alive, Upgrade\r\n"
      "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nOrigin: http://example.com\r\n"
      "Sec-WebSocket-Protocol: chat, superchat\r\nSec-WebSocket-Version: 13\r\n\r\n");
  EXPECT_EQ(client->ReadHead(),
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
            "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"
            "Sec-WebSocket-Protocol: chat\r\nConnection: Upgrade\r\n\r\n");
}

TEST_F(WebSocketOverHttp, DoesNotBelieveEvery101) {
  for (const char* lie : {"Sec-WebSocket-Accept: wrong\r\n", ""}) {
    PeerServer server([&](Peer& peer, int) {
      peer.ReadHead();
      peer.Send(std::string("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
                            "Connection: Upgrade\r\n") +
                lie + "\r\n");
    });
    auto answer = ConnectWebSocket(client_, {.url = server.Url("/")}, {});
    EXPECT_EQ(answer.error().code(), Code::kUnsupported);
  }
}

TEST_F(WebSocketOverHttp, CarriesChannels) {
  for (const std::string_view version : {kChannelsV5, kChannelsV4}) {
    TestServer server(
        [](const ExchangePtr& exchange) {
          auto socket = AcceptWebSocket(*exchange, ChannelProtocols());
          ASSERT_TRUE(socket.ok());
          Channels channels(*std::move(socket));
          std::string input;
          while (true) {
            auto message = channels.Read();
            ASSERT_TRUE(message.ok()) << message.error().message();
            if (!*message || (*message)->closed) break;
            input += (*message)->data;
            if (!channels.can_close_channels() && input.ends_with("\n")) break;
          }
          ASSERT_TRUE(channels.Send(RemoteChannel::kStdout, input).ok());
          ASSERT_TRUE(channels.Send(RemoteChannel::kError, "{\"status\":\"Success\"}").ok());
          ASSERT_TRUE(channels.socket().Close(1000).ok());
        },
        {.treatment = LongRunning});
    auto answer = Connect(server, {std::string(version)});
    ASSERT_TRUE(answer.ok()) << answer.error().message();
    Channels channels(std::move(answer->socket));
    EXPECT_EQ(channels.can_close_channels(), version == kChannelsV5);
    ASSERT_TRUE(channels.Send(RemoteChannel::kStdin, std::string(100000, 'x') + "\n").ok());
    EXPECT_EQ(channels.CloseChannel(0).ok(), version == kChannelsV5);
    std::string output;
    std::string status;
    while (true) {
      auto message = channels.Read();
      ASSERT_TRUE(message.ok()) << message.error().message();
      if (!*message) break;
      // No message is larger than what others take.
      EXPECT_LT((*message)->data.size(), size_t{32} << 10);
      ((*message)->channel == 1 ? output : status) += (*message)->data;
    }
    EXPECT_EQ(output, std::string(100000, 'x') + "\n");
    EXPECT_EQ(status, "{\"status\":\"Success\"}");
  }
}

TEST(TerminalSize, IsReadAsGoReadsIt) {
  EXPECT_EQ(EncodeTerminalSize({80, 24}), R"({"Width":80,"Height":24})");
  EXPECT_EQ(*DecodeTerminalSize(EncodeTerminalSize({65535, 1})), (TerminalSize{65535, 1}));
  EXPECT_EQ(*DecodeTerminalSize(R"({"height":5,"other":{},"WIDTH":6})"), (TerminalSize{6, 5}));
  EXPECT_EQ(*DecodeTerminalSize("{}"), TerminalSize{});
  for (const char* text : {"", "[]", R"({"Width":-1})", R"({"Width":65536})", R"({"Width":"1"})",
                           R"({"Width":1.5})"}) {
    EXPECT_FALSE(DecodeTerminalSize(text).ok()) << text;
  }
}

}  // namespace
}  // namespace podium::http
