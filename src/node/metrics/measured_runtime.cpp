#include "node/metrics/measured_runtime.h"

#include <chrono>
#include <utility>

#include "node/stats/metrics_text.h"

namespace podium::node {
namespace {

namespace cri = wire::cri;
using std::chrono::steady_clock;

int64_t NanosSince(steady_clock::time_point begin) {
  return std::chrono::nanoseconds(steady_clock::now() - begin).count();
}

// What the call gives, counted. An image that is not there is no failure of who looked for it.
template <class Call>
auto Measure(NodeMetrics& metrics, Operation operation, const Call& call) {
  OperationCounts& counts = metrics.Of(operation);
  counts.calls.Add();
  const auto begin = steady_clock::now();
  auto result = call();
  counts.duration.ObserveNanos(NanosSince(begin));
  const bool absent = operation == Operation::kImageStatus && !result.ok() &&
                      result.error().code() == Code::kNotFound;
  if (!result.ok() && !absent) counts.errors.Add();
  return result;
}

}  // namespace

void MeasuredRuntime::SetEventHandler(runtime::EventHandler handler) {
  runtime_.SetEventHandler(std::move(handler));
}
void MeasuredRuntime::SetLogHandler(runtime::LogHandler handler, uint64_t bound) {
  runtime_.SetLogHandler(std::move(handler), bound);
}

Result<std::string> MeasuredRuntime::RunPodSandbox(const cri::PodSandboxConfig& config,
                                                   std::string_view runtime_handler) {
  const std::string labels = MetricsText::LabelsText({{"runtime_handler", runtime_handler}});
  const auto begin = steady_clock::now();
  auto ran = Measure(metrics_, Operation::kRunPodSandbox,
                     [&] { return runtime_.RunPodSandbox(config, runtime_handler); });
  metrics_.run_sandbox.At(labels).ObserveNanos(NanosSince(begin));
  if (!ran.ok()) metrics_.run_sandbox_errors.At(labels).Add();
  return ran;
}

Result<void> MeasuredRuntime::UpdatePodSandboxResources(
    std::string_view sandbox_id, const cri::LinuxContainerResources& resources) {
  const auto begin = steady_clock::now();
  auto updated = Measure(metrics_, Operation::kUpdatePodSandbox,
                         [&] { return runtime_.UpdatePodSandboxResources(sandbox_id, resources); });
  metrics_.cgroup_manager.At(MetricsText::LabelsText({{"operation_type", "update"}}))
      .ObserveNanos(NanosSince(begin));
  return updated;
}

Result<std::string> MeasuredRuntime::CreateContainer(std::string_view sandbox_id,
                                                     const cri::ContainerConfig& config,
                                                     std::vector<runtime::MountSource> sources) {
  return Measure(metrics_, Operation::kCreateContainer,
                 [&] { return runtime_.CreateContainer(sandbox_id, config, std::move(sources)); });
}

Result<cri::StatusResponse> MeasuredRuntime::Status() {
  return Measure(metrics_, Operation::kStatus, [&] { return runtime_.Status(); });
}

Result<void> MeasuredRuntime::StopPodSandbox(std::string_view sandbox_id) {
  return Measure(metrics_, Operation::kStopPodSandbox,
                 [&] { return runtime_.StopPodSandbox(sandbox_id); });
}

Result<void> MeasuredRuntime::RemovePodSandbox(std::string_view sandbox_id) {
  return Measure(metrics_, Operation::kRemovePodSandbox,
                 [&] { return runtime_.RemovePodSandbox(sandbox_id); });
}

Result<cri::PodSandboxStatusResponse> MeasuredRuntime::PodSandboxStatus(std::string_view sandbox_id,
                                                                        bool verbose) {
  return Measure(metrics_, Operation::kPodSandboxStatus,
                 [&] { return runtime_.PodSandboxStatus(sandbox_id, verbose); });
}

Result<std::vector<cri::PodSandbox>> MeasuredRuntime::ListPodSandbox(
    const cri::PodSandboxFilter& filter) {
  return Measure(metrics_, Operation::kListPodSandbox,
                 [&] { return runtime_.ListPodSandbox(filter); });
}

Result<void> MeasuredRuntime::StartContainer(std::string_view container_id) {
  return Measure(metrics_, Operation::kStartContainer,
                 [&] { return runtime_.StartContainer(container_id); });
}

Result<void> MeasuredRuntime::StopContainer(std::string_view container_id,
                                            std::chrono::seconds timeout) {
  return Measure(metrics_, Operation::kStopContainer,
                 [&] { return runtime_.StopContainer(container_id, timeout); });
}

Result<void> MeasuredRuntime::RemoveContainer(std::string_view container_id) {
  return Measure(metrics_, Operation::kRemoveContainer,
                 [&] { return runtime_.RemoveContainer(container_id); });
}

Result<std::vector<cri::Container>> MeasuredRuntime::ListContainers(
    const cri::ContainerFilter& filter) {
  return Measure(metrics_, Operation::kListContainers,
                 [&] { return runtime_.ListContainers(filter); });
}

Result<cri::ContainerStatusResponse> MeasuredRuntime::ContainerStatus(std::string_view container_id,
                                                                      bool verbose) {
  return Measure(metrics_, Operation::kContainerStatus,
                 [&] { return runtime_.ContainerStatus(container_id, verbose); });
}

Result<void> MeasuredRuntime::UpdateContainerResources(
    std::string_view container_id, const cri::LinuxContainerResources& resources) {
  return Measure(metrics_, Operation::kUpdateContainer,
                 [&] { return runtime_.UpdateContainerResources(container_id, resources); });
}

Result<void> MeasuredRuntime::ReopenContainerLog(std::string_view container_id) {
  return Measure(metrics_, Operation::kReopenContainerLog,
                 [&] { return runtime_.ReopenContainerLog(container_id); });
}

Result<cri::ExecSyncResponse> MeasuredRuntime::ExecSync(std::string_view container_id,
                                                        const std::vector<std::string>& command,
                                                        std::chrono::seconds timeout) {
  return Measure(metrics_, Operation::kExecSync,
                 [&] { return runtime_.ExecSync(container_id, command, timeout); });
}

Result<std::unique_ptr<runtime::Session>> MeasuredRuntime::Exec(const cri::ExecRequest& request,
                                                                const runtime::WindowSize& window) {
  return Measure(metrics_, Operation::kExec, [&] { return runtime_.Exec(request, window); });
}

Result<std::unique_ptr<runtime::Session>> MeasuredRuntime::Attach(
    const cri::AttachRequest& request) {
  return Measure(metrics_, Operation::kAttach, [&] { return runtime_.Attach(request); });
}

Result<UniqueFd> MeasuredRuntime::PortForward(std::string_view sandbox_id, uint16_t port) {
  return Measure(metrics_, Operation::kPortForward,
                 [&] { return runtime_.PortForward(sandbox_id, port); });
}

Result<cri::ContainerStats> MeasuredRuntime::ContainerStats(std::string_view container_id) {
  return Measure(metrics_, Operation::kContainerStats,
                 [&] { return runtime_.ContainerStats(container_id); });
}

Result<std::vector<cri::ContainerStats>> MeasuredRuntime::ListContainerStats(
    const cri::ContainerStatsFilter& filter) {
  return Measure(metrics_, Operation::kListContainerStats,
                 [&] { return runtime_.ListContainerStats(filter); });
}

Result<cri::PodSandboxStats> MeasuredRuntime::PodSandboxStats(std::string_view sandbox_id) {
  return Measure(metrics_, Operation::kPodSandboxStats,
                 [&] { return runtime_.PodSandboxStats(sandbox_id); });
}

Result<std::vector<cri::PodSandboxStats>> MeasuredRuntime::ListPodSandboxStats(
    const cri::PodSandboxStatsFilter& filter) {
  return Measure(metrics_, Operation::kListPodSandboxStats,
                 [&] { return runtime_.ListPodSandboxStats(filter); });
}

Result<NodeImage> MeasuredImages::Find(std::string_view image) {
  return Measure(metrics_, Operation::kImageStatus, [&] { return images_.Find(image); });
}

Result<NodeImage> MeasuredImages::Pull(std::string_view image, const PullSecrets& secrets,
                                       const http::Cancellation* cancellation,
                                       std::optional<ImageSecret>* used) {
  return Measure(metrics_, Operation::kPullImage,
                 [&] { return images_.Pull(image, secrets, cancellation, used); });
}

Result<NodeImage> MeasuredImages::PullWithProgress(std::string_view image,
                                                   const image::PullObserver& observer,
                                                   const http::Cancellation* cancellation) {
  return Measure(metrics_, Operation::kPullImage,
                 [&] { return images_.PullWithProgress(image, observer, cancellation); });
}

}  // namespace podium::node
