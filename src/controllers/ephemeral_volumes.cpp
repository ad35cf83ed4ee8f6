#include "controllers/ephemeral_volumes.h"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>
#include <vector>

#include "client/event_recorder.h"
#include "controllers/keyed_work.h"
#include "reflect/copy.h"

namespace podium::controllers {
namespace {

using api::core::v1::PersistentVolumeClaim;
using api::core::v1::Pod;
using api::core::v1::Volume;
using client::Reconciled;
using client::SharedObject;

constexpr std::string_view kName = "ephemeral-volume-controller";
constexpr const char* kComponent = "ephemeral_volume";
// Of pods: by the claims of their ephemeral volumes.
constexpr const char* kByClaim = "ephemeral-claim";

std::vector<std::string> ClaimsOf(const SharedObject& object) {
  std::vector<std::string> claims;
  const auto pod = object.As<Pod>();
  if (pod == nullptr) return claims;
  for (const Volume& volume : pod->spec.volumes) {
    if (volume.ephemeral) {
      claims.push_back(pod->metadata.namespace_ + "/" + EphemeralClaimName(*pod, volume));
    }
  }
  return claims;
}

class EphemeralVolumes final : public Controller {
 public:
  explicit EphemeralVolumes(const ControllerContext& context)
      : connection_(*context.connection),
        tell_error_(context.on_error),
        events_(*context.connection, *context.clock, kComponent),
        pods_(context.informers->For<Pod>()),
        claims_(context.informers->For<PersistentVolumeClaim>()),
        work_(context, kName, 5, [this](const std::string& key) { return Sync(key); }) {}

  std::string_view name() const override { return kName; }
  void Start() override {
    pods_.AddIndex(kByClaim, ClaimsOf);
    // Volumes of a pod never change.
    work_.Follow(pods_, {.on_add = [this](const auto& pod, bool) {
                   if (!ClaimsOf(pod).empty()) work_.Add(client::KeyOf(pod));
                 }});
    work_.Follow(claims_, {.on_delete = [this](const auto& claim, bool) {
                   const auto pods = pods_.ByIndex(kByClaim, client::KeyOf(claim));
                   if (!pods.ok()) return;
                   for (const SharedObject& pod : *pods) work_.Add(client::KeyOf(pod));
                 }});
    work_.Open();
  }

 private:
  Result<Reconciled> Sync(const std::string& key) {
    const auto pod = pods_.Get<Pod>(SplitKey(key));
    if (pod == nullptr || pod->metadata.deletionTimestamp) return Reconciled();
    for (const Volume& volume : pod->spec.volumes) {
      if (!volume.ephemeral) continue;
      const auto ensured = Ensure(*pod, volume);
      if (!ensured.ok()) return Tell(key, *pod, volume, ensured.error());
    }
    return Reconciled();
  }

  // What is wrong, for the pod's owner; and for the queue, which tries it again.
  Error Tell(const std::string& key, const Pod& pod, const Volume& volume, const Error& error) {
    const std::string problem =
        fmt::format("ephemeral volume {}: {}", volume.name, error.message());
    const auto told = events_.Record(client::ReferenceTo(pod), "Warning", "FailedBinding", problem);
    if (!told.ok() && tell_error_) tell_error_(kName, key, told.error());
    return Error(error.code(), fmt::format("pod {}, {}", key, problem));
  }

  Result<void> Ensure(const Pod& pod, const Volume& volume) {
    const std::string name = EphemeralClaimName(pod, volume);
    const std::string& name_space = pod.metadata.namespace_;
    if (const auto known = claims_.Get<PersistentVolumeClaim>({name_space, name})) {
      if (ClaimIsForPod(pod, *known)) return {};
      return Error(Code::kAlreadyExists, "PVC " + name_space + "/" + name +
                                             " was not created for pod " + name_space + "/" +
                                             pod.metadata.name + " (pod is not owner)");
    }
    PersistentVolumeClaim claim;
    if (volume.ephemeral->volumeClaimTemplate) {
      const auto& model = *volume.ephemeral->volumeClaimTemplate;
      claim.metadata.labels = model.metadata.labels;
      claim.metadata.annotations = model.metadata.annotations;
      claim.spec = reflect::Copy(model.spec);
    }
    claim.metadata.namespace_ = name_space;
    claim.metadata.name = name;
    auto& owner = claim.metadata.ownerReferences.emplace_back();
    owner.apiVersion = "v1";
    owner.kind = "Pod";
    owner.name = pod.metadata.name;
    owner.uid = pod.metadata.uid;
    owner.controller = true;
    owner.blockOwnerDeletion = true;
    TRY(const client::Target target,
        client::TargetOf(reflect::TypeOf<PersistentVolumeClaim>(), {name_space, ""}));
    const auto made = connection_.Create(target, claim, {});
    if (made.ok()) return {};
    return Error(made.error().code(),
                 "create PVC " + name + ": " + std::string(made.error().message()));
  }

  client::Connection& connection_;
  const decltype(ControllerContext::on_error) tell_error_;
  client::EventRecorder events_;
  client::Informer& pods_;
  client::Informer& claims_;
  KeyedWork work_;
};

}  // namespace

std::string EphemeralClaimName(const Pod& pod, const Volume& volume) {
  return pod.metadata.name + "-" + volume.name;
}

bool ClaimIsForPod(const Pod& pod, const PersistentVolumeClaim& claim) {
  return std::ranges::any_of(claim.metadata.ownerReferences, [&](const auto& owner) {
    return owner.controller.value_or(false) && owner.uid == pod.metadata.uid;
  });
}

std::unique_ptr<Controller> MakeEphemeralVolumes(const ControllerContext& context) {
  return std::make_unique<EphemeralVolumes>(context);
}

}  // namespace podium::controllers
