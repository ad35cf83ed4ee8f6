#include "client/certificate_request.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "client/signing_server.h"
#include "client/virtual_time.h"

namespace podium::client {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;

class CertificateRequestTest : public testing::Test {
 public:
  Result<std::string> Ask(const CertificateOrder& order) {
    return RequestCertificate(server, time, key, order, 10s);
  }
  static CertificateOrder Serving(bool approves = true) {
    CertificateOrder order{.signer = "kubernetes.io/kubelet-serving",
                           .subject = {.common_name = "system:node:n1"},
                           .names = {.dns = {"n1"}},
                           .usages = {"digital signature", "server auth"},
                           .expiration_seconds = 7200};
    if (approves) order.approval = "It is me.";
    return order;
  }
  std::shared_ptr<const api::certificates::v1::CertificateSigningRequest> Only() {
    using Request = api::certificates::v1::CertificateSigningRequest;
    const auto list = server.List(*TargetOf(reflect::TypeOf<Request>(), {"", ""}), {});
    EXPECT_EQ(list->items.size(), 1U);
    return list->items.at(0).As<Request>();
  }

  VirtualTime time;
  SigningServer server{time};
  pki::PrivateKey key = *pki::PrivateKey::Generate();
};

TEST_F(CertificateRequestTest, AsksApprovesAndWaits) {
  const auto pem = Ask(Serving());
  ASSERT_TRUE(pem.ok()) << pem.error().message();
  const auto certificate = pki::Certificate::FromPem(*pem);
  EXPECT_EQ(certificate->public_key(), key.public_key());
  EXPECT_EQ(certificate->subject().common_name, "system:node:n1");
  EXPECT_EQ(certificate->alternative_names().dns, std::vector<std::string>{"n1"});
  const auto request = Only();
  EXPECT_EQ(request->spec.signerName, "kubernetes.io/kubelet-serving");
  EXPECT_THAT(request->spec.usages, ElementsAre("digital signature", "server auth"));
  EXPECT_EQ(request->spec.expirationSeconds, 7200);
  ASSERT_EQ(request->status.conditions.size(), 1U);
  EXPECT_EQ(request->status.conditions[0].message, "It is me.");
}

TEST_F(CertificateRequestTest, ApprovesWhatOthersWriteToMeanwhile) {
  int conflicts = 2;
  server.SetFault([&](std::string_view verb, const Target& target) -> std::optional<Error> {
    if (verb == "update" && target.subresource == "approval" && conflicts-- > 0) {
      return Error(Code::kConflict, "modified");
    }
    return std::nullopt;
  });
  EXPECT_TRUE(Ask(Serving()).ok());
}

TEST_F(CertificateRequestTest, GivesUp) {
  const int64_t start = time.Now();
  const auto pem = Ask(Serving(false));
  ASSERT_FALSE(pem.ok());
  EXPECT_EQ(pem.error().code(), Code::kDeadlineExceeded);
  EXPECT_THAT(pem.error().message(),
              HasSubstr("nobody has signed csr-xxxx1 for kubernetes.io/kubelet-serving in 10 s"));
  EXPECT_NEAR(static_cast<double>(time.Now() - start) / kNanosPerSecond, 10, 0.6);
  // 27 looks; the server takes one of its own at each.
  EXPECT_EQ(server.calls("get"), 2 * 27);
}

TEST_F(CertificateRequestTest, SaysWhyNot) {
  server.refuses_with = "Denied";
  const auto denied = Ask(Serving());
  EXPECT_EQ(denied.error().code(), Code::kPermissionDenied);
  EXPECT_THAT(denied.error().message(), HasSubstr("was denied (No): not you"));
  server.refuses_with = "Failed";
  const auto failed = Ask(Serving());
  EXPECT_EQ(failed.error().code(), Code::kInvalidArgument);
  EXPECT_THAT(failed.error().message(), HasSubstr("has failed (No): not you"));
}

}  // namespace
}  // namespace podium::client
