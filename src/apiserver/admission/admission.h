// Admission: what may change an object that is to be written, and what may refuse it, after it was
// decoded and before it is stored (upstream's k8s.io/apiserver/pkg/admission, and the plugins of
// k8s.io/kubernetes/plugin/pkg/admission, release 1.36).
//
// A write calls the chain's Admit (chain.h), which calls every plugin in the order of AllPlugins
// (all.h), then checks the object (api/validation), then calls the chain's Validate. Both are
// called again when the write lost a race and is made anew on the newer object.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <utility>

#include "api/resource.h"
#include "api/types/meta_v1.h"
#include "apiserver/admission/pod_security_policy.h"
#include "apiserver/authorization/authorizer.h"
#include "apiserver/objects.h"
#include "apiserver/user.h"
#include "base/clock.h"
#include "base/result.h"
#include "reflect/type.h"

namespace podium::apiserver {

enum class Operation { kCreate, kUpdate, kDelete, kConnect };

// "CREATE"
std::string_view NameOf(Operation operation);

class Reinvocation;
struct CustomVersion;  // custom_resources/custom_version.h

// What is being done. The references live as long as the call.
struct AdmissionRequest {
  Operation operation = Operation::kCreate;
  // As the request has it.
  std::string_view group{};
  std::string_view version{};
  std::string_view resource{};
  std::string_view subresource{};
  // Of the object, or of what is written to a subresource: Scale, Binding, Eviction.
  std::string_view kind_group{};
  std::string_view kind_version{};
  std::string_view kind{};
  std::string_view namespace_{};
  std::string_view name{};  // "" while it is to be made of generateName
  // Null for custom resources.
  const api::Resource* builtin = nullptr;
  // Of custom resources: the version of the request. Null for built-in ones.
  const CustomVersion* custom = nullptr;

  // The new object, of *type, decoded and with defaults; null for a deletion. In Admit it may be
  // changed.
  const reflect::Type* type = nullptr;
  void* object = nullptr;
  // What it replaces, or is deleted; null for a creation. Of *old_type, which is *type but for
  // subresources with a kind of their own.
  const reflect::Type* old_type = nullptr;
  const void* old_object = nullptr;

  // Of the options' kind: CreateOptions, UpdateOptions, PatchOptions, DeleteOptions.
  const reflect::Type* options_type = nullptr;
  const void* options = nullptr;
  bool dry_run = false;
  // Who waits is waited for no longer, and the request fails.
  std::chrono::steady_clock::time_point deadline = std::chrono::steady_clock::time_point::max();

  const User* user = nullptr;
  // What the client is told beside the answer (header Warning).
  std::function<void(std::string warning)> warn{};
  // For the audit log: "pod-security.kubernetes.io/enforce-policy".
  std::function<void(std::string key, std::string value)> annotate{};

  // The chain's: what webhooks remember from one call of the plugins to the next.
  Reinvocation* reinvocation = nullptr;

  // The new object, or the old one, as T; null when it is of another kind, or not there.
  template <class T>
  T* As() const {
    return object != nullptr && type == &reflect::TypeOf<T>() ? static_cast<T*>(object) : nullptr;
  }
  template <class T>
  const T* OldAs() const {
    return old_object != nullptr && old_type == &reflect::TypeOf<T>()
               ? static_cast<const T*>(old_object)
               : nullptr;
  }
  bool Is(std::string_view wanted_group, std::string_view wanted_resource,
          std::string_view wanted_subresource = "") const {
    return resource == wanted_resource && group == wanted_group &&
           subresource == wanted_subresource;
  }

  // Of the new object, or of the old one; null when it has none.
  const api::meta::v1::ObjectMeta* metadata() const;
  const api::meta::v1::ObjectMeta* old_metadata() const;
  void Warn(std::string warning) const {
    if (warn) warn(std::move(warning));
  }
  void Annotate(std::string key, std::string value) const {
    if (annotate) annotate(std::move(key), std::move(value));
  }

  // 403 with upstream's `pods "web" is forbidden: <why>`; the name is the object's own or its
  // generateName where the request has none, "Unknown" when there is neither.
  Error Forbid(std::string_view why) const;
};

// What plugins are made of. All of it outlives them, and may be used from any thread.
struct AdmissionDependencies {
  const Objects& objects;
  const Authorizer& authorizer;
  // Plugins that may block wait by it.
  const Clock& clock;
  std::function<uint64_t()> random;
  PodSecurityConfiguration pod_security{};
};

// Threads: any; one plugin serves many requests at a time. A plugin waits for nothing but the
// store's memory, unless it says so of a request by MayBlock: webhooks, and quotas, whose usage is
// written before an object may be made.
//
// Errors are answers: api/status.h, mostly AdmissionRequest::Forbid.
class AdmissionPlugin {
 public:
  virtual ~AdmissionPlugin() = default;

  // Upstream's name: "NamespaceLifecycle".
  virtual std::string_view name() const = 0;
  virtual bool Handles(Operation operation) const = 0;
  // Whether Admit or Validate of this request may wait for a disk or a peer, and so must not run on
  // a thread that serves connections. Cheap. A later change may make it true of the same request.
  virtual bool MayBlock(const AdmissionRequest& request) const { return (void)request, false; }
  virtual Result<void> Admit(AdmissionRequest& request) { return (void)request, Result<void>(); }
  virtual Result<void> Validate(const AdmissionRequest& request) {
    return (void)request, Result<void>();
  }
};

}  // namespace podium::apiserver
