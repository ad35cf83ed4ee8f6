// What upstream's sarapprove_test.go, signer_test.go and cleaner_test.go ask.
#include "controllers/certificates.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "api/types/authorization_v1.h"
#include "api/types/certificates_v1.h"
#include "controllers/certificate_rules.h"
#include "controllers/cluster.h"
#include "pki/keys.h"

namespace podium::controllers {
namespace {

using namespace std::chrono_literals;
using api::authorization::v1::SubjectAccessReview;
using api::certificates::v1::CertificateSigningRequest;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

const std::vector<std::string> kClientUsages = {"digital signature", "client auth"};
const std::vector<std::string> kServerUsages = {"digital signature", "server auth"};
const pki::Subject kNode = {.common_name = "system:node:n1", .organizations = {"system:nodes"}};

// One for all, as making it takes long.
const pki::PrivateKey& Key() {
  static const pki::PrivateKey key = *pki::PrivateKey::Generate();
  return key;
}

CertificateSigningRequest RequestOf(const std::string& signer, const pki::Subject& subject,
                                    const pki::AlternativeNames& names,
                                    const std::vector<std::string>& usages) {
  CertificateSigningRequest request;
  request.metadata.name = "r";
  request.spec.request = {.data = *pki::CertificateRequest::Create(Key(), subject, names),
                          .present = true};
  request.spec.signerName = signer;
  request.spec.usages = {usages.begin(), usages.end()};
  request.spec.username = "somebody";
  return request;
}

std::string Problem(std::string_view signer, const pki::Subject& subject,
                    const pki::AlternativeNames& names, const std::vector<std::string>& usages) {
  const auto request = RequestOf(std::string(signer), subject, names, usages);
  return ProblemForSigner(*ParseRequest(request), request.spec);
}

TEST(CertificateRules, ClientsOfNodes) {
  const auto problem = [](const pki::Subject& subject, const pki::AlternativeNames& names = {},
                          const std::vector<std::string>& usages = kClientUsages) {
    return Problem(kKubeletClientSigner, subject, names, usages);
  };
  EXPECT_EQ(problem(kNode), "");
  EXPECT_EQ(problem(kNode, {}, {"key encipherment", "digital signature", "client auth"}), "");
  EXPECT_EQ(problem({.common_name = "system:node:n1"}), "subject organization is not system:nodes");
  EXPECT_EQ(problem({.common_name = "system:node:n1",
                     .organizations = {"system:nodes", "system:masters"}}),
            "subject organization is not system:nodes");
  EXPECT_EQ(problem({.common_name = "n1", .organizations = {"system:nodes"}}),
            "subject common name does not begin with system:node:");
  EXPECT_EQ(problem(kNode, {.dns = {"n1"}}), "DNS subjectAltNames are not allowed");
  EXPECT_EQ(problem(kNode, {.addresses = {"10.0.0.1"}}), "IP subjectAltNames are not allowed");
  EXPECT_EQ(problem(kNode, {.emails = {"a@b.c"}}), "Email subjectAltNames are not allowed");
  EXPECT_EQ(problem(kNode, {.uris = {"spiffe://a"}}), "URI subjectAltNames are not allowed");
  EXPECT_EQ(problem(kNode, {}, kServerUsages),
            "usages did not match [client auth digital signature key encipherment]");
  EXPECT_EQ(problem(kNode, {}, {"digital signature", "client auth", "server auth"}),
            "usages did not match [client auth digital signature key encipherment]");
}

TEST(CertificateRules, ServersOfNodes) {
  const auto problem = [](const pki::Subject& subject, const pki::AlternativeNames& names,
                          const std::vector<std::string>& usages = kServerUsages) {
    return Problem(kKubeletServingSigner, subject, names, usages);
  };
  EXPECT_EQ(problem(kNode, {.dns = {"n1"}, .addresses = {"10.0.0.1"}}), "");
  EXPECT_EQ(problem(kNode, {}), "DNS or IP subjectAltName is required");
  EXPECT_EQ(problem(kNode, {.dns = {"n1"}, .emails = {"a@b.c"}}),
            "Email subjectAltNames are not allowed");
  EXPECT_EQ(problem(kNode, {.dns = {"n1"}}, kClientUsages),
            "usages did not match [digital signature key encipherment server auth]");
  EXPECT_EQ(problem({.common_name = "n1", .organizations = {"system:nodes"}}, {.dns = {"n1"}}),
            "subject common name does not begin with system:node:");
  EXPECT_EQ(problem({.common_name = "system:node:n1"}, {.dns = {"n1"}}),
            "subject organization is not system:nodes");
}

TEST(CertificateRules, OtherClients) {
  const auto problem = [](const std::vector<std::string>& usages) {
    return Problem(kClientSigner, {.common_name = "jane"}, {}, usages);
  };
  EXPECT_EQ(problem({"client auth"}), "");
  EXPECT_EQ(problem({"client auth", "digital signature", "key encipherment"}), "");
  EXPECT_EQ(problem({"digital signature"}),
            "missing required usage for client certificate: client auth");
  EXPECT_EQ(problem({"client auth", "server auth"}),
            "invalid usage for client certificate: server auth");
  EXPECT_EQ(Problem(kLegacySigner, {.common_name = "jane"}, {}, {"server auth"}), "");
}

TEST(CertificateRules, Durations) {
  EXPECT_EQ(CertificateSeconds({}, 3600), 3600);
  EXPECT_EQ(CertificateSeconds(1200, 3600), 1200);
  EXPECT_EQ(CertificateSeconds(7200, 3600), 3600);
  EXPECT_EQ(CertificateSeconds(1, 3600), 600);
}

// Answers what somebody may.
class ReviewingCluster : public Cluster {
 public:
  using Cluster::Cluster;
  Result<client::SharedObject> Create(const client::Target& target,
                                      const client::ObjectView& object,
                                      const api::meta::v1::CreateOptions& options) override {
    if (target.resource != "subjectaccessreviews") return Cluster::Create(target, object, options);
    auto review = reflect::Copy(*static_cast<const SubjectAccessReview*>(object.object));
    const auto& asked = *review.spec.resourceAttributes;
    EXPECT_EQ(asked.group + " " + asked.resource + " " + asked.verb,
              "certificates.k8s.io certificatesigningrequests create");
    reviews.push_back(review.spec.user + " " + asked.subresource);
    review.status.allowed = asked.subresource == allowed;
    return client::SharedObject(std::make_shared<const SubjectAccessReview>(std::move(review)));
  }

  std::string allowed;
  std::vector<std::string> reviews;
};

class CertificatesTest : public ControllersTest {
 public:
  ControllerContext ReviewedContext() {
    ControllerContext context = Context();
    context.connection = &reviewed;
    context.informers = &reviewed_informers;
    return context;
  }
  void StartReviewed(Controller& controller) {
    controller.Start();
    reviewed_informers.Start();
    time.RunFor(1s);
  }
  void Put(const CertificateSigningRequest& request) {
    const auto made = reviewed.Create(At<CertificateSigningRequest>("", ""), request, {});
    ASSERT_TRUE(made.ok()) << made.error().message();
  }
  std::shared_ptr<const CertificateSigningRequest> Request(const std::string& name = "r") {
    const auto got = reviewed.Get(At<CertificateSigningRequest>("", name), {});
    return got.ok() ? got->As<CertificateSigningRequest>() : nullptr;
  }
  void Approve() {
    CertificateSigningRequest approved = reflect::Copy(*Request());
    auto& condition = approved.status.conditions.emplace_back();
    condition.type = "Approved";
    condition.status = "True";
    client::Target target = At<CertificateSigningRequest>("", "r");
    target.subresource = "approval";
    ASSERT_TRUE(reviewed.Update(target, approved, {}).ok());
  }
  // "type reason: message"
  std::vector<std::string> Decisions() {
    std::vector<std::string> texts;
    for (const auto& each : Request()->status.conditions) {
      texts.push_back(each.type + " " + each.reason + ": " + each.message);
    }
    return texts;
  }

  ReviewingCluster reviewed{time};
  client::InformerFactory reviewed_informers{reviewed, {.executor = &time, .clock = &time}};
  pki::CertificateAuthority authority = *pki::CertificateAuthority::Create(
      "ca", time.Now() / kNanosPerSecond - 1000,
      time.Now() / kNanosPerSecond + int64_t{10} * 365 * 24 * 3600);
};

TEST_F(CertificatesTest, NodesThatMayAreApproved) {
  reviewed.allowed = "nodeclient";
  Put(RequestOf(std::string(kKubeletClientSigner), kNode, {}, kClientUsages));
  const auto controller = MakeCertificateApproving(ReviewedContext());
  StartReviewed(*controller);
  EXPECT_THAT(Decisions(),
              ElementsAre("Approved AutoApproved: Auto approving kubelet client certificate after "
                          "SubjectAccessReview."));
  EXPECT_THAT(reviewed.reviews, ElementsAre("somebody nodeclient"));
  EXPECT_THAT(errors, IsEmpty());
}

TEST_F(CertificatesTest, NodesRenewTheirOwn) {
  reviewed.allowed = "selfnodeclient";
  auto request = RequestOf(std::string(kKubeletClientSigner), kNode, {}, kClientUsages);
  request.spec.username = "system:node:n1";
  Put(request);
  const auto controller = MakeCertificateApproving(ReviewedContext());
  StartReviewed(*controller);
  EXPECT_THAT(Decisions(),
              ElementsAre("Approved AutoApproved: Auto approving self kubelet client certificate "
                          "after SubjectAccessReview."));
}

TEST_F(CertificatesTest, OneNodeDoesNotGetAnothers) {
  reviewed.allowed = "selfnodeclient";
  auto request = RequestOf(std::string(kKubeletClientSigner), kNode, {}, kClientUsages);
  request.spec.username = "system:node:n2";
  Put(request);
  const auto controller = MakeCertificateApproving(ReviewedContext());
  StartReviewed(*controller);
  EXPECT_THAT(Decisions(), IsEmpty());
  ASSERT_FALSE(errors.empty());
  EXPECT_THAT(errors[0], HasSubstr("recognized csr \"r\" as [nodeclient] but subject access review "
                                   "was not approved"));
  // The right may come yet.
  reviewed.allowed = "nodeclient";
  time.RunFor(60s);
  EXPECT_EQ(Decisions().size(), 1U);
}

TEST_F(CertificatesTest, NothingElseIsApprovedByItself) {
  reviewed.allowed = "nodeclient";
  auto serving =
      RequestOf(std::string(kKubeletServingSigner), kNode, {.dns = {"n1"}}, kServerUsages);
  Put(serving);
  auto masters = RequestOf(
      std::string(kKubeletClientSigner),
      {.common_name = "system:node:n1", .organizations = {"system:nodes", "system:masters"}}, {},
      kClientUsages);
  masters.metadata.name = "masters";
  Put(masters);
  auto denied = RequestOf(std::string(kKubeletClientSigner), kNode, {}, kClientUsages);
  denied.metadata.name = "denied";
  denied.status.conditions.emplace_back().type = "Denied";
  Put(denied);
  const auto controller = MakeCertificateApproving(ReviewedContext());
  StartReviewed(*controller);
  EXPECT_THAT(Request("r")->status.conditions, IsEmpty());
  EXPECT_THAT(Request("masters")->status.conditions, IsEmpty());
  EXPECT_EQ(Request("denied")->status.conditions.size(), 1U);
  EXPECT_THAT(reviewed.reviews, IsEmpty());
}

TEST_F(CertificatesTest, WhatIsApprovedIsSigned) {
  Put(RequestOf(std::string(kKubeletServingSigner), kNode,
                {.dns = {"n1"}, .addresses = {"10.0.0.7"}}, kServerUsages));
  const auto controller = MakeCertificateSigning(ReviewedContext(), authority);
  StartReviewed(*controller);
  EXPECT_TRUE(Request()->status.certificate.data.empty());
  Approve();
  time.RunFor(1s);
  const auto certificate = pki::Certificate::FromPem(Request()->status.certificate.data);
  ASSERT_TRUE(certificate.ok());
  EXPECT_TRUE(certificate->IsSignedBy(authority.certificate()));
  EXPECT_EQ(certificate->subject(), kNode);
  EXPECT_EQ(certificate->alternative_names(),
            (pki::AlternativeNames{.dns = {"n1"}, .addresses = {"10.0.0.7"}}));
  EXPECT_EQ(certificate->public_key(), Key().public_key());
  EXPECT_EQ(certificate->not_after() - certificate->not_before(), int64_t{365} * 24 * 3600);
  EXPECT_FALSE(certificate->is_ca());
  EXPECT_THAT(errors, IsEmpty());
}

TEST_F(CertificatesTest, ShorterOnesAreShorter) {
  auto request =
      RequestOf(std::string(kClientSigner), {.common_name = "jane"}, {}, {"client auth"});
  request.spec.expirationSeconds = 3600;
  Put(request);
  Approve();
  const auto controller = MakeCertificateSigning(ReviewedContext(), authority);
  StartReviewed(*controller);
  const auto certificate = pki::Certificate::FromPem(Request()->status.certificate.data);
  ASSERT_TRUE(certificate.ok());
  EXPECT_LE(certificate->not_after() - time.Now() / kNanosPerSecond, 3600);
  EXPECT_GE(certificate->not_after() - time.Now() / kNanosPerSecond, 3500);
}

TEST_F(CertificatesTest, WhatASignerDoesNotSignHasFailed) {
  Put(RequestOf(std::string(kKubeletClientSigner), {.common_name = "jane"}, {}, kClientUsages));
  Approve();
  const auto controller = MakeCertificateSigning(ReviewedContext(), authority);
  StartReviewed(*controller);
  EXPECT_TRUE(Request()->status.certificate.data.empty());
  EXPECT_THAT(
      Decisions(),
      ElementsAre("Approved : ",
                  "Failed SignerValidationFailure: subject organization is not system:nodes"));
  const int updates = reviewed.calls("update");
  time.RunFor(60s);
  EXPECT_EQ(reviewed.calls("update"), updates);
}

TEST_F(CertificatesTest, SignersOfOthersAreLeftAlone) {
  Put(RequestOf("example.com/signer", {.common_name = "jane"}, {}, kClientUsages));
  Approve();
  const auto controller = MakeCertificateSigning(ReviewedContext(), authority);
  StartReviewed(*controller);
  EXPECT_TRUE(Request()->status.certificate.data.empty());
  EXPECT_THAT(Decisions(), ElementsAre("Approved : "));
}

TEST_F(CertificatesTest, OldOnesGo) {
  const int64_t now = time.Now() / kNanosPerSecond;
  const auto put = [&](const std::string& name, const std::string& type, int64_t minutes,
                       const std::string& certificate) {
    auto request =
        RequestOf(std::string(kClientSigner), {.common_name = "jane"}, {}, {"client auth"});
    request.metadata.name = name;
    if (!type.empty()) {
      auto& condition = request.status.conditions.emplace_back();
      condition.type = type;
      condition.lastUpdateTime = api::Time::FromUnix(now - minutes * 60);
    }
    if (!certificate.empty()) {
      request.status.certificate = {.data = certificate, .present = true};
    }
    Put(request);
  };
  const auto issued = [&](int64_t seconds) {
    const auto request = RequestOf("", {.common_name = "jane"}, {}, {});
    return authority.Sign(*ParseRequest(request), {.client_auth = true}, now - 3000, seconds)
        ->Pem();
  };
  put("issued", "Approved", 61, issued(36000));
  put("issued-late", "Approved", 59, issued(36000));
  put("ended", "Approved", 10, issued(2000));
  put("unsigned", "Approved", 1000, "");
  put("denied", "Denied", 61, "");
  put("denied-late", "Denied", 59, "");
  put("failed", "Failed", 61, "");
  put("waiting", "", 0, "");
  const auto controller = MakeCertificateCleaning(ReviewedContext());
  StartReviewed(*controller);
  const auto left = [&] {
    std::vector<std::string> names;
    for (const auto& each : reviewed.List(At<CertificateSigningRequest>("", ""), {})->items) {
      names.push_back(each.meta()->name);
    }
    return names;
  };
  EXPECT_THAT(left(), ElementsAre("denied-late", "issued-late", "unsigned", "waiting"));
  time.RunFor(1h);
  EXPECT_THAT(left(), ElementsAre("unsigned", "waiting"));
  time.RunFor(24h);
  EXPECT_THAT(left(), ElementsAre("unsigned"));
  EXPECT_THAT(errors, IsEmpty());
}

}  // namespace
}  // namespace podium::controllers
