// kubectl run (upstream's k8s.io/kubectl/pkg/cmd/run, release 1.32). What is attached to is in
// run_attached.h.
#include <chrono>
#include <utility>
#include <vector>

#include "api/names.h"
#include "api/types/core_v1.h"
#include "base/image_reference.h"
#include "base/text.h"
#include "cli/commands.h"
#include "cli/deletion_options.h"
#include "cli/json_members.h"
#include "cli/object_maker.h"
#include "cli/option_values.h"
#include "cli/patched.h"
#include "cli/pod_streams.h"
#include "cli/run_attached.h"
#include "cli/selection.h"
#include "cli/server_errors.h"
#include "cli/waiter.h"
#include "reflect/go_text.h"

namespace podium::cli {
namespace {

namespace v1 = api::core::v1;
using reflect::JsonValue;

Error Usage(std::string message) { return {Code::kInvalidArgument, std::move(message)}; }

// How --rm deletes.
struct Removal {
  Deletion deletion;
  bool wait = false;
  std::chrono::nanoseconds timeout{};
};

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
  bool attach = false;
  bool remove = false;  // once it is over
  RunAttachment attachment;
  Removal removal;
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

Result<Removal> RemovalOf(const Invocation& invocation, const Streams& streams) {
  Removal removal{.deletion = {}, .wait = invocation.Get("wait") == "true"};
  TRY(removal.deletion.propagation, PropagationOf(invocation, streams));
  TRY(removal.deletion.grace, DeletionGraceOf(invocation));
  TRY(removal.timeout, DeletionTimeoutOf(invocation));
  if (invocation.Has("force") && *removal.deletion.grace > 0) {
    return Usage("--force and --grace-period greater than 0 cannot be specified together");
  }
  return removal;
}

Result<void> CheckAttachment(const Invocation& invocation, const Plan& plan) {
  if (plan.remove && !plan.attach) {
    return ArgumentsError("run", "--rm should only be used for attached containers");
  }
  TRY(const DryRun dry_run, DryRunOf(invocation));
  if (plan.attach && dry_run != DryRun::kNone) {
    return ArgumentsError("run",
                          "--dry-run=[server|client] can't be used with attached containers "
                          "options (--attach, --stdin, or --tty)");
  }
  // kubectl takes them and does nothing of it.
  for (const char* option : {"cascade", "grace-period", "force", "wait", "timeout"}) {
    if (plan.remove || !invocation.Has(option)) continue;
    return ArgumentsError("run", "--" + std::string(option) + " says how --rm deletes the pod");
  }
  return {};
}

Result<void> Check(const Invocation& invocation, Plan* plan) {
  const auto& arguments = invocation.arguments();
  if (arguments.empty() || invocation.arguments_before_dashes() == 0) {
    return ArgumentsError("run", "NAME is required for run");
  }
  if (plan->attachment.timeout.count() <= 0) {
    return ArgumentsError("run", "--pod-running-timeout must be higher than zero");
  }
  if (plan->image.empty()) return Usage("--image is required");
  if (!ImageReference::Parse(plan->image).ok()) {
    return Usage("Invalid image name " + reflect::GoQuoted(plan->image) +
                 ": invalid reference format");
  }
  if (invocation.Has("tty") && !invocation.Has("stdin")) {
    return ArgumentsError("run", "-i/--stdin is required for containers with -t/--tty=true");
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
  return CheckAttachment(invocation, *plan);
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
  plan.attach = invocation.Get("attach", invocation.Has("stdin") ? "true" : "false") == "true";
  plan.remove = invocation.Has("rm");
  plan.attachment = {.with_stdin = invocation.Has("stdin"),
                     .tty = invocation.Has("tty"),
                     .quiet = invocation.Has("quiet"),
                     .leave_stdin_open = invocation.Has("leave-stdin-open")};
  if (invocation.Has("pod-running-timeout")) {
    TRY(plan.attachment.timeout, TimeOption(invocation, "pod-running-timeout"));
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
  container.stdin_ = plan.attachment.with_stdin;
  container.stdinOnce = container.stdin_ && !plan.attachment.leave_stdin_open;
  container.tty = plan.attachment.tty;
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

// One run, from the pod on.
class Attached {
 public:
  Attached(const Plan& plan, ObjectMaker& maker) : plan_(plan), maker_(maker) {}

  // Follows the pod, and with --rm deletes all that was made. `errors` are told at the end.
  Result<Outcome> Follow(const std::vector<JsonValue>& made, std::vector<Error> errors) {
    std::vector<Selected> items;
    items.reserve(made.size());
    for (const JsonValue& object : made) items.push_back(ItemOf(object));
    auto outcome = FollowRun(maker_.server(), plan_.attachment, items.front());
    if (!outcome.ok()) errors.push_back(outcome.error());
    if (plan_.remove) Remove(&items, &errors);
    if (errors.empty()) return *std::move(outcome);
    Outcome failure = ServerFailure(errors);
    if (outcome.ok() && outcome->status != kOk) {
      failure.status = outcome->status;
      failure.err.insert(0, outcome->err);
    }
    return failure;
  }

 private:
  Selected ItemOf(const JsonValue& object) const {
    const bool is_pod = TextOf(object, "kind") == "Pod";
    return {.resource = is_pod ? &pods_ : &services_,
            .namespace_ = maker_.server().namespace_(),
            .name = std::string(TextAt(object, {"metadata", "name"}))};
  }

  void Remove(std::vector<Selected>* items, std::vector<Error>* errors) {
    const Removal& rules = plan_.removal;
    const Streams& streams = maker_.server().streams();
    Writer writer(maker_.server(), DryRun::kNone, "", "");
    for (Selected& item : *items) {
      const auto deleted = DeleteNoted(writer, rules.deletion, &item);
      if (deleted.ok()) {
        if (!plan_.attachment.quiet) {
          (void)streams.Out(DeletionLine(item, rules.deletion, DryRun::kNone));
        }
      } else if (!IsNotFound(deleted.error())) {
        errors->push_back(deleted.error());
      }
    }
    if (!rules.wait) return;
    static const WaitGoal kGone{.kind = WaitGoal::Kind::kDelete};
    Waiter waiter(maker_.server(), kGone, rules.timeout);
    for (const Selected& item : *items) {
      if (const auto gone = waiter.WaitFor(item); !gone.ok()) errors->push_back(gone.error());
    }
  }

  const Plan& plan_;
  ObjectMaker& maker_;
  const ServerResource pods_ = ResourceOf(reflect::TypeOf<v1::Pod>());
  const ServerResource services_ = ResourceOf(reflect::TypeOf<v1::Service>());
};

Result<Outcome> Run(const Invocation& invocation, const Streams& streams) {
  TRY(Plan plan, PlanOf(invocation));
  TRY(plan.removal, RemovalOf(invocation, streams));
  TRY(ObjectMaker maker,
      ObjectMaker::Of(invocation, streams, {.done = "created", .manager = "kubectl-run"}));
  std::string out;
  std::vector<Error> errors;
  TRY(const JsonValue pod,
      maker.MakeOverridden(invocation, PodOf(invocation, plan, maker.Metadata(plan.name))));
  std::vector<JsonValue> made = {pod};
  if (invocation.Has("expose")) {
    auto service = maker.Make(ServiceOf(plan, maker.Metadata(plan.name)));
    if (service.ok()) {
      made.push_back(*service);
      TRY_VOID(maker.Print(*service, &out));
      // kubectl's printer writes one of its own, too.
      if (invocation.Get("output") == "yaml") out += "---\n";
    } else {
      errors.push_back(std::move(service).error());
    }
  }
  if (plan.attach) {
    if (!streams.Out(out)) return Outcome{kFailed, {}, {}};
    if (TextOf(pod, "kind") != "Pod" || TextOf(pod, "apiVersion") != "v1") {
      return Usage("what --overrides made of it is no pod, and is not attached to");
    }
    return Attached(plan, maker).Follow(made, std::move(errors));
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
    {.name = "stdin",
     .letter = 'i',
     .help = "the container reads an input, and this program's goes there"},
    {.name = "tty", .letter = 't', .help = "the container has a terminal; with -i"},
    {.name = "attach",
     .value = "BOOL",
     .help = "wait until the pod runs and join its streams; so it is with -i if not given",
     .values = Values::kWords,
     .words = "true false",
     .implied = "true"},
    {.name = "rm", .help = "delete the pod when it is over; of one that is attached to"},
    {.name = "leave-stdin-open", .help = "the input stays open when this session ends"},
    kQuietOption,
    {.name = "pod-running-timeout",
     .value = "TIME",
     .help = "how long the pod may take until it runs; 1m if not given"},
    kCascadeOption,
    kGracePeriodOption,
    kForceOption,
    {.name = "wait",
     .value = "BOOL",
     .help = "with --rm, until the pod is gone; false if not given",
     .values = Values::kWords,
     .words = "true false",
     .implied = "true"},
    {.name = "timeout", .value = "TIME", .help = "of --wait; 0 for ever"},
    kOverridesOption,
    kOverrideTypeOption,
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

Command RunCommand() {
  return {
      .name = "run",
      .summary = "Create a pod that runs an image, on a server",
      .arguments = "NAME --image=IMAGE [-- COMMAND [ARGUMENT...]]",
      .max_arguments = 100'000,
      .details =
          "The pod is made and left alone, or with -i or --attach followed until it ends: the exit "
          "status is then its container's, where --restart is Never or OnFailure. The words behind "
          "-- are the arguments of the image's own command, or with --command a command of their "
          "own.",
      .example =
          "  podium run web --image=nginx:1 --port=80 --expose\n"
          "  podium run job --image=busybox:1 --restart=Never -- sleep 10\n"
          "  podium run shell -it --rm --restart=Never --image=busybox:1 -- sh\n"
          "  podium run web --image=nginx:1 --dry-run=client -o yaml\n",
      .options = kOptions,
      .live = RunRun,
  };
}

}  // namespace podium::cli
