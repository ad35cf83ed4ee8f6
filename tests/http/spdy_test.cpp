// SPDY/3.1: frames as spdystream writes and reads them, and peers that mean harm.
#include "http/spdy.h"

#include <gtest/gtest.h>
#include <zlib.h>

#include <array>
#include <utility>
#include <vector>

namespace podium::http {
namespace {

using Role = SpdySession::Role;

std::string Hex(std::string_view digits) {
  std::string bytes;
  std::string pair;
  for (const char c : digits) {
    if (c == ' ') continue;
    pair += c;
    if (pair.size() < 2) continue;
    bytes += static_cast<char>(std::stoi(pair, nullptr, 16));
    pair.clear();
  }
  return bytes;
}
std::string Number(uint32_t number) {
  std::string out;
  for (const int shift : {24, 16, 8, 0}) out += static_cast<char>(number >> shift & 0xFF);
  return out;
}
std::string Control(uint16_t kind, std::string_view body, uint8_t flags = 0) {
  return Number(0x80030000U | kind) + Number(uint32_t{flags} << 24 | uint32_t(body.size())) +
         std::string(body);
}
std::string Data(uint32_t stream, std::string_view bytes, uint8_t flags = 0) {
  return Number(stream) + Number(uint32_t{flags} << 24 | uint32_t(bytes.size())) +
         std::string(bytes);
}

// A compressor as spdystream has it: of the best level, with the dictionary, flushed at each block.
class Deflater {
 public:
  explicit Deflater(std::string_view dictionary = {}) {
    deflateInit(&stream_, Z_BEST_COMPRESSION);
    if (!dictionary.empty()) {
      deflateSetDictionary(&stream_, reinterpret_cast<const Bytef*>(dictionary.data()),
                           static_cast<uInt>(dictionary.size()));
    }
  }
  ~Deflater() { deflateEnd(&stream_); }
  Deflater(const Deflater&) = delete;
  Deflater& operator=(const Deflater&) = delete;

  std::string Pack(std::string_view text, int flush = Z_SYNC_FLUSH) {
    std::string out(text.size() + 1000, '\0');
    stream_.next_in = const_cast<Bytef*>(reinterpret_cast<const Bytef*>(text.data()));
    stream_.avail_in = static_cast<uInt>(text.size());
    stream_.next_out = reinterpret_cast<Bytef*>(out.data());
    stream_.avail_out = static_cast<uInt>(out.size());
    deflate(&stream_, flush);
    out.resize(out.size() - stream_.avail_out);
    return out;
  }

 private:
  z_stream stream_{};
};

std::string Text(const std::vector<std::pair<std::string, std::string>>& headers) {
  std::string out = Number(static_cast<uint32_t>(headers.size()));
  for (const auto& [name, value] : headers) {
    out += Number(static_cast<uint32_t>(name.size())) + name;
    out += Number(static_cast<uint32_t>(value.size())) + value;
  }
  return out;
}
std::string SynStream(uint32_t id, std::string_view block, uint8_t flags = 0) {
  return Control(1, Number(id) + Number(0) + std::string(2, '\0') + std::string(block), flags);
}
std::string Reset(uint32_t id, SpdyReset why) {
  return Control(3, Number(id) + Number(static_cast<uint32_t>(why)));
}

// Writes down what it is told, and does what the test wants.
class Notes : public SpdyListener {
 public:
  void OnOpen(uint32_t stream, const Headers& headers) override {
    text += "open " + std::to_string(stream);
    for (const auto& field : headers.fields()) text += " " + field.name + "=" + field.value;
    text += ";";
  }
  void OnReply(uint32_t stream, const Headers& headers) override {
    text += "reply " + std::to_string(stream) + " " + std::to_string(headers.size()) + ";";
  }
  void OnData(uint32_t stream, std::string_view bytes) override {
    EXPECT_FALSE(bytes.empty());
    data[stream] += bytes;
  }
  void OnEnd(uint32_t stream) override { text += "end " + std::to_string(stream) + ";"; }
  void OnReset(uint32_t stream) override { text += "reset " + std::to_string(stream) + ";"; }
  void OnGoAway() override { text += "away;"; }

  std::string text;
  std::map<uint32_t, std::string> data;
};

class SpdyServer : public testing::Test {
 protected:
  std::string Take(std::string_view bytes) {
    taken_ = session_.Receive(bytes, notes_);
    return std::exchange(session_.output(), {});
  }
  void Fails(std::string_view bytes, Code code) {
    const std::string out = Take(bytes);
    ASSERT_FALSE(taken_.ok());
    EXPECT_EQ(taken_.error().code(), code) << taken_.error().message();
    EXPECT_EQ(out.substr(0, 4), Number(0x80030007)) << "no GOAWAY";
    EXPECT_FALSE(session_.Receive(Data(1, "x"), notes_).ok()) << "it goes on";
  }

  Notes notes_;
  SpdySession session_{Role::kServer};
  Result<void> taken_;
};

// What kubectl 1.20 sends first in `exec`, as Go's compressor makes it: the dictionary is asked for
// by its checksum.
TEST_F(SpdyServer, ReadsWhatGoWrites) {
  const std::string block =
      Hex("78 f9 e3 c6 a7 c2");  // deflate, 32 KiB, best level, dictionary e3c6a7c2
  Deflater plain;
  // A stored block behind Go's header: what is deflated differs from one release to the next.
  const std::string text = Text({{"streamtype", "error"}});
  const auto size = static_cast<char>(text.size());
  const std::string stored = std::string("\0", 1) + size + std::string("\0", 1) +
                             static_cast<char>(~size) + "\xff" + text + Hex("00 00 00 ff ff");
  EXPECT_EQ(Take(SynStream(1, block + stored)), "");
  ASSERT_TRUE(taken_.ok()) << taken_.error().message();
  EXPECT_EQ(notes_.text, "open 1 streamtype=error;");
}

TEST_F(SpdyServer, KeepsTheDecompressorOverFrames) {
  Deflater deflater;
  Take(SynStream(1, deflater.Pack(Text({{"streamtype", "error"}, {"port", "80"}}))));
  const std::string second = deflater.Pack(Text({{"streamtype", "error"}, {"port", "80"}}));
  EXPECT_LT(second.size(), 20U) << "the second block stands for itself";
  Take(SynStream(3, second));
  EXPECT_EQ(notes_.text, "open 1 streamtype=error port=80;open 3 streamtype=error port=80;");
}

TEST_F(SpdyServer, TakesBytesInAnyPieces) {
  Deflater deflater;
  const std::string all = SynStream(1, deflater.Pack(Text({{"a", "b"}}))) + Data(1, "hello") +
                          Control(4, Number(1) + Number(7) + Number(9)) +
                          Control(9, Number(1) + Number(100)) + Control(6, Number(5)) +
                          Control(77, "what is this") + Data(1, " there", 1);
  std::string out;
  for (const char c : all) out += Take({&c, 1});
  ASSERT_TRUE(taken_.ok()) << taken_.error().message();
  EXPECT_EQ(notes_.text, "open 1 a=b;end 1;");
  EXPECT_EQ(notes_.data[1], "hello there");
  EXPECT_EQ(out, Control(6, Number(5))) << "the ping alone is answered";
}

TEST_F(SpdyServer, SplitsValuesAndWritesFramesAsSpdystreamReadsThem) {
  Deflater deflater;
  Take(SynStream(1, deflater.Pack(Text({{"a", std::string("b\0c", 3)}}))));
  EXPECT_EQ(notes_.text, "open 1 a=b a=c;");
  session_.Reply(1);
  session_.Reply(1);
  session_.Send(1, "hi");
  session_.End(1);
  session_.Send(1, "too late");
  session_.GoAway();
  EXPECT_EQ(session_.output(),
            Hex("8003 0002 0000 0014 0000 0001"             // SYN_REPLY of stream 1
                "78 01 00 0400 fbff 00000000 00 0000 ffff"  // no headers, flushed
                "0000 0001 0000 0002") +
                "hi" +
                Hex("0000 0001 0100 0000"                         // FIN
                    "8003 0007 0000 0008 0000 0001 0000 0000"));  // GOAWAY
}

TEST_F(SpdyServer, StreamsEndWhenBothSidesHave) {
  Deflater deflater;
  Take(SynStream(1, deflater.Pack(Text({}))));
  Take(Data(1, "", 1));
  EXPECT_EQ(session_.streams(), 1U);
  EXPECT_EQ(Take(Data(1, "more")), "");
  EXPECT_EQ(notes_.data[1], "") << "data after the end";
  session_.End(1);
  EXPECT_EQ(session_.streams(), 0U);
  Take(SynStream(3, deflater.Pack(Text({}))) + Reset(3, SpdyReset::kCancel) + Data(3, "late"));
  EXPECT_EQ(notes_.text, "open 1;end 1;open 3;reset 3;");
  EXPECT_EQ(session_.streams(), 0U);
  session_.Reset(3, SpdyReset::kCancel);
  EXPECT_EQ(session_.output(), "") << "nothing is said of a stream that is gone";
}

TEST_F(SpdyServer, ResetsStreamsWhoseNumbersAreWrong) {
  Deflater deflater;
  const auto open = [&](uint32_t id) { return Take(SynStream(id, deflater.Pack(Text({})))); };
  EXPECT_EQ(open(3), "");
  EXPECT_EQ(open(3), Reset(3, SpdyReset::kProtocolError));
  EXPECT_EQ(open(1), Reset(1, SpdyReset::kProtocolError));
  EXPECT_EQ(open(4), Reset(4, SpdyReset::kProtocolError));
  EXPECT_EQ(open(5), "");
  EXPECT_EQ(notes_.text, "open 3;open 5;");
}

TEST_F(SpdyServer, OpensNoMoreStreamsThanItsLimit) {
  SpdySession small(Role::kServer, {.max_streams = 2});
  Deflater deflater;
  for (const uint32_t id : {1, 3, 5}) {
    ASSERT_TRUE(small.Receive(SynStream(id, deflater.Pack(Text({}))), notes_).ok());
  }
  EXPECT_EQ(small.output(), Reset(5, SpdyReset::kRefusedStream));
  EXPECT_EQ(small.streams(), 2U);
  small.Reset(1, SpdyReset::kCancel);
  small.output().clear();
  ASSERT_TRUE(small.Receive(SynStream(7, deflater.Pack(Text({}))), notes_).ok());
  EXPECT_EQ(small.output(), "");
}

TEST_F(SpdyServer, RefusesStreamsWithoutReadingTheirHeaders) {
  Deflater deflater;
  Take(SynStream(1, deflater.Pack(Text({{"a", "b"}}))));
  session_.RefuseStreams();
  EXPECT_EQ(Take(SynStream(3, "no block at all")), Reset(3, SpdyReset::kRefusedStream));
  ASSERT_TRUE(taken_.ok());
  Take(Data(1, "x"));
  EXPECT_EQ(notes_.data[1], "x");
}

TEST_F(SpdyServer, OpensNothingOnceEitherSideHasGoneAway) {
  Deflater deflater;
  Take(SynStream(1, deflater.Pack(Text({}))));
  EXPECT_EQ(Take(Control(7, Number(1) + Number(0)) + Control(7, Number(1) + Number(0)) +
                 SynStream(3, deflater.Pack(Text({}))) + Data(1, "x")),
            "");
  EXPECT_EQ(notes_.text, "open 1;away;");
  EXPECT_EQ(notes_.data[1], "x") << "what there is goes on";
  EXPECT_EQ(session_.Open({}).error().code(), Code::kUnavailable);
}

TEST_F(SpdyServer, DataFramesMayBeOfAnySize) {
  Deflater deflater;
  Take(SynStream(1, deflater.Pack(Text({}))));
  constexpr size_t kLargest = 0xFFFFFF;
  Take(Data(1, std::string(kLargest, 'x')));
  EXPECT_EQ(notes_.data[1].size(), kLargest);
}

// Attacks.

TEST_F(SpdyServer, HeaderBlocksThatInflateAreNotInflated) {
  Deflater deflater;
  const std::string bomb = deflater.Pack(std::string(size_t{8} << 20, '\0'));
  ASSERT_LT(bomb.size(), size_t{32} << 10);
  Fails(SynStream(1, bomb), Code::kResourceExhausted);
}

TEST_F(SpdyServer, ControlFramesAreBoundedBeforeTheyAreThere) {
  Fails(Number(0x80030001) + Number(0xFFFFFF), Code::kResourceExhausted);
}

TEST_F(SpdyServer, ManyHeadersInFewBytes) {
  Deflater deflater;
  Fails(SynStream(1, deflater.Pack(Number(0x40000000))), Code::kResourceExhausted);
}

TEST_F(SpdyServer, ManyValuesInOneHeader) {
  Deflater deflater;
  Fails(SynStream(1, deflater.Pack(Text({{"a", std::string(1000, '\0')}}))),
        Code::kResourceExhausted);
}

class SpdyMalformed : public testing::TestWithParam<std::string> {};

TEST_P(SpdyMalformed, EndsTheSession) {
  Notes notes;
  SpdySession session(Role::kServer);
  const auto taken = session.Receive(GetParam(), notes);
  ASSERT_FALSE(taken.ok());
  EXPECT_EQ(taken.error().code(), Code::kInvalidArgument) << taken.error().message();
  EXPECT_EQ(notes.text, "");
}

std::string Block(std::string_view text, int flush = Z_SYNC_FLUSH) {
  return Deflater().Pack(text, flush);
}

INSTANTIATE_TEST_SUITE_P(
    All, SpdyMalformed,
    testing::Values(Number(0x80020006) + Number(4) + Number(1),  // version 2
                    Data(0, "x"),                                // of no stream
                    Control(1, "short"),                         //
                    SynStream(0, Block(Text({}))),               //
                    SynStream(1, "no block"),                    //
                    SynStream(1, ""),                            //
                    SynStream(1, Block(Text({}), Z_FINISH)),     // the end of all blocks
                    SynStream(1, Block(Number(1))),              // a header that is not there
                    SynStream(1, Block(Number(1) + Number(0xFFFFFFFF))),
                    SynStream(1, Block(Text({{"Capital", ""}}))),  //
                    SynStream(1, Block(Text({{"", "x"}}))),        //
                    SynStream(1, Block(Text({{"a", ""}, {"a", ""}}))),
                    SynStream(1, Block(Text({}) + "x")),  //
                    SynStream(1, Deflater("another dictionary").Pack(Text({}))), Control(2, "abc"),
                    Control(3, Number(1)),                            //
                    Control(3, Number(1) + Number(0)),                // for no reason
                    Control(4, Number(0x20000000)),                   // 4 GiB of settings
                    Control(6, Number(0)), Control(6, Number(1), 1),  //
                    Control(7, Number(1)), Control(8, "abc"), Control(9, Number(1))));

TEST(SpdyClient, SpeaksWithTheServer) {
  Notes at_client;
  Notes at_server;
  SpdySession client(Role::kClient);
  SpdySession server(Role::kServer);
  const auto first = client.Open({{"Streamtype", "data"}, {"Port", "80"}});
  const auto second = client.Open({});
  ASSERT_TRUE(first.ok() && second.ok());
  EXPECT_EQ(*first, 1U);
  EXPECT_EQ(*second, 3U);
  client.Send(1, "hello");
  client.End(1);
  ASSERT_TRUE(server.Receive(std::exchange(client.output(), {}), at_server).ok());
  EXPECT_EQ(at_server.text, "open 1 streamtype=data port=80;open 3;end 1;");
  EXPECT_EQ(at_server.data[1], "hello");
  server.Reply(1, {{"a", "b"}});
  server.Send(1, std::string(size_t{3} << 20, 'y'));
  server.End(1);
  server.Reset(3, SpdyReset::kCancel);
  ASSERT_TRUE(client.Receive(std::exchange(server.output(), {}), at_client).ok());
  EXPECT_EQ(at_client.text, "reply 1 1;end 1;reset 3;");
  EXPECT_EQ(at_client.data[1].size(), size_t{3} << 20);
  EXPECT_EQ(client.streams(), 0U);
  EXPECT_EQ(server.streams(), 0U);
}

// Go's decompressor hands out what it has at an empty stored block only, so each block ends so.
TEST(SpdyHeaders, BlocksEndFlushed) {
  SpdyHeaderWriter writer;
  SpdyHeaderReader reader;
  for (int i = 0; i < 3; ++i) {
    const auto block = writer.Pack({{"Name", "value"}});
    ASSERT_TRUE(block.ok());
    EXPECT_TRUE(block->ends_with(std::string_view("\0\0\0\xff\xff", 5)));
    const auto read = reader.Unpack(*block);
    ASSERT_TRUE(read.ok()) << read.error().message();
    EXPECT_EQ(*read, Headers({{"name", "value"}}));
  }
  EXPECT_EQ(writer.Pack({{"a", std::string(70000, 'x')}}).error().code(), Code::kInvalidArgument);
}

}  // namespace
}  // namespace podium::http
