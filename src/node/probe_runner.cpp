#include "node/probe_runner.h"

#include <algorithm>
#include <utility>

#include "reflect/go_text.h"

namespace podium::node {
namespace {

using Done = std::function<void(ProbeOutcome)>;
using std::chrono::seconds;

ProbeOutcome Failure(std::string output) { return {ProbeResult::kFailure, std::move(output)}; }

void RunExec(const ProbeInput& in, seconds timeout, CommandRunner& commands, Done done) {
  commands.RunInContainer(
      in.container_id, in.probe.exec->command, timeout,
      [done = std::move(done)](Result<CommandOutput> result) {
        if (!result.ok()) {
          const bool late = result.error().code() == Code::kDeadlineExceeded;
          return done(
              {late ? ProbeResult::kFailure : ProbeResult::kUnknown, result.error().message()});
        }
        done({result->exit_code == 0 ? ProbeResult::kSuccess : ProbeResult::kFailure,
              std::move(result->text)});
      });
}

void RunHttp(const ProbeInput& in, seconds timeout, NetworkProbes& network, Done done) {
  auto call = MakeHttpCall(*in.probe.httpGet, in.container, in.address, "probe", timeout);
  if (!call.ok()) return done({ProbeResult::kUnknown, call.error().message()});
  network.HttpGet(*std::move(call), [done = std::move(done)](Result<NetworkProbes::Reply> reply) {
    if (!reply.ok()) return done(Failure(reply.error().message()));
    if (reply->status >= 300 && reply->status < 400) {
      return done({.result = ProbeResult::kSuccess,
                   .output = "Probe terminated redirects, Response body: " + reply->body,
                   .warning = true});
    }
    if (reply->status >= 200 && reply->status < 300) {
      return done({ProbeResult::kSuccess, std::move(reply->body)});
    }
    done(Failure("HTTP probe failed with statuscode: " + std::to_string(reply->status)));
  });
}

void RunTcp(const ProbeInput& in, seconds timeout, NetworkProbes& network, Done done) {
  auto port = ResolvePort(in.probe.tcpSocket->port, in.container);
  if (!port.ok()) return done({ProbeResult::kUnknown, port.error().message()});
  const std::string& host =
      in.probe.tcpSocket->host.empty() ? in.address : in.probe.tcpSocket->host;
  network.Connect(host, *port, timeout,
                  [done = std::move(done), host, port = *port](const Result<void>& connected) {
                    if (connected.ok()) return done({ProbeResult::kSuccess, {}});
                    const std::string& why = connected.error().message();
                    const std::string where =
                        (host.contains(':') ? "[" + host + "]" : host) + ":" + std::to_string(port);
                    done(Failure(why.starts_with("lookup ") ? "dial tcp: " + why
                                                            : "dial tcp " + where + ": " + why));
                  });
}

void RunGrpc(const ProbeInput& in, seconds timeout, NetworkProbes& network, Done done) {
  const v1::GRPCAction& action = *in.probe.grpc;
  if (action.port < 1 || action.port > 65535) {
    return done({ProbeResult::kUnknown, "invalid port number: " + std::to_string(action.port)});
  }
  network.GrpcHealth(
      in.address, static_cast<uint16_t>(action.port), action.service.value_or(""), timeout,
      [done = std::move(done)](Result<std::string> status) {
        if (!status.ok()) return done(Failure(status.error().message()));
        if (*status == "SERVING") {
          return done({ProbeResult::kSuccess, "service healthy"});
        }
        done(Failure("service unhealthy (responded with " + reflect::GoQuoted(*status) + ")"));
      });
}

}  // namespace

void RunProbe(const ProbeInput& input, CommandRunner& commands, NetworkProbes& network,
              std::function<void(ProbeOutcome)> done) {
  const seconds timeout(std::max(input.probe.timeoutSeconds, 1));
  if (input.probe.exec) return RunExec(input, timeout, commands, std::move(done));
  if (input.probe.httpGet) return RunHttp(input, timeout, network, std::move(done));
  if (input.probe.tcpSocket) return RunTcp(input, timeout, network, std::move(done));
  if (input.probe.grpc) return RunGrpc(input, timeout, network, std::move(done));
  done({ProbeResult::kUnknown, "missing probe handler for " + input.container.name});
}

}  // namespace podium::node
