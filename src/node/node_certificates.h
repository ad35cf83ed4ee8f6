// The certificates of a node: the one by which it is system:node:NAME to the API server, and the
// one that it shows to who connects to it. Made at the first start by CertificateSigningRequests
// that whoever may approve for kubernetes.io/kubelet-serving asks for, as root over the server's
// socket on the same machine; kept in a folder, and renewed in time:
//
//   kubelet-client-current.pem   certificate and key, one behind the other; names are the kubelet's
//   kubelet-server-current.pem
//
// Private keys are made here and never leave the folder (0600, in a folder of 0700). A file that is
// damaged, of another node or of another cluster is made anew.
//
// Threads: any for client() and serving(); one at a time for Renew.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>

#include "base/clock.h"
#include "base/result.h"
#include "client/connection.h"
#include "pki/certificate.h"

namespace podium::node {

// In PEM.
struct NodeCertificate {
  std::string certificate{};
  std::string key{};
  int64_t renew_at = 0;  // seconds since 1970: four fifths of its life are over
};

struct NodeCertificatesOptions {
  std::string folder{};             // is made; its parent is there
  std::string node_name{};          // system:node:NAME
  pki::AlternativeNames serving{};  // that the node is called by; at least one
};

class NodeCertificates {
 public:
  // Nothing is read or asked yet. The clock outlives it.
  NodeCertificates(NodeCertificatesOptions options, const Clock& clock)
      : options_(std::move(options)), clock_(clock) {}

  // Loads what is there, and has signed what is missing, does not fit, or has lived four fifths of
  // its time. Returns when it should be called again, in seconds since 1970. Waits for the signer.
  // After an error what was there is shown on: try again. kUnavailable while the cluster does not
  // say yet by which authority it is known.
  Result<int64_t> Renew(client::Connection& approver);

  // Null before the first Renew that succeeded.
  std::shared_ptr<const NodeCertificate> client() const;
  std::shared_ptr<const NodeCertificate> serving() const;
  // Who signs the cluster's certificates, in PEM; "" before.
  std::string root_ca() const;

 private:
  struct Wanted;

  Result<std::shared_ptr<const NodeCertificate>> LoadOrMake(client::Connection& approver,
                                                            const Wanted& wanted) const;
  Result<NodeCertificate> Fitting(const Wanted& wanted, const std::string& pem) const;

  const NodeCertificatesOptions options_;
  const Clock& clock_;
  mutable std::mutex mutex_;
  // Under mutex_.
  std::shared_ptr<const NodeCertificate> client_;
  std::shared_ptr<const NodeCertificate> serving_;
  std::string root_ca_;
};

}  // namespace podium::node
