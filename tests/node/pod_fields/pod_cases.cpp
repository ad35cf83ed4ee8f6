// What a pod says beside its containers and volumes: PodSpec, its parts, and its metadata.
#include <string>
#include <vector>

#include "base/text.h"
#include "client/paths.h"
#include "client/virtual_time.h"
#include "node/cluster/cluster_objects.h"
#include "node/cluster/token_server.h"
#include "node/pod_fields/field_cases.h"

namespace podium::node::pod_fields {
namespace {

using namespace std::chrono_literals;

Prepare Script(runtime::FakeRuntime::Behaviour behaviour) {
  return [behaviour](PodRun& run) { run.node.runtime.Script("a", behaviour); };
}

// What a server has of services, and which of them the pod hears of.
std::string ServicesOf(PodRun& run) {
  client::VirtualTime time;
  TokenServer server(time);
  v1::Service service;
  service.metadata.namespace_ = "ns";
  service.metadata.name = "web";
  service.spec.clusterIP = "10.0.0.2";
  client::Target target = *client::TargetOf(reflect::TypeOf<v1::Service>(), {"ns", ""});
  EXPECT_TRUE(server.Create(target, service, {}).ok());
  ClusterObjects objects(
      {.connection = &server, .executor = &time, .clock = &time, .changed = [](const auto&) {}});
  time.Settle();
  const auto services = objects.ServicesFor(run.pod);
  if (!services.ok()) return services.error().message();
  return std::to_string(services->size()) + " services";
}

// How long its containers had to end, after it had run for a second.
std::string SecondsToEnd(PodRun& run) {
  run.For(120s);
  const auto status = run.Status();
  if (status.containerStatuses.empty()) return "no container";
  const auto& state = status.containerStatuses[0].state;
  if (!state.terminated) return "runs";
  return std::to_string(state.terminated->finishedAt.unix_seconds() -
                        state.terminated->startedAt.unix_seconds() - 1);
}

std::string ToldAtOnce(PodRun& run) { return podium::Join(ToldOf(run.pod), "; "); }

// Of a running pod the conditions that are not true.
std::string NotTrue(PodRun& run) {
  std::string out;
  for (const auto& condition : run.Status().conditions) {
    if (condition.status != "True") out += condition.type + ": " + condition.message;
  }
  return out;
}

std::string SecretsAtPull(PodRun& run) {
  run.Start();
  return std::to_string(run.node.images.secrets.size()) + " secrets, " + run.Status().phase;
}

void PrivateRegistry(PodRun& run) {
  run.node.objects.AddSecret("keys", {{"password", "hush"}});
  run.node.images.private_to = "hush";
}

std::vector<FieldCase> SpecCases() {
  return {
      {"PodSpec.initContainers", "initContainers: [{name: i}], containers: [{name: a}]",
       StatusOf("initContainerStatuses[0].name"), "i"},
      {"PodSpec.restartPolicy", "restartPolicy: Never, containers: [{name: a}]", PhaseAfter(2s),
       "Succeeded", Script({.exits_after = 1s})},
      {"PodSpec.terminationGracePeriodSeconds",
       "terminationGracePeriodSeconds: 7, activeDeadlineSeconds: 1, restartPolicy: Never, "
       "containers: [{name: a}]",
       SecondsToEnd, "7", Script({.ignores_stop_signal = true})},
      {"PodSpec.activeDeadlineSeconds", "activeDeadlineSeconds: 5, containers: [{name: a}]",
       [](PodRun& run) {
         run.For(6s);
         return run.Status().reason;
       },
       "DeadlineExceeded"},
      {"PodSpec.dnsPolicy",
       "dnsPolicy: None, dnsConfig: {nameservers: [192.0.2.53]}, containers: [{name: a}]",
       Sandbox("dns_config.servers"), "[\"192.0.2.53\"]"},
      {"PodSpec.serviceAccountName",
       "serviceAccountName: robot, containers: [{name: a, env: [{name: X, valueFrom: {fieldRef: "
       "{fieldPath: spec.serviceAccountName}}}]}]",
       Container("envs[0].value"), "robot"},
      {"PodSpec.nodeName", "nodeName: another, containers: [{name: a}]",
       [](PodRun& run) {
         ObjectStore objects(run.node.config);
         auto agent = Agent::Open(PartsOf(run.node, objects));
         const auto created = (*agent)->CreatePod(run.pod);
         return created.ok() ? std::string("runs here") : created.error().message();
       },
       "the pod is for the node another, and this is node7"},
      {"PodSpec.imagePullSecrets.name", "imagePullSecrets: [{name: keys}], containers: [{name: a}]",
       SecretsAtPull, "1 secrets, Running", PrivateRegistry},
      {"PodSpec.hostname", "hostname: web, containers: [{name: a}]", Sandbox("hostname"), "web"},
      {"PodSpec.subdomain", "hostname: web, subdomain: pages, containers: [{name: a}]",
       HostsLine("10.208.0.2"), "10.208.0.2\tweb.pages.ns.svc.cluster.local\tweb"},
      {"PodSpec.setHostnameAsFQDN",
       "setHostnameAsFQDN: true, hostname: web, subdomain: pages, containers: [{name: a}]",
       Sandbox("hostname"), "web.pages.ns.svc.cluster.local"},
      {"PodSpec.hostnameOverride", "hostnameOverride: other.example, containers: [{name: a}]",
       Sandbox("hostname"), "other.example"},
      {"HostAlias.ip",
       "hostAliases: [{ip: 192.0.2.7, hostnames: [seven]}], containers: [{name: a}]",
       HostsLine("seven"), "192.0.2.7\tseven"},
      {"HostAlias.hostnames",
       "hostAliases: [{ip: 192.0.2.7, hostnames: [seven, vii]}], containers: [{name: a}]",
       HostsLine("192.0.2.7"), "192.0.2.7\tseven\tvii"},
      {"PodSpec.priorityClassName",
       "priorityClassName: system-node-critical, priority: 2000001000, containers: [{name: a}]",
       Container("linux.resources.oom_score_adj"), "-997"},
      {"PodSpec.priority",
       "priorityClassName: system-node-critical, priority: 2000001000, containers: [{name: a}]",
       Container("linux.resources.oom_score_adj"), "-997"},
      {"PodDNSConfig.nameservers",
       "dnsConfig: {nameservers: [192.0.2.53]}, containers: [{name: a}]",
       Sandbox("dns_config.servers"), "[\"10.96.0.10\",\"192.0.2.53\"]"},
      {"PodDNSConfig.searches",
       "dnsPolicy: None, dnsConfig: {nameservers: [192.0.2.53], searches: [a.example]}, "
       "containers: [{name: a}]",
       Sandbox("dns_config.searches"), "[\"a.example\"]"},
      {"PodDNSConfigOption.name", "dnsConfig: {options: [{name: use-vc}]}, containers: [{name: a}]",
       Sandbox("dns_config.options"), "[\"ndots:5\",\"use-vc\"]"},
      {"PodDNSConfigOption.value",
       "dnsConfig: {options: [{name: ndots, value: '2'}]}, containers: [{name: a}]",
       Sandbox("dns_config.options"), "[\"ndots:2\"]"},
      {"PodReadinessGate.conditionType",
       "readinessGates: [{conditionType: example.com/ready}], containers: [{name: a}]", NotTrue,
       "Ready: corresponding condition of pod readiness gate \"example.com/ready\" does not "
       "exist."},
      {"PodSpec.enableServiceLinks", "enableServiceLinks: false, containers: [{name: a}]",
       ServicesOf, "0 services"},
      {"PodOS.name", "os: {name: windows}, containers: [{name: a}]", ToldAtOnce,
       "PodOSNotSupported: Failed to admit pod as the OS field doesn't match node OS"},
  };
}

std::vector<FieldCase> ResourceCases() {
  return {
      {"PodSpec.overhead", "overhead: {memory: 64Mi}, containers: [{name: a}]",
       Sandbox("linux.overhead.memory_limit_in_bytes"), "67108864"},
      {"PodSpec.resources.limits", "resources: {limits: {memory: 64Mi}}, containers: [{name: a}]",
       Sandbox("linux.resources.memory_limit_in_bytes"), "67108864"},
      {"PodSpec.resources.requests", "resources: {requests: {cpu: 500m}}, containers: [{name: a}]",
       Sandbox("linux.resources.cpu_shares"), "512"},
  };
}

Prepare Named(std::function<void(api::meta::v1::ObjectMeta&)> edit) {
  return [edit = std::move(edit)](PodRun& run) { edit(run.pod.metadata); };
}

std::vector<FieldCase> MetadataCases() {
  const std::string plain = "containers: [{name: a}]";
  return {
      {"ObjectMeta.name", plain, Sandbox("metadata.name"), "p", Named([](auto&) {})},
      {"ObjectMeta.namespace", plain, Sandbox("metadata.namespace"), "ns", Named([](auto&) {})},
      {"ObjectMeta.uid", plain, Sandbox("metadata.uid"), "u", Named([](auto&) {})},
      {"ObjectMeta.labels", plain, Sandbox("labels.app"), "web",
       Named([](auto& meta) { meta.labels["app"] = "web"; })},
      {"ObjectMeta.annotations", plain, Sandbox("annotations.note"), "text",
       Named([](auto& meta) { meta.annotations["note"] = "text"; })},
      {"ObjectMeta.generation", plain, StatusOf("observedGeneration"), "3",
       Named([](auto& meta) { meta.generation = 3; })},
      {"ObjectMeta.deletionTimestamp", plain,
       [](PodRun& run) {
         run.Start();
         return std::to_string(run.Calls("StartContainer").size()) + " started";
       },
       "0 started",
       Named([](auto& meta) { meta.deletionTimestamp = api::Time::FromUnix(kNow / kSecond); })},
      {"ObjectMeta.deletionGracePeriodSeconds", plain,
       Container("annotations['io.kubernetes.pod.deletionGracePeriod']"), "4",
       Named([](auto& meta) { meta.deletionGracePeriodSeconds = 4; })},
  };
}

}  // namespace

std::vector<FieldCase> PodCases() {
  std::vector<FieldCase> out = SpecCases();
  std::ranges::move(ResourceCases(), std::back_inserter(out));
  std::ranges::move(MetadataCases(), std::back_inserter(out));
  return out;
}

}  // namespace podium::node::pod_fields
