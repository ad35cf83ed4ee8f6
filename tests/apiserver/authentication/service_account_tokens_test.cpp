#include "apiserver/authentication/service_account_tokens.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "apiserver/authentication/bootstrap_tokens.h"
#include "apiserver/authentication/openid.h"
#include "apiserver/authentication/request_authenticator.h"
#include "apiserver/authentication/test_clock.h"
#include "apiserver/authentication/token_request.h"
#include "apiserver/authentication/token_review.h"
#include "apiserver/test_store.h"
#include "pki/base64_url.h"

namespace podium::apiserver {
namespace {

using api::authentication::v1::BoundObjectReference;
using api::authentication::v1::TokenRequest;
using api::authentication::v1::TokenReview;
using api::core::v1::Node;
using api::core::v1::Pod;
using api::core::v1::Secret;
using api::core::v1::ServiceAccount;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class ServiceAccountTokensTest : public ::testing::Test {
 protected:
  ServiceAccountTokensTest()
      : key_(*pki::PrivateKey::Generate()),
        issuer_(*ServiceAccountTokenIssuer::Create(key_, std::string(kDefaultIssuer))),
        tokens_(*pki::KeySet::Create({key_.public_key()}),
                {.on_legacy_token =
                     [this](std::string_view name_space, std::string_view secret) {
                       used_.push_back(std::string(name_space) + "/" + std::string(secret));
                     }},
                store_.objects, clock_),
        bootstrap_(store_.objects, clock_),
        authenticator_(*RequestAuthenticator::Create({.tokens = {&tokens_, &bootstrap_}}, clock_)),
        requests_(issuer_, {}, store_.objects, clock_) {
    PutAccount("sa-uid");
  }

  void PutAccount(const std::string& uid) {
    ServiceAccount account;
    account.metadata.name = "builder";
    account.metadata.namespace_ = "ci";
    account.metadata.uid = uid;
    store_.Put(account);
  }
  Pod MakePod() const {
    Pod pod;
    pod.metadata.name = "web";
    pod.metadata.namespace_ = "ci";
    pod.metadata.uid = "pod-uid";
    pod.spec.serviceAccountName = "builder";
    pod.spec.nodeName = "n1";
    return pod;
  }
  static TokenRequest Request(const std::string& kind = "", const std::string& name = "",
                              const std::string& uid = "") {
    TokenRequest request;
    if (kind.empty()) return request;
    request.spec.boundObjectRef =
        BoundObjectReference{.kind = kind, .apiVersion = "v1", .name = name, .uid = uid};
    return request;
  }
  IssuedToken Issue(const TokenRequest& request) {
    auto issued = requests_.Create("ci", "builder", request);
    EXPECT_TRUE(issued.ok()) << issued.error().message();
    return issued.ok() ? *std::move(issued) : IssuedToken{};
  }
  std::string TokenFor(const TokenRequest& request) { return Issue(request).object.status.token; }
  std::string RequestProblem(const TokenRequest& request) {
    const auto issued = requests_.Create("ci", "builder", request);
    return issued.ok() ? "" : issued.error().message();
  }
  ServiceAccountClaims ClaimsOf(const std::string& token) {
    const auto parsed = pki::ParseToken(token);
    EXPECT_TRUE(parsed.ok());
    const auto claims = ReadClaims(parsed->claims);
    EXPECT_TRUE(claims.ok());
    return *claims;
  }
  // "" for one that is taken.
  std::string Problem(const std::string& token) {
    const std::string header = "Bearer " + token;
    const auto who = authenticator_->Authenticate({.authorization = header, .path = "/api"});
    if (who.ok()) return "";
    EXPECT_EQ(who.error().code(), Code::kUnauthenticated);
    return who.error().message();
  }
  User Who(const std::string& token) {
    const auto who = tokens_.AuthenticateToken(token, {});
    EXPECT_TRUE(who.ok() && *who != nullptr);
    return who.ok() && *who != nullptr ? (*who)->user : User{};
  }

  TestClock clock_;
  TestStore store_;
  pki::PrivateKey key_;
  ServiceAccountTokenIssuer issuer_;
  std::vector<std::string> used_;
  ServiceAccountTokens tokens_;
  BootstrapTokens bootstrap_;
  std::unique_ptr<RequestAuthenticator> authenticator_;
  TokenRequests requests_;
};

TEST_F(ServiceAccountTokensTest, ATokenOfAPod) {
  store_.Put(MakePod());
  const IssuedToken issued = Issue(Request("Pod", "web", "pod-uid"));
  const auto& object = issued.object;
  EXPECT_EQ(object.metadata.name, "builder");
  EXPECT_EQ(object.metadata.namespace_, "ci");
  EXPECT_EQ(object.spec.expirationSeconds, 3600);
  EXPECT_EQ(object.status.expirationTimestamp, api::Time::FromUnix(clock_.seconds + 3600));
  const ServiceAccountClaims claims = ClaimsOf(object.status.token);
  EXPECT_EQ(claims.issuer, kDefaultIssuer);
  EXPECT_EQ(claims.subject, "system:serviceaccount:ci:builder");
  EXPECT_THAT(claims.audiences, ElementsAre(std::string(kDefaultIssuer)));
  EXPECT_EQ(claims.expires, clock_.seconds + 3600);
  EXPECT_EQ(claims.pod, (ServiceAccountClaims::Reference{"web", "pod-uid"}));
  EXPECT_EQ(claims.node, (ServiceAccountClaims::Reference{"n1", ""}));  // there is no such Node
  EXPECT_EQ(claims.warn_after, std::nullopt);
  EXPECT_EQ(Who(object.status.token),
            (User{.name = "system:serviceaccount:ci:builder",
                  .uid = "sa-uid",
                  .groups = {"system:serviceaccounts", "system:serviceaccounts:ci",
                             "system:authenticated"},
                  .extra = {{"authentication.kubernetes.io/credential-id", {"JTI=" + claims.id}},
                            {"authentication.kubernetes.io/node-name", {"n1"}},
                            {"authentication.kubernetes.io/pod-name", {"web"}},
                            {"authentication.kubernetes.io/pod-uid", {"pod-uid"}}}}));
  EXPECT_EQ(issued.audit_annotations.at("authentication.kubernetes.io/issued-credential-id"),
            "JTI=" + claims.id);
}

TEST_F(ServiceAccountTokensTest, ClaimsAreWrittenAsUpstreamWritesThem) {
  const ServiceAccountClaims claims = {.issuer = "https://i",
                                       .subject = "s",
                                       .audiences = {"a"},
                                       .id = "j",
                                       .expires = 3,
                                       .not_before = 1,
                                       .issued_at = 2,
                                       .name_space = "ns",
                                       .account = {"sa", "u"},
                                       .pod = ServiceAccountClaims::Reference{"p", "pu"},
                                       .node = ServiceAccountClaims::Reference{"n", ""},
                                       .warn_after = 9};
  const std::string text = reflect::ToText(WriteClaims(claims), {.sort_keys = true});
  EXPECT_EQ(text, R"({"aud":["a"],"exp":3,"iat":2,"iss":"https://i","jti":"j","kubernetes.io":)"
                  R"({"namespace":"ns","node":{"name":"n"},"pod":{"name":"p","uid":"pu"},)"
                  R"("serviceaccount":{"name":"sa","uid":"u"},"warnafter":9},"nbf":1,"sub":"s"})");
  EXPECT_EQ(*ReadClaims(*reflect::ParseJson(text)), claims);
  for (const char* wrong :
       {R"({"iss":"i","exp":"3","kubernetes.io":{}})", R"({"iss":"i","exp":-1,"kubernetes.io":{}})",
        R"({"iss":"i","exp":1e300,"kubernetes.io":{}})",
        R"({"iss":"i","aud":[1],"kubernetes.io":{}})",
        R"({"iss":"i","sub":null,"kubernetes.io":{}})",
        R"({"iss":"i","kubernetes.io":{"pod":"x"}})", R"({"iss":"i"})"}) {
    EXPECT_FALSE(ReadClaims(*reflect::ParseJson(wrong)).ok()) << wrong;
  }
}

// attacks.md, row "token checks".
TEST_F(ServiceAccountTokensTest, TokenChecksDeletedPod) {
  store_.Put(MakePod());
  const std::string token = TokenFor(Request("Pod", "web"));
  EXPECT_EQ(Problem(token), "");
  // At once, not when a cache forgets it.
  store_.Remove<Pod>("ci", "web");
  EXPECT_EQ(Problem(token), "[invalid bearer token, service account token has been invalidated]");
  // Another pod of the same name.
  Pod other = MakePod();
  other.metadata.uid = "other-uid";
  store_.Put(other);
  EXPECT_THAT(Problem(token), HasSubstr("pod UID (other-uid) does not match service account pod "
                                        "ref claim (pod-uid)"));
  store_.Put(MakePod());
  EXPECT_EQ(Problem(token), "");
  // One that is being deleted: good until its time is over and a minute more.
  Pod ending = MakePod();
  ending.metadata.deletionTimestamp = api::Time::FromUnix(clock_.seconds + 30);
  store_.Put(ending);
  EXPECT_EQ(Problem(token), "");
  clock_.seconds += 90;
  EXPECT_EQ(Problem(token), "");
  clock_.seconds += 1;
  EXPECT_THAT(Problem(token), HasSubstr("service account token has been invalidated"));
}

TEST_F(ServiceAccountTokensTest, TokenChecksWrongAudience) {
  TokenRequest request = Request();
  request.spec.audiences = {"vault", "other"};
  const std::string token = TokenFor(request);
  EXPECT_THAT(Problem(token),
              HasSubstr(R"(token audiences ["vault" "other"] is invalid for the target audiences )"
                        R"(["https://kubernetes.default.svc.cluster.local"])"));
  TokenReview review;
  review.spec.token = token;
  auto reviewed = ReviewToken(*authenticator_, review);
  ASSERT_TRUE(reviewed.ok());
  EXPECT_FALSE(reviewed->status.authenticated);
  EXPECT_THAT(reviewed->status.error, HasSubstr("is invalid for the target audiences"));
  review.spec.audiences = {"nobody", "vault"};
  reviewed = ReviewToken(*authenticator_, review);
  EXPECT_TRUE(reviewed->status.authenticated);
  EXPECT_THAT(reviewed->status.audiences, ElementsAre("vault"));
  EXPECT_EQ(reviewed->status.user.username, "system:serviceaccount:ci:builder");
  // That it is good for vault does not make it good here.
  EXPECT_NE(Problem(token), "");
}

TEST_F(ServiceAccountTokensTest, TokenChecksExpired) {
  const std::string token = TokenFor(Request());
  EXPECT_EQ(Problem(token), "");
  clock_.seconds += 3660;
  EXPECT_EQ(Problem(token), "");
  clock_.seconds += 1;
  EXPECT_EQ(Problem(token), "[invalid bearer token, service account token has expired]");
  clock_.seconds -= 7321;
  EXPECT_THAT(Problem(token), HasSubstr("service account token is not valid yet"));
}

TEST_F(ServiceAccountTokensTest, TokenChecksAlgorithmNoneAndKeyConfusion) {
  const std::string good = TokenFor(Request());
  const size_t first = good.find('.');
  const size_t second = good.find('.', first + 1);
  const std::string payload = good.substr(first + 1, second - first - 1);
  for (const std::string& head :
       {std::string(R"({"alg":"none"})"), std::string(R"({"alg":"HS256"})"),
        R"({"alg":"HS256","kid":")" + pki::KeyIdOf(key_.public_key()) + R"("})",
        std::string(R"({"alg":"RS256"})")}) {
    EXPECT_EQ(Problem(pki::EncodeBase64Url(head) + "." + payload + good.substr(second)),
              "[invalid bearer token, invalid signature]")
        << head;
    EXPECT_EQ(Problem(pki::EncodeBase64Url(head) + "." + payload + "."), "invalid bearer token");
  }
  // Signed by somebody else, for whom it says it is from.
  const auto forger =
      ServiceAccountTokenIssuer::Create(*pki::PrivateKey::Generate(), std::string(kDefaultIssuer));
  EXPECT_EQ(Problem(*forger->Issue(ClaimsOf(good))),
            "[invalid bearer token, invalid signature, no keys found]");
  // Signed here, but under the name of another issuer.
  const auto other = ServiceAccountTokenIssuer::Create(key_, "https://other");
  EXPECT_EQ(Problem(*other->Issue(ClaimsOf(good))), "invalid bearer token");
}

TEST_F(ServiceAccountTokensTest, AnAccountThatIsAnotherNow) {
  const std::string token = TokenFor(Request());
  EXPECT_EQ(Problem(token), "");
  PutAccount("new-uid");
  EXPECT_THAT(Problem(token),
              HasSubstr("service account UID (new-uid) does not match claim (sa-uid)"));
  store_.Remove<ServiceAccount>("ci", "builder");
  EXPECT_THAT(Problem(token), HasSubstr("serviceaccounts \"builder\" not found"));
}

TEST_F(ServiceAccountTokensTest, TokensOfNodesAndSecrets) {
  Node node;
  node.metadata.name = "n1";
  node.metadata.uid = "node-uid";
  store_.Put(node);
  const std::string of_node = TokenFor(Request("Node", "n1"));
  EXPECT_EQ(Who(of_node).extra.at("authentication.kubernetes.io/node-uid")[0], "node-uid");
  Secret secret;
  secret.metadata.name = "s";
  secret.metadata.namespace_ = "ci";
  secret.metadata.uid = "secret-uid";
  store_.Put(secret);
  const std::string of_secret = TokenFor(Request("Secret", "s"));
  EXPECT_EQ(Problem(of_secret), "");
  store_.Remove<Node>("", "n1");
  store_.Remove<Secret>("ci", "s");
  EXPECT_THAT(Problem(of_node), HasSubstr("has been invalidated"));
  EXPECT_THAT(Problem(of_secret), HasSubstr("has been invalidated"));
}

TEST_F(ServiceAccountTokensTest, RequestsThatAreRefused) {
  store_.Put(MakePod());
  TokenRequest request = Request();
  request.spec.expirationSeconds = 599;
  EXPECT_EQ(RequestProblem(request),
            "TokenRequest.authentication.k8s.io \"\" is invalid: spec.expirationSeconds: Invalid "
            "value: 599: may not specify a duration less than 10 minutes");
  request = Request();
  request.metadata.name = "other";
  EXPECT_EQ(RequestProblem(request),
            "TokenRequest.authentication.k8s.io \"builder\" is invalid: metadata.name: Invalid "
            "value: \"other\": must match the service account name if specified");
  EXPECT_EQ(RequestProblem(Request("Pod", "none")), "pods \"none\" not found");
  EXPECT_EQ(RequestProblem(Request("Pod", "web", "old-uid")),
            "Operation cannot be fulfilled on Pod \"web\": the UID in the bound object reference "
            "(old-uid) does not match the UID in record. The object might have been deleted and "
            "then recreated");
  EXPECT_EQ(RequestProblem(Request("Service", "web")),
            "cannot bind token to object of type /v1, Kind=Service");
  Pod other = MakePod();
  other.metadata.name = "other";
  other.spec.serviceAccountName = "default";
  store_.Put(other);
  EXPECT_EQ(RequestProblem(Request("Pod", "other")),
            "cannot bind token for serviceaccount \"builder\" to pod running with different "
            "serviceaccount name.");
  EXPECT_EQ(requests_.Create("ci", "nobody", {}).error().message(),
            "serviceaccounts \"nobody\" not found");
  const auto refused =
      requests_.Create("ci", "builder", {}, [](const TokenRequest& seen) -> Result<void> {
        EXPECT_EQ(seen.metadata.name, "builder");
        return Error(Code::kPermissionDenied, "no");
      });
  EXPECT_EQ(refused.error().message(), "no");
}

TEST_F(ServiceAccountTokensTest, TokensOfPodsLiveLongerThanTheySay) {
  store_.Put(MakePod());
  TokenRequest request = Request("Pod", "web");
  request.spec.expirationSeconds = 3607;
  const auto issued = Issue(request);
  EXPECT_EQ(issued.object.status.expirationTimestamp, api::Time::FromUnix(clock_.seconds + 3607));
  const ServiceAccountClaims claims = ClaimsOf(issued.object.status.token);
  EXPECT_EQ(claims.expires, clock_.seconds + int64_t{365} * 86400);
  EXPECT_EQ(claims.warn_after, clock_.seconds + 3607);
  const auto annotations = [&] {
    const auto who = tokens_.AuthenticateToken(issued.object.status.token, {});
    return (*who)->audit_annotations;
  };
  EXPECT_THAT(annotations(), IsEmpty());
  clock_.seconds += 3617;
  EXPECT_EQ(annotations().at("authentication.k8s.io/stale-token"),
            "subject: system:serviceaccount:ci:builder, seconds after warning threshold: 10");
  // Only for the server itself, and only then.
  request.spec.audiences = {"vault"};
  EXPECT_EQ(ClaimsOf(TokenFor(request)).warn_after, std::nullopt);
  request = Request();
  request.spec.expirationSeconds = 3607;
  EXPECT_EQ(ClaimsOf(TokenFor(request)).warn_after, std::nullopt);
}

TEST_F(ServiceAccountTokensTest, ALimitOnTheirLife) {
  const TokenRequests limited(issuer_, {.max_expiration_seconds = 1000}, store_.objects, clock_);
  const auto issued = limited.Create("ci", "builder", {});
  ASSERT_TRUE(issued.ok());
  EXPECT_THAT(issued->warnings,
              ElementsAre("requested expiration of 3600 seconds shortened to 1000 seconds"));
  EXPECT_EQ(ClaimsOf(issued->object.status.token).expires, clock_.seconds + 1000);
}

TEST_F(ServiceAccountTokensTest, LegacyTokensEndWithTheirSecret) {
  ServiceAccount account;
  account.metadata.name = "builder";
  account.metadata.namespace_ = "ci";
  account.metadata.uid = "sa-uid";
  const auto token = issuer_.IssueLegacy(account, "builder-token");
  ASSERT_TRUE(token.ok());
  EXPECT_THAT(Problem(*token), HasSubstr("Token has been invalidated"));
  Secret secret;
  secret.metadata.name = "builder-token";
  secret.metadata.namespace_ = "ci";
  secret.metadata.uid = "s";
  secret.data["token"].data = *token;
  store_.Put(secret);
  EXPECT_EQ(Problem(*token), "");
  EXPECT_EQ(Problem(*token), "");
  EXPECT_THAT(used_, ElementsAre("ci/builder-token"));
  EXPECT_EQ(Who(*token), (User{.name = "system:serviceaccount:ci:builder",
                               .uid = "sa-uid",
                               .groups = {"system:serviceaccounts", "system:serviceaccounts:ci",
                                          "system:authenticated"}}));
  secret.metadata.labels["kubernetes.io/legacy-token-last-used"] = "2026-11-18";
  store_.Put(secret);
  EXPECT_EQ(Problem(*token), "");
  EXPECT_EQ(used_.size(), 1U);
  clock_.seconds += 86400 * 2;
  EXPECT_EQ(Problem(*token), "");
  EXPECT_EQ(used_.size(), 2U);
  account.secrets.emplace_back().name = "builder-token";
  store_.Put(account);
  EXPECT_THAT((*tokens_.AuthenticateToken(*token, {}))->warnings,
              Contains(HasSubstr("instead of auto-generated secret-based tokens")));
  EXPECT_EQ((*tokens_.AuthenticateToken(*token, {}))->audit_annotations,
            (std::map<std::string, std::string>{
                {"authentication.k8s.io/legacy-token", "system:serviceaccount:ci:builder"},
                {"authentication.k8s.io/legacy-token-autogenerated-secret", "builder-token"}}));
  secret.metadata.labels["kubernetes.io/legacy-token-invalid-since"] = "2026-11-20";
  store_.Put(secret);
  EXPECT_THAT(Problem(*token), HasSubstr("has been marked invalid"));
  secret.metadata.labels.clear();
  secret.data["token"].data = "another";
  store_.Put(secret);
  EXPECT_THAT(Problem(*token), HasSubstr("Token does not match server's copy"));
}

TEST_F(ServiceAccountTokensTest, BootstrapTokens) {
  Secret secret;
  secret.metadata.name = "bootstrap-token-abcdef";
  secret.metadata.namespace_ = "kube-system";
  secret.type = "bootstrap.kubernetes.io/token";
  secret.data["token-id"].data = "abcdef";
  secret.data["token-secret"].data = "0123456789abcdef";
  const std::string token = "abcdef.0123456789abcdef";
  const auto taken = [&] {
    store_.Put(secret);
    return Problem(token).empty();
  };
  EXPECT_FALSE(taken());  // not for this use
  secret.data["usage-bootstrap-authentication"].data = "true";
  EXPECT_TRUE(taken());
  EXPECT_FALSE(Problem("abcdef.0123456789abcdeg").empty());
  EXPECT_FALSE(Problem("ABCDEF.0123456789abcdef").empty());
  secret.data["auth-extra-groups"].data = "system:bootstrappers:b,system:bootstrappers:a";
  EXPECT_TRUE(taken());
  const auto who = bootstrap_.AuthenticateToken(token, {});
  EXPECT_EQ((*who)->user.name, "system:bootstrap:abcdef");
  EXPECT_THAT((*who)->user.groups, ElementsAre("system:bootstrappers", "system:bootstrappers:a",
                                               "system:bootstrappers:b", "system:authenticated"));
  secret.data["auth-extra-groups"].data = "system:masters";
  EXPECT_FALSE(taken());
  secret.data.erase("auth-extra-groups");
  secret.data["expiration"].data = "2026-11-18T11:06:41Z";
  EXPECT_TRUE(taken());
  clock_.seconds += 1;
  EXPECT_FALSE(taken());
  secret.data["expiration"].data = "soon";
  EXPECT_FALSE(taken());
  secret.data.erase("expiration");
  EXPECT_TRUE(taken());
  secret.type = "Opaque";
  EXPECT_FALSE(taken());
}

TEST_F(ServiceAccountTokensTest, ReviewsOfTokensThatSayNoAudience) {
  Secret secret;
  secret.metadata.name = "bootstrap-token-abcdef";
  secret.metadata.namespace_ = "kube-system";
  secret.type = "bootstrap.kubernetes.io/token";
  secret.data["token-id"].data = "abcdef";
  secret.data["token-secret"].data = "0123456789abcdef";
  secret.data["usage-bootstrap-authentication"].data = "true";
  store_.Put(secret);
  TokenReview review;
  EXPECT_EQ(ReviewToken(*authenticator_, review).error().message(),
            "token is required for TokenReview in authentication");
  review.spec.token = "abcdef.0123456789abcdef";
  const auto here = ReviewToken(*authenticator_, review);
  EXPECT_TRUE(here->status.authenticated);
  EXPECT_THAT(here->status.audiences, ElementsAre(std::string(kDefaultIssuer)));
  review.spec.audiences = {"vault"};
  const auto elsewhere = ReviewToken(*authenticator_, review);
  EXPECT_FALSE(elsewhere->status.authenticated);
  EXPECT_EQ(elsewhere->status.user.username, "");
}

TEST_F(ServiceAccountTokensTest, OpenId) {
  const auto keys = pki::KeySet::Create({key_.public_key()});
  const auto documents = MakeOpenIdDocuments(kDefaultIssuer, "192.0.2.1:6443", *keys);
  ASSERT_TRUE(documents.ok());
  EXPECT_EQ(documents->configuration,
            R"({"issuer":"https://kubernetes.default.svc.cluster.local","jwks_uri":)"
            R"("https://192.0.2.1:6443/openid/v1/jwks","response_types_supported":["id_token"],)"
            R"("subject_types_supported":["public"],"id_token_signing_alg_values_supported":)"
            R"(["ES256"]})");
  EXPECT_EQ(documents->keys, keys->Document());
  EXPECT_EQ(MakeOpenIdDocuments("http://x", "y", *keys).error().message(),
            "issuer URL must use https scheme, got: http://x");
}

}  // namespace
}  // namespace podium::apiserver
