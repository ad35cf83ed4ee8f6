// NamespaceLifecycle: nothing comes into a namespace that is not there, or is on its way out, and
// those that the cluster lives on stay (upstream's
// k8s.io/apiserver/pkg/admission/plugin/namespace/lifecycle).
#include "api/status.h"
#include "api/types/core_v1.h"
#include "apiserver/admission/plugins.h"

namespace podium::apiserver {
namespace {

using api::core::v1::Namespace;

bool IsImmortal(std::string_view name) {
  return name == "default" || name == "kube-system" || name == "kube-public";
}

class NamespaceLifecycle final : public AdmissionPlugin {
 public:
  explicit NamespaceLifecycle(const Objects& objects) : objects_(objects) {}

  std::string_view name() const override { return "NamespaceLifecycle"; }
  bool Handles(Operation operation) const override { return operation != Operation::kConnect; }

  Result<void> Admit(AdmissionRequest& request) override {
    if (request.kind == "Namespace" && request.kind_group.empty()) {
      if (request.operation != Operation::kDelete || !IsImmortal(request.name)) return {};
      return api::ForbiddenError({request.group, request.resource}, request.name,
                                 "this namespace may not be deleted");
    }
    if (request.namespace_.empty() || request.operation == Operation::kDelete) return {};
    // Who asks what somebody may do must not learn which namespaces there are.
    if (request.group == "authorization.k8s.io" &&
        request.resource == "localsubjectaccessreviews") {
      return {};
    }
    TRY(const auto found, objects_.Get<Namespace>("", request.namespace_));
    if (found == nullptr) return api::NotFoundError({"", "namespaces"}, request.namespace_);
    if (request.operation == Operation::kCreate && found->status.phase == "Terminating") {
      return BeingTerminated(request);
    }
    return {};
  }

 private:
  static Error BeingTerminated(const AdmissionRequest& request) {
    const std::string name(request.namespace_);
    auto status = api::StatusOf(request.Forbid("unable to create new content in namespace " + name +
                                               " because it is being terminated"));
    status.details.ensure().causes.push_back({
        .reason = "NamespaceTerminating",
        .message = "namespace " + name + " is being terminated",
        .field = "metadata.namespace",
    });
    return api::StatusError(std::move(status));
  }

  const Objects& objects_;
};

}  // namespace

std::unique_ptr<AdmissionPlugin> NewNamespaceLifecycle(const AdmissionDependencies& dependencies) {
  return std::make_unique<NamespaceLifecycle>(dependencies.objects);
}

}  // namespace podium::apiserver
