// Probes: what is asked, how often, and what follows.
#include <algorithm>
#include <string>
#include <vector>

#include "base/text.h"
#include "node/pod_fields/field_cases.h"

namespace podium::node::pod_fields {
namespace {

using namespace std::chrono_literals;

// Commands take so long and end with this code.
Prepare Exec(int code, std::chrono::seconds takes = 0s) {
  return [code, takes](PodRun& run) {
    run.node.runtime.ScriptExec([=](const std::string&, const std::vector<std::string>& command) {
      runtime::FakeRuntime::ExecResult result;
      result.exit_code = code;
      result.takes = takes;
      result.stdout_text = Join(command, " ");
      return result;
    });
  };
}

// How often there was an exec in the first ten seconds.
std::string Asked(PodRun& run) {
  run.For(10500ms);
  return std::to_string(run.Calls("ExecSync").size()) + " times";
}

// The first HTTP request, with the header that the probe names.
std::string HttpAsked(PodRun& run) {
  run.For(1s);
  if (run.node.network.calls.empty()) return "nothing";
  const HttpCall& call = run.node.network.calls[0];
  std::string out = call.Url();
  for (const auto& [name, value] : call.headers) {
    if (name != "User-Agent" && name != "Accept") out += " " + name + "=" + value;
  }
  return out;
}

std::string Connections(PodRun& run) {
  run.For(1s);
  return run.node.network.connections.empty() ? "none" : run.node.network.connections[0];
}

// After so many seconds, whether container a is ready, and how often it was restarted.
Look StateAfter(std::chrono::seconds time) {
  return [time](PodRun& run) {
    run.For(time);
    const auto status = run.Status();
    if (status.containerStatuses.empty()) return std::string("none");
    const auto& container = status.containerStatuses[0];
    return std::string(run.Calls("ExecSync").empty() ? "not asked, " : "asked, ") +
           (container.ready ? "ready" : "not ready") + ", " +
           std::to_string(container.restartCount) + " restarts";
  };
}

std::string KilledSoon(PodRun& run) {
  run.For(4s);
  return EventOf("Killing")(run);
}

ContainerCase Readiness(const std::string& field, const std::string& probe, Look look,
                        const std::string& expected, Prepare before = {}) {
  return {.field = field,
          .container = "readinessProbe: {" + probe + "}",
          .look = std::move(look),
          .expected = expected,
          .before = std::move(before)};
}

std::vector<ContainerCase> HandlerCases() {
  return {
      Readiness("Probe.exec.command", "exec: {command: [is, well]}", EventOf("Unhealthy"),
                "Unhealthy: Readiness probe failed: is well", Exec(1)),
      Readiness("Probe.httpGet.path", "httpGet: {port: 80, path: /x}", HttpAsked,
                "http://10.208.0.2:80/x"),
      Readiness("Probe.httpGet.port", "httpGet: {port: 81}", HttpAsked, "http://10.208.0.2:81/"),
      Readiness("Probe.httpGet.host", "httpGet: {port: 80, host: 192.0.2.9}", HttpAsked,
                "http://192.0.2.9:80/"),
      Readiness("Probe.httpGet.scheme", "httpGet: {port: 443, scheme: HTTPS}", HttpAsked,
                "https://10.208.0.2:443/"),
      Readiness("Probe.httpGet.httpHeaders.name",
                "httpGet: {port: 80, httpHeaders: [{name: X-Me, value: it}]}", HttpAsked,
                "http://10.208.0.2:80/ X-Me=it"),
      Readiness("Probe.httpGet.httpHeaders.value",
                "httpGet: {port: 80, httpHeaders: [{name: X-Me, value: it}]}", HttpAsked,
                "http://10.208.0.2:80/ X-Me=it"),
      Readiness("Probe.tcpSocket.port", "tcpSocket: {port: 80}", Connections, "tcp 10.208.0.2:80"),
      Readiness("Probe.tcpSocket.host", "tcpSocket: {port: 80, host: 192.0.2.9}", Connections,
                "tcp 192.0.2.9:80"),
      Readiness("GRPCAction.port", "grpc: {port: 80}", Connections, "grpc 10.208.0.2:80 "),
      Readiness("GRPCAction.service", "grpc: {port: 80, service: liveness}", Connections,
                "grpc 10.208.0.2:80 liveness"),
  };
}

std::vector<ContainerCase> TimingCases() {
  const std::string exec = "exec: {command: [x]}, periodSeconds: 2";
  // Fails until it was asked three times.
  const Prepare recovers = [](PodRun& run) {
    run.node.runtime.ScriptExec([&run](const std::string&, const std::vector<std::string>&) {
      runtime::FakeRuntime::ExecResult result;
      result.exit_code = run.Calls("ExecSync").size() < 3 ? 1 : 0;
      return result;
    });
  };
  return {
      Readiness("Probe.initialDelaySeconds", exec + ", initialDelaySeconds: 7", Asked, "2 times"),
      Readiness("Probe.periodSeconds", exec, Asked, "6 times"),
      Readiness("Probe.timeoutSeconds", "exec: {command: [x]}, timeoutSeconds: 3", StateAfter(5s),
                "asked, ready, 0 restarts", Exec(0, 2s)),
      Readiness("Probe.successThreshold", exec + ", successThreshold: 3", StateAfter(7s),
                "asked, not ready, 0 restarts", recovers),
      {"Probe.failureThreshold", "livenessProbe: {" + exec + ", failureThreshold: 30}",
       StateAfter(30s), "asked, ready, 0 restarts", Exec(1)},
      {"Probe.terminationGracePeriodSeconds",
       "livenessProbe: {" + exec + ", failureThreshold: 1, terminationGracePeriodSeconds: 3}",
       [](PodRun& run) {
         run.For(10s);
         const auto status = run.Status();
         if (status.containerStatuses.empty()) return std::string("none");
         const auto& last = status.containerStatuses[0].lastState.terminated;
         if (!last) return std::string("not killed");
         const int64_t took = last->finishedAt.unix_seconds() - last->startedAt.unix_seconds();
         return "killed after " + std::to_string(took);
       },
       "killed after 3",
       [](PodRun& run) {
         Exec(1)(run);
         run.node.runtime.Script("a", {.ignores_stop_signal = true});
       }},
  };
}

std::vector<ContainerCase> KindCases() {
  const std::string probe = "{exec: {command: [x]}, periodSeconds: 1, failureThreshold: 2}";
  return {
      {"livenessProbe", "livenessProbe: " + probe, KilledSoon,
       "Killing: Container a failed liveness probe, will be restarted", Exec(1)},
      {"readinessProbe", "readinessProbe: " + probe, StateAfter(4s), "asked, not ready, 0 restarts",
       Exec(1)},
      {"startupProbe", "startupProbe: " + probe, KilledSoon,
       "Killing: Container a failed startup probe, will be restarted", Exec(1)},
  };
}

}  // namespace

std::vector<FieldCase> ProbeCases() {
  std::vector<FieldCase> out;
  for (const auto& part : {HandlerCases(), TimingCases(), KindCases()}) {
    std::ranges::move(CasesOf(part), std::back_inserter(out));
  }
  return out;
}

}  // namespace podium::node::pod_fields
