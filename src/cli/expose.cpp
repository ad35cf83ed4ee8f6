// kubectl expose (upstream's k8s.io/kubectl/pkg/cmd/expose).
#include <algorithm>
#include <utility>
#include <vector>

#include "api/names.h"
#include "api/types/core_v1.h"
#include "base/text.h"
#include "cli/commands.h"
#include "cli/json_members.h"
#include "cli/object_maker.h"
#include "cli/option_values.h"
#include "cli/selection.h"
#include "cli/server_errors.h"
#include "reflect/go_text.h"

namespace podium::cli {
namespace {

namespace v1 = api::core::v1;
using reflect::JsonValue;
using Labels = reflect::Map<std::string>;

Error Usage(std::string message) { return {Code::kInvalidArgument, std::move(message)}; }

// Where the kinds that can be exposed say which pods they mean, and where these are described.
struct Exposable {
  std::string_view group;
  std::string_view kind;
  bool has_template;
};
constexpr Exposable kExposable[] = {{"", "ReplicationController", true},
                                    {"", "Service", false},
                                    {"", "Pod", false},
                                    {"apps", "Deployment", true},
                                    {"apps", "ReplicaSet", true}};

Result<const Exposable*> ExposableOf(const ServerResource& resource) {
  for (const Exposable& each : kExposable) {
    if (each.group == resource.group && each.kind == resource.kind) return &each;
  }
  const std::string group = resource.group.empty() ? "" : "." + resource.group;
  return Usage("cannot expose a " + resource.kind + group);
}

Labels LabelsAt(const JsonValue& object, std::initializer_list<std::string_view> way) {
  Labels labels;
  const JsonValue* members = ValueAt(object, way);
  if (!members || !members->is_object()) return labels;
  for (const auto& [key, value] : members->object()) {
    if (value.is_string()) labels[key] = value.string();
  }
  return labels;
}

// The labels of the pods that the object means.
Result<Labels> SelectorOf(const Exposable& exposable, const JsonValue& object) {
  if (exposable.kind == "Pod") {
    Labels labels = LabelsAt(object, {"metadata", "labels"});
    if (labels.empty()) return Usage("the pod has no labels and cannot be exposed");
    return labels;
  }
  if (exposable.group.empty()) {
    Labels labels = LabelsAt(object, {"spec", "selector"});
    if (exposable.kind == "Service" && labels.empty()) {
      return Usage("the service has no pod selector set");
    }
    return labels;
  }
  Labels labels = LabelsAt(object, {"spec", "selector", "matchLabels"});
  if (labels.empty()) {
    return Usage("invalid " + LowerCase(exposable.kind) +
                 ": no selectors, therefore cannot be exposed");
  }
  std::string expressions;
  for (const JsonValue& each :
       ElementsOf(*ValueAt(object, {"spec", "selector"}), "matchExpressions")) {
    expressions += (expressions.empty() ? "" : " ") + std::string("{Key:") +
                   std::string(TextOf(each, "key")) +
                   " Operator:" + std::string(TextOf(each, "operator")) + " Values:[" +
                   Join(TextsOf(each, "values"), " ") + "]}";
  }
  if (expressions.empty()) return labels;
  return Usage("couldn't convert expressions - \"[" + expressions +
               "]\" to map-based selector format");
}

struct NumberedPort {
  std::string number;
  std::string protocol;
};

std::vector<NumberedPort> PortsIn(const JsonValue& owner, std::string_view number_key) {
  std::vector<NumberedPort> ports;
  for (const JsonValue& port : ElementsOf(owner, "ports")) {
    const JsonValue* number = port.Find(number_key);
    const std::string_view protocol = TextOf(port, "protocol");
    if (!number || !number->is_number()) continue;
    ports.push_back({number->number(), protocol.empty() ? "TCP" : std::string(protocol)});
  }
  return ports;
}

std::vector<NumberedPort> PortsOf(const Exposable& exposable, const JsonValue& object) {
  const JsonValue* spec =
      exposable.has_template ? ValueAt(object, {"spec", "template", "spec"}) : object.Find("spec");
  if (!spec) return {};
  if (exposable.kind == "Service") return PortsIn(*spec, "port");
  std::vector<NumberedPort> ports;
  for (const JsonValue& container : ElementsOf(*spec, "containers")) {
    for (NumberedPort& port : PortsIn(container, "containerPort")) {
      ports.push_back(std::move(port));
    }
  }
  return ports;
}

Result<void> AddPort(const std::string& number, std::string name, std::string protocol,
                     v1::Service* service) {
  TRY(const int64_t port, reflect::ParseGoInt(number));
  v1::ServicePort& made = service->spec.ports.emplace_back();
  made.name = std::move(name);
  made.port = static_cast<int32_t>(port);
  made.protocol = std::move(protocol);
  return {};
}

// `numbers` of the service; `known` are the object's, which say the protocols where --protocol does
// not. Several need names.
Result<void> AddPorts(const Invocation& invocation, const std::vector<std::string>& numbers,
                      const std::vector<NumberedPort>& known, v1::Service* service) {
  const std::string asked(invocation.Get("protocol"));
  for (size_t i = 0; i < numbers.size(); ++i) {
    const std::string name = numbers.size() > 1 ? "port-" + std::to_string(i + 1) : "";
    std::vector<std::string> protocols;
    for (const NumberedPort& port : known) {
      if (asked.empty() && port.number == numbers[i]) protocols.push_back(port.protocol);
    }
    if (protocols.size() < 2) {
      const std::string otherwise = asked.empty() ? "TCP" : asked;
      TRY_VOID(AddPort(numbers[i], name, protocols.empty() ? otherwise : protocols[0], service));
      continue;
    }
    for (const std::string& protocol : protocols) {
      const std::string full = "port-" + std::to_string(i + 1) + "-" + LowerCase(protocol);
      TRY_VOID(AddPort(numbers[i], full, protocol, service));
    }
  }
  const std::string target(invocation.Get("target-port"));
  for (v1::ServicePort& port : service->spec.ports) {
    port.targetPort =
        target.empty() ? api::IntOrString::FromInt(port.port) : api::IntOrString::Parse(target);
  }
  return {};
}

Result<void> SetAddresses(const Invocation& invocation, v1::Service* service) {
  const auto text = [&](const char* option) { return std::string(invocation.Get(option)); };
  if (!text("external-ip").empty()) service->spec.externalIPs = {text("external-ip")};
  service->spec.type = text("type");
  if (service->spec.type == "LoadBalancer") service->spec.loadBalancerIP = text("load-balancer-ip");
  const std::string affinity = text("session-affinity");
  if (!affinity.empty() && affinity != "None" && affinity != "ClientIP") {
    return Usage("unknown session affinity: " + affinity);
  }
  service->spec.sessionAffinity = affinity;
  service->spec.clusterIP = text("cluster-ip");
  return {};
}

// The numbers of --port, or of the object.
Result<std::vector<std::string>> NumbersOf(const Invocation& invocation,
                                           const std::vector<NumberedPort>& known) {
  std::vector<std::string> numbers;
  if (!invocation.Get("port").empty()) {
    for (const std::string_view part : Split(invocation.Get("port"), ',')) {
      numbers.emplace_back(part);
    }
    return numbers;
  }
  for (const NumberedPort& port : known) {
    if (std::ranges::find(numbers, port.number) == numbers.end()) numbers.push_back(port.number);
  }
  if (numbers.empty() && invocation.Get("cluster-ip") != "None") {
    return Usage("couldn't find port via --port flag or introspection");
  }
  return numbers;
}

Result<v1::Service> ServiceOf(const Invocation& invocation, const ObjectMaker& maker,
                              const Exposable& exposable, const JsonValue& object) {
  std::string name(invocation.Get("name"));
  if (name.empty()) {
    name = TextAt(object, {"metadata", "name"}).substr(0, api::kDNS1035LabelMaxLength);
  }
  v1::Service service;
  service.metadata = maker.Metadata(std::move(name));
  if (invocation.Get("selector").empty()) {
    auto selector = SelectorOf(exposable, object);
    if (!selector.ok()) {
      return Usage("couldn't retrieve selectors via --selector flag or introspection: " +
                   selector.error().message());
    }
    service.spec.selector = *std::move(selector);
  } else {
    TRY(service.spec.selector, ParseLabelPairs(invocation.Get("selector")));
  }
  const std::vector<NumberedPort> known = PortsOf(exposable, object);
  TRY(const auto numbers, NumbersOf(invocation, known));
  if (service.spec.selector.empty()) return Usage("selector must be specified");
  if (invocation.Get("labels").empty()) {
    service.metadata.labels = LabelsAt(object, {"metadata", "labels"});
  } else {
    TRY(service.metadata.labels, ParseLabelPairs(invocation.Get("labels")));
  }
  TRY_VOID(AddPorts(invocation, numbers, known, &service));
  TRY_VOID(SetAddresses(invocation, &service));
  return service;
}

Result<void> Expose(const Invocation& invocation, ObjectMaker& maker, const Selected& item,
                    std::string* out) {
  JsonValue object = item.object;
  if (object.is_null()) {
    ServerRequest request;
    TRY(request.path, item.resource->Path(item.namespace_, item.name));
    TRY(object, maker.server().AskJson(request));
  }
  TRY(const Exposable* exposable, ExposableOf(*item.resource));
  TRY(v1::Service service, ServiceOf(invocation, maker, *exposable, object));
  TRY(const JsonValue made, maker.MakeOverridden(invocation, std::move(service)));
  return maker.Print(made, out);
}

Result<Outcome> Run(const Invocation& invocation, const Streams& streams) {
  TRY(ObjectMaker maker,
      ObjectMaker::Of(invocation, streams, {.done = "exposed", .manager = "kubectl-expose"}));
  TRY(const Selection selection, Select(maker.server(), invocation, invocation.arguments(),
                                        {.type_alone = false, .selects = false}));
  std::vector<Error> errors;
  for (const Selected& item : selection.items) {
    std::string out;
    auto exposed = Expose(invocation, maker, item, &out);
    if (!exposed.ok()) errors.push_back(std::move(exposed).error());
    if (!streams.Out(out)) return Outcome{kFailed, {}, {}};
  }
  if (!selection.errors.empty()) errors.push_back(Aggregate(selection.errors));
  return errors.empty() ? Outcome() : ServerFailure(errors);
}

Outcome RunExpose(const Invocation& invocation, const Streams& streams) {
  auto outcome = Run(invocation, streams);
  return outcome.ok() ? *std::move(outcome) : ServerFailure(outcome.error());
}

constexpr Option kOwnOptions[] = {
    {.name = "port",
     .value = "PORT",
     .help = "of the service; those of the object's containers if not given"},
    {.name = "target-port",
     .value = "PORT",
     .help = "of the pods, by number or name; the same if not given"},
    {.name = "protocol",
     .value = "PROTOCOL",
     .help = "TCP, UDP or SCTP; what the containers say if not given, else TCP"},
    {.name = "name", .value = "NAME", .help = "of the service; the object's if not given"},
    {.name = "type",
     .value = "TYPE",
     .help = "ClusterIP, NodePort, LoadBalancer or ExternalName; ClusterIP if not given"},
    {.name = "selector",
     .value = "KEY=VALUE,...",
     .help = "of the pods; the object's if not given"},
    {.name = "labels",
     .letter = 'l',
     .value = "KEY=VALUE,...",
     .help = "of the service; the object's if not given"},
    {.name = "cluster-ip", .value = "ADDRESS", .help = "its address; None for none"},
    {.name = "external-ip", .value = "ADDRESS", .help = "an address more that it takes"},
    {.name = "load-balancer-ip", .value = "ADDRESS", .help = "of type LoadBalancer"},
    {.name = "session-affinity", .value = "KIND", .help = "None or ClientIP"},
    kOverridesOption,
    kOverrideTypeOption,
    kFilenameOption,
    kRecursiveOption,
    kKustomizeOption,
    kSaveConfigOption,
    kCreateManagerOption,
    kDryRunOption,
    kChangedOutputOption,
    kTemplateOption,
    kAllowMissingKeysOption,
    kShowManagedFieldsOption,
};
constexpr auto kOptions = WithServerOptions(kOwnOptions);

}  // namespace

Command ExposeCommand() {
  return {
      .name = "expose",
      .summary = "Create a service for pods, a deployment and its like",
      .arguments = "TYPE NAME | TYPE/NAME | -f FILE",
      .max_arguments = 100'000,
      .details =
          "For what the object selects: of pods, deployments, replica sets, replication "
          "controllers and services.",
      .example =
          "  podium expose deploy/web --port=80 --target-port=8080\n"
          "  podium expose pod db --name=database --cluster-ip=None\n",
      .options = kOptions,
      .live = RunExpose,
  };
}

}  // namespace podium::cli
