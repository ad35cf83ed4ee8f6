#include "apiserver/authentication/request_authenticator.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "api/status.h"
#include "apiserver/authentication/static_tokens.h"
#include "apiserver/authentication/test_clock.h"
#include "pki/base64_url.h"
#include "pki/certificate_authority.h"
#include "pki/digest.h"

namespace podium::apiserver {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr int64_t kDay = 86400;

class RequestAuthenticatorTest : public ::testing::Test {
 protected:
  RequestAuthenticatorTest()
      : ca_(*pki::CertificateAuthority::Create("kubernetes", clock_.seconds - kDay,
                                               clock_.seconds + 100 * kDay)),
        tokens_(*StaticTokens::Create("secret,alice,u1,\"dev,ops\"\nother,bob,u2\n", "tokens.csv")),
        authenticator_(*RequestAuthenticator::Create(
            {.client_ca = ca_.certificate().Pem(), .tokens = {tokens_.get()}}, clock_)) {}

  std::string ClientDer(const pki::Subject& subject, bool for_clients = true) {
    const auto key = pki::PrivateKey::Generate();
    const auto certificate = ca_.Issue(key->public_key(), {.subject = subject,
                                                           .usages = {.digital_signature = true,
                                                                      .server_auth = !for_clients,
                                                                      .client_auth = for_clients},
                                                           .not_before = clock_.seconds - 60,
                                                           .not_after = clock_.seconds + kDay});
    EXPECT_TRUE(certificate.ok());
    return certificate->der();
  }
  User Who(const Credentials& credentials) {
    const auto who = authenticator_->Authenticate(credentials);
    EXPECT_TRUE(who.ok()) << who.error().message();
    return who.ok() ? (*who)->user : User{};
  }
  std::string Problem(const Credentials& credentials) {
    const auto who = authenticator_->Authenticate(credentials);
    return who.ok() ? "" : who.error().message();
  }

  TestClock clock_;
  pki::CertificateAuthority ca_;
  std::unique_ptr<StaticTokens> tokens_;
  std::unique_ptr<RequestAuthenticator> authenticator_;
};

TEST_F(RequestAuthenticatorTest, Certificates) {
  const std::string der =
      ClientDer({.common_name = "jane", .organizations = {"dev", "ops"}, .uids = {"1042"}});
  const std::vector<std::string> shown = {der};
  const User jane = {.name = "jane",
                     .uid = "1042",
                     .groups = {"dev", "ops", "system:authenticated"},
                     .extra = {{"authentication.kubernetes.io/credential-id",
                                {"X509SHA256=" + pki::Sha256Hex(der)}}}};
  EXPECT_EQ(Who({.certificates = shown}), jane);
  EXPECT_EQ(Who({.certificates = shown}), jane);  // remembered
  // It is forgotten when it expires.
  clock_.seconds += 2 * kDay;
  EXPECT_THAT(Problem({.certificates = shown}), HasSubstr("certificate has expired"));
  EXPECT_THAT(Problem({.certificates = shown, .path = "/healthz"}), HasSubstr("has expired"));
}

TEST_F(RequestAuthenticatorTest, CertificatesThatAreNotTaken) {
  const std::vector<std::string> server = {ClientDer({.common_name = "apiserver"}, false)};
  EXPECT_THAT(Problem({.certificates = server}), HasSubstr("incompatible key usage"));
  const std::vector<std::string> garbage = {"garbage"};
  EXPECT_EQ(Problem({.certificates = garbage}), "x509: malformed certificate");
  const std::vector<std::string> two = {ClientDer({.common_name = "x", .uids = {"1", "2"}})};
  EXPECT_EQ(Problem({.certificates = two}), "expected 1 UID, but found multiple");
  // Somebody else's authority of the same name.
  const auto other =
      pki::CertificateAuthority::Create("kubernetes", clock_.seconds - kDay, clock_.seconds + kDay);
  const auto key = pki::PrivateKey::Generate();
  const std::vector<std::string> foreign = {
      other
          ->Issue(key->public_key(),
                  {.subject = {.common_name = "admin", .organizations = {"system:masters"}},
                   .usages = {.client_auth = true},
                   .not_before = clock_.seconds - 60,
                   .not_after = clock_.seconds + 60})
          ->der()};
  EXPECT_THAT(Problem({.certificates = foreign}), HasSubstr("signed by unknown authority"));
  // A good one behind it does not help: the first is whose key the client has.
  const std::vector<std::string> both = {foreign[0], ClientDer({.common_name = "jane"})};
  EXPECT_THAT(Problem({.certificates = both}), HasSubstr("signed by unknown authority"));
  // It names nobody.
  const std::vector<std::string> nameless = {ClientDer({.organizations = {"dev"}})};
  EXPECT_EQ(Problem({.certificates = nameless}), "no credentials");
  EXPECT_EQ(Who({.certificates = nameless, .path = "/healthz"}).name, "system:anonymous");
}

TEST_F(RequestAuthenticatorTest, BearerTokens) {
  EXPECT_EQ(Who({.authorization = "Bearer secret"}),
            (User{.name = "alice", .uid = "u1", .groups = {"dev", "ops", "system:authenticated"}}));
  EXPECT_EQ(Who({.authorization = "  bEaReR secret rest"}).name, "alice");
  EXPECT_EQ(Problem({.authorization = "Bearer wrong"}), "invalid bearer token");
  EXPECT_EQ(Problem({.authorization = "Bearer wrong", .path = "/healthz"}), "invalid bearer token");
  EXPECT_EQ(Problem({.authorization = "Basic secret"}), "no credentials");
  EXPECT_EQ(Problem({.authorization = "Bearer  secret"}), "no credentials");
  // A certificate that is good counts before a token; a token counts where the certificate is bad.
  const std::vector<std::string> good = {ClientDer({.common_name = "jane"})};
  EXPECT_EQ(Who({.authorization = "Bearer secret", .certificates = good}).name, "jane");
  const std::vector<std::string> bad = {"garbage"};
  EXPECT_EQ(Who({.authorization = "Bearer secret", .certificates = bad}).name, "alice");
  EXPECT_EQ(Problem({.authorization = "Bearer wrong", .certificates = bad}),
            "[x509: malformed certificate, invalid bearer token]");
}

TEST_F(RequestAuthenticatorTest, TokensInWebSocketProtocols) {
  const std::string token =
      "base64url.bearer.authorization.k8s.io." + pki::EncodeBase64Url("secret");
  EXPECT_EQ(Who({.websocket_protocols = "v5.channel.k8s.io, " + token}).name, "alice");
  EXPECT_EQ(Problem({.websocket_protocols = token}), "missing additional subprotocol");
  EXPECT_EQ(Problem({.websocket_protocols = "a," + token + "," + token}),
            "multiple base64.bearer.authorization tokens specified");
  EXPECT_EQ(Problem({.websocket_protocols = "a,base64url.bearer.authorization.k8s.io.!"}),
            "invalid base64.bearer.authorization token encoding");
  EXPECT_EQ(Problem({.websocket_protocols = "a,base64url.bearer.authorization.k8s.io._w"}),
            "invalid base64.bearer.authorization token");
  EXPECT_EQ(Problem({.websocket_protocols = "v5.channel.k8s.io"}), "no credentials");
  EXPECT_EQ(Problem({.websocket_protocols = "a, base64url.bearer.authorization.k8s.io." +
                                            pki::EncodeBase64Url("wrong")}),
            "invalid bearer token");
}

TEST_F(RequestAuthenticatorTest, Root) {
  const User root = Who({.is_root = true});
  EXPECT_EQ(root.name, "kubernetes-admin");
  EXPECT_THAT(root.groups, ElementsAre("system:masters", "system:authenticated"));
  EXPECT_EQ(Who({.authorization = "Bearer other", .is_root = true}).name, "bob");
  EXPECT_EQ(Problem({.authorization = "Bearer wrong", .is_root = true}), "invalid bearer token");
}

TEST_F(RequestAuthenticatorTest, NobodyMayAskForHealthAndVersionAlone) {
  for (const char* path : {"/healthz", "/livez", "/readyz", "/version", "/version/"}) {
    EXPECT_EQ(Who({.path = path}),
              (User{.name = "system:anonymous", .groups = {"system:unauthenticated"}}))
        << path;
  }
  for (const char* path : {"", "/", "/api", "/healthz/", "/healthz/etcd", "/HEALTHZ", "/metrics",
                           "/api/v1/namespaces", "/version/x"}) {
    EXPECT_EQ(Problem({.path = path}), "no credentials") << path;
  }
  const api::meta::v1::Status status = api::StatusOf(UnauthorizedAnswer());
  EXPECT_EQ(status.message, "Unauthorized");
  EXPECT_EQ(status.reason, "Unauthorized");
  EXPECT_EQ(status.code, 401);
}

TEST(StaticTokens, LinesThatAreNotTaken) {
  const auto problem = [](const std::string& csv) {
    const auto tokens = StaticTokens::Create(csv, "f");
    return tokens.ok() ? "" : tokens.error().message();
  };
  EXPECT_EQ(problem(""), "");
  EXPECT_EQ(problem("t,u\n"),
            "token file 'f' must have at least 3 columns (token, user name, user uid), found 2");
  EXPECT_EQ(problem("t,u,1\nt\"x,u,1\n"), "f: parse error on line 2: bare \" in non-quoted field");
  EXPECT_EQ(problem("t,u,\"1\n"),
            "f: parse error on line 1: extraneous or missing \" in quoted-field");
  const auto tokens = StaticTokens::Create("\r\na,one,1\r\n,two,2\n\"a\",\"th\"\"ree\",3", "f");
  ASSERT_TRUE(tokens.ok()) << tokens.error().message();
  EXPECT_THAT((*tokens)->notes(),
              ElementsAre("f: record 2 has an empty token",
                          "f: record 3 has the token of one before, and counts"));
  EXPECT_EQ((*(*tokens)->AuthenticateToken("a", {}))->user.name, "th\"ree");
  EXPECT_EQ(*(*tokens)->AuthenticateToken("", {}), nullptr);
}

}  // namespace
}  // namespace podium::apiserver
