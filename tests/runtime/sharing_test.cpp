// What a container shares with the host and with others: mounts as they come and go, read-only
// trees, another container's processes; and what is said of the runtime as a whole.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <sys/mount.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <string>
#include <thread>
#include <vector>

#include "embedded_harness.h"
#include "linux/path.h"

namespace podium::runtime {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using Propagation = cri::MountPropagation;

// Waits, for ten seconds at most, until the text is in the file.
bool Await(const std::string& path, const std::string& text) {
  const auto end = std::chrono::steady_clock::now() + seconds(10);
  while (std::chrono::steady_clock::now() < end) {
    if (access(path.c_str(), R_OK) == 0 && ReadHostFile(path).find(text) != std::string::npos) {
      return true;
    }
    std::this_thread::sleep_for(milliseconds(5));
  }
  return false;
}

cri::Mount MountAt(const std::string& target, const std::string& source,
                   Propagation propagation = Propagation::kPropagationPrivate) {
  cri::Mount mount;
  mount.container_path = target;
  mount.host_path = source;
  mount.propagation = propagation;
  return mount;
}

class SharingTest : public EmbeddedTest {
 protected:
  // A file system of its own with this propagation, for the test's time.
  std::string Volume(unsigned long kind) {
    volume_ = machine_->folder() + "/shared";
    EXPECT_TRUE(kernel::MakeFolders(volume_, 0755).ok());
    EXPECT_EQ(mount("volume", volume_.c_str(), "tmpfs", 0, nullptr), 0);
    EXPECT_EQ(mount(nullptr, volume_.c_str(), nullptr, kind, nullptr), 0);
    return volume_;
  }
  void TearDown() override {
    // Also what tests, and containers, have mounted below it.
    if (!volume_.empty()) EXPECT_EQ(umount2(volume_.c_str(), MNT_DETACH), 0);
    EmbeddedTest::TearDown();
  }
  std::string LogPath(const std::string& container) {
    return runtime().ContainerStatus(container, false)->status->log_path;
  }

  std::string volume_;
};

TEST_F(SharingTest, MountsPropagateAsAsked) {
  const std::string host = Volume(MS_SHARED);
  const std::string orders = machine_->folder() + "/orders";
  ASSERT_TRUE(kernel::MakeFolders(host + "/later", 0755).ok());
  ASSERT_TRUE(kernel::MakeFolders(host + "/own", 0755).ok());
  ASSERT_TRUE(kernel::MakeFolders(orders, 0755).ok());
  struct Case {
    Propagation mode;
    bool in;   // the container sees what the host mounts
    bool out;  // and the host what the container mounts
  };
  int number = 0;
  for (const Case& tested : {Case{Propagation::kPropagationPrivate, false, false},
                             Case{Propagation::kPropagationHostToContainer, true, false},
                             Case{Propagation::kPropagationBidirectional, true, true}}) {
    SCOPED_TRACE(number);
    const std::string pod = RunPod(TestPod("p" + std::to_string(number++)));
    cri::ContainerConfig config =
        Shell("c",
              "mount -t tmpfs own /v/own && touch /v/own/made && echo ready; "
              "while ! test -e /orders/go; do sleep 0.02; done; "
              "test -e /v/later/there && echo sees; umount /v/own; echo end");
    config.linux_->security_context->privileged = true;
    config.mounts = {MountAt("/v", host, tested.mode), MountAt("/orders", orders)};
    const std::string container = Start(pod, config);
    ASSERT_TRUE(Await(LogPath(container), "ready"));
    EXPECT_EQ(access((host + "/own/made").c_str(), F_OK) == 0, tested.out);
    ASSERT_EQ(mount("later", (host + "/later").c_str(), "tmpfs", 0, nullptr), 0);
    WriteHostFile(host + "/later/there", "");
    WriteHostFile(orders + "/go", "");
    const std::string text = LogOf(Wait(container));
    EXPECT_EQ(text.find("sees") != std::string::npos, tested.in) << text;
    EXPECT_THAT(text, HasSubstr("end"));
    // What the container has undone is undone for the host as well.
    EXPECT_NE(access((host + "/own/made").c_str(), F_OK), 0);
    EXPECT_TRUE(runtime().RemovePodSandbox(pod).ok());
    EXPECT_EQ(unlink((orders + "/go").c_str()), 0);
    EXPECT_EQ(umount((host + "/later").c_str()), 0);
  }
}

TEST_F(SharingTest, PropagationNeedsASharedMount) {
  const std::string host = Volume(MS_PRIVATE);
  cri::ContainerConfig config = Shell("c", "true");
  config.mounts = {MountAt("/v", host, Propagation::kPropagationHostToContainer)};
  EXPECT_THAT(Refusal(config),
              HasSubstr("path \"" + host + "\" is not on a shared or slave mount"));
  config.mounts = {MountAt("/v", host, Propagation::kPropagationBidirectional)};
  EXPECT_THAT(Refusal(config), HasSubstr("path \"" + host + "\" is not on a shared mount"));
}

TEST_F(SharingTest, ReadOnlyReachesDownOnlyIfAsked) {
  const std::string host = Volume(MS_PRIVATE);
  ASSERT_TRUE(kernel::MakeFolders(host + "/below", 0777).ok());
  ASSERT_EQ(mount("below", (host + "/below").c_str(), "tmpfs", 0, nullptr), 0);
  cri::ContainerConfig config =
      Shell("c",
            "touch /v/x 2>/dev/null && echo top; touch /v/below/x 2>/dev/null && echo below; "
            "mount -o remount,rw /v/below 2>/dev/null && echo remounted; echo end");
  cri::Mount mount = MountAt("/v", host);
  config.mounts = {mount};
  EXPECT_EQ(Output(config), "top\nbelow\nend\n");
  mount.readonly = true;
  config.mounts = {mount};
  EXPECT_EQ(Output(config), "below\nend\n");
  mount.recursive_read_only = true;
  config.mounts = {mount};
  EXPECT_EQ(Output(config), "end\n");
  // The host's own mount is as it was.
  WriteHostFile(host + "/below/x", "again");

  mount.readonly = false;
  config.mounts = {mount};
  EXPECT_THAT(Refusal(config), HasSubstr("recursive_read_only requires readonly"));
  mount.readonly = true;
  mount.propagation = Propagation::kPropagationHostToContainer;
  config.mounts = {mount};
  EXPECT_THAT(Refusal(config), HasSubstr("recursive_read_only requires private mount propagation"));
}

TEST_F(SharingTest, TargetsProcessesAreSeen) {
  const std::string pod = RunPod(TestPod("p"));
  cri::ContainerConfig main = Shell("main", "echo up; exec sleep 1234");
  const std::string target = Start(pod, main);
  ASSERT_TRUE(Await(LogPath(target), "up"));
  Start(pod, Shell("other", "exec sleep 4321"));
  cri::ContainerConfig debug =
      Shell("debug",
            "ps -o pid,args; readlink /proc/self/ns/pid; kill -TERM 1; "
            "cat /proc/1/root/etc/hostname >/dev/null && echo reads; exec sleep 100");
  auto& namespaces = *debug.linux_->security_context->namespace_options;
  namespaces.pid = cri::NamespaceMode::kTarget;
  // Part of an id will do, as everywhere in CRI.
  namespaces.target_id = target.substr(0, 20);
  const std::string debugger = Start(pod, debug);
  ASSERT_TRUE(Await(LogPath(debugger), "pid:["));
  const std::string seen = ReadHostFile(LogPath(debugger));
  EXPECT_THAT(seen, AllOf(HasSubstr("sleep 1234"), HasSubstr("ps -o"), Not(HasSubstr("4321")),
                          Not(HasSubstr("pause"))));
  // What it starts later is there too.
  const auto inside = runtime().ExecSync(debugger, {"/bin/ps", "-o", "args"}, seconds(10));
  ASSERT_TRUE(inside.ok()) << inside.error().message();
  EXPECT_THAT(inside->stdout_.data, HasSubstr("sleep 1234"));
  // With the target's first process all of its processes end.
  ASSERT_TRUE(runtime().StopContainer(target, seconds(0)).ok());
  EXPECT_EQ(Wait(debugger).exit_code, 137);

  // What cannot be a target.
  const auto refused = [&](const std::string& id) {
    namespaces.target_id = id;
    debug.metadata->attempt += 1;
    const auto made = runtime().CreateContainer(pod, debug, {});
    return made.ok() ? "" : made.error().message();
  };
  const std::string invalid = "invalid target container: container \"";
  EXPECT_EQ(refused(target), invalid + target + "\" is not running - in state CONTAINER_EXITED");
  EXPECT_EQ(refused("nobody"), invalid + "nobody\" does not exist");
  const std::string elsewhere = RunPod(TestPod("q"));
  const std::string stranger = Start(elsewhere, main);
  EXPECT_EQ(refused(stranger), invalid + stranger + "\" (sandbox " + elsewhere +
                                   ") does not belong to sandbox " + pod);
}

TEST_F(SharingTest, LogsAreReopenedWithoutALostLine) {
  const std::string pod = RunPod(TestPod("p"));
  const std::string orders = machine_->folder() + "/orders";
  ASSERT_TRUE(kernel::MakeFolders(orders, 0755).ok());
  cri::ContainerConfig config =
      Shell("c",
            "n=0; while ! test -e /orders/stop; do for i in 1 2 3 4 5 6 7 8 9; do n=$((n+1)); "
            "echo $n; done; sleep 0.002; done");
  config.mounts = {MountAt("/orders", orders)};
  const std::string container = Start(pod, config);
  const std::string path = LogPath(container);
  std::vector<std::string> files;
  for (int i = 0; i < 5; ++i) {
    ASSERT_TRUE(Await(path, "0\n"));
    files.push_back(path + "." + std::to_string(i));
    ASSERT_EQ(rename(path.c_str(), files.back().c_str()), 0);
    const auto reopened = runtime().ReopenContainerLog(container);
    ASSERT_TRUE(reopened.ok()) << reopened.error().message();
  }
  ASSERT_TRUE(Await(path, "\n"));
  WriteHostFile(orders + "/stop", "");
  const cri::ContainerStatus status = Wait(container);
  files.push_back(path);
  std::string all;
  std::string expected;
  for (const std::string& file : files) {
    cri::ContainerStatus part = status;
    part.log_path = file;
    EXPECT_NE(ReadHostFile(file), "");
    all += LogOf(part);
  }
  const int last = std::stoi(all.substr(all.rfind('\n', all.size() - 2) + 1));
  for (int n = 1; n <= last; ++n) expected += std::to_string(n) + '\n';
  EXPECT_EQ(all, expected);
  EXPECT_THAT(runtime().ReopenContainerLog(container).error().message(),
              HasSubstr("container is not running"));
}

TEST_F(SharingTest, ConditionsSayWhatIs) {
  const auto condition = [&](EmbeddedRuntime& runtime, std::string_view type) {
    const auto response = runtime.Status();
    for (const auto& each : response->status->conditions) {
      if (each.type == type) return each;
    }
    return cri::RuntimeCondition{};
  };
  EXPECT_TRUE(condition(runtime(), cri::kRuntimeReady).status);
  EXPECT_TRUE(condition(runtime(), cri::kNetworkReady).status);
  machine_->network().book().SetStatus({.ready = false,
                                        .reason = "NetworkPluginNotReady",
                                        .message = "Network plugin returns error: no bridge",
                                        .warnings = {}});
  const auto network = condition(runtime(), cri::kNetworkReady);
  EXPECT_FALSE(network.status);
  EXPECT_EQ(network.reason, "NetworkPluginNotReady");
  EXPECT_EQ(network.message, "Network plugin returns error: no bridge");
  EXPECT_TRUE(condition(runtime(), cri::kRuntimeReady).status);
}

}  // namespace
}  // namespace podium::runtime
