// CniNetwork: pods on the network that an administrator has configured (CNI specification 1.1; also
// 0.1.0 to 1.0.0). The plugins are programs; they are run here as containerd and CRI-O run them.
//
// What stays on the machine beside what the plugins make:
//
//   RUN/netns/<sandbox id>                      the pod's namespace, bind-mounted, so that plugins
//   and
//                                               their daemons have a path; made by Setup, removed
//                                               by Teardown
//   DATA/cni/results/<network>-<id>-eth0        the configuration and result of ADD, in libcni's
//                                               form; written before ADD, removed after DEL
//
// The folder of configurations is read at each Setup: a change counts for the next pod. A pod is
// checked and torn down with the configuration that it was set up with.
#pragma once

#include <chrono>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "base/instance.h"
#include "network/cni_config.h"
#include "network/network.h"

namespace podium::network {

struct CniOptions {
  std::string config_dir;                // /etc/cni/net.d
  std::vector<std::string> plugin_dirs;  // searched in order
  std::string cache_dir;                 // DATA/cni/results
  std::string netns_dir;                 // RUN/netns
  std::chrono::milliseconds plugin_timeout{60'000};
};

CniOptions CniOptionsOf(const Instance& instance);

class CniNetwork final : public Network {
 public:
  // Makes the folders. That there is no configuration is told by Status and Setup.
  static Result<std::unique_ptr<CniNetwork>> Open(CniOptions options);

  Result<UniqueFd> PrepareNamespace(const std::string& sandbox_id) override;
  Result<PodNetwork> Setup(const PodNetworkRequest& request) override;
  Result<void> Teardown(const std::string& sandbox_id) override;
  Result<void> Check(const std::string& sandbox_id) override;
  Result<PodCounters> Counters(const std::string& sandbox_id) override;
  Result<void> Recover(std::span<const LiveSandbox> live) override;
  NetworkStatus Status() override;
  Result<void> Uninstall() override;

 private:
  // What is kept of a sandbox: the content of its file.
  struct Attachment {
    std::string sandbox_id;
    CniConfig config;
    std::string arguments;  // CNI_ARGS
    reflect::JsonValue capabilities = reflect::JsonValue::Of(reflect::JsonValue::Object{});
    std::string result;  // of ADD; empty: not known to have succeeded
  };

  explicit CniNetwork(CniOptions options) : options_(std::move(options)) {}

  std::string NetnsPath(const std::string& sandbox_id) const;
  std::string CachePath(const std::string& network, const std::string& sandbox_id) const;
  Result<void> BindNamespace(const std::string& sandbox_id, int netns) const;
  Result<void> UnbindNamespace(const std::string& sandbox_id) const;

  Result<void> Save(const Attachment& attachment) const;
  Result<Attachment> Load(const std::string& path) const;
  // kNotFound.
  Result<Attachment> Find(const std::string& sandbox_id) const;
  Result<void> Forget(const Attachment& attachment) const;
  Result<std::vector<Attachment>> All() const;

  Result<std::string> FindPlugin(const std::string& type) const;
  // One plugin, one verb; what it prints. `extra` is put into its configuration.
  Result<std::string> Run(const Attachment& attachment, const CniPlugin& plugin,
                          const std::string& verb, const std::string& netns,
                          const reflect::JsonValue::Object& extra) const;
  // All plugins, and the result of the last.
  Result<std::string> Add(const Attachment& attachment) const;
  // All plugins from the last to the first; the first error counts, all are run.
  Result<void> Delete(const Attachment& attachment) const;
  Result<void> CollectGarbage(std::span<const LiveSandbox> live) const;

  Result<void> Reserve(const PodNetworkRequest& request, const std::vector<PortMapping>& ports);
  void Release(const std::string& sandbox_id);

  const CniOptions options_;
  mutable std::mutex mutex_;
  struct Holder {
    std::string pod;
    std::vector<PortMapping> ports;
    bool up = false;
  };
  std::map<std::string, Holder> pods_;
};

}  // namespace podium::network
