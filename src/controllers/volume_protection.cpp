#include "controllers/volume_protection.h"

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "controllers/ephemeral_volumes.h"
#include "controllers/keyed_work.h"
#include "reflect/copy.h"

namespace podium::controllers {
namespace {

using api::core::v1::PersistentVolume;
using api::core::v1::PersistentVolumeClaim;
using api::core::v1::Pod;
using client::Reconciled;
using client::SharedObject;

constexpr std::string_view kVolumeFinalizer = "kubernetes.io/pv-protection";
constexpr std::string_view kClaimFinalizer = "kubernetes.io/pvc-protection";
constexpr std::string_view kVolumesName = "persistentvolume-protection-controller";
constexpr std::string_view kClaimsName = "persistentvolumeclaim-protection-controller";

bool Has(const api::meta::v1::ObjectMeta& object, std::string_view finalizer) {
  return std::ranges::find(object.finalizers, finalizer) != object.finalizers.end();
}

// The object as it was read: who changed it since makes a conflict, which is tried again.
template <class T>
Result<Reconciled> SetFinalizer(client::Connection& connection, const T& object,
                                std::string_view finalizer, bool wanted) {
  T changed = reflect::Copy(object);
  auto& finalizers = changed.metadata.finalizers;
  std::erase(finalizers, finalizer);
  if (wanted) finalizers.emplace_back(finalizer);
  TRY(const client::Target target,
      client::TargetOf(reflect::TypeOf<T>(), {object.metadata.namespace_, object.metadata.name}));
  const auto updated = connection.Update(target, changed, {});
  if (!updated.ok() && updated.error().code() != Code::kNotFound) return updated.error();
  return Reconciled();
}

class VolumeProtection final : public Controller {
 public:
  explicit VolumeProtection(const ControllerContext& context)
      : connection_(*context.connection),
        volumes_(context.informers->For<PersistentVolume>()),
        work_(context, kVolumesName, 1, [this](const std::string& key) { return Sync(key); }) {}

  std::string_view name() const override { return kVolumesName; }
  void Start() override {
    work_.FollowKeys(volumes_);
    work_.Open();
  }

 private:
  Result<Reconciled> Sync(const std::string& name) {
    const auto volume = volumes_.Get<PersistentVolume>({"", name});
    if (volume == nullptr) return Reconciled();
    const bool guarded = Has(volume->metadata, kVolumeFinalizer);
    const bool goes = volume->metadata.deletionTimestamp.has_value();
    if (goes && guarded && volume->status.phase != "Bound") {
      return SetFinalizer(connection_, *volume, kVolumeFinalizer, false);
    }
    if (!goes && !guarded) return SetFinalizer(connection_, *volume, kVolumeFinalizer, true);
    return Reconciled();
  }

  client::Connection& connection_;
  client::Informer& volumes_;
  KeyedWork work_;
};

// Force-deleted, or its node is done with it.
bool IsShutDown(const Pod& pod) {
  return pod.metadata.deletionTimestamp && pod.metadata.deletionGracePeriodSeconds == 0;
}

class ClaimProtection final : public Controller {
 public:
  explicit ClaimProtection(const ControllerContext& context)
      : connection_(*context.connection),
        claims_(context.informers->For<PersistentVolumeClaim>()),
        pods_(context.informers->For<Pod>()),
        work_(context, kClaimsName, 1, [this](const std::string& key) { return Sync(key); }) {}

  std::string_view name() const override { return kClaimsName; }
  void Start() override {
    const auto add_of = [this](const SharedObject& object) { AddClaimsOf(*object.As<Pod>()); };
    work_.FollowKeys(claims_);
    work_.Follow(pods_, {.on_add = [=](const auto& pod, bool) { add_of(pod); },
                         .on_update =
                             [=](const auto& old, const auto& pod) {
                               // One that was deleted and made again between two looks.
                               if (old.meta()->uid != pod.meta()->uid) add_of(old);
                               add_of(pod);
                             },
                         .on_delete = [=](const auto& pod, bool) { add_of(pod); }});
    work_.Open();
  }

 private:
  void AddClaimsOf(const Pod& pod) {
    for (const auto& volume : pod.spec.volumes) {
      const std::string prefix = pod.metadata.namespace_ + "/";
      if (volume.persistentVolumeClaim) work_.Add(prefix + volume.persistentVolumeClaim->claimName);
      if (volume.ephemeral) work_.Add(prefix + EphemeralClaimName(pod, volume));
    }
  }
  Result<Reconciled> Sync(const std::string& key);
  Result<bool> IsUsed(const PersistentVolumeClaim& claim);

  client::Connection& connection_;
  client::Informer& claims_;
  client::Informer& pods_;
  KeyedWork work_;
};

Result<Reconciled> ClaimProtection::Sync(const std::string& key) {
  const auto claim = claims_.Get<PersistentVolumeClaim>(SplitKey(key));
  if (claim == nullptr) return Reconciled();
  const bool guarded = Has(claim->metadata, kClaimFinalizer);
  if (!claim->metadata.deletionTimestamp) {
    if (guarded) return Reconciled();
    return SetFinalizer(connection_, *claim, kClaimFinalizer, true);
  }
  if (!guarded) return Reconciled();
  TRY(const bool used, IsUsed(*claim));
  if (used) return Reconciled();
  return SetFinalizer(connection_, *claim, kClaimFinalizer, false);
}

// What the informer has may be old: that nobody uses the claim is only believed of the server.
Result<bool> ClaimProtection::IsUsed(const PersistentVolumeClaim& claim) {
  const auto uses = [&](const SharedObject& each) {
    const auto pod = each.As<Pod>();
    return pod != nullptr && PodUsesClaim(*pod, claim);
  };
  const std::string& name_space = claim.metadata.namespace_;
  if (std::ranges::any_of(pods_.List(name_space), uses)) return true;
  TRY(const client::Target target, client::TargetOf(reflect::TypeOf<Pod>(), {name_space, ""}));
  TRY(const client::ObjectList live, connection_.List(target, {}));
  return std::ranges::any_of(live.items, uses);
}

}  // namespace

bool PodUsesClaim(const Pod& pod, const PersistentVolumeClaim& claim) {
  if (pod.spec.nodeName.empty()) return false;
  return std::ranges::any_of(pod.spec.volumes, [&](const auto& volume) {
    const auto& named = volume.persistentVolumeClaim;
    if (named && named->claimName == claim.metadata.name) return true;
    return volume.ephemeral && !IsShutDown(pod) &&
           EphemeralClaimName(pod, volume) == claim.metadata.name && ClaimIsForPod(pod, claim);
  });
}

std::unique_ptr<Controller> MakeVolumeProtection(const ControllerContext& context) {
  return std::make_unique<VolumeProtection>(context);
}

std::unique_ptr<Controller> MakeClaimProtection(const ControllerContext& context) {
  return std::make_unique<ClaimProtection>(context);
}

}  // namespace podium::controllers
