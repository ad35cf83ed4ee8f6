#include "node/container_draft.h"

#include <utility>

#include "base/trace.h"
#include "node/files.h"
#include "node/service_variables.h"
#include "node/translate.h"

namespace podium::node {
namespace {

constexpr size_t kMaxHostFile = size_t{1} << 20;

Result<Environment> EnvironmentOf(PodServices& services, const DraftInput& input) {
  TRY(const auto objects, services.objects.ServicesFor(input.pod));
  return MakeEnvironment({.pod = input.pod,
                          .container = input.container,
                          .config = services.config,
                          .objects = services.objects,
                          .pod_addresses = input.addresses,
                          .services = ServiceVariables(objects),
                          .read_file = [&](std::string_view volume, std::string_view path) {
                            return services.volumes.ReadFile(input.pod, volume, path);
                          }});
}

// Empty, and whoever the container runs as may write it.
Result<std::string> MakeTerminationFile(PodServices& services, const DraftInput& input) {
  std::string path =
      TerminationFile(services.config, input.pod, input.container.name, input.restart_count);
  TRY_VOID(MakeFolders(path.substr(0, path.rfind('/')), 0750));
  TRY_VOID(WriteFile(path, "", 0666));
  return path;
}

Result<std::string> MakeHosts(PodServices& services, const DraftInput& input) {
  const auto host_file = ReadSmallFile("/etc/hosts", kMaxHostFile);
  std::string path = PodFolder(services.config, input.pod.metadata.uid) + "/etc-hosts";
  const std::string hosts =
      MakeHostsFile(input.pod, input.names, input.addresses, host_file.ok() ? *host_file : "");
  TRY_VOID(WriteInPlace(path, hosts, 0644));
  return path;
}

// The container whose processes an ephemeral one sees, or "".
Result<std::string> TargetOf(const DraftInput& input) {
  if (input.ref.kind != ContainerKind::kEphemeral) return std::string();
  const auto& name = input.pod.spec.ephemeralContainers[input.ref.index].targetContainerName;
  if (name.empty()) return std::string();
  const ObservedContainer* target = input.observed.Find(name);
  if (!target) return Error(Code::kNotFound, "unable to find target container " + name);
  return target->id;
}

}  // namespace

std::string TerminationFile(const NodeConfig& config, const v1::Pod& pod,
                            std::string_view container, int32_t restart_count) {
  return PodFolder(config, pod.metadata.uid) + "/containers/" + std::string(container) + "/" +
         std::to_string(restart_count);
}

Result<ContainerDraft> DraftContainer(PodServices& services, const DraftInput& input) {
  const TraceSpan span("configuration");
  TRY(const Environment environment, EnvironmentOf(services, input));
  TRY(auto volumes,
      services.volumes.MountsOf(input.pod, input.container, environment, input.volume_images));
  ContainerDraft draft;
  std::vector<wire::cri::Mount> mounts;
  for (ContainerMount& each : volumes) {
    if (each.source) {
      draft.mount_sources.push_back({.index = mounts.size(), .fd = std::move(each.source)});
    }
    mounts.push_back(std::move(each.mount));
  }
  TRY(const std::string termination, MakeTerminationFile(services, input));
  TRY(const std::string hosts, MakeHosts(services, input));
  TRY(std::string target, TargetOf(input));
  TRY(draft.config, TranslateContainer({.pod = input.pod,
                                        .container = input.container,
                                        .kind = input.ref.kind,
                                        .config = services.config,
                                        .restart_count = input.restart_count,
                                        .image = input.image.id,
                                        .image_user = ImageUser::Parse(input.image.user),
                                        .environment = environment,
                                        .mounts = std::move(mounts),
                                        .hosts_file = hosts,
                                        .termination_file = termination,
                                        .target_id = std::move(target),
                                        .user_namespace = input.users}));
  return draft;
}

}  // namespace podium::node
