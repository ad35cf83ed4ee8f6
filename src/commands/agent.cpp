// `podium agent`: the node of one machine (own_node.h) as a process.
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <iterator>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "api/release.h"
#include "base/unique_fd.h"
#include "cli/agent_client.h"
#include "cli/commands.h"
#include "commands/agent_process.h"
#include "commands/commands.h"
#include "commands/machine.h"
#include "commands/node_process.h"
#include "commands/own_node.h"
#include "commands/port_option.h"
#include "linux/open_files.h"
#include "linux/start_memory.h"

namespace podium::commands {
namespace {

using std::chrono::milliseconds;

constexpr char kKubeconfigOption[] = "kubeconfig";
constexpr char kBootstrapOption[] = "bootstrap-kubeconfig";
constexpr char kRotateOption[] = "rotate-server-certificates";
constexpr char kLocalServerOption[] = "local-server";
constexpr char kPortOption[] = "port";
constexpr char kManifestsOption[] = "pod-manifest-path";
constexpr milliseconds kTick{1000};
// So long without a pod or a connection before an agent that was started for a play goes.
constexpr int kIdleTicks = 5;
// After which a node has found its pods again, and its server.
constexpr int kStartTicks = 2;

Cluster::Server ServerOf(const cli::Invocation& invocation, const Instance& instance) {
  Cluster::Server server{
      .kubeconfig = std::string(invocation.Get(kKubeconfigOption)),
      .bootstrap_kubeconfig = std::string(invocation.Get(kBootstrapOption)),
      .rotate_server_certificates = invocation.Has(kRotateOption),
  };
  if (invocation.Has(kLocalServerOption)) {
    server.socket = instance.ServerSocket();
    server.admin_kubeconfig = instance.AdminKubeconfig();
  }
  return server;
}

Result<void> Serve(const cli::Invocation& invocation, const cli::Streams& streams) {
  if (geteuid() != 0) {
    return Error(Code::kPermissionDenied,
                 "running pods takes root: namespaces, mounts and cgroups are made");
  }
  TRY(const Instance instance, cli::ThisInstance());
  TRY_VOID(CheckInstance(instance));
  TRY_VOID(MakeInstanceFolders(instance));
  TRY(const UniqueFd lock, LockInstance(instance));
  TRY(const UniqueFd signals, StopSignals());
  // Pods' files are made with the modes they are to have.
  umask(0022);
  // A stream to a container takes four.
  kernel::RaiseOpenFiles();
  TRY(NodeOptions described, ReadNodeOptions(invocation, DescribeMachine(instance),
                                             node::ReadMachineFacts(instance.data_dir)));
  TRY(const uint16_t port, PortOf(invocation, kPortOption, node::kKubeletPort));
  described.description.settings.kubelet_port = port;
  described.description.settings.kubelet_version = api::kGitVersion;
  // Streams of WebSockets need no translation on their way (node/streams).
  described.description.settings.declared_features = {"ExtendWebSocketsToKubelet"};
  described.description.settings.runtime_version = "podium://" + std::string(cli::Version());
  const Node::Options options{.server = ServerOf(invocation, instance),
                              .manifests = std::string(invocation.Get(kManifestsOption)),
                              .node = std::move(described),
                              .port = port};
  const bool until_idle = invocation.Has(kUntilIdleOption);
  if (until_idle && options.server.given()) {
    return Error(Code::kInvalidArgument,
                 "a node of a cluster does not end when it has no pods: --until-idle does not go "
                 "together with a server");
  }
  TRY(const std::unique_ptr<Node> node, Node::Open(instance, options));
  const auto tell = [&] {
    for (const std::string& warning : node->TakeWarnings()) {
      (void)streams.Err("podium agent: " + warning + '\n');
    }
  };
  tell();
  TellReady(invocation.Get(kReadyOption));
  int idle_ticks = 0;
  for (int tick = 1;; ++tick) {
    pollfd wait{signals.get(), POLLIN, 0};
    if (poll(&wait, 1, static_cast<int>(kTick.count())) > 0) return {};
    node->Tick(tick);
    if (tick == kStartTicks) kernel::ReleaseStartMemory();
    tell();
    idle_ticks = until_idle && node->IsIdle() ? idle_ticks + 1 : 0;
    if (idle_ticks < kIdleTicks) continue;
    node->Uninstall();
    return {};
  }
}

cli::Outcome RunAgent(const cli::Invocation& invocation, const cli::Streams& streams) {
  const auto served = Serve(invocation, streams);
  return served.ok() ? cli::Outcome() : cli::Failed("agent", served.error());
}

constexpr cli::Option kOwnOptions[] = {
    {.name = kKubeconfigOption,
     .value = "FILE",
     .help = "the API server whose node this is, and who this node is there"},
    {.name = kBootstrapOption,
     .value = "FILE",
     .help = "a kubeconfig that may ask for this node's certificates"},
    {.name = kRotateOption,
     .help = "has the certificate of its port signed by the cluster, where somebody approves that; "
             "on the machine of the server it is in any case"},
    {.name = kLocalServerOption, .help = "the node of the podium server on this machine"},
    {.name = kPortOption,
     .value = "PORT",
     .help = "where the API server reaches the agent, for logs, exec and the like (10250)"},
    {.name = kManifestsOption,
     .value = "FOLDER",
     .help = "static pods: each manifest in it runs as long as it is there"},
    {.name = kUntilIdleOption, .help = "end when no pod is left and nobody asks"},
    {.name = kReadyOption,
     .value = "NUMBER",
     .help = "an open descriptor to which a byte is written when the agent serves"},
};

}  // namespace

cli::Command AgentCommand() {
  static const std::vector<cli::Option> kOptions = [] {
    std::vector<cli::Option> options(std::begin(kOwnOptions), std::end(kOwnOptions));
    std::ranges::copy(NodeOptionTable(), std::back_inserter(options));
    return options;
  }();
  return {
      .name = "agent",
      .summary = "Run this machine's node: the pods that it is given",
      .details =
          "Takes pods at its socket (for root alone, in the run folder), from a folder of "
          "manifests, "
          "and, as a node of a cluster, from its API server; runs them, and keeps them running. It "
          "may be killed and started again at any time: containers run on, and a new "
          "agent finds them. `podium play` starts one where there is none.\n"
          "Folders, bridge, cgroup and address range are those of the instance: PODIUM_INSTANCE "
          "names another one.\n"
          "Mirrors of registries, those without TLS and their certificates stand in "
          "/etc/podium/registries.json (PODIUM_CONFIG_DIR; read at the start), credentials where "
          "`docker login` puts them.",
      .example =
          "  podium agent\n"
          "  podium agent --local-server\n"
          "  podium agent --bootstrap-kubeconfig join.conf --node-labels disk=ssd\n",
      .options = kOptions,
      .live = RunAgent,
  };
}

}  // namespace podium::commands
