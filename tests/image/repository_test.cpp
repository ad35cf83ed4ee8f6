#include "image/repository.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <ctime>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "http/url.h"
#include "image/registry_fixture.h"
#include "reflect/base64.h"

namespace podium::image {
namespace {

namespace fs = std::filesystem;
using std::chrono::milliseconds;
using ::testing::AllOf;
using ::testing::HasSubstr;

// someone:secret
constexpr const char* kHtpasswd =
    "someone:$2y$05$YTY9RyQ7ZMMgkZrHtScg7uc4REv9.0oj5XDuDzl3xEJxazVsEhalm\n";
const Credentials kSomeone{.username = "someone", .password = "secret"};

class RepositoryTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!HaveDockerRegistry()) GTEST_SKIP() << "needs docker-registry";
    options_.retry.first_delay = milliseconds(1);
    storage_ = folder_.path() + "/storage";
    fs::create_directory(storage_);
  }

  std::string Write(const std::string& name, const std::string& text) {
    std::ofstream(folder_.path() + "/" + name) << text;
    return folder_.path() + "/" + name;
  }
  void Push(const std::string& name, const std::string& tag) {
    const DockerRegistry registry({.storage = storage_});
    PushImage(registry.host(), name, tag, ImageOf({"text"}));
  }
  Repository& At(const std::string& host, const Credentials& credentials = {}) {
    registries_ = std::make_unique<Registries>(options_);
    repository_ = std::make_unique<Repository>(*registries_, registries_->EndpointsOf(host)->back(),
                                               "team/app", credentials);
    return *repository_;
  }
  Error ErrorAt(const std::string& host, const Credentials& credentials = {}) {
    auto manifest = At(host, credentials).Manifest("v1", nullptr);
    if (manifest.ok()) return {Code::kInternal, "no error"};
    return std::move(manifest).error();
  }

  http::TestFolder folder_;
  std::string storage_;
  RegistryOptions options_;
  std::unique_ptr<Registries> registries_;
  std::unique_ptr<Repository> repository_;
};

TEST_F(RepositoryTest, ManifestsAndBlobsOfAPlainRegistryOnLoopback) {
  const DockerRegistry registry({.storage = storage_});
  const Digest pushed = PushImage(registry.host(), "team/app", "v1", ImageOf({"text"}));
  const ImageBuilder image = ImageOf({"text"});
  const Digest layer = DigestOf(image.layers[0].bytes);
  Repository& repository = At(registry.host());
  const auto by_tag = repository.Manifest("v1", nullptr);
  ASSERT_TRUE(by_tag.ok()) << by_tag.error().message();
  EXPECT_EQ(by_tag->digest, pushed);
  EXPECT_EQ(by_tag->media_type, "application/vnd.oci.image.manifest.v1+json");
  const auto by_digest = repository.Manifest(pushed.String(), nullptr);
  ASSERT_TRUE(by_digest.ok()) << by_digest.error().message();
  EXPECT_EQ(by_digest->bytes, by_tag->bytes);
  EXPECT_EQ(**repository.DigestOfTag("v1", nullptr), pushed);
  EXPECT_FALSE(repository.DigestOfTag("v2", nullptr)->has_value());

  auto blob = repository.OpenBlob(layer, 0, nullptr);
  ASSERT_TRUE(blob.ok()) << blob.error().message();
  EXPECT_EQ(*blob->response.ReadAll(1 << 20), image.layers[0].bytes);
  auto rest = repository.OpenBlob(layer, 512, nullptr);
  ASSERT_TRUE(rest.ok()) << rest.error().message();
  EXPECT_EQ(rest->offset, 512);
  EXPECT_EQ(*rest->response.ReadAll(1 << 20), image.layers[0].bytes.substr(512));

  for (const char* reference : {"v2",
                                "sha256:0000000000000000000000000000000000000000000000000000"
                                "000000000000"}) {
    const auto missing = repository.Manifest(reference, nullptr);
    ASSERT_FALSE(missing.ok());
    EXPECT_EQ(missing.error().code(), Code::kNotFound);
  }
  const auto no_blob = repository.OpenBlob(DigestOf("nothing"), 0, nullptr);
  ASSERT_FALSE(no_blob.ok());
  EXPECT_EQ(no_blob.error().code(), Code::kNotFound);
  EXPECT_THAT(no_blob.error().message(), HasSubstr("404 Not Found: blob unknown"));
}

TEST_F(RepositoryTest, BasicAuthorization) {
  Push("team/app", "v1");
  const std::string auth =
      "  htpasswd:\n    realm: here\n    path: " + Write("htpasswd", kHtpasswd) + "\n";
  const DockerRegistry registry({.storage = storage_, .auth = auth});
  EXPECT_TRUE(At(registry.host(), kSomeone).Manifest("v1", nullptr).ok());

  const Error anonymous = ErrorAt(registry.host());
  EXPECT_EQ(anonymous.code(), Code::kUnauthenticated);
  EXPECT_EQ(anonymous.message(),
            "pull access denied, repository does not exist or may require authorization: "
            "authorization failed: no basic auth credentials");
  const Error wrong = ErrorAt(registry.host(), {.username = "someone", .password = "wrong"});
  EXPECT_EQ(wrong.code(), Code::kUnauthenticated);
  EXPECT_THAT(wrong.message(), HasSubstr("authorization failed"));
}

TEST_F(RepositoryTest, TlsWithAnAuthorityOfItsOwn) {
  Push("team/app", "v1");
  const auto& certificates = http::TestCertificates::Get();
  const DockerRegistry registry({.storage = storage_,
                                 .certificate = certificates.folder + "/server.pem",
                                 .key = certificates.folder + "/server.key"});
  const Error unknown = ErrorAt(registry.host());
  EXPECT_EQ(unknown.code(), Code::kPermissionDenied);
  EXPECT_THAT(unknown.message(), AllOf(HasSubstr("failed to do request: GET https://127.0.0.1:"),
                                       HasSubstr("tls: failed to verify certificate")));

  options_.registries[registry.host()].tls.extra_roots = certificates.Read("ca.pem");
  const auto trusted = At(registry.host()).Manifest("v1", nullptr);
  EXPECT_TRUE(trusted.ok()) << trusted.error().message();
  options_.registries[registry.host()].tls.extra_roots = "rubbish";
  const Error rubbish = ErrorAt(registry.host());
  EXPECT_EQ(rubbish.code(), Code::kInvalidArgument);
  EXPECT_THAT(rubbish.message(), HasSubstr("tls: reading certificates"));
  options_.registries[registry.host()].tls = {.skip_verify = true};
  EXPECT_TRUE(At(registry.host()).Manifest("v1", nullptr).ok());
}

TEST_F(RepositoryTest, PlainHttpIsNotSpokenUnasked) {
  const DockerRegistry registry({.storage = storage_});
  Registries registries(options_);
  // As a mirror by https, this is one whose scheme is given.
  Repository repository(registries, {.host = registry.host(), .scheme = "https"}, "team/app", {});
  const auto manifest = repository.Manifest("v1", nullptr);
  ASSERT_FALSE(manifest.ok());
  EXPECT_THAT(manifest.error().message(),
              HasSubstr("http: server gave HTTP response to HTTPS client"));
}

TEST_F(RepositoryTest, WhatCannotBeReached) {
  options_.retry.attempts = 3;
  const auto begin = std::chrono::steady_clock::now();
  const Error refused = ErrorAt("127.0.0.1:1");
  EXPECT_EQ(refused.code(), Code::kUnavailable);
  EXPECT_THAT(refused.message(), HasSubstr("Connection refused"));
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(5));
  options_.timeouts.connect = std::chrono::seconds(2);
  options_.retry.attempts = 1;
  const Error unknown = ErrorAt("registry.invalid");
  EXPECT_THAT(unknown.message(), HasSubstr("lookup registry.invalid"));
}

TEST_F(RepositoryTest, ServersThatAreBusyAreAskedAgain) {
  const DockerRegistry registry({.storage = storage_});
  const Digest pushed = PushImage(registry.host(), "team/app", "v1", ImageOf({"text"}));
  FaultyProxy proxy(registry.port(), [](FaultyProxy::Exchange& exchange) {
    const int statuses[] = {500, 429, 503};
    if (exchange.same < 3) {
      exchange.answer = AnswerOf(statuses[exchange.same], "Retry-After: 0\r\n", "");
    }
  });
  const auto manifest = At(proxy.host()).Manifest("v1", nullptr);
  ASSERT_TRUE(manifest.ok()) << manifest.error().message();
  EXPECT_EQ(manifest->digest, pushed);
  EXPECT_EQ(proxy.Count("/manifests/v1"), 4);
}

TEST_F(RepositoryTest, ServersThatStayBusy) {
  const DockerRegistry registry({.storage = storage_});
  FaultyProxy proxy(registry.port(), [](FaultyProxy::Exchange& exchange) {
    exchange.answer =
        AnswerOf(429, "", R"({"errors":[{"code":"TOOMANYREQUESTS","message":"come back later"}]})");
  });
  const Error busy = ErrorAt(proxy.host());
  EXPECT_EQ(busy.code(), Code::kUnavailable);
  EXPECT_THAT(busy.message(), HasSubstr("429 Too Many Requests: toomanyrequests: come back later"));
  EXPECT_EQ(proxy.Count("/manifests/v1"), options_.retry.attempts);
}

TEST_F(RepositoryTest, AManifestThatIsNotWhatItsDigestSays) {
  const DockerRegistry registry({.storage = storage_});
  const Digest pushed = PushImage(registry.host(), "team/app", "v1", ImageOf({"text"}));
  // Damaged the first time it is asked for by tag, cut short the second; always by digest.
  FaultyProxy proxy(registry.port(), [](FaultyProxy::Exchange& exchange) {
    const bool by_digest = exchange.line.find("sha256") != std::string::npos;
    if (by_digest || exchange.same == 0) exchange.answer.back() = '!';
    if (!by_digest && exchange.same == 1) exchange.answer.resize(exchange.answer.size() - 10);
  });
  Repository& repository = At(proxy.host());
  const auto by_tag = repository.Manifest("v1", nullptr);
  ASSERT_TRUE(by_tag.ok()) << by_tag.error().message();
  EXPECT_EQ(by_tag->digest, pushed);
  const auto by_digest = repository.Manifest(pushed.String(), nullptr);
  ASSERT_FALSE(by_digest.ok());
  EXPECT_EQ(by_digest.error().code(), Code::kDataLoss);
  EXPECT_THAT(by_digest.error().message(), HasSubstr("instead of " + pushed.String()));
}

TEST_F(RepositoryTest, MirrorsAreToldWhomTheyStandFor) {
  const DockerRegistry registry({.storage = storage_});
  FaultyProxy proxy(registry.port(), [](FaultyProxy::Exchange&) {});
  options_.registries["r.example"].mirrors = {"http://" + proxy.host() + "/some"};
  Registries registries(options_);
  Repository repository(registries, registries.EndpointsOf("r.example")->front(), "team/app", {});
  EXPECT_EQ(repository.Manifest("v1", nullptr).error().code(), Code::kNotFound);
  EXPECT_EQ(proxy.Count("GET /v2/some/team/app/manifests/v1?ns=r.example HTTP/1.1"), 1);
}

std::string Base64Url(const std::string& bytes) {
  std::string text;
  reflect::AppendBase64(bytes, &text);
  for (char& c : text) c = c == '+' ? '-' : c == '/' ? '_' : c;
  while (text.ends_with('=')) text.pop_back();
  return text;
}

// A token server, and a registry that trusts it.
class TokenTest : public RepositoryTest {
 protected:
  void SetUp() override {
    RepositoryTest::SetUp();
    if (IsSkipped()) return;
    Push("team/app", "v1");
    const std::string base = folder_.path();
    ASSERT_TRUE(RunProgram({"openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj",
                            "/CN=tokens", "-days", "2", "-keyout", base + "/token.key", "-out",
                            base + "/token.pem"}));
    ASSERT_TRUE(RunProgram({"openssl", "x509", "-in", base + "/token.pem", "-outform", "DER",
                            "-out", base + "/token.der"}));
    tokens_ = std::make_unique<http::PeerServer>([this](http::Peer& peer, int) { Serve(peer); });
    registry_ = std::make_unique<DockerRegistry>(
        DockerRegistryOptions{.storage = storage_, .auth = Auth(tokens_->Url("/token"))});
  }

  std::string Auth(const std::string& realm) const {
    return "  token:\n    realm: " + realm + "\n    service: podium tests\n    issuer: us\n" +
           "    rootcertbundle: " + folder_.path() + "/token.pem\n";
  }

  std::string Read(const std::string& name) const {
    std::stringstream text;
    text << std::ifstream(folder_.path() + "/" + name, std::ios::binary).rdbuf();
    return text.str();
  }

  // For who is let in: a token for pulling team/app.
  std::string Token(bool with_access) {
    std::string certificate;
    reflect::AppendBase64(Read("token.der"), &certificate);
    const std::string header = R"({"typ":"JWT","alg":"RS256","x5c":[")" + certificate + R"("]})";
    const std::string now = std::to_string(std::time(nullptr));
    const std::string later = std::to_string(std::time(nullptr) + 300);
    const std::string claims =
        R"({"iss":"us","sub":"s","aud":"podium tests","jti":"1","nbf":)" + now + R"(,"iat":)" +
        now + R"(,"exp":)" + later + R"(,"access":[)" +
        (with_access ? R"({"type":"repository","name":"team/app","actions":["pull"]})" : "") + "]}";
    const std::string text = Base64Url(header) + '.' + Base64Url(claims);
    std::ofstream(folder_.path() + "/text") << text;
    const std::string base = folder_.path();
    EXPECT_TRUE(RunProgram({"openssl", "dgst", "-sha256", "-sign", base + "/token.key", "-out",
                            base + "/signature", base + "/text"}));
    return text + '.' + Base64Url(Read("signature"));
  }

  void Serve(http::Peer& peer) {
    const std::string head = peer.ReadHead();
    if (head.empty()) return;
    const std::lock_guard lock(mutex_);
    requests_.push_back(head);
    if (fail_first_ && requests_.size() == 1) {
      peer.Send(AnswerOf(503, "", ""));
      return;
    }
    const bool anonymous = head.find("Authorization:") == std::string::npos;
    const bool post = head.starts_with("POST ");
    if (post) requests_.push_back(peer.ReadExactly(BodySize(head)));
    // Basic someone:secret
    const bool known = post ? requests_.back().find("refresh_token=identity") != std::string::npos
                            : head.find("Basic c29tZW9uZTpzZWNyZXQ=") != std::string::npos;
    if (!known && (!anonymous || post)) {
      peer.Send(AnswerOf(401, "", R"({"details":"incorrect username or password"})"));
      return;
    }
    const char* name = post ? "access_token" : "token";
    peer.Send(AnswerOf(200, "Content-Type: application/json\r\n",
                       std::string("{\"") + name + "\":\"" + Token(known) + "\"}"));
  }

  static size_t BodySize(const std::string& head) {
    const size_t at = head.find("Content-Length: ");
    return at == head.npos ? 0 : std::strtoul(head.c_str() + at + 16, nullptr, 10);
  }

  std::unique_ptr<http::PeerServer> tokens_;
  std::unique_ptr<DockerRegistry> registry_;
  std::mutex mutex_;
  std::vector<std::string> requests_;
  bool fail_first_ = false;
};

TEST_F(TokenTest, NameAndPassword) {
  fail_first_ = true;
  Repository& repository = At(registry_->host(), kSomeone);
  const auto manifest = repository.Manifest("v1", nullptr);
  ASSERT_TRUE(manifest.ok()) << manifest.error().message();
  // The token serves for all that follows.
  EXPECT_TRUE(repository.Manifest("v1", nullptr).ok());
  ASSERT_EQ(requests_.size(), 2);
  EXPECT_THAT(requests_[1], HasSubstr("GET /token?service=podium%20tests&"
                                      "scope=repository%3Ateam%2Fapp%3Apull&account=someone HTTP"));
}

TEST_F(TokenTest, IdentityToken) {
  const auto manifest =
      At(registry_->host(), {.identity_token = "identity"}).Manifest("v1", nullptr);
  ASSERT_TRUE(manifest.ok()) << manifest.error().message();
  ASSERT_EQ(requests_.size(), 2);
  EXPECT_THAT(
      requests_[1],
      AllOf(HasSubstr("grant_type=refresh_token"), HasSubstr("service=podium%20tests"),
            HasSubstr("client_id=podium"), HasSubstr("scope=repository%3Ateam%2Fapp%3Apull")));
}

TEST_F(TokenTest, WithoutCredentialsAndWithWrongOnes) {
  const Error anonymous = ErrorAt(registry_->host());
  EXPECT_EQ(anonymous.code(), Code::kUnauthenticated);
  EXPECT_EQ(anonymous.message(),
            "pull access denied, repository does not exist or may require authorization: "
            "server message: insufficient_scope: authorization failed");
  const Error wrong = ErrorAt(registry_->host(), {.username = "someone", .password = "wrong"});
  EXPECT_EQ(wrong.code(), Code::kUnauthenticated);
  EXPECT_THAT(wrong.message(), AllOf(HasSubstr("failed to authorize: failed to fetch oauth token"),
                                     HasSubstr("incorrect username or password")));
}

TEST_F(TokenTest, ARegistryTokenIsSentAsItIs) {
  const auto manifest =
      At(registry_->host(), {.registry_token = Token(true)}).Manifest("v1", nullptr);
  ASSERT_TRUE(manifest.ok()) << manifest.error().message();
  EXPECT_TRUE(requests_.empty());
}

TEST_F(TokenTest, ATokenThatHasGrownOldIsReplacedOnce) {
  Repository* repository = nullptr;
  std::atomic<bool> expired = false;
  FaultyProxy proxy(registry_->port(), [&](FaultyProxy::Exchange& exchange) {
    if (!expired.exchange(false)) return;
    exchange.answer = AnswerOf(401,
                               "WWW-Authenticate: Bearer realm=\"" + tokens_->Url("/token") +
                                   "\",service=\"podium tests\",error=\"invalid_token\"\r\n",
                               "");
  });
  repository = &At(proxy.host(), kSomeone);
  ASSERT_TRUE(repository->Manifest("v1", nullptr).ok());
  expired = true;
  const auto again = repository->Manifest("v1", nullptr);
  EXPECT_TRUE(again.ok()) << again.error().message();
  EXPECT_EQ(requests_.size(), 2);
}

TEST_F(TokenTest, PasswordsDoNotGoInTheClear) {
  const auto& certificates = http::TestCertificates::Get();
  // TLS to the registry, none to the token server that it names.
  const DockerRegistry registry({.storage = storage_,
                                 .auth = Auth(tokens_->Url("/token")),
                                 .certificate = certificates.folder + "/server.pem",
                                 .key = certificates.folder + "/server.key"});
  options_.registries[registry.host()].tls.extra_roots = certificates.Read("ca.pem");
  const Error refused = ErrorAt(registry.host(), kSomeone);
  EXPECT_EQ(refused.code(), Code::kPermissionDenied);
  EXPECT_THAT(refused.message(), HasSubstr("is without TLS"));
  EXPECT_TRUE(requests_.empty());
}

}  // namespace
}  // namespace podium::image
