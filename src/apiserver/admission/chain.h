// The chain: every plugin, one after the other.
//
//   TRY_VOID(chain.Admit(request));
//   … api/validation …
//   TRY_VOID(chain.Validate(request));
//
// Threads: any. What a request's MayBlock says decides where it runs; when webhooks or quotas come
// to be between the question and the call, a call may block all the same, once.
#pragma once

#include <set>
#include <string>
#include <utility>

#include "apiserver/admission/all.h"

namespace podium::apiserver {

// What mutating webhooks remember of one request. When one of them has changed the object, the
// plugins are called a second time, and of the webhooks those that asked for it
// (reinvocationPolicy: IfNeeded) and were called before the last change (upstream's
// k8s.io/apiserver/pkg/admission/plugin/webhook/mutating/reinvocationcontext.go).
class Reinvocation {
 public:
  bool again() const { return again_; }
  bool wanted() const { return wanted_; }
  void BeginAgain() { again_ = true; }

  // A webhook that may be called again was called now.
  void Called(std::string webhook) { called_.insert(std::move(webhook)); }
  // A webhook changed the object: all that were called before see it again.
  void Changed() {
    for (; !called_.empty(); called_.erase(called_.begin()))
      changed_since_.insert(*called_.begin());
    wanted_ = true;
  }
  // In the second call: plugins changed the object since the webhooks were called.
  void ChangedByPlugins() { Changed(); }
  bool ShouldCallAgain(const std::string& webhook) const {
    return changed_since_.contains(webhook);
  }

  // The object as the webhooks left it, in JSON, to see in the second call what plugins changed.
  std::string left;

 private:
  std::set<std::string> called_;
  std::set<std::string> changed_since_;
  bool again_ = false;
  bool wanted_ = false;
};

class AdmissionChain {
 public:
  explicit AdmissionChain(AdmissionPlugins plugins) : plugins_(std::move(plugins)) {}

  // Whether Admit or Validate may wait for a disk or a peer.
  bool MayBlock(const AdmissionRequest& request) const;
  Result<void> Admit(AdmissionRequest& request) const;
  Result<void> Validate(const AdmissionRequest& request) const;

  const AdmissionPlugins& plugins() const { return plugins_; }

 private:
  const AdmissionPlugins plugins_;
};

}  // namespace podium::apiserver
