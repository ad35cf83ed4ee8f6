#include "http/tls_server.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/err.h>
#include <openssl/ssl.h>

#include <csignal>
#include <random>

#include "http/client.h"
#include "http/test_server.h"
#include "pki/pem.h"

namespace podium::http {
namespace {

using std::chrono::milliseconds;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::StartsWith;

using ExchangePtr = std::shared_ptr<Exchange>;

std::string Read(const std::string& name) { return TestCertificates::Get().Read(name); }

TlsServerOptions Shown() { return {.certificate = Read("server.pem"), .key = Read("server.key")}; }

ClientOptions Trusting(const std::string& certificate = "") {
  ClientOptions options{.tls = {.extra_roots = Read("ca.pem"), .system_roots = false}};
  if (!certificate.empty()) {
    options.tls.certificate = Read(certificate + ".pem");
    options.tls.key = Read(certificate + ".key");
  }
  return options;
}

std::string Fetched(const Client& client, const Request& request) {
  auto response = client.Send(request);
  if (!response.ok()) return "error: " + response.error().message();
  auto body = response->ReadAll(size_t{64} << 20);
  if (!body.ok()) return "body: " + body.error().message();
  return std::to_string(response->status()) + " " + *body;
}

std::string DerOf(const std::string& name) {
  const std::string pem = Read(name);
  std::string_view text = pem;
  return pki::TakePemBlock(&text)->bytes;
}

Treatment OnLoop(const RequestHead& head) {
  return {.on_loop = !head.target.starts_with("/pool"),
          .long_running = head.target.starts_with("/pool"),
          .stream_body = head.target.starts_with("/pool/upload")};
}

// What a client of OpenSSL sees that a test drives by hand.
class RawClient {
 public:
  explicit RawClient(const TestServer& server, int version = 0, const std::string& protocols = "") {
    context_ = SSL_CTX_new(TLS_client_method());
    if (version != 0) {
      SSL_CTX_set_min_proto_version(context_, version);
      SSL_CTX_set_max_proto_version(context_, version);
      SSL_CTX_set_security_level(context_, 0);
    }
    ssl_ = SSL_new(context_);
    if (!protocols.empty()) {
      SSL_set_alpn_protos(ssl_, reinterpret_cast<const unsigned char*>(protocols.data()),
                          static_cast<unsigned>(protocols.size()));
    }
    fd_ = *ConnectTcp("127.0.0.1", server.port(), {});
    const int flags = fcntl(fd_.get(), F_GETFL);
    fcntl(fd_.get(), F_SETFL, flags & ~O_NONBLOCK);
    SSL_set_fd(ssl_, fd_.get());
  }
  RawClient(const RawClient&) = delete;
  RawClient& operator=(const RawClient&) = delete;
  ~RawClient() {
    SSL_free(ssl_);
    SSL_CTX_free(context_);
    ERR_clear_error();
  }
  bool Connect() { return SSL_connect(ssl_) == 1; }
  SSL* ssl() { return ssl_; }
  std::string protocol() const {
    const unsigned char* name = nullptr;
    unsigned size = 0;
    SSL_get0_alpn_selected(ssl_, &name, &size);
    return {reinterpret_cast<const char*>(name), size};
  }
  std::string Ask(const std::string& request) {
    SSL_write(ssl_, request.data(), static_cast<int>(request.size()));
    std::string answer;
    char buffer[4096];
    int size = 0;
    while ((size = SSL_read(ssl_, buffer, sizeof buffer)) > 0) {
      answer.append(buffer, static_cast<size_t>(size));
    }
    return answer;
  }

 private:
  SSL_CTX* context_;
  SSL* ssl_;
  UniqueFd fd_;
};

void SayWho(const ExchangePtr& exchange) {
  const RemoteEnd& remote = *exchange->request().remote;
  (void)exchange->Respond(200, {}, remote.certificates.empty() ? "nobody" : remote.certificates[0]);
}

TEST(TlsServer, ServesRequests) {
  TestServer server(
      [](const ExchangePtr& exchange) {
        EXPECT_TRUE(exchange->request().remote->tls);
        (void)exchange->Respond(200, {}, exchange->request().body);
      },
      {.treatment = OnLoop, .loops = 2}, *TlsServer::Create(Shown()));
  const Client client = *Client::Create(Trusting());
  for (const size_t size : {size_t{0}, size_t{1}, size_t{16383}, size_t{16385}, size_t{3} << 20}) {
    const std::string body(size, 'b');
    EXPECT_EQ(Fetched(client, {.method = "POST", .url = server.Url("/"), .body = body}),
              "200 " + body);
    EXPECT_EQ(Fetched(client, {.method = "POST", .url = server.Url("/pool"), .body = body}),
              "200 " + body);
  }
  EXPECT_EQ(server->counts().accepted, 1U);
}

TEST(TlsServer, TellsWhoTheClientIs) {
  TlsServerOptions options = Shown();
  options.client_certificates = ClientCertificates::kRequest;
  options.client_roots = Read("ca.pem");
  TestServer server(SayWho, {.treatment = OnLoop}, *TlsServer::Create(options));
  EXPECT_EQ(Fetched(*Client::Create(Trusting()), {.url = server.Url("/")}), "200 nobody");
  EXPECT_EQ(Fetched(*Client::Create(Trusting("client")), {.url = server.Url("/")}),
            "200 " + DerOf("client.pem"));
}

// As upstream: whether a certificate is worth anything is found out with the request.
TEST(TlsServer, LeavesTheJudgementToAuthentication) {
  TlsServerOptions options = Shown();
  options.client_certificates = ClientCertificates::kRequest;
  options.client_roots = Read("server.pem");  // not who signed the client's
  TestServer server(SayWho, {.treatment = OnLoop}, *TlsServer::Create(options));
  EXPECT_EQ(Fetched(*Client::Create(Trusting("client")), {.url = server.Url("/")}),
            "200 " + DerOf("client.pem"));
}

TEST(TlsServer, JudgesWhereItIsAskedTo) {
  TlsServerOptions options = Shown();
  options.client_certificates = ClientCertificates::kVerifyIfGiven;
  options.client_roots = Read("other.pem");
  auto tls = *TlsServer::Create(options);
  TestServer server(SayWho, {.treatment = OnLoop}, tls);
  EXPECT_EQ(Fetched(*Client::Create(Trusting()), {.url = server.Url("/")}), "200 nobody");
  EXPECT_THAT(Fetched(*Client::Create(Trusting("client")), {.url = server.Url("/")}),
              StartsWith("error"));
  // With the right authority from now on.
  ASSERT_TRUE(tls->SetClientRoots(Read("ca.pem")).ok());
  EXPECT_EQ(Fetched(*Client::Create(Trusting("client")), {.url = server.Url("/")}),
            "200 " + DerOf("client.pem"));

  options.client_certificates = ClientCertificates::kRequire;
  options.client_roots = Read("ca.pem");
  TestServer strict(SayWho, {.treatment = OnLoop}, *TlsServer::Create(options));
  EXPECT_THAT(Fetched(*Client::Create(Trusting()), {.url = strict.Url("/")}), StartsWith("error"));
  EXPECT_EQ(Fetched(*Client::Create(Trusting("client")), {.url = strict.Url("/")}),
            "200 " + DerOf("client.pem"));
}

TEST(TlsServer, ShowsANewCertificate) {
  auto tls = *TlsServer::Create(Shown());
  TestServer server(SayWho, {.treatment = OnLoop}, tls);
  const Client before = *Client::Create(Trusting());
  EXPECT_EQ(Fetched(before, {.url = server.Url("/")}), "200 nobody");
  EXPECT_FALSE(tls->SetCertificate("nonsense", Read("other.key")).ok());
  EXPECT_FALSE(tls->SetCertificate(Read("other.pem"), Read("server.key")).ok());
  EXPECT_EQ(Fetched(*Client::Create(Trusting()), {.url = server.Url("/")}), "200 nobody");
  ASSERT_TRUE(tls->SetCertificate(Read("other.pem"), Read("other.key")).ok());
  // It is for another name, which a new connection sees, and the old one does not.
  EXPECT_THAT(Fetched(*Client::Create(Trusting()), {.url = server.Url("/")}),
              HasSubstr("failed to verify certificate"));
  EXPECT_EQ(Fetched(before, {.url = server.Url("/")}), "200 nobody");
}

TEST(TlsServer, SpeaksVersionsAndProtocols) {
  TestServer server(SayWho, {.treatment = OnLoop}, *TlsServer::Create(Shown()));
  const std::string request = "GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n";
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    RawClient client(server, version, "\x08http/1.1");
    ASSERT_TRUE(client.Connect());
    EXPECT_EQ(client.protocol(), "http/1.1");
    EXPECT_THAT(client.Ask(request), EndsWith("nobody"));
    // No session to come back with.
    EXPECT_EQ(SSL_SESSION_is_resumable(SSL_get0_session(client.ssl())), 0);
  }
  RawClient old(server, TLS1_1_VERSION);
  EXPECT_FALSE(old.Connect());
  RawClient none(server);
  ASSERT_TRUE(none.Connect());
  EXPECT_EQ(none.protocol(), "");
  EXPECT_THAT(none.Ask(request), EndsWith("nobody"));
  RawClient unknown(server, 0, "\x04spdy");
  EXPECT_FALSE(unknown.Connect());
}

TEST(TlsServer, TellsThoseWhoSpeakPlainHttp) {
  TestServer server(SayWho, {.treatment = OnLoop}, *TlsServer::Create(Shown()));
  const auto client = server.Connect();
  client->Send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_THAT(client->ReadToEnd(), HasSubstr("Client sent an HTTP request to an HTTPS server."));
  const auto noise = server.Connect();
  noise->Send(std::string(1000, '\x16'));
  noise->ReadToEnd();
  EXPECT_TRUE(Eventually([&] { return server->counts().connections == 0; }));
}

// attacks.md, "slow clients": handshakes that do not go on are dropped, and nobody waits for them.
TEST(SlowClients, HandshakesThatDoNotGoOn) {
  TestServer server(SayWho, {.treatment = OnLoop, .handshake_timeout = milliseconds(300)},
                    *TlsServer::Create(Shown()));
  std::vector<std::unique_ptr<Peer>> slow;
  for (int i = 0; i < 200; ++i) {
    slow.push_back(server.Connect());
    slow.back()->Send(std::string_view("\x16\x03\x01\x02\x00\x01", 6));
  }
  EXPECT_EQ(Fetched(*Client::Create(Trusting()), {.url = server.Url("/")}), "200 nobody");
  EXPECT_TRUE(Eventually([&] { return server->counts().connections <= 1; }));
}

// Handshakes are given their turns: whoever is connected is answered meanwhile.
TEST(SlowClients, ManyHandshakesAtOnce) {
  TestServer server(SayWho, {.treatment = OnLoop}, *TlsServer::Create(Shown()));
  const Client client = *Client::Create(Trusting());
  EXPECT_EQ(Fetched(client, {.url = server.Url("/")}), "200 nobody");
  std::atomic<bool> stop = false;
  std::vector<std::thread> others;
  for (int i = 0; i < 4; ++i) {
    others.emplace_back([&] {
      while (!stop) EXPECT_EQ(RawClient(server).Connect(), true);
    });
  }
  for (int i = 0; i < 100; ++i) {
    EXPECT_EQ(Fetched(client, {.url = server.Url("/")}), "200 nobody");
  }
  stop = true;
  for (std::thread& thread : others) thread.join();
}

// However little the client takes at a time, records arrive whole and in order.
TEST(TlsServer, StreamsToSlowReaders) {
  std::string block(1 << 20, '\0');
  std::minstd_rand random(1);
  for (char& c : block) c = static_cast<char>(random());
  class Blocks : public PulledBody {
   public:
    explicit Blocks(const std::string& block) : block_(block) {}
    Result<BodyPiece> Next() override {
      return BodyPiece{block_, ++given_ == 8 ? BodyPiece::Then::kEnd : BodyPiece::Then::kMore};
    }

   private:
    const std::string& block_;
    int given_ = 0;
  };
  TestServer server(
      [&](const ExchangePtr& exchange) {
        if (exchange->request().path == "/pulled") {
          (void)exchange->RespondFrom(200, {}, std::make_unique<Blocks>(block));
          return;
        }
        if (exchange->request().path == "/whole") {
          std::string all;
          for (int i = 0; i < 8; ++i) all += block;
          (void)exchange->Respond(200, {}, all);
          return;
        }
        (void)exchange->Begin(200, {});
        for (int i = 0; i < 8; ++i) ASSERT_TRUE(exchange->Write(block).ok());
        ASSERT_TRUE(exchange->End().ok());
      },
      {.treatment = OnLoop}, *TlsServer::Create(Shown()));
  const Client client = *Client::Create(Trusting());
  for (const std::string path : {"/pulled", "/whole", "/pool", "/pulled"}) {
    auto response = client.Send({.url = server.Url(path)});
    ASSERT_TRUE(response.ok());
    std::string all;
    std::string buffer(3333, '\0');
    for (int i = 0;; ++i) {
      auto size = response->Read(buffer);
      ASSERT_TRUE(size.ok()) << size.error().message();
      if (*size == 0) break;
      all.append(buffer, 0, *size);
      if (i % 500 == 0) std::this_thread::sleep_for(milliseconds(5));
    }
    ASSERT_EQ(all.size(), block.size() * 8) << path;
    for (size_t i = 0; i < 8; ++i) {
      EXPECT_TRUE(std::string_view(all).substr(i * block.size(), block.size()) == block) << path;
    }
  }
  EXPECT_EQ(server->counts().accepted, 1U);
}

TEST(TlsServer, StreamsBodiesAndUpgrades) {
  TestServer server(
      [](const ExchangePtr& exchange) {
        if (exchange->request().path == "/pool/upload") {
          size_t total = 0;
          std::string buffer(10000, '\0');
          while (true) {
            auto size = exchange->ReadBody(buffer);
            if (!size.ok() || *size == 0) break;
            total += *size;
          }
          (void)exchange->Respond(200, {}, std::to_string(total));
          return;
        }
        auto stream = exchange->Upgrade({{"Upgrade", "echo"}});
        ASSERT_TRUE(stream.ok());
        char buffer[1000];
        while (true) {
          auto size = (*stream)->Read(buffer);
          if (!size.ok() || *size == 0) break;
          ASSERT_TRUE((*stream)->Write({buffer, *size}).ok());
        }
      },
      {.treatment = OnLoop}, *TlsServer::Create(Shown()));
  const Client client = *Client::Create(Trusting());
  const std::string body(size_t{2} << 20, 'u');
  EXPECT_EQ(Fetched(client, {.method = "POST", .url = server.Url("/pool/upload"), .body = body}),
            "200 2097152");
  RawClient raw(server);
  ASSERT_TRUE(raw.Connect());
  const std::string request =
      "GET /pool HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\nearly";
  SSL_write(raw.ssl(), request.data(), static_cast<int>(request.size()));
  std::string answer;
  char buffer[1000];
  while (!answer.ends_with("early")) {
    const int size = SSL_read(raw.ssl(), buffer, sizeof buffer);
    ASSERT_GT(size, 0);
    answer.append(buffer, static_cast<size_t>(size));
  }
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 101 "));
  SSL_shutdown(raw.ssl());
}

TEST(TlsServer, StandsBesideOtherEndpoints) {
  const TestFolder folder;
  const std::string path = folder.path() + "/s";
  std::vector<Endpoint> endpoints;
  endpoints.push_back({*Listener::Tcp("127.0.0.1", 0), *TlsServer::Create(Shown())});
  endpoints.push_back({*Listener::Tcp("::1", 0), *TlsServer::Create(Shown())});
  endpoints.push_back({*Listener::Unix(path)});
  const std::string four = std::to_string(endpoints[0].listener.port());
  const std::string six = std::to_string(endpoints[1].listener.port());
  auto server = *Server::Start(
      std::move(endpoints), {.treatment = OnLoop, .loops = 2}, [](const ExchangePtr& exchange) {
        const RemoteEnd& remote = *exchange->request().remote;
        (void)exchange->Respond(
            200, {},
            std::to_string(remote.endpoint) + " " + (remote.credentials ? "here" : remote.address));
      });
  const Client client = *Client::Create(Trusting());
  EXPECT_THAT(Fetched(client, {.url = "https://127.0.0.1:" + four + "/"}),
              StartsWith("200 0 127.0.0.1:"));
  EXPECT_THAT(Fetched(client, {.url = "https://[::1]:" + six + "/"}), StartsWith("200 1 [::1]:"));
  EXPECT_EQ(Fetched(client, {.url = "http://h/", .unix_socket = path}), "200 2 here");
}

}  // namespace
}  // namespace podium::http
