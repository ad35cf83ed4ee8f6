// attacks.md, "path and header tricks": what two parties could read in two ways is 400, and nothing
// behind it on the connection is read.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "http/test_server.h"

namespace podium::http {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

using ExchangePtr = std::shared_ptr<Exchange>;

class PathAndHeaderTricks : public ::testing::TestWithParam<bool> {
 protected:
  // Everything that comes back for these bytes, until the server closes.
  std::string Sent(const std::string& bytes) {
    const auto client = server_.Connect();
    client->Send(bytes);
    client->CloseWrite();
    return client->ReadToEnd();
  }
  std::string Asked(const std::string& target) {
    return Sent("GET " + target + " HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
  }

  TestServer server_{[](const ExchangePtr& exchange) {
                       (void)exchange->Respond(200, {}, "path=" + exchange->request().path);
                     },
                     {.treatment = [loop = GetParam()](const RequestHead& head) {
                       return Treatment{.on_loop = loop,
                                        .strict_path = !head.target.starts_with("/proxy/")};
                     }}};
};

TEST_P(PathAndHeaderTricks, Paths) {
  for (const char* target : {"/a%2fb", "/a%2Fb", "/a%5cb", "/a%00b", "/..", "/../etc", "/a/../b",
                             "/a/..", "/./a", "/a/.", "/%2e%2e/a", "/%2e%2E/a", "/.%2e/a", "/a/%2e",
                             "/%zz", "/%", "/%2", "/a%2f..%2fb", "http://h/a/../b"}) {
    EXPECT_THAT(Asked(target), StartsWith("HTTP/1.1 400 ")) << target;
  }
  for (const char* target :
       {"/a", "/a//b", "/a.b/..c", "/...", "/a%20b", "/a%252fb", "/a?x=../%2f", "http://h/a"}) {
    EXPECT_THAT(Asked(target), StartsWith("HTTP/1.1 200 ")) << target;
  }
  EXPECT_THAT(Asked("/a%252fb"), HasSubstr("path=/a%2fb"));
  // A proxy passes on what it is asked for; NUL is nothing anywhere.
  EXPECT_THAT(Asked("/proxy/a%2fb/../c"), HasSubstr("path=/proxy/a/b/../c"));
  EXPECT_THAT(Asked("/proxy/a%00b"), StartsWith("HTTP/1.1 400 "));
}

TEST_P(PathAndHeaderTricks, LongNames) {
  const std::string name(size_t{60} << 10, 'n');
  EXPECT_THAT(Asked("/" + name), StartsWith("HTTP/1.1 200 "));
  EXPECT_THAT(Asked("/" + name + name), StartsWith("HTTP/1.1 431 "));
}

TEST_P(PathAndHeaderTricks, Smuggling) {
  const std::string smuggled = "GET /smuggled HTTP/1.1\r\nHost: h\r\n\r\n";
  for (const std::string& fields : {
           "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n",
           "Transfer-Encoding: chunked\r\nContent-Length: 0\r\n",
           "Content-Length: 5\r\nContent-Length: 0\r\n",
           "Content-Length: 5\r\nContent-Length: 5\r\n",
           "Content-Length: +5\r\n",
           "Content-Length: 5, 5\r\n",
           "Content-Length: -1\r\n",
           "Content-Length: 0x5\r\n",
           "Content-Length: 99999999999999999999\r\n",
           "Content-Length : 5\r\n",
           "Content-Length:\r\n",
           " Content-Length: 5\r\n",
           "X: y\r\n Content-Length: 5\r\n",
           "X: y\nContent-Length: 5\r\n",
           "X: y\rContent-Length: 5\r\n",
       }) {
    const std::string answer =
        Sent("POST /first HTTP/1.1\r\nHost: h\r\n" + fields + "\r\n0\r\n\r\n" + smuggled);
    EXPECT_THAT(answer, StartsWith("HTTP/1.1 400 ")) << fields;
    EXPECT_THAT(answer, Not(HasSubstr("smuggled"))) << fields;
  }
  for (const std::string& coding : {"identity", "gzip, chunked", "chunked, chunked", "xchunked",
                                    "chunked;a=b", "\"chunked\""}) {
    const std::string answer =
        Sent("POST /first HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: " + coding +
             "\r\n\r\n0\r\n\r\n" + smuggled);
    EXPECT_THAT(answer, StartsWith("HTTP/1.1 501 ")) << coding;
    EXPECT_THAT(answer, Not(HasSubstr("smuggled"))) << coding;
  }
}

TEST_P(PathAndHeaderTricks, Hosts) {
  EXPECT_THAT(Sent("GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n"), StartsWith("HTTP/1.1 400 "));
  EXPECT_THAT(Sent("GET / HTTP/1.1\r\n\r\n"), StartsWith("HTTP/1.1 400 "));
}

INSTANTIATE_TEST_SUITE_P(OnLoopAndInThreads, PathAndHeaderTricks, ::testing::Bool());

}  // namespace
}  // namespace podium::http
