// Translations between clients of WebSocket and servers of SPDY, byte for byte and over sockets.
#include "http/stream_translations.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>

#include <map>

#include "http/peer.h"
#include "http/spdy.h"
#include "http/test_server.h"
#include "http/websocket_frame.h"

namespace podium::http {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;

// As a client sends it.
std::string Masked(std::string_view payload, Opcode opcode = Opcode::kBinary, bool fin = true) {
  constexpr std::array<unsigned char, 4> kMask = {1, 2, 3, 4};
  std::string masked(payload);
  Mask(kMask, 0, masked);
  return SerializeFrameHeader(
             {.fin = fin, .opcode = opcode, .mask = kMask, .length = payload.size()}) +
         masked;
}

// What a client takes, frame by frame.
std::vector<std::pair<Opcode, std::string>> FramesOf(std::string_view bytes) {
  std::vector<std::pair<Opcode, std::string>> frames;
  while (!bytes.empty()) {
    const auto parsed = ParseFrameHeader(bytes);
    if (!parsed.ok() || parsed->size == 0) break;
    bytes.remove_prefix(parsed->size);
    frames.emplace_back(parsed->header.opcode, bytes.substr(0, parsed->header.length));
    bytes.remove_prefix(std::min<size_t>(bytes.size(), parsed->header.length));
  }
  return frames;
}

std::string Channel(int number, std::string_view bytes) {
  return static_cast<char>(number) + std::string(bytes);
}

// A kubelet's side of SPDY: it takes every stream.
struct Kubelet : SpdyListener {
  void OnOpen(uint32_t stream, const Headers& headers) override {
    names[stream] = headers.Get("streamType");
    streams[names[stream]] = stream;
    session.Reply(stream);
  }
  void OnReply(uint32_t /*stream*/, const Headers& /*headers*/) override {}
  void OnData(uint32_t stream, std::string_view bytes) override { got[names[stream]] += bytes; }
  void OnEnd(uint32_t stream) override { got[names[stream]] += "<end>"; }
  void OnReset(uint32_t stream) override { got[names[stream]] += "<reset>"; }
  void OnGoAway() override {}

  SpdySession session{SpdySession::Role::kServer};
  std::map<uint32_t, std::string> names;
  std::map<std::string, uint32_t> streams;
  std::map<std::string, std::string> got;
};

std::string Told(std::optional<std::string_view> said) {
  return said ? "said " + std::string(*said) : "nothing";
}

// A translation between both, byte by byte if wanted.
class ChannelsTest : public testing::Test {
 protected:
  void Begin(const RemoteStreams& streams) {
    kubelet_ = std::make_unique<Kubelet>();
    translation_ = TranslateChannels(streams, Told);
    Pass();
  }
  // Brings to the kubelet what is for it, and back.
  void Pass() {
    const std::string bytes = std::exchange(translation_->to_server, {});
    EXPECT_TRUE(kubelet_->session.Receive(bytes, *kubelet_).ok());
    const std::string back = std::exchange(kubelet_->session.output(), {});
    for (const char byte : back) translation_->FromServer({&byte, 1});
  }
  void Client(const std::string& bytes) {
    for (const char byte : bytes) translation_->FromClient({&byte, 1});
    Pass();
  }
  std::vector<std::pair<Opcode, std::string>> Frames() {
    return FramesOf(std::exchange(translation_->to_client, {}));
  }

  std::unique_ptr<Translation> translation_;
  std::unique_ptr<Kubelet> kubelet_;
};

TEST_F(ChannelsTest, ACommandFromBeginningToEnd) {
  Begin({.in = true, .out = true, .err = true});
  EXPECT_THAT(kubelet_->names, ElementsAre(Pair(1, "error"), Pair(3, "stdin"), Pair(5, "stdout"),
                                           Pair(7, "stderr")));
  EXPECT_THAT(Frames(), ElementsAre(Pair(Opcode::kBinary, Channel(1, ""))));
  Client(Masked(Channel(0, "in")) + Masked(Channel(0, "")) +
         Masked(Channel(0, "pu"), Opcode::kBinary, false) + Masked("p!", Opcode::kContinuation));
  EXPECT_EQ(kubelet_->got["stdin"], "inpup!");
  // What is of no channel of a client's is passed over.
  Client(Masked(Channel(1, "x")) + Masked(Channel(9, "x")) + Masked(Channel(4, "{}")) +
         Masked("\xff\x01"));
  Client(Masked(std::string("\xff\x00", 2)));
  EXPECT_EQ(kubelet_->got["stdin"], "inpup!<end>");
  kubelet_->session.Send(kubelet_->streams["stdout"], "out");
  kubelet_->session.Send(kubelet_->streams["stderr"], "err");
  Pass();
  std::string out;
  std::string err;
  for (const auto& [opcode, bytes] : Frames()) (bytes[0] == 1 ? out : err) += bytes.substr(1);
  EXPECT_EQ(out + err, "outerr");
  kubelet_->session.Send(kubelet_->streams["error"], "well");
  kubelet_->session.End(kubelet_->streams["error"]);
  kubelet_->session.End(kubelet_->streams["stdout"]);
  Pass();
  // Not before all has ended.
  EXPECT_FALSE(translation_->done);
  EXPECT_THAT(Frames(), IsEmpty());
  kubelet_->session.End(kubelet_->streams["stderr"]);
  Pass();
  EXPECT_TRUE(translation_->done);
  EXPECT_THAT(Frames(), ElementsAre(Pair(Opcode::kBinary, Channel(3, "said well")),
                                    Pair(Opcode::kClose, "\x03\xe8")));
}

TEST_F(ChannelsTest, ATerminalHasSizesAndNoErrors) {
  Begin({.in = true, .out = true, .err = true, .tty = true});
  EXPECT_THAT(kubelet_->names, ElementsAre(Pair(1, "error"), Pair(3, "stdin"), Pair(5, "stdout"),
                                           Pair(7, "resize")));
  Client(Masked(Channel(4, R"({"Width":80,"Height":24})")));
  EXPECT_EQ(kubelet_->got["resize"], R"({"Width":80,"Height":24})");
}

TEST_F(ChannelsTest, AnEndThatNobodyHasExplainedIsNoSuccess) {
  for (const bool reset : {true, false}) {
    Begin({.err = true});
    EXPECT_THAT(Frames(), ElementsAre(Pair(Opcode::kBinary, Channel(2, ""))));
    if (reset) {
      kubelet_->session.Reset(kubelet_->streams["error"], SpdyReset::kCancel);
      Pass();
    } else {
      translation_->ServerEnded();
    }
    EXPECT_TRUE(translation_->done);
    EXPECT_THAT(Frames(), ElementsAre(Pair(Opcode::kBinary, Channel(3, "nothing")),
                                      Pair(Opcode::kClose, "\x03\xe8")));
  }
}

TEST_F(ChannelsTest, WhatBreaksAProtocolEndsIt) {
  Begin({.out = true});
  Frames();
  translation_->FromServer(std::string_view("\x80\x02\0\x01\0\0\0\0", 8));  // version 2
  EXPECT_TRUE(translation_->done);
  EXPECT_THAT(Frames(), ElementsAre(Pair(Opcode::kBinary, Channel(3, "nothing")),
                                    Pair(Opcode::kClose, "\x03\xe8")));
  for (const std::string& bytes :
       {std::string("\x82\x01x"), Masked("x", Opcode::kContinuation),
        Masked("x", Opcode::kBinary, false) + Masked("x"), std::string("\xf2\x80")}) {
    Begin({.out = true});
    Frames();
    translation_->FromClient(bytes);
    EXPECT_TRUE(translation_->done);
    EXPECT_EQ(Frames().back(), std::pair(Opcode::kClose, std::string("\x03\xea")));
  }
}

TEST_F(ChannelsTest, PingsAreAnsweredAmidAMessage) {
  Begin({.in = true});
  Frames();
  Client(Masked(Channel(0, "a"), Opcode::kBinary, false) + Masked("you?", Opcode::kPing) +
         Masked("b", Opcode::kContinuation) + Masked("\x03\xe8", Opcode::kClose));
  EXPECT_EQ(kubelet_->got["stdin"], "ab");
  EXPECT_THAT(Frames(), ElementsAre(Pair(Opcode::kPong, "you?"), Pair(Opcode::kClose, "\x03\xe8")));
  EXPECT_TRUE(translation_->done);
}

TEST_F(ChannelsTest, StreamsOfTheServersOwnAreRefused) {
  Begin({.out = true});
  const auto opened = kubelet_->session.Open({{"streamType", "stdout"}});
  ASSERT_TRUE(opened.ok());
  kubelet_->names[*opened] = "own";
  Pass();
  Pass();
  EXPECT_EQ(kubelet_->got["own"], "<reset>");
}

TEST(RefuseChannels, IsAWholeSession) {
  const auto translation = RefuseChannels({.in = true}, "why");
  EXPECT_TRUE(translation->done);
  EXPECT_THAT(
      FramesOf(translation->to_client),
      ElementsAre(Pair(Opcode::kBinary, Channel(3, "")), Pair(Opcode::kBinary, Channel(3, "why")),
                  Pair(Opcode::kClose, "\x03\xe8")));
}

TEST(TranslateTunnel, PassesBytes) {
  const auto tunnel = TranslateTunnel();
  tunnel->FromClient(Masked("abc") + Masked("de"));
  EXPECT_EQ(std::exchange(tunnel->to_server, {}), "abcde");
  tunnel->FromServer(std::string(40000, 'x'));
  size_t size = 0;
  for (const auto& [opcode, bytes] : FramesOf(std::exchange(tunnel->to_client, {}))) {
    EXPECT_EQ(opcode, Opcode::kBinary);
    size += bytes.size();
  }
  EXPECT_EQ(size, 40000U);
  tunnel->ServerEnded();
  EXPECT_TRUE(tunnel->done);
  EXPECT_THAT(FramesOf(tunnel->to_client), ElementsAre(Pair(Opcode::kClose, "\x03\xe8")));
}

// Both ends of a tunnel between two sockets.
class RelayTest : public testing::Test {
 protected:
  RelayTest() {
    for (auto& pair : pairs_) EXPECT_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, pair.data()), 0);
    client_ = std::make_unique<Peer>(UniqueFd(pairs_[0][0]));
    server_ = std::make_unique<Peer>(UniqueFd(pairs_[1][0]));
    Relay(poller_,
          {.transport = *SocketTransport(UniqueFd(pairs_[0][1])), .first = Masked("early ")},
          {.transport = *SocketTransport(UniqueFd(pairs_[1][1])), .first = "soon "},
          TranslateTunnel(), [this] { over_ = true; });
  }
  ~RelayTest() override { poller_->Stop(); }
  // The bytes of the messages up to the close frame, or the end.
  std::string Read() {
    std::string got;
    for (const auto& [opcode, bytes] : FramesOf(client_->ReadToEnd())) {
      got += opcode == Opcode::kClose ? "<close>" : bytes;
    }
    return got;
  }

  std::shared_ptr<Poller> poller_ = *Poller::Create();
  std::array<std::array<int, 2>, 2> pairs_{};
  std::unique_ptr<Peer> client_;
  std::unique_ptr<Peer> server_;
  std::atomic<bool> over_ = false;
};

TEST_F(RelayTest, PassesWhatWasReadAlready) {
  client_->Send(Masked("late"));
  EXPECT_EQ(server_->ReadExactly(10), "early late");
  server_->Send("later");
  server_.reset();
  EXPECT_EQ(Read(), "soon later<close>");
  client_.reset();
  EXPECT_TRUE(Eventually([&] { return over_.load(); }));
}

TEST_F(RelayTest, AServerThatIsGoneHasSaidAllTheSame) {
  // More than there is room for, before the client reads any.
  const std::string much(size_t{3} << 20, 'x');
  std::thread sender([&] {
    server_->Send(much);
    server_.reset();
  });
  std::this_thread::sleep_for(100ms);
  EXPECT_EQ(Read(), "soon " + much + "<close>");
  sender.join();
}

TEST_F(RelayTest, WhatTheClientSaidBeforeItClosedArrives) {
  const std::string much(size_t{1} << 20, 'x');
  std::thread sender([&] { client_->Send(Masked(much) + Masked("\x03\xe8", Opcode::kClose)); });
  std::this_thread::sleep_for(100ms);
  EXPECT_EQ(server_->ReadToEnd(), "early " + much);
  sender.join();
  EXPECT_EQ(Read(), "soon <close>");
}

TEST_F(RelayTest, EndsWithAClientThatIsGone) {
  EXPECT_EQ(server_->ReadExactly(6), "early ");
  client_.reset();
  EXPECT_EQ(server_->ReadToEnd(), "");
  EXPECT_TRUE(Eventually([&] { return over_.load(); }));
}

TEST_F(RelayTest, WhoTakesNothingIsReadNoFurther) {
  timeval brief{.tv_sec = 0, .tv_usec = 300'000};
  setsockopt(client_->fd(), SOL_SOCKET, SO_SNDTIMEO, &brief, sizeof brief);
  setsockopt(server_->fd(), SOL_SOCKET, SO_SNDTIMEO, &brief, sizeof brief);
  const std::string piece(size_t{64} << 10, 'x');
  size_t to_server = 0;
  while (to_server < size_t{64} << 20 && client_->Send(Masked(piece))) to_server += piece.size();
  EXPECT_LT(to_server, size_t{8} << 20);
  size_t to_client = 0;
  while (to_client < size_t{64} << 20 && server_->Send(piece)) to_client += piece.size();
  EXPECT_LT(to_client, size_t{8} << 20);
  // Nor who asks and takes no answers.
  EXPECT_FALSE(over_);
}

}  // namespace
}  // namespace podium::http
