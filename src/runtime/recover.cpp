// What a new process does with what the old one left: it reads the records, asks the shims, and
// makes the two agree.
#include <fcntl.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstring>

#include "linux/namespaces.h"
#include "linux/packet_socket.h"
#include "linux/path.h"
#include "runtime/embedded_runtime.h"
#include "runtime/filters.h"
#include "runtime/host_facts.h"
#include "runtime/records.h"
#include "runtime/sandbox_files.h"

namespace podium::runtime {
namespace {

using std::chrono::milliseconds;

// From the loss of a process's namespaces until others are told of its end, at most, also on a busy
// machine.
constexpr milliseconds kExitTakes{5000};

bool IsId(const std::string& name) {
  return name.size() == 64 && name.find_first_not_of("0123456789abcdef") == std::string::npos;
}

std::string TextOf(const char* field, size_t size) { return {field, strnlen(field, size)}; }

std::optional<network::PodNetwork> RecordedNetwork(int folder) {
  const auto text = kernel::ReadFile(folder, "network.json", kMaxRecord);
  if (!text.ok()) return std::nullopt;
  auto network = network::DecodePodNetwork(*text);
  if (!network.ok()) return std::nullopt;
  return *std::move(network);
}

}  // namespace

// By the shim, in the container's folder.
std::optional<shim::ProcessState> EmbeddedRuntime::ExitRecordOf(const Container& container) const {
  const std::string folder = ContainerFolder(container);
  const auto bytes = kernel::ReadFile(AT_FDCWD, folder + "/exit", sizeof(shim::ExitRecord) * 2);
  if (!bytes.ok()) return {};
  shim::ExitRecord record{};
  std::memcpy(&record, bytes->data(), std::min(bytes->size(), sizeof record));
  if (record.magic != shim::kExitMagic) return {};
  return record.state;
}

Result<Recovery> EmbeddedRuntime::Recover() {
  Recovery recovery;
  TRY(const UniqueFd folder, kernel::OpenPath(run_folder_, O_RDONLY | O_DIRECTORY));
  TRY(const std::vector<std::string> ids, kernel::ListFolder(folder.get()));
  std::vector<network::LiveSandbox> live;
  for (const std::string& id : ids) {
    if (!IsId(id)) continue;
    auto recovered = RecoverSandbox(id, &recovery);
    if (!recovered.ok()) {
      recovery.problems.push_back("sandbox " + id + ": " + recovered.error().message());
      continue;
    }
    const SandboxRef& sandbox = *recovered;
    if (!sandbox) continue;
    const std::lock_guard lock(mutex_);
    const bool ready = sandbox->state == cri::PodSandboxState::kSandboxReady;
    (ready ? recovery.ready : recovery.not_ready).push_back(id);
    if (sandbox->network) {
      live.push_back(
          {NetworkRequestOf(sandbox->config, id, sandbox->shim.net.get()), *sandbox->network});
    }
  }
  TRY_VOID(network_.Recover(live));
  RecoverRemains(ids);
  // Layers without a container: of a time before the machine's last start, when RUN went, or such
  // as an earlier process did not get to.
  TRY(const UniqueFd data, kernel::OpenPath(data_folder_, O_RDONLY | O_DIRECTORY));
  TRY(const std::vector<std::string> layers, kernel::ListFolder(data.get()));
  for (const std::string& name : layers) {
    {
      const std::lock_guard lock(mutex_);
      if (containers_.contains(name)) continue;
    }
    layers_.Add(LayerFolder(name));
  }
  TRY_VOID(roots_.Open());
  recovered_ = true;
  {
    // Of what was undone.
    const std::lock_guard lock(mutex_);
    early_.clear();
  }
  const Starting first_refill(*this);
  return recovery;
}

void EmbeddedRuntime::Greet(const Sandbox& sandbox) const {
  // Version 1 knows no log_bound and takes none: its containers are never held back.
  if (log_bound_ == 0 || sandbox.shim.version < 2) return;
  const shim::Hello hello{
      .header = {}, .version = shim::kMessageVersion, .pid = 0, .log_bound = log_bound_};
  // If it has ended meanwhile, that is told by its connection's end.
  (void)sandbox.shim.client->Call(shim::MessageType::kHello, hello);
}

// Opens the namespaces of the sandbox's infra process.
Result<void> EmbeddedRuntime::JoinInfra(Sandbox* sandbox) {
  TRY(sandbox->shim.net, kernel::OpenNamespace(sandbox->shim.infra_pid, "net"));
  if (HasUserNamespace(sandbox->config)) {
    TRY(sandbox->user_namespace, kernel::OpenNamespace(sandbox->shim.infra_pid, "user"));
  }
  return {};
}

Result<EmbeddedRuntime::SandboxRef> EmbeddedRuntime::RecoverSandbox(const std::string& id,
                                                                    Recovery* recovery) {
  const std::string path = SandboxFolder(id);
  TRY(const UniqueFd folder, kernel::OpenPath(path, O_RDONLY | O_DIRECTORY));
  const auto sandbox = std::make_shared<Sandbox>();
  sandbox->id = id;
  auto config = ReadRecord<cri::PodSandboxConfig>(folder.get(), "config.json");
  if (!config.ok() || !config->metadata) {
    // Not even the intent was written: nothing else was made.
    TRY_VOID(kernel::RemoveTree(AT_FDCWD, path));
    recovery->undone.push_back(id);
    return SandboxRef();
  }
  sandbox->config = *std::move(config);
  sandbox->cgroup = SandboxCgroup(sandbox->config, id);
  KeepSelinux(sandbox->config);
  const auto status = ReadRecord<cri::PodSandboxStatus>(folder.get(), "state.json");
  sandbox->network = RecordedNetwork(folder.get());

  std::vector<ShimReply> states;
  auto socket = kernel::ConnectPackets(folder.get(), "shim.sock");
  if (socket.ok()) {
    sandbox->shim.key = next_key_++;
    TRY(sandbox->shim.client, loop_->Attach(*std::move(socket), sandbox->shim.key));
    auto asked = sandbox->shim.client->State();
    if (asked.ok()) states = *std::move(asked);
    if (!states.empty()) {
      sandbox->shim.version = states.front().As<shim::Plain>().header.version;
      Greet(*sandbox);
    }
  }
  if (!status.ok()) {
    RecoverContainers(sandbox, states, recovery);
    TRY_VOID(DestroySandbox(sandbox));
    recovery->undone.push_back(id);
    return SandboxRef();
  }
  sandbox->created_at = status->created_at;
  sandbox->handler = status->runtime_handler;
  TRY_VOID(Reserve("sandbox", SandboxName(*sandbox->config.metadata), id));
  bool infra_runs = false;
  for (ShimReply& reply : states) {
    const shim::ProcessState state = reply.As<shim::ProcessInfo>().state;
    if (reply.As<shim::Plain>().header.type != shim::MessageType::kProcessState ||
        state.kind != shim::ProcessKind::kInfra || state.phase != shim::ProcessPhase::kRunning ||
        reply.descriptors.empty()) {
      continue;
    }
    infra_runs = true;
    sandbox->shim.infra_pid = state.pid;
    sandbox->shim.infra = kernel::PidFd(std::move(reply.descriptors[0]));
    const Result<void> joined = JoinInfra(sandbox.get());
    // A process that ends loses its namespaces a little before it is known to have ended; and of
    // one that had ended, the number may mean another process.
    infra_runs = !sandbox->shim.infra.WaitForEnd(joined.ok() ? milliseconds(0) : kExitTakes);
    if (infra_runs) {
      TRY_VOID(joined);
    } else {
      sandbox->shim.net.reset();
      sandbox->user_namespace.reset();
    }
  }
  {
    const std::lock_guard lock(mutex_);
    if (infra_runs) sandbox->state = cri::PodSandboxState::kSandboxReady;
    sandboxes_[id] = sandbox;
    by_key_[sandbox->shim.key] = sandbox;
  }
  RecoverContainers(sandbox, states, recovery);
  CatchUp(sandbox->shim.key);
  const bool was_stopping = status->state != cri::PodSandboxState::kSandboxReady;
  if (was_stopping || !infra_runs) {
    // Its address is free again, and nothing of it runs.
    const std::lock_guard operation(sandbox->operation);
    TRY_VOID(StopSandboxLocked(sandbox));
    TRY_VOID(WriteSandboxState(*sandbox));
  }
  return sandbox;
}

// What the shim has told since it was asked, before it was known whom that is about.
void EmbeddedRuntime::CatchUp(uint64_t key) {
  Early early;
  {
    const std::lock_guard lock(mutex_);
    const auto found = early_.find(key);
    if (found == early_.end()) return;
    early = std::move(found->second);
    early_.erase(found);
  }
  for (const shim::ProcessState& state : early.exited) OnExited(key, state);
  if (early.gone) OnGone(key);
}

void EmbeddedRuntime::RecoverContainers(const SandboxRef& sandbox,
                                        const std::vector<ShimReply>& states, Recovery* recovery) {
  const auto folder =
      kernel::OpenPath(SandboxFolder(sandbox->id) + "/containers", O_RDONLY | O_DIRECTORY);
  if (!folder.ok()) return;
  const auto ids = kernel::ListFolder(folder->get());
  if (!ids.ok()) return;
  for (const std::string& id : *ids) {
    if (!IsId(id)) continue;
    const auto container = std::make_shared<Container>();
    container->id = id;
    container->sandbox = sandbox;
    container->cgroup = sandbox->cgroup + '/' + id;
    container->cgroup_gone = false;
    const shim::ProcessState* found = nullptr;
    shim::ProcessState state{};
    for (const ShimReply& reply : states) {
      if (reply.As<shim::Plain>().header.type != shim::MessageType::kProcessState) continue;
      state = reply.As<shim::ProcessInfo>().state;
      if (state.kind == shim::ProcessKind::kContainer && TextOf(state.id, sizeof state.id) == id) {
        found = &state;
        break;
      }
    }
    RecoverContainer(container, found, !states.empty(), recovery);
  }
}

void EmbeddedRuntime::RecoverContainer(const ContainerRef& container,
                                       const shim::ProcessState* state, bool shim_answered,
                                       Recovery* recovery) {
  const auto undo = [&] {
    if (!container->config.metadata) container->config.metadata.emplace();
    if (state && container->sandbox->shim.client) {
      (void)SignalContainer(container, SIGKILL);
      shim::Target target{};
      std::memcpy(target.id, container->id.data(), container->id.size());
      (void)container->sandbox->shim.client->Call(shim::MessageType::kRemoveContainer, target);
    }
    const auto undone = DestroyContainer(container);
    if (!undone.ok()) recovery->problems.push_back(undone.error().message());
    recovery->undone.push_back(container->id);
  };
  const auto folder = kernel::OpenPath(ContainerFolder(*container), O_RDONLY | O_DIRECTORY);
  if (!folder.ok()) return;
  auto config = ReadRecord<cri::ContainerConfig>(folder->get(), "config.json");
  auto status = ReadRecord<cri::ContainerStatus>(folder->get(), "state.json");
  if (config.ok() && config->metadata) container->config = *std::move(config);
  if (!status.ok() || !container->config.metadata) return undo();
  container->status = *std::move(status);
  std::optional<shim::ProcessState> ended = ExitRecordOf(*container);
  const bool runs = state && state->phase == shim::ProcessPhase::kRunning;
  if (state && state->phase == shim::ProcessPhase::kExited) ended = *state;
  const cri::ContainerState recorded = container->status.state;
  // Created and not started: its mounts went with who made them. Or half started.
  const bool was_started = runs || (ended && ended->started_ns != 0);
  if (recorded == cri::ContainerState::kContainerCreated && !was_started) {
    // It has a cgroup once its start is asked for. Nobody is left who knows whether it began, so it
    // may have: it counts as a run.
    const bool may_have_run = !shim_answered && cgroups_.Populated(container->cgroup).ok();
    if (!may_have_run) return undo();
    container->status.started_at = container->status.created_at;
  }
  auto pin = images_.Resolve(container->status.image_id);
  if (pin.ok()) {
    auto pinned = images_.Pin(pin->id);
    if (pinned.ok()) container->pin = *std::move(pinned);
  }
  (void)Reserve("container",
                ContainerName(*container->config.metadata, *container->sandbox->config.metadata),
                container->id);
  {
    const std::lock_guard lock(mutex_);
    container->started_event = true;
    container->sandbox->containers[container->id] = container;
    containers_[container->id] = container;
    if (runs) {
      container->status.state = cri::ContainerState::kContainerRunning;
      container->status.started_at = static_cast<int64_t>(state->started_ns);
      container->pid = state->pid;
    }
  }
  if (runs) return;
  if (recorded == cri::ContainerState::kContainerExited) {
    Later([this, container] { EmptyCgroup(container); });
    InTime([this, container] { RemoveCgroup(container); });
    return;
  }
  {
    const std::lock_guard lock(mutex_);
    container->status.state = cri::ContainerState::kContainerRunning;  // as far as anybody knew
  }
  if (!ended) {
    // Nobody saw it: the shim was killed too.
    EmptyCgroup(container);
    return EndContainer(container, kUnknownCode, std::string(kReasonUnknown), "", Now());
  }
  OnContainerExited(container, *ended);
}

}  // namespace podium::runtime
