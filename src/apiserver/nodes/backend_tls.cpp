#include "apiserver/nodes/backend_tls.h"

#include <utility>

namespace podium::apiserver {
namespace {

Result<std::shared_ptr<const http::TlsClient>> Make(const http::TlsOptions& options) {
  TRY(http::TlsClient client, http::TlsClient::Create(options));
  return std::make_shared<const http::TlsClient>(std::move(client));
}

}  // namespace

Result<std::shared_ptr<const http::TlsClient>> BackendTls::For(BackendTrust trust) {
  const std::lock_guard lock(mutex_);
  if (trust == BackendTrust::kProxy) {
    if (proxy_ == nullptr) {
      TRY(proxy_, Make({.system_roots = false, .skip_verify = true}));
    }
    return proxy_;
  }
  auto certificate = certificate_();
  if (certificate != shown_) {
    kubelet_ = nullptr;
    unverified_ = nullptr;
    shown_ = std::move(certificate);
  }
  const bool verify = trust == BackendTrust::kKubelet;
  std::shared_ptr<const http::TlsClient>& client = verify ? kubelet_ : unverified_;
  if (client == nullptr) {
    TRY(client, Make({.extra_roots = roots_,
                      .system_roots = false,
                      .certificate = shown_->certificate,
                      .key = shown_->key,
                      .skip_verify = !verify}));
  }
  return client;
}

}  // namespace podium::apiserver
