#include "client/certificate_request.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "api/types/certificates_v1.h"
#include "client/paths.h"
#include "reflect/copy.h"

namespace podium::client {
namespace {

using api::certificates::v1::CertificateSigningRequest;
using RequestPtr = std::shared_ptr<const CertificateSigningRequest>;

constexpr std::chrono::milliseconds kFirstWait{5};
constexpr std::chrono::milliseconds kLongestWait{500};
// Who waits for a person asks less often: so many times in all.
constexpr int kAsks = 200;
// Others may write to a request while it is approved.
constexpr int kApprovals = 5;

Result<Target> At(const std::string& name, std::string_view subresource) {
  return TargetOf(reflect::TypeOf<CertificateSigningRequest>(), {"", name}, subresource);
}

Result<RequestPtr> AsRequest(const SharedObject& object) {
  RequestPtr request = object.As<CertificateSigningRequest>();
  if (request == nullptr) {
    return Error(Code::kInternal, "the server has answered with something else than a request");
  }
  return request;
}

Result<RequestPtr> Create(Connection& connection, const pki::PrivateKey& key,
                          const CertificateOrder& order) {
  CertificateSigningRequest request;
  request.metadata.generateName = "csr-";
  TRY(std::string pem, pki::CertificateRequest::Create(key, order.subject, order.names));
  request.spec.request = {.data = std::move(pem), .present = true};
  request.spec.signerName = order.signer;
  request.spec.usages = {order.usages.begin(), order.usages.end()};
  request.spec.expirationSeconds = order.expiration_seconds;
  TRY(const Target target, At("", ""));
  TRY(const SharedObject made, connection.Create(target, request, {}));
  return AsRequest(made);
}

Result<RequestPtr> Read(Connection& connection, const std::string& name) {
  TRY(const Target target, At(name, ""));
  TRY(const SharedObject got, connection.Get(target, {}));
  return AsRequest(got);
}

Result<void> Approve(Connection& connection, RequestPtr request, const std::string& message) {
  const std::string name = request->metadata.name;
  TRY(const Target target, At(name, "approval"));
  for (int left = kApprovals; true; --left) {
    CertificateSigningRequest approved = reflect::Copy(*request);
    auto& condition = approved.status.conditions.emplace_back();
    condition.type = "Approved";
    condition.status = "True";
    condition.reason = "ApprovedByRequester";
    condition.message = message;
    const auto written = connection.Update(target, approved, {});
    if (written.ok()) return {};
    if (written.error().code() != Code::kConflict || left == 0) return written.error();
    TRY(request, Read(connection, name));
  }
}

// Null: none yet.
Result<const std::string*> Answer(const CertificateSigningRequest& request) {
  for (const auto& condition : request.status.conditions) {
    if (condition.type == "Denied") {
      return Error(Code::kPermissionDenied, request.metadata.name + " was denied (" +
                                                condition.reason + "): " + condition.message);
    }
    if (condition.type == "Failed") {
      return Error(Code::kInvalidArgument, request.metadata.name + " has failed (" +
                                               condition.reason + "): " + condition.message);
    }
  }
  const std::string& certificate = request.status.certificate.data;
  return certificate.empty() ? nullptr : &certificate;
}

}  // namespace

Result<std::string> RequestCertificate(Connection& connection, const Clock& clock,
                                       const pki::PrivateKey& key, const CertificateOrder& order,
                                       std::chrono::seconds patience) {
  TRY(RequestPtr request, Create(connection, key, order));
  const std::string name = request->metadata.name;
  if (order.approval) TRY_VOID(Approve(connection, request, *order.approval));
  const int64_t end = clock.Now() + std::chrono::nanoseconds(patience).count();
  const std::chrono::milliseconds longest = std::max<std::chrono::milliseconds>(
      kLongestWait, std::chrono::milliseconds(patience) / kAsks);
  std::chrono::milliseconds wait = kFirstWait;
  while (true) {
    TRY(request, Read(connection, name));
    TRY(const std::string* certificate, Answer(*request));
    if (certificate != nullptr) {
      TRY(const pki::Certificate leaf, pki::Certificate::FromPem(*certificate));
      if (leaf.public_key() == key.public_key()) return *certificate;
      return Error(Code::kInternal, "the certificate of " + name + " is for another key");
    }
    if (clock.Now() >= end) {
      return Error(Code::kDeadlineExceeded, "nobody has signed " + name + " for " + order.signer +
                                                " in " + std::to_string(patience.count()) + " s");
    }
    (void)clock.Sleep(wait, -1);
    wait = std::min(2 * wait, longest);
  }
}

}  // namespace podium::client
