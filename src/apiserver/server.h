// ApiServer: the Kubernetes API over a store, ready to be asked.
//
//   TRY(auto server, ApiServer::Start({.data_dir = "/var/lib/podium/server"}, clock));
//   …
//   server->Stop(std::chrono::seconds(10));
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "api/types/core_v1.h"
#include "apiserver/admission/all.h"
#include "apiserver/request_log.h"
#include "apiserver/rotating_file.h"
#include "apiserver/services/service_repair.h"
#include "apiserver/user.h"
#include "base/clock.h"
#include "base/result.h"
#include "client/connection.h"
#include "pki/certificate_authority.h"

namespace podium::apiserver {

struct ApiServerOptions {
  // Holds the store and the keys of the cluster; made with 0700 when it is not there.
  std::string data_dir;
  // Where HTTPS is served. Port 0 takes a free one.
  std::string address = "0.0.0.0";
  uint16_t port = 6443;
  // For root on this machine; "" for none.
  std::string unix_socket{};
  // What clients are told to come to, in the administrator's kubeconfig among others. "" for
  // 127.0.0.1.
  std::string advertise_address{};
  // Where pods come to by the Service `kubernetes`: in the serving certificate, too. May be "".
  std::string endpoint_address{};
  std::vector<std::string> host_names{};  // more names of the serving certificate
  std::string token_file{};               // static tokens, in CSV; "" for none
  std::string service_range = "10.43.0.0/16";
  // Who signs the serving certificates of kubelets: a file in PEM; "" for the cluster's own
  // authority, which signs those of podium's nodes.
  std::string kubelet_authority{};
  // kInvalidArgument when it is wrong (CheckPlugins).
  PluginChoice admission_plugins{};
  // The audit log: what of it (a file of audit.k8s.io/v1), and where to; "" for none. Without
  // either nothing is logged.
  std::string audit_policy{};
  RotatingFileOptions audit_log{};
  // Where slow requests are logged, or all; a path of "" for nowhere.
  RotatingFileOptions request_log{};
  RequestLogOptions requests{};
  // Told what an administrator should know while the server runs, in sentences. Any thread.
  std::function<void(std::string sentence)> report{};
  size_t loops = 1;  // threads that serve connections
};

class ApiServer {
 public:
  // Opens or makes everything, writes what every cluster has from its first moment on, and listens.
  // Errors say what to do: kUnavailable: another server has the data, or the port is taken;
  // kDataLoss: the store's or a key's file is damaged. The clock outlives the server.
  static Result<std::unique_ptr<ApiServer>> Start(ApiServerOptions options, const Clock& clock);
  // Stops without grace.
  ~ApiServer();
  ApiServer(const ApiServer&) = delete;
  ApiServer& operator=(const ApiServer&) = delete;

  // Ends watches in order, waits so long for what else runs, and closes the store.
  void Stop(std::chrono::milliseconds grace);

  // For components in this process, in a user's name. The server outlives it.
  std::unique_ptr<client::Connection> Connect(User user, std::string agent) const;
  // Who signs the cluster's certificates, in PEM.
  std::string root_ca() const;
  // The same with its key, for who signs CertificateSigningRequests.
  const pki::CertificateAuthority& certificate_authority() const;
  // A token without an end for a Secret of type kubernetes.io/service-account-token. Any thread.
  Result<std::string> IssueLegacyToken(const api::core::v1::ServiceAccount& account,
                                       std::string_view secret_name) const;

  // Called, on any thread, about once a day for each Secret that a token is used of which was made
  // before tokens had an end; must not wait. {}: by nobody, and when this returns by nobody any
  // more.
  void OnLegacyToken(
      std::function<void(std::string_view name_space, std::string_view secret)> callback) const;

  // Says how a component in this process is, "controller-manager" or "scheduler", for its
  // ComponentStatus; else it is looked for at its usual port. The check may wait for some seconds.
  // {}: it is not here any more, and no check runs when this returns.
  void SetComponent(const std::string& name, std::function<Result<void>()> check) const;

  // Looks over what Services were given of addresses and ports, mends it, and says what was wrong
  // (services/service_repair.h). To be called every three minutes; one thread at a time.
  Result<std::vector<ServiceFinding>> RepairServices() const;
  // What Services get their addresses from, unless ServiceCIDRs say otherwise.
  const std::vector<std::string>& service_cidrs() const;

  // That of the Service `kubernetes`.
  std::string service_address() const;

  uint16_t port() const;
  const std::string& kubeconfig_path() const;
  // What an administrator should see in the log, in sentences: keys that were made.
  std::vector<std::string> TakeNotes();

 private:
  struct State;
  explicit ApiServer(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace podium::apiserver
