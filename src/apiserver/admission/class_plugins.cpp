// DefaultStorageClass, DefaultIngressClass, StorageObjectInUseProtection and
// PersistentVolumeClaimResize (upstream's k8s.io/kubernetes/plugin/pkg/admission/{storage,
// network}, release 1.36).
//
// Unlike there, a VolumeAttributesClass gets no finalizer: nobody here would take it off.
#include <algorithm>

#include "api/types/core_v1.h"
#include "api/types/networking_v1.h"
#include "api/types/storage_v1.h"
#include "apiserver/admission/plugins.h"

namespace podium::apiserver {
namespace {

using api::core::v1::PersistentVolume;
using api::core::v1::PersistentVolumeClaim;
using api::meta::v1::ObjectMeta;
using api::networking::v1::Ingress;
using api::networking::v1::IngressClass;
using api::storage::v1::StorageClass;

constexpr std::string_view kClaimClassAnnotation = "volume.beta.kubernetes.io/storage-class";

bool Says(const ObjectMeta& meta, std::string_view annotation, std::string_view value) {
  const auto found = meta.annotations.find(annotation);
  return found != meta.annotations.end() && found->second == value;
}

// The newest of the classes that say they are the default, the first by name of equally old ones;
// null for none.
template <class T, class IsDefault>
Result<std::shared_ptr<const T>> DefaultClass(const Objects& objects, IsDefault is_default) {
  TRY(const auto classes, objects.List<T>(""));
  std::shared_ptr<const T> chosen;
  for (const auto& each : classes) {
    if (!is_default(each->metadata)) continue;
    // They come by name.
    if (chosen == nullptr ||
        each->metadata.creationTimestamp > chosen->metadata.creationTimestamp) {
      chosen = each;
    }
  }
  return chosen;
}

class DefaultStorageClass final : public AdmissionPlugin {
 public:
  explicit DefaultStorageClass(const Objects& objects) : objects_(objects) {}

  std::string_view name() const override { return "DefaultStorageClass"; }
  bool Handles(Operation operation) const override { return operation == Operation::kCreate; }

  Result<void> Admit(AdmissionRequest& request) override {
    if (!request.Is("", "persistentvolumeclaims")) return {};
    auto* const claim = request.As<PersistentVolumeClaim>();
    if (claim == nullptr || claim->spec.storageClassName ||
        claim->metadata.annotations.contains(kClaimClassAnnotation)) {
      return {};
    }
    TRY(const auto chosen, DefaultClass<StorageClass>(objects_, [](const ObjectMeta& meta) {
          return Says(meta, "storageclass.kubernetes.io/is-default-class", "true") ||
                 Says(meta, "storageclass.beta.kubernetes.io/is-default-class", "true");
        }));
    if (chosen != nullptr) claim->spec.storageClassName = chosen->metadata.name;
    return {};
  }

 private:
  const Objects& objects_;
};

class DefaultIngressClass final : public AdmissionPlugin {
 public:
  explicit DefaultIngressClass(const Objects& objects) : objects_(objects) {}

  std::string_view name() const override { return "DefaultIngressClass"; }
  bool Handles(Operation operation) const override { return operation == Operation::kCreate; }

  Result<void> Admit(AdmissionRequest& request) override {
    if (!request.Is("networking.k8s.io", "ingresses")) return {};
    auto* const ingress = request.As<Ingress>();
    if (ingress == nullptr || ingress->spec.ingressClassName ||
        ingress->metadata.annotations.contains("kubernetes.io/ingress.class")) {
      return {};
    }
    TRY(const auto chosen, DefaultClass<IngressClass>(objects_, [](const ObjectMeta& meta) {
          return Says(meta, "ingressclass.kubernetes.io/is-default-class", "true");
        }));
    if (chosen != nullptr) ingress->spec.ingressClassName = chosen->metadata.name;
    return {};
  }

 private:
  const Objects& objects_;
};

class StorageObjectInUseProtection final : public AdmissionPlugin {
 public:
  std::string_view name() const override { return "StorageObjectInUseProtection"; }
  bool Handles(Operation operation) const override { return operation == Operation::kCreate; }

  Result<void> Admit(AdmissionRequest& request) override {
    if (request.Is("", "persistentvolumes")) {
      if (auto* volume = request.As<PersistentVolume>()) {
        Protect("kubernetes.io/pv-protection", &volume->metadata);
      }
    }
    if (request.Is("", "persistentvolumeclaims")) {
      if (auto* claim = request.As<PersistentVolumeClaim>()) {
        Protect("kubernetes.io/pvc-protection", &claim->metadata);
      }
    }
    return {};
  }

 private:
  static void Protect(std::string_view finalizer, ObjectMeta* meta) {
    if (std::ranges::find(meta->finalizers, finalizer) == meta->finalizers.end()) {
      meta->finalizers.emplace_back(finalizer);
    }
  }
};

class PersistentVolumeClaimResize final : public AdmissionPlugin {
 public:
  explicit PersistentVolumeClaimResize(const Objects& objects) : objects_(objects) {}

  std::string_view name() const override { return "PersistentVolumeClaimResize"; }
  bool Handles(Operation operation) const override { return operation == Operation::kUpdate; }

  Result<void> Validate(const AdmissionRequest& request) override {
    if (!request.Is("", "persistentvolumeclaims")) return {};
    const auto* claim = request.As<PersistentVolumeClaim>();
    const auto* old = request.OldAs<PersistentVolumeClaim>();
    if (claim == nullptr || old == nullptr || SizeOf(*claim) <= SizeOf(*old)) return {};
    if (old->status.phase != "Bound") {
      return request.Forbid("Only bound persistent volume claims can be expanded");
    }
    TRY(const bool allowed, Allowed(ClassOf(*claim), ClassOf(*old)));
    if (allowed) return {};
    return request.Forbid(
        "only dynamically provisioned pvc can be resized and the storageclass that provisions the "
        "pvc must support resize");
  }

 private:
  static api::Quantity SizeOf(const PersistentVolumeClaim& claim) {
    const auto found = claim.spec.resources.requests.find("storage");
    return found == claim.spec.resources.requests.end() ? api::Quantity() : found->second;
  }
  static std::string ClassOf(const PersistentVolumeClaim& claim) {
    const auto found = claim.metadata.annotations.find(kClaimClassAnnotation);
    if (found != claim.metadata.annotations.end()) return found->second;
    return claim.spec.storageClassName.value_or("");
  }
  Result<bool> Allowed(const std::string& now, const std::string& before) const {
    if (now.empty() || now != before) return false;
    TRY(const auto found, objects_.Get<StorageClass>("", now));
    return found != nullptr && found->allowVolumeExpansion.value_or(false);
  }

  const Objects& objects_;
};

}  // namespace

std::unique_ptr<AdmissionPlugin> NewDefaultStorageClass(const AdmissionDependencies& dependencies) {
  return std::make_unique<DefaultStorageClass>(dependencies.objects);
}
std::unique_ptr<AdmissionPlugin> NewDefaultIngressClass(const AdmissionDependencies& dependencies) {
  return std::make_unique<DefaultIngressClass>(dependencies.objects);
}
std::unique_ptr<AdmissionPlugin> NewStorageObjectInUseProtection(const AdmissionDependencies&) {
  return std::make_unique<StorageObjectInUseProtection>();
}
std::unique_ptr<AdmissionPlugin> NewPersistentVolumeClaimResize(
    const AdmissionDependencies& dependencies) {
  return std::make_unique<PersistentVolumeClaimResize>(dependencies.objects);
}

}  // namespace podium::apiserver
