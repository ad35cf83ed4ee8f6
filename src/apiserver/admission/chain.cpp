#include "apiserver/admission/chain.h"

namespace podium::apiserver {
namespace {

Result<void> AdmitOnce(const AdmissionPlugins& plugins, AdmissionRequest& request) {
  for (const auto& plugin : plugins) {
    if (plugin->Handles(request.operation)) TRY_VOID(plugin->Admit(request));
  }
  return {};
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
  return admitted;
}

Result<void> AdmissionChain::Validate(const AdmissionRequest& request) const {
  for (const auto& plugin : plugins_) {
    if (plugin->Handles(request.operation)) TRY_VOID(plugin->Validate(request));
  }
  return {};
}

}  // namespace podium::apiserver
