#include "network/cni_network.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "network/network_world.h"
#include "network/open_network.h"
#include "network/pods.h"
#include "reflect/json_value.h"

namespace podium::network {
namespace {

using namespace podium::testing;  // NOLINT: the world that the tests play in
namespace fs = std::filesystem;
using reflect::JsonValue;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;
using ::testing::StartsWith;

// Plugins of three lines: each writes down what it was given, and does what a file of its name
// says.
class Plugins {
 public:
  Plugins() : root_(fs::temp_directory_path() / fmt::format("podium_cni_test_{}", getpid())) {
    fs::create_directories(root_ / "bin");
    fs::create_directories(root_ / "net.d");
  }
  ~Plugins() { fs::remove_all(root_); }
  Plugins(const Plugins&) = delete;
  Plugins& operator=(const Plugins&) = delete;

  const fs::path& root() const { return root_; }

  // `does` is shell, run after the call is written down; for ADD it should print a result.
  void Make(const std::string& name, const std::string& does) const {
    const fs::path path = root_ / "bin" / name;
    std::ofstream(path) << "#!/bin/sh\nL=" << (root_ / "calls").string()
                        << "\ninput=$(cat)\nprintf '%s|%s|%s|%s|%s|%s|%s\\n' \"$CNI_COMMAND\" "
                        << name
                        << " \"$CNI_CONTAINERID\" \"$CNI_NETNS\" \"$CNI_IFNAME\" \"$CNI_ARGS\" "
                           "\"$input\" >> $L\n"
                        << does << "\n";
    fs::permissions(path, fs::perms::owner_all);
  }
  void MakeGood(const std::string& name, const std::string& address = "10.1.2.3/24") const {
    Make(name, fmt::format(
                   R"([ $CNI_COMMAND = ADD ] && echo '{{"cniVersion":"1.0.0","interfaces":[)"
                   R"({{"name":"eth0","mac":"0a:0b:0c:0d:0e:0f","sandbox":"x"}}],"ips":[)"
                   R"({{"interface":0,"address":"{}","gateway":"10.1.2.1"}}],"by":"{}"}}'; exit 0)",
                   address, name));
  }
  void Configure(const std::string& plugins, const std::string& version = "1.0.0",
                 const std::string& file = "10-net.conflist") const {
    std::ofstream(root_ / "net.d" / file)
        << fmt::format(R"({{"cniVersion":"{}","name":"net","plugins":[{}]}})", version, plugins);
  }

  struct Call {
    std::string verb, plugin, id, netns, interface, arguments;
    JsonValue input;
  };
  std::vector<Call> Calls() const {
    std::vector<Call> calls;
    std::ifstream file(root_ / "calls");
    std::string line;
    while (std::getline(file, line)) {
      std::stringstream parts(line);
      Call call;
      for (std::string* part :
           {&call.verb, &call.plugin, &call.id, &call.netns, &call.interface, &call.arguments}) {
        std::getline(parts, *part, '|');
      }
      std::string input;
      std::getline(parts, input);
      auto parsed = reflect::ParseJson(input);
      EXPECT_TRUE(parsed.ok()) << input;
      if (parsed.ok()) call.input = *std::move(parsed);
      calls.push_back(std::move(call));
    }
    return calls;
  }
  std::vector<std::string> Verbs() const {
    std::vector<std::string> verbs;
    for (const Call& call : Calls()) verbs.push_back(call.verb + " " + call.plugin);
    return verbs;
  }
  void ForgetCalls() const { fs::remove(root_ / "calls"); }

  CniOptions Options() const {
    return {.config_dir = root_ / "net.d",
            .plugin_dirs = {"/nowhere", root_ / "bin"},
            .cache_dir = root_ / "results",
            .netns_dir = root_ / "netns",
            .plugin_timeout = std::chrono::seconds(20)};
  }
  std::unique_ptr<CniNetwork> Open() const {
    auto network = CniNetwork::Open(Options());
    EXPECT_TRUE(network.ok()) << network.error().message();
    return *std::move(network);
  }
  std::vector<std::string> Files(const char* folder) const {
    std::vector<std::string> names;
    for (const auto& entry : fs::directory_iterator(root_ / folder)) {
      names.push_back(entry.path().filename());
    }
    return names;
  }

 private:
  const fs::path root_;
};

std::string TextAt(const JsonValue& value, std::initializer_list<const char*> path) {
  const JsonValue* at = &value;
  for (const char* key : path) {
    at = at->Find(key);
    if (at == nullptr) return "(none)";
  }
  return at->is_string() ? at->string() : ToText(*at);
}

TEST(CniNetworkTest, ChainsAndWhatPluginsAreGiven) {
  PODIUM_NEEDS_ROOT();
  InOwnNamespaces([] {
    const Plugins plugins;
    plugins.MakeGood("first", "10.1.2.3/24");
    plugins.MakeGood("second", "10.1.2.4/24");
    plugins.Configure(
        R"({"type":"first","deep":{"kept":[1,2.50]}},)"
        R"({"type":"second","capabilities":{"portMappings":true,"dns":true,"bandwidth":false}})");
    const auto network = plugins.Open();
    const UniqueFd netns = NewNetns();
    PodNetworkRequest request = RequestFor("box", netns.get());
    request.ports = {TcpPort(8080, 80)};
    request.dns.servers = {"10.0.0.10"};
    const auto made = network->Setup(request);
    ASSERT_TRUE(made.ok()) << made.error().message();
    // The last plugin's word counts.
    EXPECT_THAT(made->addresses, ElementsAre("10.1.2.4"));
    EXPECT_THAT(made->gateways, ElementsAre("10.1.2.1"));
    EXPECT_EQ(made->mac, "0a:0b:0c:0d:0e:0f");
    const auto calls = plugins.Calls();
    ASSERT_THAT(plugins.Verbs(), ElementsAre("ADD first", "ADD second"));
    EXPECT_EQ(calls[0].id, "box");
    EXPECT_EQ(calls[0].interface, "eth0");
    EXPECT_EQ(calls[0].arguments,
              "IgnoreUnknown=1;K8S_POD_NAMESPACE=default;K8S_POD_NAME=box;"
              "K8S_POD_INFRA_CONTAINER_ID=box;K8S_POD_UID=uid-box");
    EXPECT_EQ(TextAt(calls[0].input, {"name"}), "net");
    EXPECT_EQ(TextAt(calls[0].input, {"cniVersion"}), "1.0.0");
    EXPECT_EQ(TextAt(calls[0].input, {"deep", "kept"}), "[1,2.50]");
    EXPECT_EQ(TextAt(calls[0].input, {"prevResult"}), "(none)");
    EXPECT_EQ(TextAt(calls[0].input, {"runtimeConfig"}), "(none)");
    EXPECT_EQ(TextAt(calls[1].input, {"prevResult", "by"}), "first");
    EXPECT_EQ(TextAt(calls[1].input, {"runtimeConfig", "portMappings"}),
              R"([{"hostPort":8080,"containerPort":80,"protocol":"tcp","hostIP":""}])");
    EXPECT_EQ(TextAt(calls[1].input, {"runtimeConfig", "dns", "servers"}), R"(["10.0.0.10"])");
    EXPECT_EQ(TextAt(calls[1].input, {"runtimeConfig", "bandwidth"}), "(none)");
    // The path is the namespace.
    struct stat there{};
    struct stat ours{};
    ASSERT_EQ(stat(calls[0].netns.c_str(), &there), 0);
    ASSERT_EQ(fstat(netns.get(), &ours), 0);
    EXPECT_EQ(there.st_ino, ours.st_ino);

    plugins.ForgetCalls();
    EXPECT_TRUE(network->Check("box").ok());
    EXPECT_TRUE(network->Teardown("box").ok());
    EXPECT_THAT(plugins.Verbs(),
                ElementsAre("CHECK first", "CHECK second", "DEL second", "DEL first"));
    for (const auto& call : plugins.Calls()) {
      EXPECT_EQ(TextAt(call.input, {"prevResult", "by"}), "second") << call.verb << call.plugin;
    }
    EXPECT_THAT(plugins.Files("netns"), IsEmpty());
    EXPECT_THAT(plugins.Files("results"), IsEmpty());
    EXPECT_TRUE(network->Uninstall().ok());
  });
}

TEST(CniNetworkTest, APluginThatFails) {
  PODIUM_NEEDS_ROOT();
  InOwnNamespaces([] {
    const Plugins plugins;
    plugins.MakeGood("first");
    const auto network = plugins.Open();
    const UniqueFd netns = NewNetns();
    const auto error = [&](const std::string& does) {
      plugins.Make("second", does);
      plugins.ForgetCalls();
      const auto made = network->Setup(RequestFor("box", netns.get()));
      EXPECT_FALSE(made.ok());
      // What was done is undone, and nothing is left.
      EXPECT_THAT(plugins.Verbs(),
                  ElementsAre("ADD first", "ADD second", "DEL second", "DEL first"));
      EXPECT_THAT(plugins.Files("netns"), IsEmpty());
      return made.ok() ? "" : made.error().message();
    };
    plugins.Configure(R"({"type":"first"},{"type":"second"})");
    EXPECT_EQ(error(R"([ $CNI_COMMAND = ADD ] || exit 0
                       echo '{"cniVersion":"1.0.0","code":7,"msg":"no room","details":"at all"}'; exit 1)"),
              R"(plugin type="second" failed (add): no room; at all)");
    EXPECT_EQ(error("[ $CNI_COMMAND = ADD ] || exit 0; echo broken pipes >&2; exit 3"),
              R"(plugin type="second" failed (add): netplugin failed: "broken pipes")");
    EXPECT_EQ(error("[ $CNI_COMMAND = ADD ] || exit 0; exit 3"),
              R"(plugin type="second" failed (add): netplugin failed with no error message: exit )"
              "status 3");
    EXPECT_THAT(error("[ $CNI_COMMAND = ADD ] || exit 0; kill -9 $$"), HasSubstr("status 137"));
    EXPECT_THAT(error("[ $CNI_COMMAND = ADD ] || exit 0; echo '{'"), HasSubstr("offset"));
    EXPECT_THAT(error("[ $CNI_COMMAND = ADD ] || exit 0; echo '{}'"),
                HasSubstr("no address of eth0"));
    EXPECT_THAT(plugins.Files("results"), IsEmpty());
    // What prints without end is ended.
    EXPECT_THAT(error("[ $CNI_COMMAND = ADD ] || exit 0; exec yes"), HasSubstr("more than 1 MiB"));
  });
}

TEST(CniNetworkTest, APluginThatHangs) {
  PODIUM_NEEDS_ROOT();
  InOwnNamespaces([] {
    const Plugins plugins;
    plugins.Make("slow", "[ $CNI_COMMAND = ADD ] || exit 0; sleep 300 & echo $! > " +
                             (plugins.root() / "child").string() + "; wait");
    plugins.Configure(R"({"type":"slow"})");
    CniOptions options = plugins.Options();
    options.plugin_timeout = std::chrono::milliseconds(1500);
    const auto network = CniNetwork::Open(options);
    ASSERT_TRUE(network.ok());
    const UniqueFd netns = NewNetns();
    const auto made = (*network)->Setup(RequestFor("box", netns.get()));
    ASSERT_FALSE(made.ok());
    EXPECT_EQ(made.error().code(), Code::kDeadlineExceeded);
    // Its child is gone too.
    pid_t child = 0;
    std::ifstream(plugins.root() / "child") >> child;
    ASSERT_GT(child, 0);
    bool gone = false;
    for (int i = 0; i < 100 && !gone; ++i) {
      std::ifstream stat(fmt::format("/proc/{}/stat", child));
      std::string text;
      gone = !std::getline(stat, text) || text.find(") Z ") != std::string::npos;
      if (!gone) usleep(20'000);
    }
    EXPECT_TRUE(gone);
  });
}

TEST(CniNetworkTest, DelWithTheConfigurationOfAdd) {
  PODIUM_NEEDS_ROOT();
  InOwnNamespaces([] {
    const Plugins plugins;
    plugins.MakeGood("old");
    plugins.MakeGood("new", "10.5.5.5/24");
    plugins.Configure(R"({"type":"old"})");
    auto network = plugins.Open();
    const TestPod a = MakePod(network.get(), "a");
    // The next pod is on the new network at once; the old pod leaves by the old one.
    plugins.Configure(R"({"type":"new"})", "1.0.0", "05-first.conflist");
    const TestPod b = MakePod(network.get(), "b");
    EXPECT_EQ(b.address(), "10.5.5.5");
    plugins.ForgetCalls();
    network = plugins.Open();
    const std::vector<LiveSandbox> live = {a.live(), b.live()};
    EXPECT_TRUE(network->Recover(live).ok());
    EXPECT_THAT(plugins.Verbs(), IsEmpty());
    EXPECT_TRUE(network->Teardown("a").ok());
    EXPECT_TRUE(network->Teardown("b").ok());
    EXPECT_THAT(plugins.Verbs(), ElementsAre("DEL old", "DEL new"));
    EXPECT_TRUE(network->Uninstall().ok());
  });
}

TEST(CniNetworkTest, RecoverDeletesWhatIsGone) {
  PODIUM_NEEDS_ROOT();
  InOwnNamespaces([] {
    const Plugins plugins;
    plugins.MakeGood("one");
    plugins.Configure(R"({"type":"one"})", "1.1.0");
    auto network = plugins.Open();
    const TestPod kept = MakePod(network.get(), "kept");
    const TestPod lost = MakePod(network.get(), "lost");
    // As after a boot: the namespace of this one is no more.
    const TestPod rebooted = MakePod(network.get(), "rebooted");
    umount2((plugins.root() / "netns/rebooted").c_str(), MNT_DETACH);
    fs::remove(plugins.root() / "netns/rebooted");
    // As when the agent died between the intent and the first plugin.
    std::ofstream(plugins.root() / "netns/stray") << "";
    std::ofstream(plugins.root() / "results/half.new") << "{";
    plugins.ForgetCalls();
    network = plugins.Open();
    const std::vector<LiveSandbox> live = {kept.live()};
    const auto recovered = network->Recover(live);
    ASSERT_TRUE(recovered.ok()) << recovered.error().message();
    EXPECT_THAT(plugins.Files("netns"), ElementsAre("kept"));
    EXPECT_THAT(plugins.Files("results"), ElementsAre("net-kept-eth0"));
    const auto calls = plugins.Calls();
    ASSERT_THAT(calls, SizeIs(3));
    for (const auto& call : calls) {
      if (call.id == "lost") EXPECT_THAT(call.netns, HasSubstr("netns/lost"));
      if (call.id == "rebooted") EXPECT_EQ(call.netns, "");
    }
    EXPECT_EQ(calls[2].verb, "GC");
    EXPECT_EQ(TextAt(calls[2].input, {"cni.dev/valid-attachments"}),
              R"([{"containerID":"kept","ifname":"eth0"}])");
    // A plugin that cannot delete now is asked again; what it needs stays.
    plugins.Make("one", "exit 1");
    EXPECT_FALSE(network->Teardown("kept").ok());
    EXPECT_THAT(plugins.Files("netns"), ElementsAre("kept"));
    plugins.MakeGood("one");
    EXPECT_TRUE(network->Teardown("kept").ok());
    EXPECT_TRUE(network->Uninstall().ok());
  });
}

TEST(CniNetworkTest, Status) {
  PODIUM_NEEDS_ROOT();
  InOwnNamespaces([] {
    const Plugins plugins;
    const auto network = plugins.Open();
    const auto problem = [&] {
      const NetworkStatus status = network->Status();
      EXPECT_EQ(status.reason, status.ready ? "" : "NetworkPluginNotReady");
      return status.message;
    };
    EXPECT_EQ(problem(), "Network plugin returns error: cni plugin not initialized");
    const UniqueFd netns = NewNetns();
    EXPECT_THAT(network->Setup(RequestFor("a", netns.get())).error().message(),
                StartsWith("cni plugin not initialized"));
    plugins.Configure(R"({"type":"one"})", "1.1.0");
    EXPECT_THAT(problem(), HasSubstr("failed to find plugin \"one\" in path [/nowhere "));
    plugins.Make("one",
                 R"([ $CNI_COMMAND = STATUS ] && echo '{"code":50,"msg":"no daemon"}'; exit 1)");
    EXPECT_EQ(problem(),
              R"(Network plugin returns error: plugin type="one" failed (status): no daemon)");
    plugins.MakeGood("one");
    EXPECT_EQ(problem(), "");
    EXPECT_THAT(network->Status().warnings,
                ElementsAre(HasSubstr("portMappings"), HasSubstr("bandwidth")));
    plugins.Configure(R"({"type":"../one"})");
    EXPECT_THAT(problem(), HasSubstr("is no file name"));
  });
}

TEST(CniNetworkTest, TheFolderDecides) {
  PODIUM_NEEDS_ROOT();
  InOwnNamespaces([] {
    const Plugins plugins;
    Instance instance;
    instance.cni_dir = plugins.root() / "net.d";
    instance.data_dir = plugins.root() / "data";
    instance.run_dir = plugins.root() / "run";
    auto network = OpenNetwork(instance, {});
    ASSERT_TRUE(network.ok()) << network.error().message();
    EXPECT_NE(dynamic_cast<BridgeNetwork*>(network->get()), nullptr);
    EXPECT_TRUE((*network)->Uninstall().ok());
    plugins.Configure("");
    network = OpenNetwork(instance, {});
    ASSERT_TRUE(network.ok()) << network.error().message();
    EXPECT_NE(dynamic_cast<CniNetwork*>(network->get()), nullptr);
    EXPECT_THAT((*network)->Status().message,
                HasSubstr("10-net.conflist: the network has no plugins"));
  });
}

}  // namespace
}  // namespace podium::network
