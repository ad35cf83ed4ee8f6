#include "http/tls.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>

#include <cstdlib>

#include "http/client.h"
#include "http/connect.h"
#include "http/peer.h"

namespace podium::http {
namespace {

using ::testing::HasSubstr;

std::string Read(const std::string& name) { return TestCertificates::Get().Read(name); }

TlsOptions TrustingUs() { return {.extra_roots = Read("ca.pem"), .system_roots = false}; }

Result<std::string> Fetch(const ClientOptions& options, const std::string& url) {
  TRY(auto client, Client::Create(options));
  TRY(auto response, client.Send({.url = url}));
  return response.ReadAll(size_t{1} << 24);
}

void AnswerAll(Peer& peer, int number) {
  while (!peer.ReadHead().empty()) peer.Answer("secret " + std::to_string(number));
}

TEST(Tls, ReachesWhoIsTrusted) {
  PeerServer server(AnswerAll, {.certificate = "server"});
  const std::string by_name = "https://localhost:" + std::to_string(server.port()) + "/";
  for (const std::string& url : {server.Url("/"), by_name}) {
    auto body = Fetch({.tls = TrustingUs()}, url);
    ASSERT_TRUE(body.ok()) << body.error().message();
    EXPECT_THAT(*body, HasSubstr("secret"));
  }
}

TEST(Tls, KeepsConnections) {
  PeerServer server(AnswerAll, {.certificate = "server"});
  const Client client = *Client::Create({.tls = TrustingUs()});
  for (int i = 0; i < 3; ++i) {
    auto response = client.Send({.url = server.Url("/")});
    ASSERT_TRUE(response.ok()) << response.error().message();
    EXPECT_EQ(*response->ReadAll(100), "secret 0");
  }
}

TEST(Tls, RefusesWhoIsNot) {
  PeerServer server(AnswerAll, {.certificate = "server"});
  auto unknown = Fetch({}, server.Url("/"));
  EXPECT_EQ(unknown.error().code(), Code::kPermissionDenied);
  EXPECT_THAT(unknown.error().message(), HasSubstr("failed to verify certificate"));
  // Asked for, and only then.
  EXPECT_TRUE(Fetch({.tls = {.skip_verify = true}}, server.Url("/")).ok());
}

// In a process of its own, since the system's roots are read once.
[[noreturn]] void FetchWithSystemRoots() {
  bool good = false;
  {
    PeerServer server(AnswerAll, {.certificate = "server"});
    const std::string roots = TestCertificates::Get().folder + "/ca.pem";
    setenv("SSL_CERT_FILE", roots.c_str(), 1);  // NOLINT: no other thread reads it
    good = Fetch({}, server.Url("/")).ok() &&
           !Fetch({.tls = {.system_roots = false}}, server.Url("/")).ok();
  }
  std::exit(good ? 0 : 1);  // NOLINT: likewise; what was made for the test is removed by it
}

TEST(TlsDeathTest, TrustsTheRootsOfTheSystem) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_EXIT(FetchWithSystemRoots(), ::testing::ExitedWithCode(0), "");
}

TEST(Tls, RefusesTheCertificateOfAnother) {
  PeerServer server(AnswerAll, {.certificate = "other"});
  const std::string by_name = "https://localhost:" + std::to_string(server.port()) + "/";
  // Its common name is "localhost", which no longer counts.
  for (const std::string& url : {server.Url("/"), by_name}) {
    auto body = Fetch({.tls = TrustingUs()}, url);
    ASSERT_FALSE(body.ok());
    EXPECT_EQ(body.error().code(), Code::kPermissionDenied);
    EXPECT_THAT(body.error().message(), HasSubstr("mismatch"));
  }
}

TEST(Tls, ShowsAClientCertificate) {
  PeerServer server(AnswerAll, {.certificate = "server", .ask_client_certificate = true});
  TlsOptions options = TrustingUs();
  EXPECT_FALSE(Fetch({.tls = options}, server.Url("/")).ok());
  options.certificate = Read("client.pem");
  options.key = Read("client.key");
  auto body = Fetch({.tls = options}, server.Url("/"));
  EXPECT_TRUE(body.ok()) << body.error().message();
  options.key = Read("server.key");
  EXPECT_EQ(Fetch({.tls = options}, server.Url("/")).error().code(), Code::kInvalidArgument);
}

TEST(Tls, RefusesTextThatIsNoPem) {
  EXPECT_EQ(TlsClient::Create({.extra_roots = "no certificate"}).error().code(),
            Code::kInvalidArgument);
  EXPECT_EQ(TlsClient::Create({.certificate = Read("client.pem")}).error().code(),
            Code::kInvalidArgument);
  const std::string pem = Read("ca.pem");
  EXPECT_FALSE(TlsClient::Create({.extra_roots = pem + pem.substr(0, pem.size() / 2)}).ok());
  EXPECT_TRUE(TlsClient::Create({.extra_roots = pem + Read("server.pem")}).ok());
}

TEST(Tls, TellsPlainHttpFromBroken) {
  PeerServer plain([](Peer& peer, int) {
    peer.ReadExactly(1);
    peer.Send("HTTP/1.1 400 Bad Request\r\n\r\n");
  });
  auto body = Fetch({}, "https://127.0.0.1:" + std::to_string(plain.port()) + "/");
  EXPECT_EQ(body.error().code(), Code::kUnsupported);
  EXPECT_THAT(body.error().message(), HasSubstr("http: server gave HTTP response to HTTPS client"));

  PeerServer gone([](Peer& peer, int) { peer.ReadExactly(1); });
  auto broken = Fetch({}, "https://127.0.0.1:" + std::to_string(gone.port()) + "/");
  EXPECT_EQ(broken.error().code(), Code::kUnavailable) << broken.error().message();
}

TEST(Tls, ASilentServerIsGivenUp) {
  PeerServer silent([](Peer& peer, int) { peer.ReadToEnd(); });
  auto body = Fetch({.timeouts = {.connect = std::chrono::milliseconds(100)}},
                    "https://127.0.0.1:" + std::to_string(silent.port()) + "/");
  EXPECT_EQ(body.error().code(), Code::kDeadlineExceeded) << body.error().message();
}

// A body that ends with the connection ends with close_notify: who cuts the wire cannot shorten it.
TEST(Tls, ACutIsNoEnd) {
  PeerServer server(
      [](Peer& peer, int) {
        peer.ReadHead();
        peer.Send("HTTP/1.1 200 OK\r\n\r\nhalf");
        shutdown(peer.fd(), SHUT_RDWR);
      },
      {.certificate = "server"});
  auto body = Fetch({.tls = TrustingUs()}, server.Url("/"));
  EXPECT_EQ(body.error().code(), Code::kUnavailable);
}

TEST(Tls, CarriesBothDirectionsAtOnce) {
  constexpr size_t kSize = size_t{4} << 20;
  PeerServer server(
      [](Peer& peer, int) {
        peer.ReadHead();
        peer.Send("HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n");
        for (size_t sent = 0; sent < kSize; sent += size_t{16} << 10) {
          peer.Send(peer.ReadExactly(size_t{16} << 10));
        }
      },
      {.certificate = "server"});
  const Client client = *Client::Create({.tls = TrustingUs()});
  auto response = client.Send({.url = server.Url("/")});
  ASSERT_TRUE(response.ok()) << response.error().message();
  const auto stream = *response->TakeStream();
  std::thread writer([&] {
    const std::string block(size_t{64} << 10, 'x');
    for (size_t sent = 0; sent < kSize; sent += block.size()) {
      ASSERT_TRUE(stream->Write(block).ok());
    }
  });
  size_t read = 0;
  char buffer[32768];
  while (read < kSize) {
    auto size = stream->Read(buffer);
    ASSERT_TRUE(size.ok()) << size.error().message();
    ASSERT_GT(*size, 0U);
    read += *size;
  }
  writer.join();
}

// A proxy that takes CONNECT and passes bytes to the port that it is asked for, in one thread: a
// connection of OpenSSL is not for two.
void Tunnel(Peer& peer) {
  const std::string head = peer.ReadHead();
  const size_t colon = head.find(':');
  const auto port = static_cast<uint16_t>(std::stoi(head.substr(colon + 1)));
  const UniqueFd out = *ConnectTcp("127.0.0.1", port, {});
  peer.Send("HTTP/1.1 200 Connection established\r\n\r\n");
  char bytes[4096];
  while (true) {
    pollfd polled[2] = {{peer.fd(), POLLIN, 0}, {out.get(), POLLIN, 0}};
    if (!peer.Buffered() && poll(polled, 2, 5000) <= 0) return;
    if (polled[1].revents != 0) {
      const ssize_t size = recv(out.get(), bytes, sizeof bytes, 0);
      if (size <= 0 || !peer.Send({bytes, static_cast<size_t>(size)})) return;
    }
    if (polled[0].revents != 0 || peer.Buffered()) {
      const std::string some = peer.ReadSome();
      if (some.empty() || send(out.get(), some.data(), some.size(), MSG_NOSIGNAL) <= 0) return;
    }
  }
}

TEST(Tls, GoesThroughAProxy) {
  PeerServer server(AnswerAll, {.certificate = "server"});
  PeerServer plain([](Peer& peer, int) { Tunnel(peer); });
  // TLS to the proxy, and within it TLS to the server.
  PeerServer secure([](Peer& peer, int) { Tunnel(peer); }, {.certificate = "server"});
  // Loopback is never proxied: the name stands for a server elsewhere, which the proxy knows. Its
  // certificate is for another name.
  const std::string url = "https://registry.invalid:" + std::to_string(server.port()) + "/";
  for (const std::string& proxy : {"127.0.0.1:" + std::to_string(plain.port()), secure.Url("")}) {
    const ProxySettings settings{.https_proxy = proxy};
    auto mismatch = Fetch({.tls = TrustingUs(), .proxy = settings}, url);
    EXPECT_EQ(mismatch.error().code(), Code::kPermissionDenied);
    auto body = Fetch({.tls = {.skip_verify = true}, .proxy = settings}, url);
    ASSERT_TRUE(body.ok()) << body.error().message();
    EXPECT_THAT(*body, HasSubstr("secret"));
  }
  // A proxy is not trusted blindly either.
  auto unknown = Fetch({.proxy = {.https_proxy = secure.Url("")}}, url);
  EXPECT_EQ(unknown.error().code(), Code::kPermissionDenied);
  EXPECT_THAT(unknown.error().message(), HasSubstr("proxy 127.0.0.1:"));
}

TEST(Tls, IsNotLeftByARedirect) {
  PeerServer server(
      [](Peer& peer, int) {
        peer.ReadHead();
        peer.Send(
            "HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n");
      },
      {.certificate = "server"});
  const Client client = *Client::Create({.tls = TrustingUs()});
  auto response = client.Send({.url = server.Url("/"), .max_redirects = 5});
  EXPECT_EQ(response.error().code(), Code::kPermissionDenied);
  EXPECT_EQ(client.Send({.url = server.Url("/")})->status(), 302);
}

TEST(Tls, TellsWhatTheProxySays) {
  std::string head;
  PeerServer proxy([&](Peer& peer, int) {
    head = peer.ReadHead();
    peer.Send("HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n");
  });
  const std::string address = "127.0.0.1:" + std::to_string(proxy.port());
  auto body = Fetch({.proxy = {.https_proxy = "http://u:p@" + address}}, "https://h.invalid/");
  EXPECT_EQ(body.error().code(), Code::kUnauthenticated);
  EXPECT_EQ(body.error().message(),
            "GET https://h.invalid/: proxy " + address + ": 407 Proxy Authentication Required");
  EXPECT_EQ(head,
            "CONNECT h.invalid:443 HTTP/1.1\r\nHost: h.invalid:443\r\n"
            "Proxy-Authorization: Basic dTpw\r\n\r\n");
}

}  // namespace
}  // namespace podium::http
