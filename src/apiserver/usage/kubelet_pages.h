// Pages of kubelets for the server itself: over connections that are kept, with the server's own
// certificate, and as whom the cluster's authority says that they are (nodes/backend_tls.h).
//
// Threads: any. Waits, for five seconds at the most.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <string>

#include "apiserver/authentication/credentials_folder.h"
#include "apiserver/objects.h"
#include "base/result.h"
#include "http/client.h"
#include "http/stream.h"

namespace podium::apiserver {

class KubeletPages {
 public:
  using ClientCertificate = std::function<std::shared_ptr<const KeyedCertificate>()>;
  // `certificate`: the one of now. `roots` in PEM. The objects outlive it.
  static Result<std::unique_ptr<KubeletPages>> Create(const Objects& objects,
                                                      ClientCertificate certificate,
                                                      std::string roots);

  // The body of the node's answer to GET of the path, if its status is 200.
  Result<std::string> Fetch(const std::string& node, const std::string& path);
  // Breaks off whoever waits.
  void Stop() { cancellation_->Cancel(); }

 private:
  KubeletPages(const Objects& objects, ClientCertificate certificate, std::string roots,
               std::unique_ptr<http::Cancellation> cancellation)
      : objects_(objects),
        certificate_(std::move(certificate)),
        roots_(std::move(roots)),
        cancellation_(std::move(cancellation)) {}
  Result<std::shared_ptr<const http::Client>> ClientOfNow();

  const Objects& objects_;
  const ClientCertificate certificate_;
  const std::string roots_;
  const std::unique_ptr<http::Cancellation> cancellation_;
  std::mutex mutex_;
  // Under the mutex.
  std::shared_ptr<const KeyedCertificate> shown_;  // by the client
  std::shared_ptr<const http::Client> client_;
};

}  // namespace podium::apiserver
