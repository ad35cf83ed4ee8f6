#include "apiserver/admission/chain.h"

#include <chrono>

#include "api/status.h"

namespace podium::apiserver {
namespace {

Result<void> AdmitOnce(const AdmissionPlugins& plugins, AdmissionRequest& request) {
  for (const auto& plugin : plugins) {
    if (plugin->Handles(request.operation)) TRY_VOID(plugin->Admit(request));
  }
  return {};
}

// Of plugins some wait, for webhooks.
Result<void> CheckDeadline(const AdmissionRequest& request) {
  if (std::chrono::steady_clock::now() <= request.deadline) return {};
  return api::TimeoutError(
      "request did not complete within requested timeout - context deadline exceeded", 0);
}

}  // namespace

bool AdmissionChain::MayBlock(const AdmissionRequest& request) const {
  for (const auto& plugin : plugins_) {
    if (plugin->Handles(request.operation) && plugin->MayBlock(request)) return true;
  }
  return false;
}

Result<void> AdmissionChain::Admit(AdmissionRequest& request) const {
  Reinvocation reinvocation;
  request.reinvocation = &reinvocation;
  auto admitted = AdmitOnce(plugins_, request);
  if (admitted.ok() && reinvocation.wanted()) {
    reinvocation.BeginAgain();
    admitted = AdmitOnce(plugins_, request);
  }
  request.reinvocation = nullptr;
  TRY_VOID(admitted);
  return CheckDeadline(request);
}

Result<void> AdmissionChain::Validate(const AdmissionRequest& request) const {
  for (const auto& plugin : plugins_) {
    if (plugin->Handles(request.operation)) TRY_VOID(plugin->Validate(request));
  }
  return CheckDeadline(request);
}

}  // namespace podium::apiserver
