// `podium cri`: the runtime and the images of this machine for a kubelet or crictl.
#include <fcntl.h>
#include <poll.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/executor.h"
#include "cli/agent_client.h"
#include "cli/commands.h"
#include "commands/agent_process.h"
#include "commands/commands.h"
#include "commands/node_process.h"
#include "commands/registries.h"
#include "cri/cri_server.h"
#include "http/listener.h"
#include "image/image_store.h"
#include "image/puller.h"
#include "linux/cgroup.h"
#include "linux/open_files.h"
#include "linux/path.h"
#include "linux/start_memory.h"
#include "network/cni_config.h"
#include "network/open_network.h"
#include "reflect/json.h"
#include "runtime/embedded_runtime.h"

namespace podium::commands {
namespace {

using std::chrono::milliseconds;

constexpr char kSocketOption[] = "socket";
constexpr char kStreamingOption[] = "streaming-address";
constexpr char kPluginsOption[] = "cni";
constexpr char kDefaultStreaming[] = "127.0.0.1";
// Others of the socket's group may ask, as with containerd's.
constexpr mode_t kSocketMode = 0660;
constexpr milliseconds kTick{1000};
constexpr int kStartTicks = 2;
constexpr milliseconds kStopGrace{2000};
constexpr milliseconds kRemoveTimeout{2000};
constexpr uint32_t kSpareNamespaces = 4;

// An instance of its own unless one is named: an agent would take pods that it does not know for
// leftovers, and end them.
constexpr char kInstanceVariable[] = "PODIUM_INSTANCE";
constexpr char kDefaultInstance[] = "cri";

Result<Instance> CriInstance() {
  return InstanceFromEnvironment([](const char* variable) -> const char* {
    const char* value = Environment(variable);
    const bool unset = value == nullptr || *value == '\0';
    return unset && std::strcmp(variable, kInstanceVariable) == 0 ? kDefaultInstance : value;
  });
}

struct StreamingPlace {
  std::string host{};
  uint16_t port = 0;  // 0: a free one
};

// "127.0.0.1", "10.0.0.1:10010", "[::1]:10010".
Result<StreamingPlace> StreamingOf(std::string_view text) {
  const Error bad(Code::kInvalidArgument, "--" + std::string(kStreamingOption) + ": \"" +
                                              std::string(text) + "\" is no address with a port");
  StreamingPlace place{.host = std::string(text)};
  if (text.empty()) return StreamingPlace{.host = kDefaultStreaming};
  size_t colon = text.rfind(':');
  if (text.starts_with('[')) {
    const size_t close = text.find(']');
    if (close == std::string_view::npos) return bad;
    place.host = text.substr(1, close - 1);
    if (close + 1 == text.size()) return place;
    if (text[close + 1] != ':') return bad;
    colon = close + 1;
  } else if (colon == std::string_view::npos || text.find(':') != colon) {
    return place;
  } else {
    place.host = text.substr(0, colon);
  }
  const std::string_view port = text.substr(colon + 1);
  const auto read = std::from_chars(port.data(), port.data() + port.size(), place.port);
  if (read.ec != std::errc() || read.ptr != port.data() + port.size()) return bad;
  return place;
}

// What `crictl info` shows beside the conditions.
std::string InfoOf(const Instance& instance, const std::string& socket) {
  std::string json;
  const auto add = [&](const char* key, const std::string& value) {
    json += json.empty() ? "{" : ",";
    json += std::string("\"") + key + "\":";
    reflect::AppendJsonString(value, &json);
  };
  add("socket", socket);
  add("instance", instance.name);
  add("dataDir", instance.data_dir);
  add("runDir", instance.run_dir);
  add("cniDir", instance.cni_dir);
  add("cgroupRoot", instance.cgroup_root);
  add("cgroupDriver", "cgroupfs");
  return json + "}";
}

// All parts, in the order in which they need each other; they go in the reverse one.
class CriNode {
 public:
  static Result<std::unique_ptr<CriNode>> Open(const Instance& instance, const std::string& socket,
                                               const StreamingPlace& streaming, bool plugins_only) {
    std::unique_ptr<CriNode> node(new CriNode);
    TRY_VOID(node->OpenParts(instance, socket, plugins_only));
    TRY(auto listener, http::Listener::Unix(socket, kSocketMode));
    TRY(auto streams, http::Listener::Tcp(streaming.host, streaming.port));
    TRY_VOID(node->server_->Serve(std::move(listener), std::move(streams), streaming.host));
    return node;
  }
  ~CriNode() {
    // A container may have an hour to stop; nobody waits for that, and the next process goes on.
    if (server_ && !server_->Stop(kStopGrace)) _exit(0);
  }

  // Ends serving. Without a sandbox takes away, too, what is left on the machine when no pod is:
  // bridge, rules, cgroups. What cannot be removed stays for the next process.
  void End() {
    if (!server_->Stop(kStopGrace)) _exit(0);
    server_.reset();
    executor_.reset();
    const auto pods = runtime_->ListPodSandbox({});
    const bool used = !pods.ok() || !pods->empty();
    runtime_.reset();
    if (used) return;
    (void)network_->Uninstall().ok();
    (void)cgroups_->Remove(cgroup_root_, kRemoveTimeout).ok();
  }

  CriNode(const CriNode&) = delete;
  CriNode& operator=(const CriNode&) = delete;

  std::vector<std::string> TakeWarnings() {
    std::vector<std::string> warnings = runtime_->TakeWarnings();
    warnings.insert(warnings.end(), problems_.begin(), problems_.end());
    problems_.clear();
    return warnings;
  }

 private:
  CriNode() = default;

  Result<void> OpenParts(const Instance& instance, const std::string& socket, bool plugins_only) {
    cgroup_root_ = instance.cgroup_root;
    const std::string images = instance.data_dir + "/images";
    TRY(images_, OpenImages(images));
    TRY(auto registries, ReadRegistries(instance, Environment));
    puller_ = std::make_unique<image::Puller>(*images_, std::move(registries), nullptr);
    // The pods' cgroups are the kubelet's, from the root of the hierarchy on.
    TRY(cgroups_, kernel::CgroupDriver::Detect({.whole = true}));
    network::NetworkSettings settings;
    settings.spare_namespaces = kSpareNamespaces;
    settings.plugins_only = plugins_only;
    TRY(network_, network::OpenNetwork(instance, settings));
    TRY(runtime_,
        runtime::EmbeddedRuntime::Open({.instance = instance, .pod_cgroups_are_callers = true},
                                       *images_, *network_, *cgroups_));
    const auto plugins = network::LoadCniConfig(instance.cni_dir);
    const bool built_in = !plugins_only && plugins.ok() && !plugins->has_value();
    TRY(server_, cri::CriServer::Create({.runtime = *runtime_,
                                         .usage = *runtime_,
                                         .images = *images_,
                                         .puller = *puller_,
                                         .executor = *executor_,
                                         .credentials = [] { return ReadCredentials(Environment); },
                                         .images_folder = images,
                                         .version = std::string(cli::Version()),
                                         .pod_range = built_in ? instance.pod_range : "",
                                         .info = InfoOf(instance, socket)}));
    TRY(const runtime::Recovery recovery, runtime_->Recover());
    problems_ = recovery.problems;
    return {};
  }

  std::string cgroup_root_;
  std::unique_ptr<image::ImageStore> images_;
  std::unique_ptr<image::Puller> puller_;
  std::unique_ptr<network::Network> network_;
  std::unique_ptr<kernel::CgroupDriver> cgroups_;
  std::unique_ptr<runtime::EmbeddedRuntime> runtime_;
  std::vector<std::string> problems_;
  std::unique_ptr<ThreadExecutor> executor_ = std::make_unique<ThreadExecutor>();
  std::unique_ptr<cri::CriServer> server_;
};

Result<void> Serve(const cli::Invocation& invocation, const cli::Streams& streams) {
  if (geteuid() != 0) {
    return Error(Code::kPermissionDenied,
                 "running pods takes root: namespaces, mounts and cgroups are made");
  }
  TRY(const Instance instance, CriInstance());
  TRY_VOID(CheckInstance(instance));
  TRY(const StreamingPlace streaming, StreamingOf(invocation.Get(kStreamingOption)));
  TRY_VOID(MakeInstanceFolders(instance));
  TRY(const UniqueFd lock, LockInstance(instance));
  TRY(const UniqueFd signals, StopSignals());
  // Pods' files are made with the modes they are to have.
  umask(0022);
  // A stream to a container takes four.
  kernel::RaiseOpenFiles();
  std::string socket(invocation.Get(kSocketOption));
  if (socket.empty()) socket = instance.run_dir + "/cri.sock";
  TRY(const std::unique_ptr<CriNode> node,
      CriNode::Open(instance, socket, streaming, invocation.Has(kPluginsOption)));
  TellReady(invocation.Get(kReadyOption));
  for (int tick = 1;; ++tick) {
    for (const std::string& warning : node->TakeWarnings()) {
      (void)streams.Err("podium cri: " + warning + '\n');
    }
    pollfd wait{signals.get(), POLLIN, 0};
    if (poll(&wait, 1, static_cast<int>(kTick.count())) > 0) break;
    if (tick == kStartTicks) kernel::ReleaseStartMemory();
  }
  node->End();
  return {};
}

cli::Outcome RunCri(const cli::Invocation& invocation, const cli::Streams& streams) {
  const auto served = Serve(invocation, streams);
  return served.ok() ? cli::Outcome() : cli::Failed("cri", served.error());
}

constexpr cli::Option kOptions[] = {
    {.name = kSocketOption,
     .value = "PATH",
     .help = "the unix socket to serve at (cri.sock in the run folder)"},
    {.name = kStreamingOption,
     .value = "ADDRESS[:PORT]",
     .help = "where streams of exec, attach and port-forward are fetched (127.0.0.1, a free port)"},
    {.name = kPluginsOption,
     .help = "addresses come from CNI plugins alone: until there is a configuration, also one that "
             "comes later, the network is not ready"},
    {.name = kReadyOption,
     .value = "NUMBER",
     .help = "an open descriptor to which a byte is written when it serves"},
};

}  // namespace

cli::Command CriCommand() {
  return {
      .name = "cri",
      .summary = "Serve this machine's runtime and images by the CRI, for a kubelet or crictl",
      .details =
          "Serves the runtime and image services of the Container Runtime Interface (runtime.v1) "
          "by gRPC over a unix socket. Pods live on when it ends, and are found again by the next "
          "one. cgroup_parent is a path from the root of the cgroup hierarchy, which belongs to "
          "who gives it.\n"
          "Its instance is \"cri\" (/run/podium-cri, /var/lib/podium-cri) unless PODIUM_INSTANCE "
          "names another one, so that an agent can run beside it.\n"
          "Addresses come from the first network configuration in the CNI folder "
          "(PODIUM_CNI_DIR) that is there at the start, or else from the instance's own bridge; "
          "with "
          "--cni never from the bridge.",
      .example =
          "  podium cri --socket /run/podium-cri/cri.sock\n"
          "  crictl --runtime-endpoint unix:///run/podium-cri/cri.sock pods\n"
          "  kubelet --container-runtime-endpoint=unix:///run/podium-cri/cri.sock ...\n",
      .options = kOptions,
      .live = RunCri,
  };
}

}  // namespace podium::commands
