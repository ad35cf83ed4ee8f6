// create namespace, serviceaccount, deployment, job and cronjob (upstream's
// k8s.io/kubectl/pkg/cmd/create).
#include <limits>
#include <utility>

#include "api/types/apps_v1.h"
#include "api/types/batch_v1.h"
#include "api/types/core_v1.h"
#include "base/random_name.h"
#include "base/text.h"
#include "cli/create_kind.h"
#include "cli/option_values.h"
#include "cli/selection.h"
#include "cli/server_errors.h"

namespace podium::cli {
namespace {

namespace apps = api::apps::v1;
namespace batch = api::batch::v1;
namespace v1 = api::core::v1;

Error Usage(std::string message) { return {Code::kInvalidArgument, std::move(message)}; }

Result<v1::Namespace> NamespaceOf(const KindRequest& request) {
  if (request.name.empty()) return Usage("name must be specified");
  v1::Namespace object;
  object.metadata.name = request.name;
  return object;
}

Result<v1::ServiceAccount> ServiceAccountOf(const KindRequest& request) {
  if (request.name.empty()) return Usage("name must be specified");
  v1::ServiceAccount account;
  account.metadata = request.maker.Metadata(request.name);
  return account;
}

// "registry:5000/team/my_app:2" is "my-app" and, as another image may come to the same, five
// characters more.
std::string ContainerName(const std::string& image) {
  std::string name = image.substr(image.rfind('/') + 1);
  name = name.substr(0, name.find(':'));
  name = name.substr(0, name.find('@'));
  if (name.find_first_of("_.") == name.npos) return name;
  for (char& letter : name) {
    if (letter == '_' || letter == '.') letter = '-';
  }
  return GeneratedName(name + "-");
}

Result<int32_t> SmallNumber(const KindRequest& request, const char* option, int32_t otherwise) {
  TRY(const int64_t number, IntegerOption(request.invocation, option, otherwise));
  if (number < std::numeric_limits<int32_t>::min() ||
      number > std::numeric_limits<int32_t>::max()) {
    return Usage("invalid argument \"" + request.Text(option) + "\" for \"--" + option +
                 "\" flag: strconv.ParseInt: parsing \"" + request.Text(option) +
                 "\": value out of range");
  }
  return static_cast<int32_t>(number);
}

Result<apps::Deployment> DeploymentOf(const KindRequest& request) {
  TRY(const auto images, PartsOption(request.invocation, "image"));
  if (images.empty()) return Usage("required flag(s) \"image\" not set");
  if (images.size() > 1 && !request.words.empty()) {
    return Usage("cannot specify multiple --image options and command");
  }
  TRY(const int32_t replicas, SmallNumber(request, "replicas", 1));
  TRY(const int32_t port, SmallNumber(request, "port", -1));
  apps::Deployment deployment;
  deployment.metadata = request.maker.Metadata(request.name);
  deployment.metadata.labels["app"] = request.name;
  deployment.spec.replicas = replicas;
  deployment.spec.selector.emplace().matchLabels = deployment.metadata.labels;
  deployment.spec.template_.metadata.labels = deployment.metadata.labels;
  auto& containers = deployment.spec.template_.spec.containers;
  for (const std::string& image : images) {
    v1::Container& container = containers.emplace_back();
    container.name = ContainerName(image);
    container.image = image;
    container.command = request.words;
  }
  if (port >= 0) containers.front().ports.emplace_back().containerPort = port;
  return deployment;
}

// One container that is named like what it is of.
v1::PodSpec OneContainer(const KindRequest& request, std::string restart) {
  v1::PodSpec spec;
  spec.restartPolicy = std::move(restart);
  v1::Container& container = spec.containers.emplace_back();
  container.name = request.name;
  container.image = request.Text("image");
  container.command = request.words;
  return spec;
}

// The cron job that --from names.
Result<batch::CronJob> CronJobNamed(const KindRequest& request) {
  Server& server = request.maker.server();
  TRY(const Selection selection,
      Select(server, request.invocation, {request.Text("from")}, {.type_alone = false}));
  if (selection.items.size() != 1) return Usage("from must be an existing cronjob");
  const Selected& item = selection.items[0];
  ServerRequest get;
  TRY(get.path, item.resource->Path(item.namespace_, item.name));
  TRY(const std::string json, server.Ask(get));
  if (item.resource->kind != "CronJob" || item.resource->group != "batch") {
    return Usage("unknown object type *" + item.resource->version + "." + item.resource->kind);
  }
  return reflect::FromJson<batch::CronJob>(json, {.strict = false});
}

Result<batch::Job> JobOfCronJob(const KindRequest& request) {
  TRY(batch::CronJob cron_job, CronJobNamed(request));
  batch::Job job;
  job.metadata = request.maker.Metadata(request.name);
  job.metadata.annotations = std::move(cron_job.spec.jobTemplate.metadata.annotations);
  job.metadata.annotations.emplace("cronjob.kubernetes.io/instantiate", "manual");
  job.metadata.labels = std::move(cron_job.spec.jobTemplate.metadata.labels);
  auto& owner = job.metadata.ownerReferences.emplace_back();
  owner.apiVersion = "batch/v1";
  owner.kind = "CronJob";
  owner.name = cron_job.metadata.name;
  owner.uid = cron_job.metadata.uid;
  owner.controller = true;
  job.spec = std::move(cron_job.spec.jobTemplate.spec);
  return job;
}

Result<batch::Job> JobOf(const KindRequest& request) {
  const bool from = !request.Text("from").empty();
  if (from != request.Text("image").empty()) {
    return Usage("either --image or --from must be specified");
  }
  if (from && !request.words.empty()) return Usage("cannot specify --from and command");
  if (from) return JobOfCronJob(request);
  batch::Job job;
  job.metadata = request.maker.Metadata(request.name);
  job.spec.template_.spec = OneContainer(request, "Never");
  return job;
}

Result<batch::CronJob> CronJobOf(const KindRequest& request) {
  std::string missing;
  for (const char* option : {"image", "schedule"}) {
    if (request.invocation.Has(option)) continue;
    missing += (missing.empty() ? "\"" : ", \"") + std::string(option) + '"';
  }
  if (!missing.empty()) return Usage("required flag(s) " + missing + " not set");
  std::string restart = request.Text("restart");
  if (restart.empty()) restart = "OnFailure";
  batch::CronJob job;
  job.metadata = request.maker.Metadata(request.name);
  job.spec.schedule = request.Text("schedule");
  job.spec.jobTemplate.metadata.name = request.name;
  job.spec.jobTemplate.spec.template_.spec = OneContainer(request, std::move(restart));
  return job;
}

Outcome RunNamespace(const Invocation& invocation, const Streams& streams) {
  return CreateKind(invocation, streams, {.command = "create namespace"}, NamespaceOf);
}

Outcome RunServiceAccount(const Invocation& invocation, const Streams& streams) {
  return CreateKind(
      invocation, streams,
      {.command = "create serviceaccount", .failure = "failed to create serviceaccount: "},
      ServiceAccountOf);
}

Outcome RunDeployment(const Invocation& invocation, const Streams& streams) {
  return CreateKind(invocation, streams,
                    {.command = "create deployment", .failure = "failed to create deployment: "},
                    DeploymentOf);
}

Outcome RunJob(const Invocation& invocation, const Streams& streams) {
  return CreateKind(invocation, streams,
                    {.command = "create job", .failure = "failed to create job: "}, JobOf);
}

Outcome RunCronJob(const Invocation& invocation, const Streams& streams) {
  return CreateKind(invocation, streams,
                    {.command = "create cronjob", .failure = "failed to create cronjob: "},
                    CronJobOf);
}

constexpr auto kPlainOptions = WithKindOptions();
constexpr Option kDeploymentOwn[] = {
    {.name = "image",
     .value = "IMAGE",
     .help = "what a container runs; may be given several times",
     .repeatable = true},
    {.name = "port", .value = "PORT", .help = "that the first container listens at"},
    {.name = "replicas", .letter = 'r', .value = "COUNT", .help = "of pods; 1 if not given"}};
constexpr auto kDeploymentOptions = WithKindOptions(kDeploymentOwn);
constexpr Option kJobOwn[] = {
    {.name = "image", .value = "IMAGE", .help = "what the container runs"},
    {.name = "from", .value = "cronjob/NAME", .help = "the cron job to take the job from"}};
constexpr auto kJobOptions = WithKindOptions(kJobOwn);
constexpr Option kCronJobOwn[] = {
    {.name = "image", .value = "IMAGE", .help = "what the container runs"},
    {.name = "schedule", .value = "CRON", .help = "when: '0 3 * * *'"},
    {.name = "restart", .value = "POLICY", .help = "OnFailure or Never; OnFailure if not given"}};
constexpr auto kCronJobOptions = WithKindOptions(kCronJobOwn);

}  // namespace

Command CreateNamespaceCommand() {
  return {
      .name = "create namespace",
      .summary = "Create a namespace",
      .aliases = "ns",
      .arguments = "NAME",
      .max_arguments = 100'000,
      .example = "  podium create namespace shop\n",
      .options = kPlainOptions,
      .live = RunNamespace,
  };
}

Command CreateServiceAccountCommand() {
  return {
      .name = "create serviceaccount",
      .summary = "Create a service account",
      .aliases = "sa",
      .arguments = "NAME",
      .max_arguments = 100'000,
      .example = "  podium create serviceaccount builder\n",
      .options = kPlainOptions,
      .live = RunServiceAccount,
  };
}

Command CreateDeploymentCommand() {
  return {
      .name = "create deployment",
      .summary = "Create a deployment",
      .aliases = "deploy",
      .arguments = "NAME --image=IMAGE [-- COMMAND [ARGUMENT...]]",
      .max_arguments = 100'000,
      .example =
          "  podium create deployment web --image=nginx:1 --port=80 --replicas=3\n"
          "  podium create deployment idle --image=busybox:1 -- sleep 1d\n",
      .options = kDeploymentOptions,
      .live = RunDeployment,
  };
}

Command CreateJobCommand() {
  return {
      .name = "create job",
      .summary = "Create a job, also of a cron job's template",
      .arguments = "NAME (--image=IMAGE [-- COMMAND [ARGUMENT...]] | --from=cronjob/NAME)",
      .max_arguments = 100'000,
      .example =
          "  podium create job once --image=busybox:1 -- date\n"
          "  podium create job now --from=cronjob/nightly\n",
      .options = kJobOptions,
      .live = RunJob,
  };
}

Command CreateCronJobCommand() {
  return {
      .name = "create cronjob",
      .summary = "Create a cron job",
      .aliases = "cj",
      .arguments = "NAME --image=IMAGE --schedule=CRON [-- COMMAND [ARGUMENT...]]",
      .max_arguments = 100'000,
      .example =
          "  podium create cronjob nightly --image=busybox:1 --schedule='0 3 * * *' -- date\n",
      .options = kCronJobOptions,
      .live = RunCronJob,
  };
}

}  // namespace podium::cli
