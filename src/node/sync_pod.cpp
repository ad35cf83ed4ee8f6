#include "node/sync_pod.h"

#include <algorithm>

#include "base/trace.h"
#include "node/container_draft.h"
#include "node/container_status.h"
#include "node/dns.h"
#include "node/files.h"
#include "node/hooks.h"
#include "node/host_names.h"
#include "node/resize_pod.h"
#include "node/stats/metrics_text.h"
#include "node/translate.h"

namespace podium::node {
namespace {

constexpr int64_t kRetryDelay = 10 * kNanosPerSecond;
constexpr int64_t kShowFailure = 2 * kNanosPerSecond;
constexpr size_t kMaxHostFile = size_t{1} << 20;
constexpr std::string_view kSetupKey = "setup";

// On the CPUs that are the container's.
Result<std::string> CreatePinned(const PodServices& services, const std::string& uid,
                                 const std::string& name, const std::string& sandbox_id,
                                 wire::cri::ContainerConfig* config,
                                 std::vector<runtime::MountSource> sources) {
  auto& resources = *config->linux_->resources;
  PinContainer(services.cpus, uid, name, &resources);
  const std::string pinned = resources.cpuset_cpus;
  TRY(const std::string id,
      services.runtime.CreateContainer(sandbox_id, *config, std::move(sources)));
  // Whoever moved the others meanwhile may not have seen this one.
  PinContainer(services.cpus, uid, name, &resources);
  if (resources.cpuset_cpus != pinned) {
    (void)services.runtime.UpdateContainerResources(id, resources);
  }
  return id;
}

// Upstream's words for kinds.
std::string KindLabel(ContainerRef ref) {
  return MetricsText::LabelsText(
      {{"container_type", ref.kind == ContainerKind::kInit        ? "init_container"
                          : ref.kind == ContainerKind::kEphemeral ? "ephemeral_container"
                                                                  : "container"}});
}

}  // namespace

struct PodSync::Round {
  explicit Round(const SyncInput& input)
      : in(input), pod(*input.pod), sandbox_id(input.actions.sandbox_id) {}

  const SyncInput& in;
  const v1::Pod& pod;
  SyncOutcome out;
  std::string sandbox_id;
  std::optional<wire::cri::UserNamespace> users;
  std::vector<std::string> addresses;
  HostNames names;
  // As it was before the container at hand was tried.
  BackOff back_off;
  PullSecrets secrets;
  VolumeImages volume_images;
  std::map<std::string, WaitingReason, std::less<>> volume_problems;
};

void PodSync::Retry(Round& round, int64_t at) {
  round.out.retry_at = std::min(round.out.retry_at.value_or(at), at);
}

// Volumes and sandboxes: one second, then doubling as upstream's volume manager, to ten.
void PodSync::RetrySetup(Round& round) {
  const int64_t now = services_.clock.Now();
  memory_.setup.Next(kSetupKey, now, now);
  Retry(round, now + std::min(memory_.setup.Delay(kSetupKey) / 10, kRetryDelay));
}

void PodSync::Hold(Round& round, const std::string& name, int64_t until) {
  memory_.hold[name] = until;
  Retry(round, until);
}

bool PodSync::Fail(Round& round, ContainerRef ref, std::string reason, const std::string& message) {
  std::string labels = MetricsText::LabelsText({{"code", reason}});
  labels.append(",").append(KindLabel(ref));
  services_.metrics.started_containers_errors.At(labels).Add();
  memory_.waiting[ContainerNameAt(round.pod, ref)] = {.reason = std::move(reason),
                                                      .message = message};
  return false;
}

SyncOutcome PodSync::Run(const SyncInput& input) {
  Round round(input);
  NoteBackOff(round);
  if (!ResetContainers(round) || !KillPod(round)) return round.out;
  KillContainers(round);
  const PodActions& actions = input.actions;
  const bool starts = actions.create_sandbox || !actions.ephemeral_containers_to_start.empty() ||
                      !actions.init_containers_to_start.empty() ||
                      !actions.containers_to_start.empty();
  // Before containers start anew with more than the pod had.
  if (actions.resize) {
    const auto again = ResizePod(services_, memory_.resize, round.pod, input.observed);
    if (again) Retry(round, *again);
  }
  if (!starts || !MakeSandbox(round) || !PullVolumeImages(round)) return round.out;
  for (size_t i : actions.ephemeral_containers_to_start) {
    StartContainer(round, {ContainerKind::kEphemeral, i});
  }
  for (size_t i : actions.init_containers_to_start) {
    const bool started = StartContainer(round, {ContainerKind::kInit, i});
    if (!started && !IsSidecar(round.pod.spec.initContainers[i])) return round.out;
  }
  for (size_t i : actions.containers_to_start) {
    StartContainer(round, {ContainerKind::kRegular, i});
  }
  return round.out;
}

void PodSync::NoteBackOff(Round& round) {
  for (const ContainerInBackOff& waiting : round.in.actions.in_back_off) {
    const std::string name = ContainerNameAt(round.pod, waiting.container);
    memory_.waiting[name] = {.reason = "CrashLoopBackOff",
                             .message = "back-off " + DurationText(waiting.delay) +
                                        " restarting failed container=" + name +
                                        " pod=" + FormatPod(round.pod)};
    if (std::exchange(memory_.told_back_off[name], waiting.until) == waiting.until) continue;
    services_.events.Record(
        round.pod, waiting.container, EventType::kWarning, "BackOff",
        "Back-off restarting failed container " + name + " in pod " + FormatPod(round.pod));
  }
}

bool PodSync::ResetContainers(Round& round) {
  const auto& resets = round.in.actions.containers_to_reset;
  if (resets.empty()) return true;
  bool running = false;
  for (const ContainerToReset& reset : resets) {
    const ObservedContainer* container = round.in.observed.FindById(reset.id);
    if (!reset.kill || !container) continue;
    running = true;
    for (ContainerKind kind : {ContainerKind::kInit, ContainerKind::kRegular}) {
      const size_t count = kind == ContainerKind::kInit ? round.pod.spec.initContainers.size()
                                                        : round.pod.spec.containers.size();
      for (size_t i = 0; i < count; ++i) {
        if (ContainerNameAt(round.pod, {kind, i}) != container->name) continue;
        // Without preStop hooks, as upstream.
        killer_.Kill(round.in.pod,
                     {.id = reset.id,
                      .container = {kind, i},
                      .message = {},
                      .grace = round.pod.spec.terminationGracePeriodSeconds.value_or(30),
                      .pre_stop = false,
                      .rank = 0,
                      .address = {}});
      }
    }
  }
  if (running) return false;
  for (const ContainerToReset& reset : resets) {
    if (!services_.runtime.RemoveContainer(reset.id).ok()) break;
  }
  Retry(round, services_.clock.Now());
  return false;
}

bool PodSync::KillPod(Round& round) {
  const PodActions& actions = round.in.actions;
  if (!actions.kill_pod) return true;
  if (actions.create_sandbox && !actions.sandbox_id.empty()) {
    const std::string key = "SandboxChanged " + actions.sandbox_id;
    if (memory_.told_setup.insert(key).second) {
      services_.events.Record(round.pod, std::nullopt, EventType::kNormal, "SandboxChanged",
                              "Pod sandbox changed, it will be killed and re-created.");
    }
  }
  const auto addresses = round.in.observed.Addresses();
  bool running = false;
  const auto kill = [&](ContainerRef ref) {
    const std::string& name = ContainerNameAt(round.pod, ref);
    for (const ObservedContainer& container : round.in.observed.containers) {
      if (container.name != name || !container.running()) continue;
      running = true;
      killer_.Kill(round.in.pod,
                   {.id = container.id,
                    .container = ref,
                    .message = {},
                    .grace = round.pod.spec.terminationGracePeriodSeconds.value_or(30),
                    .pre_stop = true,
                    .rank = KillRank(round.pod.spec, ref),
                    .address = addresses.empty() ? std::string() : addresses.front()});
    }
  };
  for (size_t i = 0; i < round.pod.spec.initContainers.size(); ++i) kill({ContainerKind::kInit, i});
  for (size_t i = 0; i < round.pod.spec.containers.size(); ++i) kill({ContainerKind::kRegular, i});
  for (size_t i = 0; i < round.pod.spec.ephemeralContainers.size(); ++i) {
    kill({ContainerKind::kEphemeral, i});
  }
  if (running) return false;
  for (const auto& sandbox : round.in.observed.sandboxes) {
    if (!services_.runtime.StopPodSandbox(sandbox.id).ok()) {
      RetrySetup(round);
      return false;
    }
  }
  if (!actions.create_sandbox) return false;
  // A new sandbox is initialized anew.
  for (const ObservedContainer& container : round.in.observed.containers) {
    const bool init =
        std::ranges::any_of(round.pod.spec.initContainers,
                            [&](const v1::Container& each) { return each.name == container.name; });
    if (init) (void)services_.runtime.RemoveContainer(container.id);
  }
  return true;
}

void PodSync::KillContainers(Round& round) {
  const auto addresses = round.in.observed.Addresses();
  for (const ContainerToKill& kill : round.in.actions.containers_to_kill) {
    const v1::Container container = ContainerAt(round.pod, kill.container);
    int64_t grace = round.pod.spec.terminationGracePeriodSeconds.value_or(30);
    const auto own = [&](const reflect::Box<v1::Probe>& probe) {
      if (probe && probe->terminationGracePeriodSeconds) {
        grace = *probe->terminationGracePeriodSeconds;
      }
    };
    if (kill.reason == KillReason::kLivenessProbe) own(container.livenessProbe);
    if (kill.reason == KillReason::kStartupProbe) own(container.startupProbe);
    const auto& starts = kill.container.kind == ContainerKind::kInit
                             ? round.in.actions.init_containers_to_start
                             : round.in.actions.containers_to_start;
    if (std::ranges::find(starts, kill.container.index) != starts.end()) {
      const ObservedContainer* before = round.in.observed.FindExited(container.name);
      memory_.due.try_emplace(container.name,
                              before ? std::optional(before->finished_at) : std::nullopt);
    }
    killer_.Kill(round.in.pod, {.id = kill.id,
                                .container = kill.container,
                                .message = kill.message,
                                .grace = grace,
                                .pre_stop = true,
                                .rank = 0,
                                .address = addresses.empty() ? std::string() : addresses.front()});
  }
}

Result<void> PodSync::PrepareFolders(Round& round) {
  const NodeConfig& config = services_.config;
  TRY_VOID(MakeFolders(PodFolder(config, round.pod.metadata.uid), 0750));
  return MakeFolders(PodLogFolder(config, round.pod.metadata.namespace_, round.pod.metadata.name,
                                  round.pod.metadata.uid),
                     0755);
}

bool PodSync::MakeSandbox(Round& round) {
  const auto failed = [&](const char* reason, const std::string& message) {
    services_.events.Record(round.pod, std::nullopt, EventType::kWarning, reason, message);
    RetrySetup(round);
    return false;
  };
  if (auto folders = PrepareFolders(round); !folders.ok()) {
    return failed("FailedToMakePodDataDirectories",
                  "error making pod data directories: " + folders.error().message());
  }
  const auto mounted = [&] {
    const TraceSpan span("volumes");
    return services_.volumes.SetUp(round.pod);
  }();
  for (const Error& error : mounted) {
    services_.events.Record(round.pod, std::nullopt, EventType::kWarning, "FailedMount",
                            error.message());
  }
  if (!mounted.empty()) {
    RetrySetup(round);
    return false;
  }
  if (round.in.actions.create_sandbox) {
    services_.metrics.started_pods.Add();
    if (auto ran = RunSandbox(round); !ran.ok()) {
      services_.metrics.started_pods_errors.Add();
      return failed("FailedCreatePodSandBox",
                    "Failed to create pod sandbox: " + ran.error().message());
    }
  }
  memory_.setup.Forget(kSetupKey);
  auto status = services_.runtime.PodSandboxStatus(round.sandbox_id, false);
  if (!status.ok()) {
    return failed("FailedStatusPodSandBox",
                  "Unable to get pod sandbox status: " + status.error().message());
  }
  if (round.pod.spec.hostNetwork) {
    round.addresses = services_.config.addresses;
  } else if (status->status) {
    ObservedPod now;
    now.sandboxes.push_back(*status->status);
    round.addresses = now.Addresses();
  }
  auto names = MakeHostNames(round.pod, services_.config);
  if (!names.ok()) return failed("FailedCreatePodSandBox", names.error().message());
  round.names = *std::move(names);
  if (!round.pod.spec.hostUsers.value_or(true)) {
    auto users = services_.users.Take(round.pod.metadata.uid);
    if (!users.ok()) return failed("FailedCreatePodSandBox", users.error().message());
    round.users = *std::move(users);
  }
  return true;
}

Result<void> PodSync::RunSandbox(Round& round) {
  if (!round.pod.spec.hostUsers.value_or(true)) {
    TRY(round.users, services_.users.Take(round.pod.metadata.uid));
  }
  const auto resolv_conf = ReadSmallFile("/etc/resolv.conf", kMaxHostFile);
  const PodDns dns = MakePodDns(round.pod, services_.config,
                                ParseResolvConf(resolv_conf.ok() ? *resolv_conf : ""));
  for (const SetupEvent& event : dns.events) {
    if (!memory_.told_setup.insert(event.reason + event.message).second) continue;
    if (event.of_node) {
      services_.events.RecordNode(EventType::kWarning, event.reason, event.message);
    } else {
      services_.events.Record(round.pod, std::nullopt, EventType::kWarning, event.reason,
                              event.message);
    }
  }
  TRY(auto config, TranslateSandbox({.pod = round.pod,
                                     .config = services_.config,
                                     .attempt = round.in.actions.attempt,
                                     .dns = dns.config,
                                     .user_namespace = round.users}));
  PinPod(services_.cpus, round.pod.metadata.uid, &*config.linux_->resources);
  TRY(round.sandbox_id, services_.runtime.RunPodSandbox(config, ""));
  return {};
}

bool PodSync::PullVolumeImages(Round& round) {
  round.secrets = PullSecretsOf(round.pod, services_.objects, services_.events);
  for (const v1::Volume& volume : round.pod.spec.volumes) {
    if (!volume.image) continue;
    ImageOutcome outcome = services_.images.Ensure({.pod = round.pod,
                                                    .container = std::nullopt,
                                                    .image = volume.image->reference,
                                                    .policy = volume.image->pullPolicy,
                                                    .secrets = round.secrets,
                                                    .cancellation = round.in.cancellation});
    if (outcome.image) {
      wire::cri::ImageSpec& image = round.volume_images[volume.name];
      image.image = outcome.image->id;
      image.user_specified_image = volume.image->reference;
    } else {
      round.volume_problems[volume.name] = outcome.problem;
      if (outcome.retry_at) Retry(round, *outcome.retry_at);
    }
  }
  return !round.in.cancellation || !round.in.cancellation->cancelled();
}

bool PodSync::StartContainer(Round& round, ContainerRef ref) {
  const v1::Container container = ContainerAt(round.pod, ref);
  const ObservedContainer* before = round.in.observed.Find(container.name);
  // What is being killed comes back in the round after its end.
  if (before && killer_.Killing(before->id)) return false;
  if (round.in.cancellation && round.in.cancellation->cancelled()) return false;
  const TraceSpan span("container", container.name);
  if (const auto held = memory_.hold.find(container.name); held != memory_.hold.end()) {
    if (services_.clock.Now() < held->second) {
      Retry(round, held->second);
      return false;
    }
    memory_.hold.erase(held);
  }
  const auto record = [&](EventType type, std::string_view reason, std::string_view message) {
    services_.events.Record(round.pod, ref, type, reason, message);
  };
  const ObservedContainer* exited = round.in.observed.FindExited(container.name);
  std::optional<int64_t> end = exited ? std::optional(exited->finished_at) : std::nullopt;
  if (const auto due = memory_.due.find(container.name); due != memory_.due.end()) {
    end = due->second;
    memory_.due.erase(due);
  }
  round.back_off = memory_.back_off;
  if (end) memory_.back_off.Next(BackOffKey(round.pod, container), *end, services_.clock.Now());
  services_.metrics.started_containers.At(KindLabel(ref)).Add();
  for (const v1::VolumeMount& mount : container.volumeMounts) {
    auto problem = round.volume_problems.find(mount.name);
    if (problem == round.volume_problems.end()) continue;
    record(EventType::kWarning, "Failed", "Error: " + problem->second.reason);
    return Fail(round, ref, problem->second.reason, problem->second.message);
  }
  ImageOutcome image = services_.images.Ensure({.pod = round.pod,
                                                .container = ref,
                                                .image = container.image,
                                                .policy = container.imagePullPolicy,
                                                .secrets = round.secrets,
                                                .cancellation = round.in.cancellation});
  if (!image.image) {
    record(EventType::kWarning, "Failed", "Error: " + image.problem.reason);
    if (image.retry_at) {
      // A failure is shown as such for a moment, then as a back-off.
      const int64_t soon = services_.clock.Now() + kShowFailure;
      const bool failed = image.problem.reason == "ErrImagePull";
      Hold(round, container.name, failed ? std::min(soon, *image.retry_at) : *image.retry_at);
    }
    return Fail(round, ref, image.problem.reason, image.problem.message);
  }
  return CreateAndStart(round, ref, container, *image.image);
}

bool PodSync::CreateAndStart(Round& round, ContainerRef ref, const v1::Container& container,
                             const NodeImage& image) {
  const auto record = [&](EventType type, std::string_view reason, std::string_view message) {
    services_.events.Record(round.pod, ref, type, reason, message);
  };
  auto created = CreateContainer(round, ref, container, image);
  if (!created.ok()) return false;
  record(EventType::kNormal, "Created", "Container created");
  if (auto started = services_.runtime.StartContainer(*created); !started.ok()) {
    if (SandboxEnded(round)) {
      (void)services_.runtime.RemoveContainer(*created);
      return false;
    }
    record(EventType::kWarning, "Failed", "Error: " + started.error().message());
    Retry(round, services_.clock.Now());
    return Fail(round, ref, "RunContainerError", started.error().message());
  }
  record(EventType::kNormal, "Started", "Container started");
  memory_.waiting.erase(container.name);
  return RunPostStart(round, ref, container, *created);
}

Result<std::string> PodSync::CreateContainer(Round& round, ContainerRef ref,
                                             const v1::Container& container,
                                             const NodeImage& image) {
  const auto failed = [&](const char* reason, Error error) -> Error {
    services_.events.Record(round.pod, ref, EventType::kWarning, "Failed",
                            "Error: " + error.message());
    Fail(round, ref, reason, error.message());
    Hold(round, container.name, services_.clock.Now() + kRetryDelay);
    return error;
  };
  auto draft = DraftContainer(services_, {.pod = round.pod,
                                          .container = container,
                                          .ref = ref,
                                          .observed = round.in.observed,
                                          .restart_count = NextRestartCount(
                                              round.in.observed, round.pod.status, container.name),
                                          .image = image,
                                          .addresses = round.addresses,
                                          .names = round.names,
                                          .volume_images = round.volume_images,
                                          .users = round.users});
  if (!draft.ok()) return failed("CreateContainerConfigError", std::move(draft).error());
  auto created = CreatePinned(services_, round.pod.metadata.uid, container.name, round.sandbox_id,
                              &draft->config, std::move(draft->mount_sources));
  if (created.ok() || SandboxEnded(round)) return created;
  return failed("CreateContainerError", std::move(created).error());
}

bool PodSync::SandboxEnded(Round& round) {
  const auto status = services_.runtime.PodSandboxStatus(round.sandbox_id, false);
  if (!status.ok() || !status->status) return false;
  if (status->status->state == cri::PodSandboxState::kSandboxReady) return false;
  memory_.back_off = round.back_off;
  Retry(round, services_.clock.Now());
  return true;
}

bool PodSync::RunPostStart(Round& round, ContainerRef ref, const v1::Container& container,
                           const std::string& id) {
  const v1::LifecycleHandler* hook =
      container.lifecycle ? container.lifecycle->postStart.get() : nullptr;
  if (!hook) return true;
  const TraceSpan span("postStart hook");
  const auto sleep = SleepOf(*hook);
  if (sleep.count() > 0) {
    // Upstream holds up the containers behind it for as long.
    services_.clock.Sleep(sleep, round.in.cancellation ? round.in.cancellation->fd() : -1);
    return true;
  }
  const std::string address = round.addresses.empty() ? std::string() : round.addresses.front();
  auto ran = RunHook(*hook,
                     {.pod = round.pod,
                      .container = container,
                      .container_id = id,
                      .address = address,
                      .timeout = std::chrono::seconds(0)},
                     {services_.runtime, services_.network, services_.events});
  if (ran.ok()) return true;
  services_.events.Record(round.pod, ref, EventType::kWarning, "FailedPostStartHook",
                          "PostStartHook failed");
  killer_.Kill(round.in.pod, {.id = id,
                              .container = ref,
                              .message = "FailedPostStartHook",
                              .grace = round.pod.spec.terminationGracePeriodSeconds.value_or(30),
                              .pre_stop = true,
                              .rank = 0,
                              .address = address});
  return Fail(round, ref, std::string(kPostStartHookError), ran.error().message());
}

}  // namespace podium::node
