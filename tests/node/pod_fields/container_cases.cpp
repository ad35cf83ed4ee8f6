// Containers of all three kinds: what they run and how, their ports, their ends, their hooks.
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "base/text.h"
#include "node/pod_fields/field_cases.h"

namespace podium::node::pod_fields {
namespace {

using namespace std::chrono_literals;

Prepare Script(runtime::FakeRuntime::Behaviour behaviour) {
  return [behaviour](PodRun& run) { run.node.runtime.Script("a", behaviour); };
}

void FailingExec(PodRun& run) {
  run.node.runtime.ScriptExec([](const std::string&, const std::vector<std::string>&) {
    runtime::FakeRuntime::ExecResult result;
    result.exit_code = 1;
    return result;
  });
}

// Whether it was pulled although it was there.
std::string Pulls(PodRun& run) {
  run.node.images.present.insert("busybox:1");
  run.Start();
  return std::to_string(run.node.images.pulls) + " pulls";
}

// Starts of container a in a minute.
std::string Starts(PodRun& run) {
  run.For(60s);
  return std::to_string(run.Calls("StartContainer a").size()) + " starts";
}

// The message that container a leaves in its file, as the status has it.
std::string MessageLeft(PodRun& run) {
  run.Start();
  for (const auto& mount : run.Container("a").mounts) {
    if (mount.container_path == "/end") std::ofstream(mount.host_path) << "bye";
  }
  (void)run.node.runtime.Exit(run.node.IdOf("a"), 1);
  run.For(1ms);
  return StatusOf("containerStatuses[0].state.terminated.message")(run);
}

// What stands in the log of a container that failed, as the status has it.
std::string MessageFromLog(PodRun& run) {
  run.Start();
  if (!run.Container("a").metadata) return "no container";
  const std::string folder = run.Sandbox().log_directory + "/";
  const std::string path = folder + run.Container("a").log_path;
  std::filesystem::create_directories(path.substr(0, path.rfind('/')));
  std::ofstream(path) << "2026-01-01T00:00:00.000000000Z stdout F oops\n";
  (void)run.node.runtime.Exit(run.node.IdOf("a"), 1);
  run.For(1ms);
  return StatusOf("containerStatuses[0].state.terminated.message")(run);
}

std::string FirstEphemeral(PodRun& run) {
  return StatusOf("ephemeralContainerStatuses[0].name")(run);
}

std::vector<ContainerCase> PlainCases() {
  return {
      {.field = "image",
       .container = "image: 'nginx:1'",
       .look = EventOf("Pulling"),
       .expected = "Pulling: Pulling image \"nginx:1\"",
       .ephemeral = false},
      {.field = "command",
       .container = "command: [/bin/x, it]",
       .look = Container("command"),
       .expected = "[\"/bin/x\",\"it\"]",
       .ephemeral = true},
      {.field = "args",
       .container = "args: [it]",
       .look = Container("args"),
       .expected = "[\"it\"]",
       .ephemeral = true},
      {.field = "workingDir",
       .container = "workingDir: /srv",
       .look = Container("working_dir"),
       .expected = "/srv",
       .ephemeral = true},
      {.field = "stdin",
       .container = "stdin: true",
       .look = Container("stdin"),
       .expected = "true",
       .ephemeral = true},
      {.field = "stdinOnce",
       .container = "stdin: true, stdinOnce: true",
       .look = Container("stdin_once"),
       .expected = "true",
       .ephemeral = true},
      {.field = "tty",
       .container = "tty: true",
       .look = Container("tty"),
       .expected = "true",
       .ephemeral = true},
      {.field = "imagePullPolicy",
       .container = "imagePullPolicy: Always",
       .look = Pulls,
       .expected = "1 pulls"},
      {.field = "env",
       .container = "env: [{name: X, value: it}]",
       .look = Container("envs[0].value"),
       .expected = "it",
       .ephemeral = true},
      {.field = "envFrom",
       .container = "envFrom: [{configMapRef: {name: c}}]",
       .look = Container("envs[0].value"),
       .expected = "it",
       .before = [](PodRun& run) { run.node.objects.AddConfigMap("c", {{"X", "it"}}); },
       .ephemeral = true},
      {.field = "volumeMounts",
       .container = "volumeMounts: [{name: v, mountPath: /x}]",
       .look = Container("mounts[0].container_path"),
       .expected = "/x",
       .spec = "volumes: [{name: v, emptyDir: {}}]",
       .ephemeral = true},
      {.field = "securityContext",
       .container = "securityContext: {runAsUser: 5}",
       .look = Container("linux.security_context.run_as_user.value"),
       .expected = "5",
       .ephemeral = true},
      {.field = "terminationMessagePath",
       .container = "terminationMessagePath: /end",
       .look = MessageLeft,
       .expected = "bye",
       .spec = "restartPolicy: Never"},
      {.field = "terminationMessagePolicy",
       .container = "terminationMessagePolicy: FallbackToLogsOnError",
       .look = MessageFromLog,
       .expected = "oops\n",
       .spec = "restartPolicy: Never"},
      {.field = "Container.resources.limits",
       .container = "resources: {limits: {memory: 64Mi}}",
       .look = Container("linux.resources.memory_limit_in_bytes"),
       .expected = "67108864"},
      {.field = "Container.resources.requests",
       .container = "resources: {requests: {cpu: 500m}}",
       .look = Container("linux.resources.cpu_shares"),
       .expected = "512"},
      {.field = "restartPolicy",
       .container = "restartPolicy: Never",
       .look = Starts,
       .expected = "1 starts",
       .before = Script({.exits_after = 1s, .exit_code = 1})},
  };
}

std::vector<FieldCase> NameCases() {
  return {
      {"Container.name", "containers: [{name: a}]", StatusOf("containerStatuses[0].name"), "a"},
      {"EphemeralContainer.name", "containers: [{name: b}], ephemeralContainers: [{name: a}]",
       FirstEphemeral, "a"},
      {"EphemeralContainer.image",
       "containers: [{name: b}], ephemeralContainers: [{name: a, image: 'nginx:1'}]",
       [](PodRun& run) {
         run.node.images.in_registry.insert("nginx:1");
         return Container("image.user_specified_image")(run);
       },
       "nginx:1"},
      {"EphemeralContainer.imagePullPolicy",
       "containers: [{name: b, imagePullPolicy: IfNotPresent}], ephemeralContainers: [{name: a, "
       "imagePullPolicy: Always}]",
       Pulls, "1 pulls"},
      {"EphemeralContainer.terminationMessagePath",
       "containers: [{name: b}], ephemeralContainers: [{name: a, terminationMessagePath: /end}]",
       [](PodRun& run) {
         MessageLeft(run);
         return StatusOf("ephemeralContainerStatuses[0].state.terminated.message")(run);
       },
       "bye"},
      {"EphemeralContainer.terminationMessagePolicy",
       "containers: [{name: b}], ephemeralContainers: [{name: a, terminationMessagePolicy: "
       "FallbackToLogsOnError}]",
       [](PodRun& run) {
         MessageFromLog(run);
         return StatusOf("ephemeralContainerStatuses[0].state.terminated.message")(run);
       },
       "oops\n"},
      {"EphemeralContainer.targetContainerName",
       "containers: [{name: b}], ephemeralContainers: [{name: a, targetContainerName: b}]",
       [](PodRun& run) {
         run.For(30s);  // It is tried again when b runs.
         const bool its = Container("linux.security_context.namespace_options.target_id")(run) ==
                          run.node.IdOf("b");
         return std::string(its ? "sees b" : "sees itself");
       },
       "sees b"},
  };
}

std::vector<ContainerCase> PortCases() {
  const std::string all =
      "ports: [{name: web, containerPort: 80, hostPort: 8080, hostIP: 127.0.0.1, protocol: UDP}]";
  const std::string path = "port_mappings[0].";
  return {
      {"ContainerPort.containerPort", all, Sandbox(path + "container_port"), "80"},
      {"ContainerPort.hostPort", all, Sandbox(path + "host_port"), "8080"},
      {"ContainerPort.hostIP", all, Sandbox(path + "host_ip"), "127.0.0.1"},
      {"ContainerPort.protocol", all, Sandbox(path + "protocol"), "UDP"},
      {"ContainerPort.name", all + ", readinessProbe: {httpGet: {port: web}}",
       [](PodRun& run) {
         run.For(1s);
         if (run.node.network.calls.empty()) return std::string("no calls");
         return std::to_string(run.node.network.calls[0].port);
       },
       "80"},
  };
}

std::vector<ContainerCase> RestartRuleCases() {
  const std::string rules =
      "restartPolicy: Never, restartPolicyRules: [{action: Restart, exitCodes: {operator: In, "
      "values: [42]}}]";
  const Prepare exits = Script({.exits_after = 1s, .exit_code = 42});
  return {
      {"ContainerRestartRule.action", rules, Starts, "4 starts", exits},
      {"ContainerRestartRuleOnExitCodes.operator", rules, Starts, "4 starts", exits},
      {"ContainerRestartRuleOnExitCodes.values", rules, Starts, "4 starts", exits},
  };
}

// The runtime's calls for a hook, or what the network is asked.
std::string Hooked(PodRun& run) {
  run.Start();
  if (!run.Calls("ExecSync").empty()) return "exec";
  if (run.node.network.calls.empty()) return "nothing";
  const HttpCall& call = run.node.network.calls[0];
  std::string out = call.Url();
  for (const auto& [name, value] : call.headers) {
    if (name != "User-Agent" && name != "Accept") out += " " + name + "=" + value;
  }
  return out;
}

std::string HookedAtEnd(PodRun& run) {
  run.Start();
  run.Delete(30);
  return Hooked(run);
}

// The command that a hook runs.
std::string HookCommand(PodRun& run) {
  std::string words;
  run.node.runtime.ScriptExec([&](const std::string&, const std::vector<std::string>& command) {
    words = Join(command, " ");
    return runtime::FakeRuntime::ExecResult();
  });
  run.Start();
  return words;
}

ContainerCase HttpHook(const std::string& field, const std::string& action,
                       const std::string& expected) {
  return {.field = "LifecycleHandler.httpGet." + field,
          .container = "lifecycle: {postStart: {httpGet: {" + action + "}}}",
          .look = Hooked,
          .expected = expected};
}

std::vector<ContainerCase> HookCases() {
  return {
      {"Lifecycle.postStart", "lifecycle: {postStart: {exec: {command: [hi]}}}",
       EventOf("FailedPostStartHook"), "FailedPostStartHook: PostStartHook failed", FailingExec},
      {"Lifecycle.preStop", "lifecycle: {preStop: {exec: {command: [bye]}}}", HookedAtEnd, "exec"},
      {"Lifecycle.stopSignal",
       "lifecycle: {stopSignal: SIGUSR1}",
       Container("stop_signal"),
       "SIGUSR1",
       {},
       "os: {name: linux}"},
      {"LifecycleHandler.exec.command", "lifecycle: {postStart: {exec: {command: [hi, you]}}}",
       HookCommand, "hi you"},
      HttpHook("path", "port: 80, path: /x", "http://10.208.0.2:80/x"),
      HttpHook("port", "port: 81", "http://10.208.0.2:81/"),
      HttpHook("host", "port: 80, host: 192.0.2.9", "http://192.0.2.9:80/"),
      HttpHook("scheme", "port: 443, scheme: HTTPS", "https://10.208.0.2:443/"),
      HttpHook("httpHeaders.name", "port: 80, httpHeaders: [{name: X-Me, value: it}]",
               "http://10.208.0.2:80/ X-Me=it"),
      HttpHook("httpHeaders.value", "port: 80, httpHeaders: [{name: X-Me, value: it}]",
               "http://10.208.0.2:80/ X-Me=it"),
      {"SleepAction.seconds", "lifecycle: {preStop: {sleep: {seconds: 5}}}",
       [](PodRun& run) {
         run.Start();
         run.Delete(30);
         run.For(4s);
         const bool early = !run.Calls("StopContainer").empty();
         run.For(2s);
         return std::string(early                                ? "stopped at once"
                            : run.Calls("StopContainer").empty() ? "not stopped"
                                                                 : "slept");
       },
       "slept"},
  };
}

}  // namespace

std::vector<FieldCase> ContainerCases() {
  std::vector<FieldCase> out = NameCases();
  for (const auto& part : {PlainCases(), PortCases(), RestartRuleCases(), HookCases()}) {
    std::ranges::move(CasesOf(part), std::back_inserter(out));
  }
  return out;
}

}  // namespace podium::node::pod_fields
