// The certificates of a node: the one by which it is system:node:NAME to the API server, and the
// one that it shows to who connects to it. Made at the first start by CertificateSigningRequests,
// kept in a folder, and renewed in time:
//
//   kubelet-client-current.pem   certificate and key, one behind the other; names are the kubelet's
//   kubelet-server-current.pem
//
// Private keys are made here and never leave the folder (0600, in a folder of 0700). A file that is
// damaged, of another node or of another cluster is made anew.
//
// Who asks for them:
//   Renew          root over the server's socket on the same machine, or whoever else may approve
//                  for kubernetes.io/kubelet-serving: both, and nobody else has to do anything
//   RenewClient    who may ask for nodes (a bootstrap token), and later the node itself; the
//                  cluster approves that by its own rules
//   RenewServing   the node itself; a person approves it, and until then there is one that the node
//                  has signed for itself (UseSelfSigned), as kubelets have
//
// Threads: any for client(), serving() and root_ca(); of the others one of each at a time.
#pragma once

#include <chrono>
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
  // Seconds since 1970.
  int64_t renew_at = 0;  // four fifths of its life are over
  int64_t not_after = 0;
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

  // Shows what is in the folder, if it fits and its life is not over, though it may be time to
  // renew it. Whose clusters they are is not looked at: the server says it.
  void Load();
  // Has one signed if there is none, or it has lived four fifths of its time, or the server does
  // not take it (`anew`). Returns when it should be called again. After an error what was there is
  // shown on.
  Result<int64_t> RenewClient(client::Connection& asker, bool anew = false);
  // The same; waits that long for somebody to approve it.
  Result<int64_t> RenewServing(client::Connection& asker, std::chrono::seconds patience);
  // Where there is no serving certificate, or it is time for another. Of no folder: the next
  // process makes one of its own.
  Result<void> UseSelfSigned();

  // Null before the first Renew that succeeded.
  std::shared_ptr<const NodeCertificate> client() const;
  std::shared_ptr<const NodeCertificate> serving() const;
  // Who signs the cluster's certificates, in PEM; "" before.
  std::string root_ca() const;

 private:
  using CertificatePtr = std::shared_ptr<const NodeCertificate>;
  struct Wanted;

  Wanted WantedClient() const;
  Wanted WantedServing() const;
  Result<CertificatePtr> LoadOrMake(client::Connection& approver, const Wanted& wanted) const;
  // Of the folder, as long as it lives.
  Result<CertificatePtr> LoadFitting(const Wanted& wanted) const;
  Result<CertificatePtr> Make(client::Connection& asker, const Wanted& wanted) const;
  Result<NodeCertificate> Fitting(const Wanted& wanted, const std::string& pem) const;
  bool IsDue(const NodeCertificate& certificate) const;

  const NodeCertificatesOptions options_;
  const Clock& clock_;
  mutable std::mutex mutex_;
  // Under mutex_.
  CertificatePtr client_;
  CertificatePtr serving_;
  std::string root_ca_;
};

}  // namespace podium::node
