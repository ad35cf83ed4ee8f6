// RuntimeService: the runtime's verbs, which are the CRI's own.
#include <chrono>
#include <limits>
#include <type_traits>

#include "cri/calls.h"
#include "cri/cgroup_parent.h"
#include "cri/metrics.h"

namespace podium::cri {
namespace {

// The version of the CRI's own numbering that all runtimes say.
constexpr std::string_view kKubeApiVersion = "0.1.0";

// A filter is one that passes all where it is absent.
template <class Filter>
Filter FilterOf(const reflect::Box<Filter>& filter) {
  return filter ? *filter : Filter();
}

Error Missing(const std::string& field) {
  return {Code::kInvalidArgument, "missing required " + field};
}

Result<v1::RunPodSandboxResponse> RunPodSandbox(runtime::Runtime& runtime,
                                                const v1::RunPodSandboxRequest& request) {
  if (!request.config) return Missing("config");
  v1::PodSandboxConfig config = *request.config;
  if (config.linux_) {
    TRY(config.linux_->cgroup_parent, CgroupPathOf(config.linux_->cgroup_parent));
  }
  TRY(std::string id, runtime.RunPodSandbox(config, request.runtime_handler));
  return v1::RunPodSandboxResponse{std::move(id)};
}

// sandbox_config is what RunPodSandbox was given already.
Result<v1::CreateContainerResponse> CreateContainer(runtime::Runtime& runtime,
                                                    const v1::CreateContainerRequest& request) {
  if (!request.config) return Missing("config");
  if (request.pod_sandbox_id.empty()) return Missing("pod_sandbox_id");
  TRY(std::string id, runtime.CreateContainer(request.pod_sandbox_id, *request.config, {}));
  return v1::CreateContainerResponse{std::move(id)};
}

// The seconds until the deadline, so that no command outlives who waits for it; 0: none.
std::chrono::seconds Within(int64_t timeout, const grpc::Call& call) {
  std::chrono::seconds limit(std::max<int64_t>(timeout, 0));
  if (!call.deadline()) return limit;
  const auto left = std::chrono::ceil<std::chrono::seconds>(*call.deadline() - http::Clock::now());
  const auto rest = std::max(left, std::chrono::seconds(1));
  return limit.count() == 0 ? rest : std::min(limit, rest);
}

template <class Request>
Result<void> CheckStreams(const Request& request) {
  if (request.container_id.empty()) return Missing("container_id");
  if (request.tty && request.stderr_) {
    return Error(Code::kInvalidArgument, "tty and stderr cannot both be true");
  }
  if (!request.stdin_ && !request.stdout_ && !request.stderr_) {
    return Error(Code::kInvalidArgument, "one of stdin, stdout, or stderr must be set");
  }
  return {};
}

Result<void> CheckRunning(runtime::Runtime& runtime, const std::string& id) {
  TRY(const v1::ContainerStatusResponse container, runtime.ContainerStatus(id, false));
  if (container.status->state == v1::ContainerState::kContainerRunning) return {};
  return Error(Code::kConflict, "container \"" + id + "\" is not running");
}

Result<v1::ExecResponse> Exec(runtime::Runtime& runtime, StreamUrls& streams,
                              const v1::ExecRequest& request) {
  TRY_VOID(CheckStreams(request));
  if (request.cmd.empty()) return Missing("cmd");
  TRY_VOID(CheckRunning(runtime, request.container_id));
  TRY(std::string url, streams.For(request));
  return v1::ExecResponse{std::move(url)};
}

Result<v1::AttachResponse> Attach(runtime::Runtime& runtime, StreamUrls& streams,
                                  const v1::AttachRequest& request) {
  TRY_VOID(CheckStreams(request));
  TRY_VOID(CheckRunning(runtime, request.container_id));
  TRY(std::string url, streams.For(request));
  return v1::AttachResponse{std::move(url)};
}

Result<v1::PortForwardResponse> PortForward(runtime::Runtime& runtime, StreamUrls& streams,
                                            const v1::PortForwardRequest& request) {
  if (request.pod_sandbox_id.empty()) return Missing("pod_sandbox_id");
  for (const int32_t port : request.port) {
    if (port < 1 || port > std::numeric_limits<uint16_t>::max()) {
      return Error(Code::kInvalidArgument, "port " + std::to_string(port) + " is none");
    }
  }
  TRY(const v1::PodSandboxStatusResponse sandbox,
      runtime.PodSandboxStatus(request.pod_sandbox_id, false));
  if (sandbox.status->state != v1::PodSandboxState::kSandboxReady) {
    return Error(Code::kConflict, "sandbox \"" + request.pod_sandbox_id + "\" is not running");
  }
  TRY(std::string url, streams.For(request));
  return v1::PortForwardResponse{std::move(url)};
}

// A CNI plugin has its range from elsewhere, and is not asked. The built-in network's is given when
// this program starts: pods have addresses of it by the time a kubelet hears of another one.
Result<v1::UpdateRuntimeConfigResponse> UpdateRuntimeConfig(
    const CriParts& parts, const v1::UpdateRuntimeConfigRequest& request) {
  const bool given = request.runtime_config && request.runtime_config->network_config;
  const std::string range = given ? request.runtime_config->network_config->pod_cidr : "";
  if (range.empty() || parts.pod_range.empty() || range == parts.pod_range) {
    return v1::UpdateRuntimeConfigResponse();
  }
  return Error(Code::kConflict, "pods have addresses of " + parts.pod_range + ", not of " + range +
                                    ": start podium with PODIUM_POD_RANGE=" + range +
                                    ", or have a CNI plugin deal out addresses");
}

Result<v1::StatusResponse> Status(const CriParts& parts, const v1::StatusRequest& request) {
  TRY(v1::StatusResponse status, parts.runtime.Status());
  if (request.verbose) status.info["config"] = parts.info;
  return status;
}

void AddSandboxCalls(runtime::Runtime& runtime, grpc::Methods& methods) {
  methods[RuntimePath("RunPodSandbox")] =
      Unary<v1::RunPodSandboxRequest, v1::RunPodSandboxResponse>(
          [&runtime](const auto& request, auto&) { return RunPodSandbox(runtime, request); });
  methods[RuntimePath("StopPodSandbox")] =
      Unary<v1::StopPodSandboxRequest, v1::StopPodSandboxResponse>(
          [&runtime](const auto& request, auto&) -> Result<v1::StopPodSandboxResponse> {
            TRY_VOID(runtime.StopPodSandbox(request.pod_sandbox_id));
            return v1::StopPodSandboxResponse();
          });
  methods[RuntimePath("RemovePodSandbox")] =
      Unary<v1::RemovePodSandboxRequest, v1::RemovePodSandboxResponse>(
          [&runtime](const auto& request, auto&) -> Result<v1::RemovePodSandboxResponse> {
            TRY_VOID(runtime.RemovePodSandbox(request.pod_sandbox_id));
            return v1::RemovePodSandboxResponse();
          });
  methods[RuntimePath("PodSandboxStatus")] =
      Unary<v1::PodSandboxStatusRequest, v1::PodSandboxStatusResponse>(
          [&runtime](const auto& request, auto&) {
            return runtime.PodSandboxStatus(request.pod_sandbox_id, request.verbose);
          });
  const auto list = [&runtime](const auto& request) {
    return runtime.ListPodSandbox(FilterOf(request.filter));
  };
  methods[RuntimePath("ListPodSandbox")] =
      Unary<v1::ListPodSandboxRequest, v1::ListPodSandboxResponse>(
          [list](const auto& request, auto&) -> Result<v1::ListPodSandboxResponse> {
            TRY(auto items, list(request));
            return v1::ListPodSandboxResponse{std::move(items)};
          });
  methods[RuntimePath("StreamPodSandboxes")] =
      Listed<v1::StreamPodSandboxesRequest, v1::StreamPodSandboxesResponse,
             &v1::StreamPodSandboxesResponse::pod_sandboxes>(list);
  methods[RuntimePath("UpdatePodSandboxResources")] =
      Unary<v1::UpdatePodSandboxResourcesRequest, v1::UpdatePodSandboxResourcesResponse>(
          [&runtime](const auto& request, auto&) -> Result<v1::UpdatePodSandboxResourcesResponse> {
            // The pod's limits have its overhead in them already.
            if (request.resources) {
              TRY_VOID(
                  runtime.UpdatePodSandboxResources(request.pod_sandbox_id, *request.resources));
            }
            return v1::UpdatePodSandboxResourcesResponse();
          });
}

void AddContainerCalls(runtime::Runtime& runtime, grpc::Methods& methods) {
  methods[RuntimePath("CreateContainer")] =
      Unary<v1::CreateContainerRequest, v1::CreateContainerResponse>(
          [&runtime](const auto& request, auto&) { return CreateContainer(runtime, request); });
  methods[RuntimePath("StartContainer")] =
      Unary<v1::StartContainerRequest, v1::StartContainerResponse>(
          [&runtime](const auto& request, auto&) -> Result<v1::StartContainerResponse> {
            TRY_VOID(runtime.StartContainer(request.container_id));
            return v1::StartContainerResponse();
          });
  methods[RuntimePath("StopContainer")] =
      Unary<v1::StopContainerRequest, v1::StopContainerResponse>(
          [&runtime](const auto& request, auto&) -> Result<v1::StopContainerResponse> {
            // Less than none is none.
            const std::chrono::seconds timeout(std::max<int64_t>(request.timeout, 0));
            TRY_VOID(runtime.StopContainer(request.container_id, timeout));
            return v1::StopContainerResponse();
          });
  methods[RuntimePath("RemoveContainer")] =
      Unary<v1::RemoveContainerRequest, v1::RemoveContainerResponse>(
          [&runtime](const auto& request, auto&) -> Result<v1::RemoveContainerResponse> {
            TRY_VOID(runtime.RemoveContainer(request.container_id));
            return v1::RemoveContainerResponse();
          });
  const auto list = [&runtime](const auto& request) {
    return runtime.ListContainers(FilterOf(request.filter));
  };
  methods[RuntimePath("ListContainers")] =
      Unary<v1::ListContainersRequest, v1::ListContainersResponse>(
          [list](const auto& request, auto&) -> Result<v1::ListContainersResponse> {
            TRY(auto items, list(request));
            return v1::ListContainersResponse{std::move(items)};
          });
  methods[RuntimePath("StreamContainers")] =
      Listed<v1::StreamContainersRequest, v1::StreamContainersResponse,
             &v1::StreamContainersResponse::containers>(list);
  methods[RuntimePath("ContainerStatus")] =
      Unary<v1::ContainerStatusRequest, v1::ContainerStatusResponse>(
          [&runtime](const auto& request, auto&) {
            return runtime.ContainerStatus(request.container_id, request.verbose);
          });
  methods[RuntimePath("UpdateContainerResources")] =
      Unary<v1::UpdateContainerResourcesRequest, v1::UpdateContainerResourcesResponse>(
          [&runtime](const auto& request, auto&) -> Result<v1::UpdateContainerResourcesResponse> {
            const auto resources = request.linux_ ? *request.linux_ : v1::LinuxContainerResources();
            TRY_VOID(runtime.UpdateContainerResources(request.container_id, resources));
            return v1::UpdateContainerResourcesResponse();
          });
  methods[RuntimePath("ReopenContainerLog")] =
      Unary<v1::ReopenContainerLogRequest, v1::ReopenContainerLogResponse>(
          [&runtime](const auto& request, auto&) -> Result<v1::ReopenContainerLogResponse> {
            TRY_VOID(runtime.ReopenContainerLog(request.container_id));
            return v1::ReopenContainerLogResponse();
          });
  methods[RuntimePath("CheckpointContainer")] =
      Unary<v1::CheckpointContainerRequest, v1::CheckpointContainerResponse>(
          [](const auto&, auto&) -> Result<v1::CheckpointContainerResponse> {
            return Error(Code::kUnsupported, "checkpoints of containers are not supported yet");
          });
}

void AddStreamCalls(runtime::Runtime& runtime, StreamUrls& streams, grpc::Methods& methods) {
  methods[RuntimePath("ExecSync")] = Unary<v1::ExecSyncRequest, v1::ExecSyncResponse>(
      [&runtime](const auto& request, auto& call) -> Result<v1::ExecSyncResponse> {
        if (request.cmd.empty()) return Missing("cmd");
        return runtime.ExecSync(request.container_id, request.cmd, Within(request.timeout, call));
      });
  methods[RuntimePath("Exec")] = Unary<v1::ExecRequest, v1::ExecResponse>(
      [&runtime, &streams](const auto& request, auto&) { return Exec(runtime, streams, request); });
  methods[RuntimePath("Attach")] = Unary<v1::AttachRequest, v1::AttachResponse>(
      [&](const auto& request, auto&) { return Attach(runtime, streams, request); });
  methods[RuntimePath("PortForward")] = Unary<v1::PortForwardRequest, v1::PortForwardResponse>(
      [&runtime, &streams](const auto& request, auto&) {
        return PortForward(runtime, streams, request);
      });
}

void AddStatsCalls(const CriParts& parts, grpc::Methods& methods) {
  runtime::Runtime& runtime = parts.runtime;
  methods[RuntimePath("ContainerStats")] =
      Unary<v1::ContainerStatsRequest, v1::ContainerStatsResponse>(
          [&runtime](const auto& request, auto&) -> Result<v1::ContainerStatsResponse> {
            TRY(auto stats, runtime.ContainerStats(request.container_id));
            v1::ContainerStatsResponse response;
            response.stats = std::move(stats);
            return response;
          });
  const auto containers = [&runtime](const auto& request) {
    return runtime.ListContainerStats(FilterOf(request.filter));
  };
  methods[RuntimePath("ListContainerStats")] =
      Unary<v1::ListContainerStatsRequest, v1::ListContainerStatsResponse>(
          [containers](const auto& request, auto&) -> Result<v1::ListContainerStatsResponse> {
            TRY(auto items, containers(request));
            return v1::ListContainerStatsResponse{std::move(items)};
          });
  methods[RuntimePath("StreamContainerStats")] =
      Listed<v1::StreamContainerStatsRequest, v1::StreamContainerStatsResponse,
             &v1::StreamContainerStatsResponse::container_stats>(containers);
  methods[RuntimePath("PodSandboxStats")] =
      Unary<v1::PodSandboxStatsRequest, v1::PodSandboxStatsResponse>(
          [&runtime](const auto& request, auto&) -> Result<v1::PodSandboxStatsResponse> {
            TRY(auto stats, runtime.PodSandboxStats(request.pod_sandbox_id));
            v1::PodSandboxStatsResponse response;
            response.stats = std::move(stats);
            return response;
          });
  const auto pods = [&runtime](const auto& request) {
    return runtime.ListPodSandboxStats(FilterOf(request.filter));
  };
  methods[RuntimePath("ListPodSandboxStats")] =
      Unary<v1::ListPodSandboxStatsRequest, v1::ListPodSandboxStatsResponse>(
          [pods](const auto& request, auto&) -> Result<v1::ListPodSandboxStatsResponse> {
            TRY(auto items, pods(request));
            return v1::ListPodSandboxStatsResponse{std::move(items)};
          });
  methods[RuntimePath("StreamPodSandboxStats")] =
      Listed<v1::StreamPodSandboxStatsRequest, v1::StreamPodSandboxStatsResponse,
             &v1::StreamPodSandboxStatsResponse::pod_sandbox_stats>(pods);
}

void AddMetricsCalls(const CriParts& parts, grpc::Methods& methods) {
  methods[RuntimePath("ListMetricDescriptors")] =
      Unary<v1::ListMetricDescriptorsRequest, v1::ListMetricDescriptorsResponse>(
          [](const auto&, auto&) -> Result<v1::ListMetricDescriptorsResponse> {
            return v1::ListMetricDescriptorsResponse{MetricDescriptors()};
          });
  methods[RuntimePath("ListPodSandboxMetrics")] =
      Unary<v1::ListPodSandboxMetricsRequest, v1::ListPodSandboxMetricsResponse>(
          [&usage = parts.usage](const auto&, auto&) -> Result<v1::ListPodSandboxMetricsResponse> {
            return v1::ListPodSandboxMetricsResponse{
                MetricsOf(usage.PodsUsage(kernel::CgroupDetail::kAll))};
          });
  methods[RuntimePath("StreamPodSandboxMetrics")] =
      Listed<v1::StreamPodSandboxMetricsRequest, v1::StreamPodSandboxMetricsResponse,
             &v1::StreamPodSandboxMetricsResponse::pod_sandbox_metrics>(
          [&usage = parts.usage](const auto&) -> Result<std::vector<v1::PodSandboxMetrics>> {
            return MetricsOf(usage.PodsUsage(kernel::CgroupDetail::kAll));
          });
}

}  // namespace

void AddRuntimeCalls(const CriParts& parts, EventStreams& events, StreamUrls& streams,
                     grpc::Methods* methods) {
  runtime::Runtime& runtime = parts.runtime;
  AddSandboxCalls(runtime, *methods);
  AddContainerCalls(runtime, *methods);
  AddStreamCalls(runtime, streams, *methods);
  AddStatsCalls(parts, *methods);
  AddMetricsCalls(parts, *methods);
  (*methods)[RuntimePath("Version")] = Unary<v1::VersionRequest, v1::VersionResponse>(
      [&parts](const auto&, auto&) -> Result<v1::VersionResponse> {
        return v1::VersionResponse{.version = std::string(kKubeApiVersion),
                                   .runtime_name = "podium",
                                   .runtime_version = parts.version,
                                   .runtime_api_version = "v1"};
      });
  (*methods)[RuntimePath("Status")] = Unary<v1::StatusRequest, v1::StatusResponse>(
      [&parts](const auto& request, auto&) { return Status(parts, request); });
  (*methods)[RuntimePath("RuntimeConfig")] =
      Unary<v1::RuntimeConfigRequest, v1::RuntimeConfigResponse>(
          [&runtime](const auto&, auto&) -> Result<v1::RuntimeConfigResponse> {
            return runtime.RuntimeConfig();
          });
  (*methods)[RuntimePath("UpdateRuntimeConfig")] =
      Unary<v1::UpdateRuntimeConfigRequest, v1::UpdateRuntimeConfigResponse>(
          [&parts](const auto& request, auto&) { return UpdateRuntimeConfig(parts, request); });
  (*methods)[RuntimePath("GetContainerEvents")] =
      [&events](const std::shared_ptr<grpc::Call>& call) {
        const auto request = RequestOf<v1::GetEventsRequest>(*call);
        if (request) call->Stream(events.Open());
      };
}

}  // namespace podium::cri
