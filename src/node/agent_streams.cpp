// Logs, exec, attach and port-forward: the subresources of a pod that stream.

#include <algorithm>

#include "api/status.h"
#include "node/agent_api.h"
#include "node/container_log.h"
#include "node/logged_container.h"

namespace podium::node {
namespace {

std::string NamesOf(const v1::Pod& pod) {
  std::string out = "[";
  for (const v1::Container& container : pod.spec.containers) {
    out += (out.size() > 1 ? " " : "") + container.name;
  }
  return out + "]";
}

// Streams to a session that has begun: who asked hears at once why one could not.
RemoteCommand CommandOf(std::unique_ptr<runtime::Session> session, RemoteStreams streams) {
  auto begun = std::make_shared<std::unique_ptr<runtime::Session>>(std::move(session));
  return {
      .streams = streams,
      .start = [begun]() -> Result<std::unique_ptr<runtime::Session>> { return std::move(*begun); },
      .action = "running in container"};
}

}  // namespace

Result<ContainerRef> AgentApi::ContainerOf(const Call& call, const v1::Pod& pod) const {
  std::string name = call.Parameter("container");
  if (name.empty() && pod.spec.containers.size() == 1) name = pod.spec.containers.front().name;
  if (name.empty()) {
    return api::BadRequestError("a container name must be specified for pod " + call.name +
                                ", choose one of: " + NamesOf(pod));
  }
  const auto find = [&](ContainerKind kind, size_t count) -> std::optional<ContainerRef> {
    for (size_t i = 0; i < count; ++i) {
      if (ContainerNameAt(pod, {kind, i}) == name) return ContainerRef{kind, i};
    }
    return std::nullopt;
  };
  if (auto found = find(ContainerKind::kRegular, pod.spec.containers.size())) return *found;
  if (auto found = find(ContainerKind::kInit, pod.spec.initContainers.size())) return *found;
  if (auto found = find(ContainerKind::kEphemeral, pod.spec.ephemeralContainers.size())) {
    return *found;
  }
  return api::BadRequestError("container " + name + " is not valid for pod " + call.name);
}

Result<std::string> AgentApi::RunningContainer(const Call& call) const {
  auto pod = agent_.GetPod(call.name_space, call.name);
  if (!pod) return pod.error();
  auto ref = ContainerOf(call, *pod);
  if (!ref) return ref.error();
  const std::string& name = ContainerNameAt(*pod, *ref);
  const v1::ContainerStatus* status = FindStatus(pod->status, name);
  if (!status || !status->state.running) {
    return api::BadRequestError("container \"" + name + "\" in pod \"" + call.name +
                                "\" is not running");
  }
  return status->containerID.substr(kContainerIdPrefix.size());
}

Result<LogOptions> AgentApi::LogOptionsOf(const Call& call) const {
  LogOptions options;
  options.follow = call.Flag("follow");
  options.timestamps = call.Flag("timestamps");
  options.tail_lines = call.Number("tailLines");
  options.limit_bytes = call.Number("limitBytes");
  const std::string stream = call.Parameter("stream");
  options.out = stream.empty() || stream == "All" || stream == "Stdout";
  options.err = stream.empty() || stream == "All" || stream == "Stderr";
  if (const auto seconds = call.Number("sinceSeconds")) {
    options.since = agent_.clock().Now() - (*seconds * kNanosPerSecond);
  } else if (const std::string time = call.Parameter("sinceTime"); !time.empty()) {
    auto parsed = api::Time::Parse(time);
    if (!parsed.ok()) return api::BadRequestError(parsed.error().message());
    options.since = parsed->unix_seconds() * kNanosPerSecond;
  }
  return options;
}

void AgentApi::Log(const Call& call) {
  auto pod = agent_.GetPod(call.name_space, call.name);
  if (!pod) return RespondError(*call.exchange, pod.error());
  auto ref = ContainerOf(call, *pod);
  if (!ref) return RespondError(*call.exchange, ref.error());
  auto options = LogOptionsOf(call);
  if (!options) return RespondError(*call.exchange, options.error());
  const std::string name = ContainerNameAt(*pod, *ref);
  const auto id = LoggedContainer(*pod, name, call.Flag("previous"));
  if (!id) return RespondError(*call.exchange, id.error());
  const auto container =
      agent_.runtime().ContainerStatus(id->substr(kContainerIdPrefix.size()), false);
  if (!container.ok() || !container->status) {
    return RespondError(*call.exchange,
                        api::BadRequestError("unable to retrieve container logs for " + *id));
  }
  (void)call.exchange->RespondFrom(200, {{"Content-Type", "text/plain"}},
                                   logs_.Open({.name_space = call.name_space,
                                               .pod = call.name,
                                               .uid = pod->metadata.uid,
                                               .container = name,
                                               .container_id = *id},
                                              container->status->log_path, *options));
}

// What is to be streamed, into a request of either kind. Without an upgrade there are no streams:
// that is answered, and false.
template <class Request>
bool AgentApi::ReadStreams(const Call& call, Request* request, RemoteStreams* streams) {
  *streams = {.stdin_ = call.Flag("stdin"),
              .stdout_ = call.Flag("stdout") || call.Parameter("stdout").empty(),
              .stderr_ = call.Flag("stderr") || call.Parameter("stderr").empty(),
              .tty = call.Flag("tty")};
  streams->stderr_ = streams->stderr_ && !streams->tty;
  request->stdin_ = streams->stdin_;
  request->stdout_ = streams->stdout_;
  request->stderr_ = streams->stderr_;
  request->tty = streams->tty;
  if (StreamService::IsUpgrade(call.exchange->request().head)) return true;
  RespondError(*call.exchange, api::BadRequestError("Upgrade request required"));
  return false;
}

void AgentApi::Exec(const Call& call) {
  auto id = RunningContainer(call);
  if (!id) return RespondError(*call.exchange, id.error());
  wire::cri::ExecRequest request;
  request.container_id = *id;
  for (const auto& [key, value] : call.query) {
    if (key == "command") request.cmd.push_back(value);
  }
  if (request.cmd.empty()) {
    return RespondError(*call.exchange,
                        api::BadRequestError("you must specify at least 1 command"));
  }
  RemoteStreams streams;
  if (!ReadStreams(call, &request, &streams)) return;
  // Not upstream's: clients of the Kubernetes API tell the size when the program runs already.
  const auto length = [&](const char* key) {
    return static_cast<uint16_t>(std::clamp<int64_t>(call.Number(key).value_or(0), 0, UINT16_MAX));
  };
  auto session =
      agent_.runtime().Exec(request, {.columns = length("columns"), .rows = length("rows")});
  if (!session.ok()) return RespondError(*call.exchange, session.error());
  streams_.Serve(*call.exchange, CommandOf(*std::move(session), streams));
}

void AgentApi::Attach(const Call& call) {
  auto id = RunningContainer(call);
  if (!id) return RespondError(*call.exchange, id.error());
  wire::cri::AttachRequest request;
  request.container_id = *id;
  RemoteStreams streams;
  if (!ReadStreams(call, &request, &streams)) return;
  auto session = agent_.runtime().Attach(request);
  if (!session.ok()) return RespondError(*call.exchange, session.error());
  streams_.Serve(*call.exchange, CommandOf(*std::move(session), streams));
}

void AgentApi::PortForward(const Call& call) {
  auto pod = agent_.GetPod(call.name_space, call.name);
  if (!pod) return RespondError(*call.exchange, pod.error());
  const auto port = call.Number("ports").value_or(call.Number("port").value_or(0));
  if (port < 1 || port > 65535) {
    return RespondError(*call.exchange,
                        api::BadRequestError("query parameter \"port\" is required"));
  }
  wire::cri::PodSandboxFilter filter;
  filter.label_selector.emplace("io.kubernetes.pod.uid", pod->metadata.uid);
  filter.state.emplace().state = wire::cri::PodSandboxState::kSandboxReady;
  auto sandboxes = agent_.runtime().ListPodSandbox(filter);
  if (!sandboxes.ok() || sandboxes->empty()) {
    return RespondError(*call.exchange,
                        api::BadRequestError("pod " + call.name + " is not running"));
  }
  if (!StreamService::IsUpgrade(call.exchange->request().head)) {
    return RespondError(*call.exchange, api::BadRequestError("Upgrade request required"));
  }
  streams_.Serve(
      *call.exchange,
      node::PortForward{.connect = [&runtime = agent_.runtime(), id = sandboxes->front().id](
                                       uint16_t to) { return runtime.PortForward(id, to); },
                        .pod = sandboxes->front().id,
                        .ports = {static_cast<uint16_t>(port)}});
}

}  // namespace podium::node
