// Frames of clients, as they come and as they should not.
#include "http/websocket_session.h"

#include <gtest/gtest.h>

#include <array>
#include <string>
#include <utility>

namespace podium::http {
namespace {

// A client's frame, masked with "mask".
std::string Frame(Opcode opcode, std::string payload, bool fin = true) {
  const std::array<unsigned char, 4> mask{'m', 'a', 's', 'k'};
  std::string frame =
      SerializeFrameHeader({.fin = fin, .opcode = opcode, .mask = mask, .length = payload.size()});
  Mask(mask, 0, payload);
  return frame + payload;
}
std::string FromServer(Opcode opcode, const std::string& payload) {
  return SerializeFrameHeader({.opcode = opcode, .mask = {}, .length = payload.size()}) + payload;
}

class Notes : public WebSocketListener {
 public:
  void OnPart(const Part& part) override {
    if (part.first) text += part.text ? "text:" : "binary:";
    text += part.bytes;
    if (part.last) text += ";";
  }
  void OnClose() override { text += "close;"; }
  std::string text;
};

class WebSocketSessionTest : public testing::Test {
 protected:
  // What the server says to these bytes, which come one by one.
  std::string Take(std::string_view bytes) {
    for (const char& c : bytes) taken_ = session_.Receive({&c, 1}, notes_);
    return std::exchange(session_.output(), {});
  }
  Notes notes_;
  WebSocketSession session_;
  Result<void> taken_;
};

TEST_F(WebSocketSessionTest, MessagesInAnyPieces) {
  EXPECT_EQ(Take(Frame(Opcode::kBinary, "hello") + Frame(Opcode::kText, "", true)), "");
  EXPECT_EQ(Take(Frame(Opcode::kText, "a", false) + Frame(Opcode::kPing, "are you there") +
                 Frame(Opcode::kContinuation, "", false) + Frame(Opcode::kContinuation, "b")),
            FromServer(Opcode::kPong, "are you there"));
  EXPECT_EQ(notes_.text, "binary:hello;text:;text:ab;");
}

TEST_F(WebSocketSessionTest, FramesOfAnySizeAreHandedOnAsTheyCome) {
  const std::string large = Frame(Opcode::kBinary, std::string(size_t{1} << 20, 'x'));
  ASSERT_TRUE(session_.Receive(std::string_view(large).substr(0, 1000), notes_).ok());
  EXPECT_GT(notes_.text.size(), 900U) << "a part waits for the rest of its frame";
  ASSERT_TRUE(session_.Receive(std::string_view(large).substr(1000), notes_).ok());
  EXPECT_EQ(notes_.text, "binary:" + std::string(size_t{1} << 20, 'x') + ";");
}

TEST_F(WebSocketSessionTest, TheClosesAreExchangedOnce) {
  const std::string code("\x03\xe9", 2);  // 1001
  EXPECT_EQ(Take(Frame(Opcode::kClose, code + "bye") + "whatever follows"),
            FromServer(Opcode::kClose, code));
  EXPECT_EQ(notes_.text, "close;");
  session_.Send(true, "too late");
  session_.Close(1000);
  EXPECT_EQ(session_.output(), "");
}

TEST_F(WebSocketSessionTest, PingsAreNotAnsweredBehindAClose) {
  session_.Close(1000);
  session_.output().clear();
  EXPECT_EQ(Take(Frame(Opcode::kPing, "x") + Frame(Opcode::kBinary, "late")), "");
  EXPECT_EQ(notes_.text, "binary:late;");
}

class WebSocketMalformed : public testing::TestWithParam<std::string> {};

TEST_P(WebSocketMalformed, EndsTheSession) {
  Notes notes;
  WebSocketSession session;
  const auto taken = session.Receive(GetParam(), notes);
  ASSERT_FALSE(taken.ok());
  EXPECT_EQ(taken.error().code(), Code::kInvalidArgument);
  EXPECT_EQ(session.output(), FromServer(Opcode::kClose, "\x03\xea")) << "1002";
  EXPECT_FALSE(session.Receive(Frame(Opcode::kBinary, "x"), notes).ok());
  EXPECT_EQ(notes.text, "");
}

INSTANTIATE_TEST_SUITE_P(
    All, WebSocketMalformed,
    testing::Values(FromServer(Opcode::kBinary, "not masked"),
                    Frame(Opcode::kContinuation, "of nothing"),
                    "\xc1" + Frame(Opcode::kBinary, "x").substr(1),       // a reserved bit
                    Frame(Opcode::kPing, std::string(126, 'x')),          // too long for one
                    Frame(Opcode::kPing, "x", false),                     // in parts
                    Frame(Opcode::kClose, "x"),                           // half a code
                    Frame(Opcode::kClose, std::string("\x03\xed", 2))));  // 1005 stands for none

TEST_F(WebSocketSessionTest, AMessageWithinAMessage) {
  Take(Frame(Opcode::kBinary, "a", false) + Frame(Opcode::kBinary, "b"));
  EXPECT_FALSE(taken_.ok());
}

}  // namespace
}  // namespace podium::http
