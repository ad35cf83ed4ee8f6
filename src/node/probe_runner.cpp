#include "node/probe_runner.h"

#include <algorithm>

#include "base/text.h"

namespace podium::node {
namespace {

// Of what a probe prints, upstream keeps this much.
constexpr size_t kMaxOutput = size_t{10} << 10;

ProbeOutcome Failure(std::string output) { return {ProbeResult::kFailure, std::move(output)}; }

ProbeOutcome RunExec(const ProbeInput& in, std::chrono::seconds timeout,
                     runtime::Runtime& runtime) {
  auto result = runtime.ExecSync(in.container_id, in.probe.exec->command, timeout);
  if (!result.ok()) {
    const bool late = result.error().code() == Code::kDeadlineExceeded;
    return {late ? ProbeResult::kFailure : ProbeResult::kUnknown, result.error().message()};
  }
  std::string output = (result->stdout_.data + result->stderr_.data).substr(0, kMaxOutput);
  return {result->exit_code == 0 ? ProbeResult::kSuccess : ProbeResult::kFailure,
          std::move(output)};
}

ProbeOutcome RunHttp(const ProbeInput& in, std::chrono::seconds timeout, NetworkProbes& network) {
  auto call = MakeHttpCall(*in.probe.httpGet, in.container, in.address, timeout);
  if (!call.ok()) return {ProbeResult::kUnknown, call.error().message()};
  const auto has = [&](std::string_view name) {
    return std::ranges::any_of(
        call->headers, [&](const auto& header) { return EqualsIgnoringCase(header.first, name); });
  };
  if (!has("User-Agent")) call->headers.emplace_back("User-Agent", "kube-probe/1.36");
  if (!has("Accept")) call->headers.emplace_back("Accept", "*/*");
  auto reply = network.HttpGet(*call);
  if (!reply.ok()) return Failure("Get \"" + call->Url() + "\": " + reply.error().message());
  if (reply->status >= 200 && reply->status < 400) {
    return {ProbeResult::kSuccess, reply->body.substr(0, kMaxOutput)};
  }
  return Failure("HTTP probe failed with statuscode: " + std::to_string(reply->status));
}

ProbeOutcome RunTcp(const ProbeInput& in, std::chrono::seconds timeout, NetworkProbes& network) {
  auto port = ResolvePort(in.probe.tcpSocket->port, in.container);
  if (!port.ok()) return {ProbeResult::kUnknown, port.error().message()};
  const std::string& host =
      in.probe.tcpSocket->host.empty() ? in.address : in.probe.tcpSocket->host;
  auto connected = network.Connect(host, *port, timeout);
  if (connected.ok()) return {ProbeResult::kSuccess, {}};
  return Failure("dial tcp " + host + ":" + std::to_string(*port) + ": " +
                 connected.error().message());
}

ProbeOutcome RunGrpc(const ProbeInput& in, std::chrono::seconds timeout, NetworkProbes& network) {
  const v1::GRPCAction& action = *in.probe.grpc;
  if (action.port < 1 || action.port > 65535) {
    return {ProbeResult::kUnknown, "invalid port number: " + std::to_string(action.port)};
  }
  auto serving = network.GrpcHealth(in.address, static_cast<uint16_t>(action.port),
                                    action.service.value_or(""), timeout);
  if (!serving.ok()) return Failure("error: " + serving.error().message());
  if (*serving) return {ProbeResult::kSuccess, "service healthy"};
  return Failure("service unhealthy (responded with \"NOT_SERVING\")");
}

}  // namespace

ProbeOutcome RunProbe(const ProbeInput& input, runtime::Runtime& runtime, NetworkProbes& network) {
  const std::chrono::seconds timeout(std::max(input.probe.timeoutSeconds, 1));
  if (input.probe.exec) return RunExec(input, timeout, runtime);
  if (input.probe.httpGet) return RunHttp(input, timeout, network);
  if (input.probe.tcpSocket) return RunTcp(input, timeout, network);
  if (input.probe.grpc) return RunGrpc(input, timeout, network);
  return {ProbeResult::kUnknown, "missing probe handler for " + input.container.name};
}

}  // namespace podium::node
