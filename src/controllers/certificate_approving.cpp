#include <fmt/format.h>

#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "api/types/authorization_v1.h"
#include "api/types/certificates_v1.h"
#include "base/text.h"
#include "controllers/certificate_rules.h"
#include "controllers/certificates.h"
#include "controllers/keyed_work.h"
#include "reflect/copy.h"
#include "reflect/go_text.h"

namespace podium::controllers {
namespace {

using api::authorization::v1::SubjectAccessReview;
using api::certificates::v1::CertificateSigningRequest;
using client::Reconciled;
using client::SharedObject;

constexpr std::string_view kName = "certificatesigningrequest-approving-controller";

class CertificateApproving final : public Controller {
 public:
  explicit CertificateApproving(const ControllerContext& context)
      : connection_(*context.connection),
        requests_(context.informers->For<CertificateSigningRequest>()),
        work_(context, kName, 1, [this](const std::string& key) { return Sync(key); }) {}

  std::string_view name() const override { return kName; }
  void Start() override {
    work_.FollowKeys(requests_);
    work_.Open();
  }

 private:
  Result<Reconciled> Sync(const std::string& name);
  Result<bool> MayCreate(const CertificateSigningRequest& request, std::string_view subresource);
  Result<void> Approve(const CertificateSigningRequest& request, std::string_view message);

  client::Connection& connection_;
  client::Informer& requests_;
  KeyedWork work_;
};

Result<Reconciled> CertificateApproving::Sync(const std::string& name) {
  const auto request = requests_.Get<CertificateSigningRequest>({"", name});
  if (request == nullptr || !request->status.certificate.data.empty()) return Reconciled();
  if (HasCondition(*request, "Approved") || HasCondition(*request, "Denied")) return Reconciled();
  if (request->spec.signerName != kKubeletClientSigner) return Reconciled();
  TRY(const pki::CertificateRequest asked, ParseRequest(*request));
  if (!ProblemForSigner(asked, request->spec).empty()) return Reconciled();
  std::vector<std::string> tried;
  const auto may = [&](const char* subresource) {
    tried.emplace_back(subresource);
    return MayCreate(*request, subresource);
  };
  if (request->spec.username == asked.subject().common_name) {
    TRY(const bool self, may("selfnodeclient"));
    if (self) {
      TRY_VOID(Approve(
          *request, "Auto approving self kubelet client certificate after SubjectAccessReview."));
      return Reconciled();
    }
  }
  TRY(const bool node, may("nodeclient"));
  if (node) {
    TRY_VOID(
        Approve(*request, "Auto approving kubelet client certificate after SubjectAccessReview."));
    return Reconciled();
  }
  // Tried again, ever more rarely: somebody may get the right yet.
  return Error(Code::kPermissionDenied,
               fmt::format("recognized csr {} as [{}] but subject access review was not approved",
                           reflect::GoQuoted(name), Join(tried, " ")));
}

Result<bool> CertificateApproving::MayCreate(const CertificateSigningRequest& request,
                                             std::string_view subresource) {
  SubjectAccessReview review;
  review.spec.user = request.spec.username;
  review.spec.uid = request.spec.uid;
  review.spec.groups = request.spec.groups;
  for (const auto& [key, values] : request.spec.extra) review.spec.extra[key].items = values.items;
  auto& asked = review.spec.resourceAttributes.ensure();
  asked.group = "certificates.k8s.io";
  asked.resource = "certificatesigningrequests";
  asked.verb = "create";
  asked.subresource = subresource;
  const client::Target target{
      .group = "authorization.k8s.io", .version = "v1", .resource = "subjectaccessreviews"};
  TRY(const SharedObject answer, connection_.Create(target, review, {}));
  const auto answered = answer.As<SubjectAccessReview>();
  return answered != nullptr && answered->status.allowed;
}

Result<void> CertificateApproving::Approve(const CertificateSigningRequest& request,
                                           std::string_view message) {
  CertificateSigningRequest approved = reflect::Copy(request);
  auto& condition = approved.status.conditions.emplace_back();
  condition.type = "Approved";
  condition.status = "True";
  condition.reason = "AutoApproved";
  condition.message = message;
  TRY(const client::Target target, client::TargetOf(reflect::TypeOf<CertificateSigningRequest>(),
                                                    {"", request.metadata.name}, "approval"));
  TRY_VOID(connection_.Update(target, approved, {}));
  return {};
}

}  // namespace

std::unique_ptr<Controller> MakeCertificateApproving(const ControllerContext& context) {
  return std::make_unique<CertificateApproving>(context);
}

}  // namespace podium::controllers
