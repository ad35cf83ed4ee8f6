#include "pki/certificate_authority.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "pki/chain.h"

namespace podium::pki {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::StartsWith;

constexpr int64_t kNow = 1'795'000'000;  // 2026-11-18T11:06:40Z
constexpr int64_t kDay = 86400;

CertificateAuthority MakeAuthority(const std::string& name = "kubernetes") {
  auto authority = CertificateAuthority::Create(name, kNow - kDay, kNow + 3650 * kDay);
  EXPECT_TRUE(authority.ok()) << authority.error().message();
  return *std::move(authority);
}

CertificateAuthority::Order ClientOrder() {
  return {.subject = {.common_name = "alice", .organizations = {"dev", "ops"}},
          .usages = {.digital_signature = true, .key_encipherment = true, .client_auth = true},
          .not_before = kNow - 60,
          .not_after = kNow + kDay};
}

std::string VerifyProblem(const CertificateAuthority& authority, const Certificate& certificate,
                          Purpose purpose, int64_t now,
                          const std::vector<Certificate>& others = {}) {
  const Certificate roots[] = {authority.certificate()};
  const auto trusted = TrustedRoots::Create(roots);
  EXPECT_TRUE(trusted.ok());
  const auto verified = trusted->Verify(certificate, others, purpose, now);
  return verified.ok() ? "" : verified.error().message();
}

TEST(CertificateAuthority, IssuesWhatWasOrdered) {
  const CertificateAuthority authority = MakeAuthority();
  EXPECT_TRUE(authority.certificate().is_ca());
  const auto key = PrivateKey::Generate();
  CertificateAuthority::Order order = ClientOrder();
  order.subject.uids = {"u-1"};
  order.names = {.dns = {"kubernetes", "*.example.com"},
                 .addresses = {"10.96.0.1", "fd00::1"},
                 .emails = {"a@example.com"},
                 .uris = {"spiffe://example.com/a"}};
  const auto issued = authority.Issue(key->public_key(), order);
  ASSERT_TRUE(issued.ok()) << issued.error().message();
  const auto read = Certificate::FromPem(issued->Pem());
  ASSERT_TRUE(read.ok()) << read.error().message();
  EXPECT_EQ(read->subject(), order.subject);
  EXPECT_EQ(read->alternative_names(), order.names);
  EXPECT_EQ(read->not_before(), order.not_before);
  EXPECT_EQ(read->not_after(), order.not_after);
  EXPECT_EQ(read->public_key(), key->public_key());
  EXPECT_FALSE(read->is_ca());
  EXPECT_TRUE(read->IsSignedBy(authority.certificate()));
  EXPECT_FALSE(read->IsSignedBy(MakeAuthority().certificate()));  // the same name, another key
  EXPECT_THAT(read->Identifier(), StartsWith("SN="));
}

TEST(CertificateAuthority, NothingOutlivesIt) {
  const CertificateAuthority authority = MakeAuthority();
  const auto key = PrivateKey::Generate();
  CertificateAuthority::Order order = ClientOrder();
  order.not_after = kNow + 10000 * kDay;
  const auto issued = authority.Issue(key->public_key(), order);
  ASSERT_TRUE(issued.ok());
  EXPECT_EQ(issued->not_after(), authority.certificate().not_after());
  order.not_before = kNow + 5000 * kDay;
  const auto late = authority.Issue(key->public_key(), order);
  ASSERT_FALSE(late.ok());
  EXPECT_EQ(late.error().message(), "the certificate authority 'kubernetes' has expired");
}

TEST(CertificateAuthority, WhatDoesNotFitTogether) {
  const CertificateAuthority authority = MakeAuthority();
  const auto other = CertificateAuthority::Load(authority.certificate(), *PrivateKey::Generate());
  ASSERT_FALSE(other.ok());
  EXPECT_EQ(other.error().message(), "the key is not that of the certificate of 'kubernetes'");
  const auto key = PrivateKey::Generate();
  const auto leaf = authority.Issue(key->public_key(), ClientOrder());
  const auto no_authority = CertificateAuthority::Load(*leaf, *key);
  ASSERT_FALSE(no_authority.ok());
  EXPECT_EQ(no_authority.error().message(),
            "the certificate of 'alice' is no certificate authority's");
  CertificateAuthority::Order order = ClientOrder();
  order.names.addresses = {"10.0.0.256"};
  const auto bad_address = authority.Issue(key->public_key(), order);
  ASSERT_FALSE(bad_address.ok());
  EXPECT_EQ(bad_address.error().message(), "'10.0.0.256' is no IP address");
}

TEST(Chain, OnlyWhatLeadsToARootForThePurposeInItsTime) {
  const CertificateAuthority authority = MakeAuthority();
  const auto key = PrivateKey::Generate();
  const auto client = authority.Issue(key->public_key(), ClientOrder());
  EXPECT_EQ(VerifyProblem(authority, *client, Purpose::kClientAuth, kNow), "");
  EXPECT_EQ(VerifyProblem(authority, *client, Purpose::kServerAuth, kNow),
            "x509: certificate specifies an incompatible key usage");
  EXPECT_THAT(VerifyProblem(authority, *client, Purpose::kClientAuth, kNow + 2 * kDay),
              StartsWith("x509: certificate has expired or is not yet valid: current time "
                         "2026-11-20T11:06:40Z is after 2026-11-19T11:06:40Z"));
  EXPECT_THAT(VerifyProblem(authority, *client, Purpose::kClientAuth, kNow - 120),
              HasSubstr(" is before "));
  EXPECT_EQ(VerifyProblem(MakeAuthority(), *client, Purpose::kClientAuth, kNow),
            "x509: certificate signed by unknown authority");
  EXPECT_EQ(VerifyProblem(MakeAuthority("other"), *client, Purpose::kClientAuth, kNow),
            "x509: certificate signed by unknown authority");
}

TEST(Chain, ACertificateThatIsNoAuthoritysSignsNothing) {
  const CertificateAuthority authority = MakeAuthority();
  const auto key = PrivateKey::Generate();
  const auto leaf = authority.Issue(key->public_key(), ClientOrder());
  // Signed by alice's key, under alice's name.
  auto forger = CertificateAuthority::CreateFor(*key, "alice", kNow - kDay, kNow + kDay);
  const auto forged =
      forger->Issue(PrivateKey::Generate()->public_key(), {.subject = {.common_name = "admin"},
                                                           .usages = {.client_auth = true},
                                                           .not_before = kNow - 60,
                                                           .not_after = kNow + 60});
  ASSERT_TRUE(forged.ok());
  EXPECT_NE(VerifyProblem(authority, *forged, Purpose::kClientAuth, kNow, {*leaf}), "");
  EXPECT_NE(
      VerifyProblem(authority, *forged, Purpose::kClientAuth, kNow, {forger->certificate(), *leaf}),
      "");
}

TEST(Requests, AreSignedWithTheirNamesAndNoOtherExtension) {
  const CertificateAuthority authority = MakeAuthority();
  const auto key = PrivateKey::Generate();
  const Subject subject = {.common_name = "system:node:n1", .organizations = {"system:nodes"}};
  const auto pem =
      CertificateRequest::Create(*key, subject, {.dns = {"n1"}, .addresses = {"10.0.0.1"}});
  ASSERT_TRUE(pem.ok()) << pem.error().message();
  const auto request = CertificateRequest::FromPem(*pem);
  ASSERT_TRUE(request.ok()) << request.error().message();
  EXPECT_EQ(request->subject(), subject);
  EXPECT_THAT(request->alternative_names().dns, ElementsAre("n1"));

  Usages usages;
  EXPECT_TRUE(SetUsage("client auth", &usages));
  EXPECT_TRUE(SetUsage("digital signature", &usages));
  EXPECT_FALSE(SetUsage("client-auth", &usages));
  const auto year = authority.Sign(*request, usages, kNow, 365 * kDay);
  ASSERT_TRUE(year.ok()) << year.error().message();
  EXPECT_EQ(year->subject(), subject);
  EXPECT_EQ(year->alternative_names(), request->alternative_names());
  EXPECT_EQ(year->not_before(), kNow - 300);
  EXPECT_EQ(year->not_after(), kNow + 365 * kDay - 300);
  EXPECT_EQ(VerifyProblem(authority, *year, Purpose::kClientAuth, kNow), "");
  const auto hour = authority.Sign(*request, usages, kNow, 3600);
  EXPECT_EQ(hour->not_before(), kNow - 300);
  EXPECT_EQ(hour->not_after(), kNow + 3600);
}

TEST(Certificate, Bundles) {
  const std::string bundle = MakeAuthority("a").certificate().Pem() + "text between\n" +
                             MakeAuthority("b").certificate().Pem();
  const auto all = Certificate::AllFromPem(bundle);
  ASSERT_TRUE(all.ok());
  ASSERT_EQ(all->size(), 2U);
  EXPECT_EQ((*all)[1].subject().common_name, "b");
  EXPECT_EQ(Certificate::AllFromPem("no").error().message(), "no block CERTIFICATE");
}

}  // namespace
}  // namespace podium::pki
