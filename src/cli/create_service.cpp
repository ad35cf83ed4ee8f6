// create service (upstream's k8s.io/kubectl/pkg/cmd/create, create_service.go).
#include <algorithm>
#include <limits>
#include <utility>

#include "api/names.h"
#include "api/types/core_v1.h"
#include "base/text.h"
#include "cli/create_kind.h"
#include "cli/option_values.h"
#include "cli/server_errors.h"
#include "reflect/go_text.h"

namespace podium::cli {
namespace {

namespace v1 = api::core::v1;

Error Usage(std::string message) { return {Code::kInvalidArgument, std::move(message)}; }

// As k8s.io/utils/net reads it.
Result<int32_t> PortOf(std::string_view text) {
  const bool digits = !text.empty() && std::ranges::all_of(text, [](char letter) {
    return letter >= '0' && letter <= '9';
  });
  const std::string where = "strconv.ParseUint: parsing " + reflect::GoQuoted(text);
  if (!digits) return Usage(where + ": invalid syntax");
  const auto number = reflect::ParseGoInt(text);
  if (!number.ok() || *number > std::numeric_limits<uint16_t>::max()) {
    return Usage(where + ": value out of range");
  }
  return static_cast<int32_t>(*number);
}

Result<api::IntOrString> TargetOf(std::string_view text) {
  const auto number = reflect::ParseGoInt(text);
  const auto problems = number.ok() ? api::IsValidPortNum(*number) : api::IsValidPortName(text);
  if (!problems.empty()) return Usage(Join(problems, ","));
  if (!number.ok()) return api::IntOrString::FromString(std::string(text));
  return api::IntOrString::FromInt(static_cast<int32_t>(*number));
}

// PORT or PORT:TARGET
Result<v1::ServicePort> ServicePortOf(const std::string& text) {
  const auto parts = Split(text, ':');
  v1::ServicePort port;
  TRY(port.port, PortOf(parts[0]));
  port.targetPort = api::IntOrString::FromInt(port.port);
  if (parts.size() > 1) {
    TRY(port.targetPort, TargetOf(parts[1]));
  }
  port.name = text;
  std::ranges::replace(port.name, ':', '-');
  port.protocol = "TCP";
  return port;
}

Result<v1::Service> ServiceOf(const KindRequest& request, const char* type) {
  const std::string cluster_ip = request.Text("clusterip");
  const std::string external_name = request.Text("external-name");
  const bool external = type == std::string_view("ExternalName");
  if (external && !request.invocation.Has("external-name")) {
    return Usage("required flag(s) \"external-name\" not set");
  }
  TRY(const auto texts, PartsOption(request.invocation, "tcp"));
  if (cluster_ip != "None" && texts.empty() && !external) {
    return Usage("at least one tcp port specifier must be provided");
  }
  if (external && !api::IsDNS1123Subdomain(external_name).empty()) {
    return Usage("invalid service external name " + external_name);
  }
  TRY(const int64_t node_port, IntegerOption(request.invocation, "node-port", 0));
  v1::Service service;
  service.metadata = request.maker.Metadata(request.name);
  service.metadata.labels["app"] = request.name;
  service.spec.type = type;
  service.spec.selector["app"] = request.name;
  service.spec.externalName = external_name;
  service.spec.clusterIP = cluster_ip;
  for (const std::string& text : texts) {
    TRY(v1::ServicePort port, ServicePortOf(text));
    port.nodePort = static_cast<int32_t>(node_port);
    service.spec.ports.push_back(std::move(port));
  }
  return service;
}

Outcome RunClusterIp(const Invocation& invocation, const Streams& streams) {
  return CreateKind(
      invocation, streams,
      {.command = "create service clusterip", .failure = "failed to create ClusterIP service: "},
      [](const KindRequest& request) { return ServiceOf(request, "ClusterIP"); });
}

Outcome RunNodePort(const Invocation& invocation, const Streams& streams) {
  return CreateKind(
      invocation, streams,
      {.command = "create service nodeport", .failure = "failed to create NodePort service: "},
      [](const KindRequest& request) { return ServiceOf(request, "NodePort"); });
}

Outcome RunLoadBalancer(const Invocation& invocation, const Streams& streams) {
  return CreateKind(invocation, streams,
                    {.command = "create service loadbalancer",
                     .failure = "failed to create LoadBalancer service: "},
                    [](const KindRequest& request) { return ServiceOf(request, "LoadBalancer"); });
}

Outcome RunExternalName(const Invocation& invocation, const Streams& streams) {
  return CreateKind(invocation, streams,
                    {.command = "create service externalname",
                     .failure = "failed to create ExternalName service: "},
                    [](const KindRequest& request) { return ServiceOf(request, "ExternalName"); });
}

constexpr Option kTcp = {.name = "tcp",
                         .value = "PORT[:TARGET]",
                         .help = "a port, and the one of the pods; may be given several times",
                         .repeatable = true};
constexpr Option kClusterIpOwn[] = {
    kTcp,
    {.name = "clusterip",
     .value = "ADDRESS",
     .help = "its address; None for a service without one; the server's choice if not given"}};
constexpr auto kClusterIpOptions = WithKindOptions(kClusterIpOwn);
constexpr Option kNodePortOwn[] = {
    kTcp,
    {.name = "node-port",
     .value = "PORT",
     .help = "the port of all nodes; the server's choice if not given"}};
constexpr auto kNodePortOptions = WithKindOptions(kNodePortOwn);
constexpr Option kLoadBalancerOwn[] = {kTcp};
constexpr auto kLoadBalancerOptions = WithKindOptions(kLoadBalancerOwn);
constexpr Option kExternalNameOwn[] = {
    kTcp, {.name = "external-name", .value = "NAME", .help = "the DNS name that it stands for"}};
constexpr auto kExternalNameOptions = WithKindOptions(kExternalNameOwn);

}  // namespace

Command CreateServiceCommand() {
  static const Command kCommands[] = {
      {
          .name = "create service clusterip",
          .summary = "Create a service with an address of the cluster",
          .arguments = "NAME --tcp=PORT[:TARGET]",
          .max_arguments = 100'000,
          .example = "  podium create service clusterip web --tcp=80:8080\n"
                     "  podium create service clusterip web --clusterip=None\n",
          .options = kClusterIpOptions,
          .live = RunClusterIp,
      },
      {
          .name = "create service nodeport",
          .summary = "Create a service with a port of every node",
          .arguments = "NAME --tcp=PORT[:TARGET]",
          .max_arguments = 100'000,
          .example = "  podium create service nodeport web --tcp=80 --node-port=30080\n",
          .options = kNodePortOptions,
          .live = RunNodePort,
      },
      {
          .name = "create service loadbalancer",
          .summary = "Create a service behind a load balancer",
          .arguments = "NAME --tcp=PORT[:TARGET]",
          .max_arguments = 100'000,
          .example = "  podium create service loadbalancer web --tcp=80\n",
          .options = kLoadBalancerOptions,
          .live = RunLoadBalancer,
      },
      {
          .name = "create service externalname",
          .summary = "Create a service that stands for a DNS name",
          .arguments = "NAME --external-name=NAME",
          .max_arguments = 100'000,
          .example = "  podium create service externalname db --external-name=db.example.com\n",
          .options = kExternalNameOptions,
          .live = RunExternalName,
      },
  };
  return {
      .name = "create service",
      .summary = "Create a service",
      .aliases = "svc",
      .example = "  podium create service clusterip web --tcp=80:8080\n",
      .subcommands = kCommands,
  };
}

}  // namespace podium::cli
