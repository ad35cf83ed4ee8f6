// How the server speaks TLS to kubelets, and to who is behind its proxies.
//
// A kubelet's certificate must be of the cluster's authority, and for the address that its Node
// has. Upstream verifies nothing here unless it is told an authority (--kubelet-certificate-
// authority), since its kubelets sign for themselves: whoever sits between could then read and
// write what goes through exec. Podium's server signs the serving certificates of its nodes, so it
// can ask for them; a log may say insecureSkipTLSVerifyBackend.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <string>

#include "apiserver/authentication/credentials_folder.h"
#include "apiserver/nodes/locations.h"
#include "base/result.h"
#include "http/tls.h"

namespace podium::apiserver {

// Threads: any.
class BackendTls {
 public:
  using ClientCertificate = std::function<std::shared_ptr<const KeyedCertificate>()>;
  // `certificate`: the one of now, which the server shows to kubelets. `roots` in PEM.
  BackendTls(ClientCertificate certificate, std::string roots)
      : certificate_(std::move(certificate)), roots_(std::move(roots)) {}

  // Made once for each certificate.
  Result<std::shared_ptr<const http::TlsClient>> For(BackendTrust trust);

 private:
  const ClientCertificate certificate_;
  const std::string roots_;
  std::mutex mutex_;
  // All below: under the mutex.
  std::shared_ptr<const KeyedCertificate> shown_;  // by those that follow
  std::shared_ptr<const http::TlsClient> kubelet_;
  std::shared_ptr<const http::TlsClient> unverified_;
  std::shared_ptr<const http::TlsClient> proxy_;
};

}  // namespace podium::apiserver
