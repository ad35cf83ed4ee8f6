// CreateContainer: everything is looked at, checked and decided here, and the root is mounted, so
// that what is wrong is said now; nothing runs before StartContainer.
#include <fcntl.h>

#include <algorithm>
#include <string_view>
#include <utility>

#include "base/trace.h"
#include "linux/path.h"
#include "reflect/json.h"
#include "runtime/embedded_runtime.h"
#include "runtime/filters.h"
#include "runtime/host_facts.h"
#include "runtime/isolators/all.h"
#include "runtime/selinux.h"

namespace podium::runtime {
namespace {

constexpr mode_t kPrivate = 0700;
constexpr mode_t kSecret = 0600;
constexpr std::string_view kCdiPrefix = "cdi.k8s.io/";

Result<void> CheckConfig(const cri::ContainerConfig& config,
                         const std::vector<MountSource>& sources) {
  if (!config.metadata) {
    return Error(Code::kInvalidArgument, "container config must include metadata");
  }
  if (!config.image || config.image->image.empty()) {
    return Error(Code::kInvalidArgument, "container config must include image");
  }
  for (const MountSource& source : sources) {
    if (source.index >= config.mounts.size() || !source.fd) {
      return Error(Code::kInvalidArgument, "a mount source belongs to no mount");
    }
  }
  // With annotations device plugins ask for the same.
  const bool annotated = std::ranges::any_of(
      config.annotations, [](const auto& entry) { return entry.first.starts_with(kCdiPrefix); });
  if (!config.CDI_devices.empty() || annotated) {
    return Error(Code::kUnsupported, "CDI devices are not supported");
  }
  return {};
}

cri::ContainerStatus NewStatus(const std::string& id, const cri::ContainerConfig& config,
                               const image::ImageInfo& image, const std::string& log_directory) {
  cri::ContainerStatus status = CreatedStatus(id, config, log_directory, Now());
  if (!config.image->user_specified_image.empty()) {
    status.image->image = config.image->user_specified_image;
  } else if (!image.names.empty()) {
    status.image->image = image.names.front();
  }
  status.image_id = image.id.String();
  status.image_ref = image.repo_digests.empty() ? status.image_id : image.repo_digests.front();
  return status;
}

// What remains of a plan when only further processes are to be made of it.
shim::Plan ProcessPart(const shim::Plan& plan) {
  shim::Plan process = plan;
  process.mounts.clear();
  process.root = -1;
  process.arguments.clear();
  constexpr uint32_t kWorld =
      shim::kPlanNewPid | shim::kPlanNewCgroup | shim::kPlanReadOnlyRoot | shim::kPlanConsole;
  process.flags &= ~kWorld;
  return process;
}

}  // namespace

Result<std::string> EmbeddedRuntime::CreateContainer(std::string_view sandbox_id,
                                                     const cri::ContainerConfig& config,
                                                     std::vector<MountSource> sources) {
  TRY(const SandboxRef sandbox, GetSandbox(sandbox_id));
  TRY_VOID(CheckConfig(config, sources));
  TRY_VOID(CheckLabels(SecurityOf(config).selinux_options.get()));
  TRY(const std::string target, TargetOf(sandbox->id, NamespacesOf(config)));
  const Starting starting(*this);
  const auto container = std::make_shared<Container>();
  container->id = NewId();
  container->sandbox = sandbox;
  container->config = config;
  if (!target.empty()) {
    container->config.linux_->security_context->namespace_options->target_id = target;
  }
  container->cgroup = sandbox->cgroup + '/' + container->id;
  const TraceSpan whole("CreateContainer");
  const std::lock_guard operation(sandbox->operation);
  {
    const std::lock_guard lock(mutex_);
    if (sandbox->state != cri::PodSandboxState::kSandboxReady) {
      return Error(Code::kUnavailable, "sandbox \"" + sandbox->id + "\" is not running");
    }
  }
  TRY_VOID(Reserve("container", ContainerName(*config.metadata, *sandbox->config.metadata),
                   container->id));
  Result<void> made = MakeContainer(container, &sources);
  if (!made.ok()) {
    const auto undone = DestroyContainer(container);
    if (!undone.ok()) Warn("undoing a failed container: " + undone.error().message());
    return std::move(made).error();
  }
  {
    const std::lock_guard lock(mutex_);
    sandbox->containers[container->id] = container;
    containers_[container->id] = container;
    Emit(cri::ContainerEventType::kContainerCreatedEvent, container->id, *sandbox);
  }
  DeliverEvents();
  return container->id;
}

Result<void> EmbeddedRuntime::CheckLabels(const cri::SELinuxOption* options) {
  TRY_VOID(CheckSelinux(options, host_.selinux, host_.selinux_contexts));
  if (options && !host_.selinux) Warn(std::string(kNoSelinux));
  return {};
}

// With upstream's messages.
Result<std::string> EmbeddedRuntime::TargetOf(const std::string& sandbox_id,
                                              const cri::NamespaceOption& namespaces) const {
  if (namespaces.pid != cri::NamespaceMode::kTarget) {
    if (namespaces.target_id.empty()) return std::string();
    return Error(Code::kInvalidArgument, "target_id without pid namespace mode TARGET");
  }
  const std::string quoted = "container \"" + namespaces.target_id + '"';
  const auto target = GetContainer(namespaces.target_id);
  if (!target.ok()) {
    return Error(target.error().code(), "invalid target container: " + quoted + " does not exist");
  }
  if ((*target)->sandbox->id != sandbox_id) {
    return Error(Code::kInvalidArgument, "invalid target container: " + quoted + " (sandbox " +
                                             (*target)->sandbox->id +
                                             ") does not belong to sandbox " + sandbox_id);
  }
  const std::lock_guard lock(mutex_);
  const cri::ContainerState state = (*target)->status.state;
  if (state == cri::ContainerState::kContainerRunning) return (*target)->id;
  return Error(Code::kInvalidArgument, "invalid target container: " + quoted +
                                           " is not running - in state " +
                                           std::string(StateName(state)));
}

Result<ContainerContext> EmbeddedRuntime::ContextOf(const Container& container,
                                                    const image::ImageInfo& image,
                                                    std::vector<MountSource>* sources) {
  return ContainerContext{.id = container.id,
                          .config = container.config,
                          .sandbox = container.sandbox->config,
                          .image = image,
                          .images = images_,
                          .host = host_,
                          .default_seccomp = default_seccomp_,
                          .default_apparmor = default_apparmor_,
                          .sources = *sources,
                          .sandbox_folder = SandboxFolder(container.sandbox->id),
                          .container_folder = LayerFolder(container.id),
                          .places = places_,
                          .seccomp_folder = options_.seccomp_folder,
                          .user_namespace = container.sandbox->user_namespace.get(),
                          .labels = LabelsOf(container)};
}

SelinuxLabels EmbeddedRuntime::LabelsOf(const Container& container) const {
  if (!host_.selinux_contexts) return {};
  const auto& security = SecurityOf(container.config);
  const cri::SELinuxOption* pod = SecurityOf(container.sandbox->config).selinux_options.get();
  if (pod == nullptr) return {};  // of a time before the policy knew containers
  const cri::SELinuxOption* own = security.selinux_options.get();
  SelinuxLabels labels = runtime::LabelsOf(*host_.selinux_contexts, *pod, own);
  // Who sees the host's processes or memory could do nothing with them, confined (as CRI-O).
  const cri::NamespaceOption& namespaces = NamespacesOf(container.sandbox->config);
  const bool of_host =
      namespaces.pid == cri::NamespaceMode::kNode || namespaces.ipc == cri::NamespaceMode::kNode;
  if (security.privileged || (of_host && own == nullptr)) labels.process.clear();
  return labels;
}

Result<void> EmbeddedRuntime::MakeContainer(const ContainerRef& container,
                                            std::vector<MountSource>* sources) {
  // The intent, before anything else of it is there.
  TRY(const std::string json, reflect::ToJson(container->config));
  TRY(const UniqueFd folder, kernel::MakeFolders(ContainerFolder(*container), kPrivate));
  TRY_VOID(kernel::ReplaceFile(folder.get(), "config.json", json, kSecret));

  TRY(const image::ImageInfo named, images_.Resolve(container->config.image->image));
  TRY(container->pin, images_.Pin(named.id));
  // Only now: a layer that was lost or damaged is in another place than before, or in one at all.
  TRY(const image::ImageInfo image, images_.Resolve(named.id.String()));
  container->status =
      NewStatus(container->id, container->config, image, container->sandbox->config.log_directory);
  TRY(ContainerContext context, ContextOf(*container, image, sources));
  // The owners of one for a pod with a user namespace would be others, and so would labels.
  kernel::Mount root;
  if (!HasUserNamespace(container->sandbox->config) && context.labels.mount.empty()) {
    root = roots_.Take(image, LayerFolder(container->id));
  }
  context.root_ahead = &root;
  container->draft = std::make_unique<Draft>();
  for (const Isolator& isolator : AllIsolators()) {
    const TraceSpan span(isolator.name);
    TRY_VOID(isolator.prepare(context, container->draft.get()));
  }
  container->volume_pins = std::move(container->draft->pins);
  container->status.user.ensure().linux_ = container->draft->user;
  container->process = std::make_shared<const shim::Plan>(ProcessPart(container->draft->plan));
  return WriteContainerState(*container);
}

Result<void> EmbeddedRuntime::WriteContainerState(const Container& container) {
  cri::ContainerStatus status;
  {
    const std::lock_guard lock(mutex_);
    status = container.status;
  }
  TRY(const std::string json, reflect::ToJson(status));
  TRY(const UniqueFd folder, kernel::OpenPath(ContainerFolder(container), O_RDONLY | O_DIRECTORY));
  return kernel::ReplaceFile(folder.get(), "state.json", json, kSecret);
}

Result<std::shared_ptr<const shim::Plan>> EmbeddedRuntime::ProcessOf(
    const ContainerRef& container) {
  {
    const std::lock_guard lock(mutex_);
    if (container->process) return container->process;
  }
  // Made by an earlier process: the same isolators over the same image give the same process. Its
  // users are looked up in the image, as they were then.
  TRY(const image::ImageInfo image, images_.Resolve(container->status.image_id));
  std::vector<MountSource> none;
  TRY(const ContainerContext context, ContextOf(*container, image, &none));
  Draft draft;
  std::vector<UniqueFd> layers;
  kernel::Overlay overlay;
  for (const std::string& path : image.layers) {
    TRY(UniqueFd layer, kernel::OpenPath(path, O_PATH | O_DIRECTORY));
    overlay.layers.push_back(layer.get());
    layers.push_back(std::move(layer));
  }
  TRY(draft.root, kernel::MountOverlay(overlay));
  TRY_VOID(PrepareUser(context, &draft));
  for (const Isolator& isolator : AllIsolators()) {
    if (isolator.is_of_process) TRY_VOID(isolator.prepare(context, &draft));
  }
  const auto process = std::make_shared<const shim::Plan>(ProcessPart(draft.plan));
  const std::lock_guard lock(mutex_);
  container->process = process;
  return process;
}

Result<void> EmbeddedRuntime::DestroyContainer(const ContainerRef& container, bool with_sandbox) {
  container->draft.reset();
  EmptyCgroup(container);
  container->pin = {};
  container->volume_pins.clear();
  // The sandbox's record goes as a whole, and tells until then which cgroups there are.
  if (!with_sandbox) TRY_VOID(kernel::RemoveTree(AT_FDCWD, ContainerFolder(*container)));
  Leave(container);
  Release("container " +
              ContainerName(*container->config.metadata, *container->sandbox->config.metadata),
          container->id);
  {
    const std::lock_guard lock(mutex_);
    container->removed = true;
    container->sandbox->containers.erase(container->id);
    if (containers_.erase(container->id) > 0) {
      Emit(cri::ContainerEventType::kContainerDeletedEvent, container->id, *container->sandbox);
    }
    changed_.notify_all();
  }
  DeliverEvents();
  return {};
}

}  // namespace podium::runtime
