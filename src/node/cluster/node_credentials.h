// NodeCredentials: how an agent comes to a server and is somebody there. The first of these that is
// given:
//
//   kubeconfig             a kubeconfig with credentials, used as it is; files that it names are
//                          read again when they change
//   bootstrap_kubeconfig   one that may ask for nodes' certificates: the agent becomes
//                          system:node:NAME by a CertificateSigningRequest, and asks by itself from
//                          then on (upstream's pkg/kubelet/certificate, release 1.36); also where
//                          both are given and there is no file at `kubeconfig`
//   server_socket          of a podium server on this machine, which serves root there: the agent
//                          has its certificates signed as root, and comes as the node it is
//
// Certificates are kept in a folder (node_certificates.h) and renewed after four fifths of their
// life; the connection shows the new one from the next call on, streams go on with the old one.
// Where the server does not take one (401) another is asked for. Everything is tried again after 1
// to 60 seconds, doubled each time; while there is no certificate, calls of the connection fail
// with kUnavailable.
//
// The certificate that the agent shows to who connects to it: on the machine of the server it is
// the cluster's. Otherwise it is one that the agent signs for itself; and the cluster's once
// somebody has approved it, where it is to ask for one (upstream's --rotate-server-certificates).
//
// A server whose address or authority changes is found by an agent that is started again.
//
// Works in tasks of the executor. Threads: any.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/executor.h"
#include "client/address.h"
#include "client/connection.h"
#include "client/http_connection.h"
#include "client/kubeconfig_address.h"
#include "client/work_queue.h"
#include "node/node_certificates.h"

namespace podium::node {

class NodeCredentials {
 public:
  struct Options {
    std::string kubeconfig{};  // a path, as all of these
    std::string bootstrap_kubeconfig{};
    std::string server_socket{};
    std::string server_kubeconfig{};  // that the server writes: where it serves, and its authority
    bool rotate_server_certificates = false;
    NodeCertificatesOptions certificates{};
  };
  struct Parts {
    // All outlive it. Called from tasks. The connection is there: once. It lives as long as this
    // does, and is stopped by Stop.
    std::function<void(client::Connection& connection)> on_connected{};
    // A serving certificate: the first, and each that comes after it.
    std::function<void(const NodeCertificate& certificate)> on_serving{};
    // What goes wrong while it goes on.
    std::function<void(const Error& error)> on_error{};
    // Requests of the connections (client::HttpConnection::Options). May be empty.
    std::function<void(std::string_view method, const std::string& host, const std::string& status)>
        on_answer{};
    const Clock* clock = nullptr;
    Executor* executor = nullptr;
    client::EnvironmentLookup environment{};  // for proxies
  };

  NodeCredentials(Options options, Parts parts);
  // Stop.
  ~NodeCredentials();

  void Start();
  // The connection's calls end with kCancelled, and all that waits. Returns when nothing runs any
  // more. For good.
  void Stop();

  // Who signs the cluster's certificates, in PEM: whom those who connect to the agent show. "": not
  // known yet, or by nobody.
  std::string root_ca() const;

 private:
  class NodeLogin;
  enum class Source { kKubeconfig, kBootstrap, kServer };

  static Source SourceOf(const Options& options);
  Result<client::ServerAddress> ReadAddress(const std::string& kubeconfig) const;
  Result<client::Reconciled> Round(const std::string& key);
  // When the next round is due, in seconds since 1970; kNever.
  Result<int64_t> RoundOfKubeconfig();
  Result<int64_t> RoundOfBootstrap();
  Result<int64_t> RoundOfServer();
  Result<int64_t> RoundOfServing();
  // Makes the connection, if there is none yet, and tells of it.
  Result<void> Connect(client::ServerAddress address);
  // By which certificates are asked for while the node is nobody.
  Result<client::Connection*> Asker(client::ServerAddress address);
  // Makes one into *place, unless stopped. `made`: there was none.
  Result<client::Connection*> Open(client::ServerAddress address,
                                   std::unique_ptr<client::HttpConnection>* place, bool* made);
  void TellServing();

  const Options options_;
  const Parts parts_;
  const Source source_;
  NodeCertificates certificates_;
  const std::shared_ptr<NodeLogin> login_;
  mutable std::mutex mutex_;
  // Under mutex_; what is made stays until this goes.
  std::unique_ptr<client::HttpConnection> connection_;
  std::unique_ptr<client::HttpConnection> asker_;
  std::string root_ca_;
  std::shared_ptr<const NodeCertificate> told_;  // by on_serving
  bool stopped_ = false;

  client::WorkQueue work_;  // two keys: client, serving
};

}  // namespace podium::node
