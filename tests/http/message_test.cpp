#include "http/message.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "http/chunked.h"

namespace podium::http {
namespace {

using ::testing::HasSubstr;

Result<RequestHead> ParsedRequest(const std::string& fields) {
  return ParseRequestHead("POST /x HTTP/1.1\r\nHost: h\r\n" + fields + "\r\n");
}

std::string RequestProblem(const std::string& fields) {
  auto head = ParsedRequest(fields);
  if (!head.ok()) return head.error().message();
  auto framing = RequestFraming(*head);
  return framing.ok() ? "" : framing.error().message();
}

Framing FramingOf(const std::string& fields) { return *RequestFraming(*ParsedRequest(fields)); }

TEST(Headers, AreFoundWithoutCase) {
  Headers headers{{"Accept", "a"}, {"X-One", "1"}, {"accept", "b, C"}};
  EXPECT_EQ(headers.Get("ACCEPT"), "a");
  EXPECT_EQ(headers.Count("accept"), 2U);
  EXPECT_TRUE(headers.HasToken("Accept", "c"));
  EXPECT_FALSE(headers.HasToken("Accept", "bc"));
  headers.Set("Accept", "z");
  EXPECT_EQ(headers.All("accept"), std::vector<std::string_view>{"z"});
  EXPECT_EQ(headers.Find("missing"), nullptr);
}

TEST(RequestHead, IsRead) {
  const std::string text =
      "GET /v2/?a=b HTTP/1.1\r\nHost: h:1\r\nX: \t two words \t\r\nEmpty:\r\n\r\n";
  EXPECT_EQ(FindHeadEnd(text), text.size());
  auto head = ParseRequestHead(text);
  ASSERT_TRUE(head.ok()) << head.error().message();
  EXPECT_EQ(head->method, "GET");
  EXPECT_EQ(head->target, "/v2/?a=b");
  EXPECT_EQ(head->minor, 1);
  EXPECT_EQ(head->headers, (Headers{{"Host", "h:1"}, {"X", "two words"}, {"Empty", ""}}));
  EXPECT_EQ(*SerializeRequestHead(*head),
            "GET /v2/?a=b HTTP/1.1\r\nHost: h:1\r\nX: two words\r\nEmpty: \r\n\r\n");
}

TEST(RequestHead, IsStrict) {
  for (const char* text : {
           "GET / HTTP/1.1\nHost: h\n\n",
           "GET / HTTP/1.1\r\nHost: h\r\nA: b\rC: d\r\n\r\n",
           "GET / HTTP/1.1\r\nHost: h\r\nA: b\nC: d\r\n\r\n",
           "GET  HTTP/1.1\r\nHost: h\r\n\r\n",
           "GET / x HTTP/1.1\r\nHost: h\r\n\r\n",
           "GET /\r\nHost: h\r\n\r\n",
           "G\x01T / HTTP/1.1\r\nHost: h\r\n\r\n",
           " GET / HTTP/1.1\r\nHost: h\r\n\r\n",
           "GET / HTTP/2.0\r\nHost: h\r\n\r\n",
           "GET / HTTP/1.2\r\nHost: h\r\n\r\n",
           "GET / http/1.1\r\nHost: h\r\n\r\n",
           "GET / HTTP/1.1\r\n\r\n",
           "GET / HTTP/1.1\r\nHost: h\r\nHost: h\r\n\r\n",
           "GET / HTTP/1.1\r\nHost : h\r\n\r\n",
           "GET / HTTP/1.1\r\nHost: h\r\n: x\r\n\r\n",
           "GET / HTTP/1.1\r\nHost: h\r\n folded\r\n\r\n",
           "GET / HTTP/1.1\r\nHost: h\r\nA: b\x01\r\n\r\n",
           "GET / HTTP/1.1\r\nHost: h\r\nA\r\n\r\n",
       }) {
    EXPECT_FALSE(ParseRequestHead(text).ok()) << text;
  }
  EXPECT_TRUE(ParseRequestHead("GET / HTTP/1.0\r\n\r\n").ok());
}

TEST(RequestHead, HasLimits) {
  const HeadLimits limits{.bytes = 60, .fields = 2};
  EXPECT_TRUE(ParseRequestHead("GET / HTTP/1.1\r\nHost: h\r\nA: b\r\n\r\n", limits).ok());
  auto fields = ParseRequestHead("GET / HTTP/1.1\r\nHost: h\r\nA: b\r\nC: d\r\n\r\n", limits);
  EXPECT_EQ(fields.error().code(), Code::kResourceExhausted);
  auto bytes =
      ParseRequestHead("GET / HTTP/1.1\r\nHost: " + std::string(60, 'h') + "\r\n\r\n", limits);
  EXPECT_EQ(bytes.error().code(), Code::kResourceExhausted);
}

TEST(RequestHead, IsNotWrittenWithBreaks) {
  EXPECT_FALSE(SerializeRequestHead({.method = "GET", .target = "/ x"}).ok());
  EXPECT_FALSE(SerializeRequestHead({.method = "G T", .target = "/"}).ok());
  EXPECT_FALSE(SerializeRequestHead({"GET", "/", 1, {{"A", "b\r\nC: d"}}}).ok());
  EXPECT_FALSE(SerializeRequestHead({"GET", "/", 1, {{"A:", "b"}}}).ok());
  EXPECT_FALSE(SerializeResponseHead({200, "O\nK", 1, {}}).ok());
}

TEST(Framing, OfRequests) {
  EXPECT_EQ(FramingOf(""), (Framing{Framing::Kind::kNone, 0}));
  EXPECT_EQ(FramingOf("Content-Length: 12\r\n"), (Framing{Framing::Kind::kLength, 12}));
  EXPECT_EQ(FramingOf("Transfer-Encoding: Chunked\r\n"), (Framing{Framing::Kind::kChunked, 0}));
}

// Each of them has been read in two ways by two programs.
TEST(Framing, RefusesSmuggling) {
  EXPECT_THAT(RequestProblem("Content-Length: 1\r\nTransfer-Encoding: chunked\r\n"),
              HasSubstr("both Content-Length and Transfer-Encoding"));
  for (const char* fields :
       {"Content-Length: 1\r\nContent-Length: 2\r\n", "Content-Length: 1\r\nContent-Length: 1\r\n",
        "Content-Length: 1, 1\r\n", "Content-Length: +1\r\n", "Content-Length: -1\r\n",
        "Content-Length: 0x1\r\n", "Content-Length: 1 1\r\n", "Content-Length:\r\n",
        "Content-Length: 18446744073709551616\r\n", "Transfer-Encoding: identity\r\n",
        "Transfer-Encoding: gzip, chunked\r\n", "Transfer-Encoding: chunked, identity\r\n",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
        "Transfer-Encoding: \vchunked\r\n", "Transfer-Encoding : chunked\r\n",
        "Transfer-Encoding:\r\n"}) {
    EXPECT_NE(RequestProblem(fields), "") << fields;
  }
  auto old = ParseRequestHead("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n");
  ASSERT_TRUE(old.ok());
  EXPECT_FALSE(RequestFraming(*old).ok());
}

TEST(ResponseHead, IsRead) {
  auto head = ParseResponseHead("HTTP/1.1 404 Not  Found\r\nA: b\r\n c\r\n\r\n");
  ASSERT_TRUE(head.ok()) << head.error().message();
  EXPECT_EQ(head->status, 404);
  EXPECT_EQ(head->reason, "Not  Found");
  EXPECT_EQ(head->headers, (Headers{{"A", "b c"}}));
  EXPECT_EQ(ParseResponseHead("HTTP/1.1 200 OK\r\nA:\r\n b\r\n \r\n\r\n")->headers.Get("A"), "b");
  EXPECT_FALSE(ParseResponseHead("HTTP/1.1 200 OK\r\nA: b\r\n c\x01\r\n\r\n").ok());
  EXPECT_EQ(ParseResponseHead("HTTP/1.0 200\r\n\r\n")->minor, 0);
  EXPECT_EQ(ParseResponseHead("HTTP/1.1 200 \r\n\r\n")->reason, "");
  for (const char* text :
       {"HTTP/1.1 20 OK\r\n\r\n", "HTTP/1.1 2000 OK\r\n\r\n", "HTTP/1.1 099 OK\r\n\r\n",
        "HTTP/1.1 -20 OK\r\n\r\n", "HTTP/1.1  200 OK\r\n\r\n", "HTTP/1.1\r\n\r\n",
        "ICY 200 OK\r\n\r\n", "HTTP/1.1 200 OK\r\n folded\r\n\r\n", "\r\n\r\n"}) {
    EXPECT_FALSE(ParseResponseHead(text).ok()) << text;
  }
}

TEST(Framing, OfResponses) {
  const auto framing = [](int status, Headers headers, std::string_view method) {
    return ResponseFraming({.status = status, .headers = std::move(headers)}, method)->kind;
  };
  EXPECT_EQ(framing(200, {{"Content-Length", "5"}}, "GET"), Framing::Kind::kLength);
  EXPECT_EQ(framing(200, {{"Content-Length", "5"}}, "HEAD"), Framing::Kind::kNone);
  EXPECT_EQ(framing(204, {}, "GET"), Framing::Kind::kNone);
  EXPECT_EQ(framing(304, {{"Content-Length", "5"}}, "GET"), Framing::Kind::kNone);
  EXPECT_EQ(framing(200, {}, "CONNECT"), Framing::Kind::kNone);
  EXPECT_EQ(framing(407, {{"Content-Length", "5"}}, "CONNECT"), Framing::Kind::kLength);
  EXPECT_EQ(framing(200, {}, "GET"), Framing::Kind::kUntilClose);
}

TEST(KeepsAlive, ByVersionAndHeader) {
  EXPECT_TRUE(KeepsAlive(1, {}));
  EXPECT_FALSE(KeepsAlive(1, {{"Connection", "x, Close"}}));
  EXPECT_FALSE(KeepsAlive(0, {}));
  EXPECT_TRUE(KeepsAlive(0, {{"Connection", "Keep-Alive"}}));
}

// The body that `text` encodes, read in steps of `step` bytes; "!" and what is wrong.
std::string Decoded(std::string_view text, size_t step, size_t* consumed = nullptr) {
  ChunkedDecoder decoder;
  std::string body;
  size_t at = 0;
  while (at < text.size() && !decoder.done()) {
    auto piece = decoder.Next(text.substr(at, step));
    if (!piece.ok()) return "!" + piece.error().message();
    if (piece->consumed == 0) return "!stuck";
    body += piece->data;
    at += piece->consumed;
  }
  if (consumed) *consumed = at;
  return decoder.done() ? body : "!unfinished";
}

TEST(Chunked, IsDecodedWhateverThePieces) {
  const std::string text =
      "5\r\nhello\r\n1;name=value\r\n \r\n00A  ;x\r\n0123456789\r\n0\r\nTrailer: x\r\n\r\nrest";
  for (size_t step = 1; step <= text.size(); ++step) {
    size_t consumed = 0;
    EXPECT_EQ(Decoded(text, step, &consumed), "hello 0123456789") << step;
    EXPECT_EQ(consumed, text.size() - 4) << step;
  }
  EXPECT_EQ(
      Decoded(EncodeChunk("abc") + EncodeChunk(std::string(300, 'x')) + std::string(kLastChunk), 7),
      "abc" + std::string(300, 'x'));
}

TEST(Chunked, RefusesWhatIsNone) {
  for (const char* text :
       {"\r\n", "x\r\n", "-1\r\n", "+1\r\n", " 1\r\nx\r\n", "0x1\r\nx\r\n", "1\nx\r\n",
        "1\r\nxy\r\n", "1\r\nx\n", "1;a\nb\r\nx\r\n", "00000000000000001\r\n", "1\r\r\n", "0\r\n\n",
        "0\r\nA: b\n\r\n", "0\r\n\rx", "1\r\nx\r\r"}) {
    EXPECT_THAT(Decoded(text, 1), HasSubstr("malformed")) << text;
  }
}

TEST(Chunked, BoundsWhatIsNoData) {
  EXPECT_THAT(Decoded("1;" + std::string(5000, 'x') + "\r\n", 1000), HasSubstr("too much"));
  EXPECT_THAT(Decoded("0\r\nA: " + std::string(9000, 'x') + "\r\n\r\n", 1000),
              HasSubstr("too much"));
  std::string many;
  for (int i = 0; i < 1000; ++i) many += "1;" + std::string(100, 'x') + "\r\ny\r\n";
  EXPECT_THAT(Decoded(many + std::string(kLastChunk), 1000), HasSubstr("too much"));
  std::string honest;
  for (int i = 0; i < 100000; ++i) honest += "1\r\ny\r\n";
  EXPECT_EQ(Decoded(honest + std::string(kLastChunk), 5000).size(), 100000U);
}

}  // namespace
}  // namespace podium::http
