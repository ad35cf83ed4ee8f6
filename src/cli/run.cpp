// kubectl run (upstream's k8s.io/kubectl/pkg/cmd/run), but for what is attached to.
#include <utility>
#include <vector>

#include "api/names.h"
#include "api/types/core_v1.h"
#include "base/image_reference.h"
#include "base/text.h"
#include "cli/commands.h"
#include "cli/object_maker.h"
#include "cli/option_values.h"
#include "cli/patched.h"
#include "cli/server_errors.h"
#include "reflect/go_text.h"

namespace podium::cli {
namespace {

namespace v1 = api::core::v1;
using reflect::JsonValue;

Error Usage(std::string message) { return {Code::kInvalidArgument, std::move(message)}; }

struct Plan {
  std::string name;
  std::vector<std::string> words;  // behind the name
  std::string image;
  std::string port_text;
  int32_t port = 0;
  reflect::Map<std::string> annotations;
  reflect::Map<std::string> labels;  // as given
  std::vector<v1::EnvVar> env;
  std::string restart;
  std::string pull_policy;
};

Result<std::vector<v1::EnvVar>> EnvOf(const Invocation& invocation) {
  std::vector<v1::EnvVar> env;
  for (const std::string& text : invocation.All("env")) {
    const size_t equals = text.find('=');
    const std::string name = text.substr(0, equals);
    if (equals == text.npos || name.empty() || !api::IsEnvVarName(name).empty()) {
      return Usage("invalid env: " + text);
    }
    v1::EnvVar& variable = env.emplace_back();
    variable.name = name;
    variable.value = text.substr(equals + 1);
  }
  return env;
}

// KEY=VALUE each.
Result<reflect::Map<std::string>> AnnotationsOf(const Invocation& invocation) {
  reflect::Map<std::string> annotations;
  for (const std::string& text : invocation.All("annotations")) {
    const size_t equals = text.find('=');
    if (equals == text.npos || equals == 0) return Usage("invalid annotations format: " + text);
    annotations[text.substr(0, equals)] = text.substr(equals + 1);
  }
  return annotations;
}

Result<void> Check(const Invocation& invocation, Plan* plan) {
  const auto& arguments = invocation.arguments();
  if (arguments.empty() || invocation.arguments_before_dashes() == 0) {
    return ArgumentsError("run", "NAME is required for run");
  }
  if (plan->image.empty()) return Usage("--image is required");
  if (!ImageReference::Parse(plan->image).ok()) {
    return Usage("Invalid image name " + reflect::GoQuoted(plan->image) +
                 ": invalid reference format");
  }
  if (invocation.Has("expose") && plan->port_text.empty()) {
    return ArgumentsError("run", "--port must be set when exposing a service");
  }
  if (!plan->port_text.empty()) {
    TRY(const int64_t port, reflect::ParseGoInt(plan->port_text));
    plan->port = static_cast<int32_t>(port);
  }
  plan->name = arguments[0];
  plan->words.assign(arguments.begin() + 1, arguments.end());
  return {};
}

Result<Plan> PlanOf(const Invocation& invocation) {
  if (!invocation.Has("image")) return Usage("required flag(s) \"image\" not set");
  Plan plan;
  plan.image = invocation.Get("image");
  plan.port_text = invocation.Get("port");
  TRY(plan.annotations, AnnotationsOf(invocation));
  if (!invocation.Get("labels").empty()) {
    TRY(plan.labels, ParseLabelPairs(invocation.Get("labels")));
  }
  TRY(plan.env, EnvOf(invocation));
  plan.restart = invocation.Get("restart", "Always");
  if (plan.restart.empty()) plan.restart = "Always";
  if (plan.restart != "Always" && plan.restart != "OnFailure" && plan.restart != "Never") {
    return ArgumentsError("run", "invalid restart policy: " + plan.restart);
  }
  plan.pull_policy = invocation.Get("image-pull-policy");
  if (plan.pull_policy != "" && plan.pull_policy != "Always" &&
      plan.pull_policy != "IfNotPresent" && plan.pull_policy != "Never") {
    return ArgumentsError("run", "invalid image pull policy: " + plan.pull_policy);
  }
  TRY_VOID(Check(invocation, &plan));
  return plan;
}

reflect::Map<std::string> LabelsOf(const Plan& plan) {
  if (!plan.labels.empty()) return plan.labels;
  reflect::Map<std::string> labels;
  labels["run"] = plan.name;
  return labels;
}

v1::Pod PodOf(const Invocation& invocation, const Plan& plan, api::meta::v1::ObjectMeta metadata) {
  v1::Pod pod;
  pod.metadata = std::move(metadata);
  pod.metadata.labels = LabelsOf(plan);
  pod.metadata.annotations = plan.annotations;
  pod.spec.dnsPolicy = "ClusterFirst";
  pod.spec.restartPolicy = plan.restart;
  v1::Container& container = pod.spec.containers.emplace_back();
  container.name = plan.name;
  container.image = plan.image;
  container.imagePullPolicy = plan.pull_policy;
  container.env = plan.env;
  (invocation.Has("command") ? container.command : container.args) = plan.words;
  if (invocation.Has("privileged")) container.securityContext.emplace().privileged = true;
  if (!plan.port_text.empty()) container.ports.emplace_back().containerPort = plan.port;
  return pod;
}

// For those labels of the pod's that are asked for; of none, the service has none itself.
v1::Service ServiceOf(const Plan& plan, api::meta::v1::ObjectMeta metadata) {
  v1::Service service;
  service.metadata = std::move(metadata);
  service.metadata.labels = plan.labels;
  service.spec.selector = LabelsOf(plan);
  v1::ServicePort& port = service.spec.ports.emplace_back();
  port.port = plan.port;
  port.protocol = "TCP";
  port.targetPort = api::IntOrString::FromInt(plan.port);
  return service;
}

Result<Outcome> Run(const Invocation& invocation, const Streams& streams) {
  TRY(const Plan plan, PlanOf(invocation));
  TRY(ObjectMaker maker,
      ObjectMaker::Of(invocation, streams, {.done = "created", .manager = "kubectl-run"}));
  std::string out;
  std::vector<Error> errors;
  TRY(const JsonValue pod,
      maker.MakeOverridden(invocation, PodOf(invocation, plan, maker.Metadata(plan.name))));
  if (invocation.Has("expose")) {
    auto service = maker.Make(ServiceOf(plan, maker.Metadata(plan.name)));
    if (service.ok()) {
      TRY_VOID(maker.Print(*service, &out));
      // kubectl's printer writes one of its own, too.
      if (invocation.Get("output") == "yaml") out += "---\n";
    } else {
      errors.push_back(std::move(service).error());
    }
  }
  TRY_VOID(maker.Print(pod, &out));
  if (errors.empty()) return Outcome{kOk, std::move(out), {}};
  return ServerFailure(errors, std::move(out));
}

Outcome RunRun(const Invocation& invocation, const Streams& streams) {
  auto outcome = Run(invocation, streams);
  return outcome.ok() ? *std::move(outcome) : ServerFailure(outcome.error());
}

constexpr Option kOwnOptions[] = {
    {.name = "image", .value = "IMAGE", .help = "what the container runs"},
    {.name = "port", .value = "PORT", .help = "that the container listens at"},
    {.name = "expose", .help = "a service too, at --port"},
    {.name = "env",
     .value = "NAME=VALUE",
     .help = "environment of the container; may be given several times",
     .repeatable = true},
    {.name = "labels",
     .letter = 'l',
     .value = "KEY=VALUE,...",
     .help = "of the pod; run=NAME if not given"},
    {.name = "annotations",
     .value = "KEY=VALUE",
     .help = "of the pod; may be given several times",
     .repeatable = true},
    {.name = "command", .help = "the words behind -- are the command, not its arguments"},
    {.name = "restart",
     .value = "POLICY",
     .help = "Always, OnFailure or Never; Always if not given"},
    {.name = "image-pull-policy", .value = "POLICY", .help = "Always, IfNotPresent or Never"},
    {.name = "privileged", .help = "with all rights on the machine"},
    kOverridesOption,
    kOverrideTypeOption,
    kSaveConfigOption,
    kCreateManagerOption,
    kDryRunOption,
    kChangedOutputOption,
    kTemplateOption,
    kShowManagedFieldsOption,
};
constexpr auto kOptions = WithServerOptions(kOwnOptions);

}  // namespace

Command RunCommand() {
  return {
      .name = "run",
      .summary = "Create a pod that runs an image, on a server",
      .arguments = "NAME --image=IMAGE [-- COMMAND [ARGUMENT...]]",
      .max_arguments = 100'000,
      .details =
          "The pod is made and left alone; podium logs shows what it prints. The words behind -- "
          "are the arguments of the image's own command, or with --command a command of their own.",
      .example =
          "  podium run web --image=nginx:1 --port=80 --expose\n"
          "  podium run job --image=busybox:1 --restart=Never -- sleep 10\n"
          "  podium run web --image=nginx:1 --dry-run=client -o yaml\n",
      .options = kOptions,
      .live = RunRun,
  };
}

}  // namespace podium::cli
