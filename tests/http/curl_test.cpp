// A client that many people use, against our server.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <sstream>

#include "http/client.h"
#include "http/front.h"

extern char** environ;

namespace podium::http {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::StartsWith;

// What curl prints, and how it ends.
struct CurlResult {
  int status = -1;
  std::string output;
};

CurlResult Curl(std::vector<std::string> words) {
  const TestFolder folder;
  const std::string path = folder.path() + "/output";
  words.insert(words.begin(), {"curl", "-sS", "--max-time", "20", "--noproxy", "*"});
  std::vector<char*> arguments;
  for (std::string& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, 1, path.c_str(), O_WRONLY | O_CREAT, 0600);
  posix_spawn_file_actions_adddup2(&actions, 1, 2);
  pid_t pid = -1;
  const int error = posix_spawnp(&pid, "curl", &actions, nullptr, arguments.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  if (error != 0) return {error, "curl cannot be started"};
  int status = 0;
  waitpid(pid, &status, 0);
  std::ostringstream text;
  text << std::ifstream(path).rdbuf();
  return {WEXITSTATUS(status), text.str()};
}

void Echo(const std::shared_ptr<Exchange>& exchange) {
  const ServerRequest& request = exchange->request();
  if (request.path == "/stream") {
    (void)exchange->Begin(200, {{"Content-Type", "text/plain"}});
    for (int i = 0; i < 100; ++i) (void)exchange->Write(std::string(1000, 'x') + "\n");
    (void)exchange->End();
    return;
  }
  (void)exchange->Respond(
      200, {},
      request.head.method + " " + request.path + " " + std::to_string(request.body.size()) + "\n");
}

TEST(Curl, GetsAndPosts) {
  TestServer server(Echo);
  EXPECT_EQ(Curl({server.Url("/a"), server.Url("/b")}).output, "GET /a 0\nGET /b 0\n");
  EXPECT_EQ(Curl({"-d", "12345", server.Url("/a")}).output, "POST /a 5\n");
  EXPECT_EQ(Curl({"-d", "12345", "-H", "Transfer-Encoding: chunked", server.Url("/a")}).output,
            "POST /a 5\n");
  EXPECT_EQ(Curl({"-X", "DELETE", server.Url("/a")}).output, "DELETE /a 0\n");
  EXPECT_EQ(Curl({"--http1.0", server.Url("/a")}).output, "GET /a 0\n");
  EXPECT_THAT(Curl({"-I", server.Url("/a")}).output,
              AllOf(StartsWith("HTTP/1.1 200 OK\r\n"), HasSubstr("Content-Length: 10\r\n")));
}

// Without TLS, where the endpoint says so; nothing else is understood there.
TEST(Curl, SpeaksHttp2AtOnce) {
  TestServer server(Echo, {}, nullptr, true);
  const std::string again = "--http2-prior-knowledge";
  // (Debian 12's curl breaks a connection of this kind when it uses it again.)
  EXPECT_EQ(Curl({again, server.Url("/a")}).output, "GET /a 0\n");
  EXPECT_EQ(Curl({again, "-d", std::string(100'000, 'x'), server.Url("/a")}).output,
            "POST /a 100000\n");
  EXPECT_THAT(Curl({again, "-I", server.Url("/a")}).output, StartsWith("HTTP/2 200"));
  EXPECT_NE(Curl({"--http1.1", server.Url("/a")}).status, 0);
  EXPECT_EQ(Curl({again, server.Url("/a")}).output, "GET /a 0\n");
}

// More than a megabyte, for which curl asks before it sends.
TEST(Curl, UploadsMuch) {
  TestServer server(Echo);
  const TestFolder folder;
  const std::string path = folder.path() + "/large";
  std::ofstream(path) << std::string(size_t{2} << 20, 'x');
  EXPECT_EQ(Curl({"-T", path, server.Url("/a")}).output, "PUT /a 2097152\n");
  std::ofstream(path, std::ios::app) << std::string(size_t{2} << 20, 'x');
  EXPECT_THAT(Curl({"-T", path, server.Url("/a")}).output, HasSubstr("limit is 3145728"));
}

TEST(Curl, ReadsStreams) {
  TestServer server(Echo);
  const CurlResult result = Curl({server.Url("/stream"), server.Url("/stream")});
  EXPECT_EQ(result.status, 0);
  EXPECT_EQ(result.output.size(), 200200U);
}

TEST(Curl, SpeaksOverAUnixSocket) {
  const TestFolder folder;
  const std::string path = folder.path() + "/agent.sock";
  const auto server = *Server::Start(*Listener::Unix(path), {}, Echo);
  EXPECT_EQ(Curl({"--unix-socket", path, "http://agent/x"}).output, "GET /x 0\n");
}

// Many at once, and slow ones.
TEST(Curl, ComesInNumbers) {
  TestServer server(Echo);
  std::vector<std::string> words{"--parallel", "--parallel-max", "20", "--limit-rate", "300K"};
  for (int i = 0; i < 40; ++i) words.push_back(server.Url("/stream"));
  // Among curl's own lines about its progress.
  const CurlResult result = Curl(words);
  EXPECT_EQ(result.status, 0);
  EXPECT_EQ(std::ranges::count(result.output, 'x'), 40 * 100'000);
}

TEST(Curl, UploadsByHttp2ToAnotherServer) {
  constexpr size_t kSize = size_t{20} << 20;
  PeerServer backend([](Peer& peer, int) {
    peer.ReadHead();
    size_t size = 0;
    while (size < kSize) size += peer.ReadExactly(1 << 20).size();
    peer.Answer("all of it");
  });
  const auto& files = TestCertificates::Get();
  Front front(backend.port(), {},
              *TlsServer::Create(
                  {.certificate = files.Read("server.pem"), .key = files.Read("server.key")}));
  const TestFolder folder;
  std::ofstream(folder.path() + "/body") << std::string(kSize, 'x');
  // Eighty times the window of a stream.
  EXPECT_EQ(Curl({"--http2", "--cacert", files.folder + "/ca.pem", "--data-binary",
                  "@" + folder.path() + "/body", front.server().Url("/")})
                .output,
            "all of it");
}

}  // namespace
}  // namespace podium::http
