// A runtime and images whose calls are counted and timed (upstream's
// pkg/kubelet/kuberuntime/instrumented_services.go, release 1.36). Everything else is theirs.
//
// Threads: any.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "node/image_service.h"
#include "node/metrics/node_metrics.h"
#include "runtime/runtime.h"

namespace podium::node {

class MeasuredRuntime : public runtime::Runtime {
 public:
  // All outlive it.
  MeasuredRuntime(runtime::Runtime& runtime, NodeMetrics& metrics)
      : runtime_(runtime), metrics_(metrics) {}

  Result<runtime::Recovery> Recover() override { return runtime_.Recover(); }
  void SetEventHandler(runtime::EventHandler handler) override;
  void SetLogHandler(runtime::LogHandler handler, uint64_t bound) override;
  Result<wire::cri::StatusResponse> Status() override;
  wire::cri::RuntimeConfigResponse RuntimeConfig() override { return runtime_.RuntimeConfig(); }

  Result<std::string> RunPodSandbox(const wire::cri::PodSandboxConfig& config,
                                    std::string_view runtime_handler) override;
  Result<void> StopPodSandbox(std::string_view sandbox_id) override;
  Result<void> RemovePodSandbox(std::string_view sandbox_id) override;
  Result<wire::cri::PodSandboxStatusResponse> PodSandboxStatus(std::string_view sandbox_id,
                                                               bool verbose) override;
  Result<std::vector<wire::cri::PodSandbox>> ListPodSandbox(
      const wire::cri::PodSandboxFilter& filter) override;
  Result<void> UpdatePodSandboxResources(
      std::string_view sandbox_id, const wire::cri::LinuxContainerResources& resources) override;

  Result<std::string> CreateContainer(std::string_view sandbox_id,
                                      const wire::cri::ContainerConfig& config,
                                      std::vector<runtime::MountSource> sources) override;
  Result<void> StartContainer(std::string_view container_id) override;
  Result<void> StopContainer(std::string_view container_id, std::chrono::seconds timeout) override;
  Result<void> RemoveContainer(std::string_view container_id) override;
  Result<std::vector<wire::cri::Container>> ListContainers(
      const wire::cri::ContainerFilter& filter) override;
  Result<wire::cri::ContainerStatusResponse> ContainerStatus(std::string_view container_id,
                                                             bool verbose) override;
  Result<void> UpdateContainerResources(
      std::string_view container_id, const wire::cri::LinuxContainerResources& resources) override;
  Result<void> ReopenContainerLog(std::string_view container_id) override;

  Result<wire::cri::ExecSyncResponse> ExecSync(std::string_view container_id,
                                               const std::vector<std::string>& command,
                                               std::chrono::seconds timeout) override;
  // Until the session has begun.
  Result<std::unique_ptr<runtime::Session>> Exec(const wire::cri::ExecRequest& request,
                                                 const runtime::WindowSize& window) override;
  Result<std::unique_ptr<runtime::Session>> Attach(
      const wire::cri::AttachRequest& request) override;
  Result<UniqueFd> PortForward(std::string_view sandbox_id, uint16_t port) override;
  // No call of the CRI: not counted.
  Result<std::vector<runtime::PortHolder>> PortHolders(std::string_view sandbox_id) override {
    return runtime_.PortHolders(sandbox_id);
  }

  Result<wire::cri::ContainerStats> ContainerStats(std::string_view container_id) override;
  Result<std::vector<wire::cri::ContainerStats>> ListContainerStats(
      const wire::cri::ContainerStatsFilter& filter) override;
  Result<wire::cri::PodSandboxStats> PodSandboxStats(std::string_view sandbox_id) override;
  Result<std::vector<wire::cri::PodSandboxStats>> ListPodSandboxStats(
      const wire::cri::PodSandboxStatsFilter& filter) override;

 private:
  runtime::Runtime& runtime_;
  NodeMetrics& metrics_;
};

class MeasuredImages : public ImageService {
 public:
  // All outlive it.
  MeasuredImages(ImageService& images, NodeMetrics& metrics) : images_(images), metrics_(metrics) {}

  Result<NodeImage> Find(std::string_view image) override;
  std::optional<std::string> IdOf(std::string_view image) override { return images_.IdOf(image); }
  Result<NodeImage> Pull(std::string_view image, const PullSecrets& secrets,
                         const http::Cancellation* cancellation,
                         std::optional<ImageSecret>* used) override;
  std::vector<ImageSecret> SecretsFor(std::string_view image, const PullSecrets& secrets) override {
    return images_.SecretsFor(image, secrets);
  }
  Result<NodeImage> PullWithProgress(std::string_view image, const image::PullObserver& observer,
                                     const http::Cancellation* cancellation) override;

 private:
  ImageService& images_;
  NodeMetrics& metrics_;
};

}  // namespace podium::node
