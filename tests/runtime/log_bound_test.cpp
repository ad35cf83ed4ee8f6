// Output that waits for its log's rotation, as the agent's end of it: across a restart, and with
// shims that an older version has started.
#include <fcntl.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <map>
#include <mutex>
#include <thread>

#include "embedded_harness.h"
#include "linux/packet_socket.h"
#include "linux/path.h"
#include "runtime/messages.h"

namespace podium::runtime {
namespace {

using std::chrono::seconds;

constexpr uint64_t kBound = uint64_t{2} << 20;
// One chunk of short lines more, each with its time.
constexpr uint64_t kMost = kBound + (uint64_t{1} << 19);

uint64_t SizeOf(const std::string& path) {
  struct stat status{};
  return stat(path.c_str(), &status) == 0 ? static_cast<uint64_t>(status.st_size) : 0;
}

// Of a file that has grown to some size and has not grown for half a second.
uint64_t SizeAtRest(const std::string& path) {
  uint64_t size = 0;
  int still = 0;
  for (int i = 0; i < 1000 && (still < 50 || size < kBound); ++i) {
    usleep(10'000);
    const uint64_t now = SizeOf(path);
    still = now == size ? still + 1 : 0;
    size = now;
  }
  return size;
}

// Stands between the agent and a shim and makes it one of version 1: what such a one says, and what
// it refuses.
class OldShim {
 public:
  // Takes the place of the socket in a sandbox's folder.
  explicit OldShim(const std::string& folder) : stop_(eventfd(0, EFD_CLOEXEC)) {
    EXPECT_EQ(std::rename((folder + "/shim.sock").c_str(), (folder + "/real.sock").c_str()), 0);
    const UniqueFd open = *kernel::OpenPath(folder, O_RDONLY | O_DIRECTORY);
    listener_ = *kernel::ListenPackets(open.get(), "shim.sock");
    shim_ = *kernel::ConnectPackets(open.get(), "real.sock");
    thread_ = std::thread([this] { Run(); });
  }
  ~OldShim() {
    const uint64_t one = 1;
    EXPECT_EQ(write(stop_.get(), &one, sizeof one), static_cast<ssize_t>(sizeof one));
    thread_.join();
  }
  OldShim(const OldShim&) = delete;
  OldShim& operator=(const OldShim&) = delete;

  // Requests that version 1 does not understand.
  int refused() const { return refused_; }

 private:
  static constexpr size_t kOldHello = offsetof(shim::Hello, log_bound);

  void Run() {
    const UniqueFd agent(accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
    while (true) {
      pollfd wait[] = {{.fd = agent.get(), .events = POLLIN, .revents = 0},
                       {.fd = shim_.get(), .events = POLLIN, .revents = 0},
                       {.fd = stop_.get(), .events = POLLIN, .revents = 0}};
      if (poll(wait, 3, -1) < 0 || wait[2].revents != 0) return;
      if (wait[0].revents != 0 && !Pass(agent.get(), shim_.get(), true)) return;
      if (wait[1].revents != 0 && !Pass(shim_.get(), agent.get(), false)) return;
    }
  }

  bool Pass(int from, int to, bool request) {
    auto packet = kernel::ReceivePacket(from, shim::kMaxMessage);
    if (!packet.ok() || packet->bytes.size() < sizeof(shim::Header)) return false;
    shim::Header header{};
    std::memcpy(&header, packet->bytes.data(), sizeof header);
    if (request && header.type == shim::MessageType::kHello &&
        packet->bytes.find_first_not_of('\0', kOldHello) != std::string::npos) {
      ++refused_;
    }
    if (!request) header.version = 1;
    std::memcpy(packet->bytes.data(), &header, sizeof header);
    std::vector<int> descriptors;
    for (const UniqueFd& fd : packet->descriptors) descriptors.push_back(fd.get());
    return kernel::SendPacket(to, packet->bytes, descriptors).ok();
  }

  const UniqueFd stop_;
  UniqueFd listener_;
  UniqueFd shim_;
  std::atomic<int> refused_ = 0;
  std::thread thread_;
};

class LogBoundTest : public EmbeddedTest {
 protected:
  void SetUp() override {
    EmbeddedTest::SetUp();
    if (IsSkipped()) return;
    machine_.reset();
    machine_ = std::make_unique<Machine>(MachineOptions{
        .log_handler = [this](const std::string& id, uint64_t written) { Told(id, written); },
        .log_bound = kBound});
  }

  void Told(const std::string& id, uint64_t written) {
    const std::lock_guard lock(mutex_);
    told_[id] = written;
  }
  uint64_t LastTold(const std::string& id) {
    const std::lock_guard lock(mutex_);
    return told_[id];
  }
  std::string LogPath(const std::string& id) {
    return runtime().ContainerStatus(id, false)->status->log_path;
  }
  // As whoever rotates logs does it.
  void Rotate(const std::string& id) {
    const std::string path = LogPath(id);
    ASSERT_EQ(std::rename(path.c_str(), (path + ".old").c_str()), 0);
    const auto reopened = runtime().ReopenContainerLog(id);
    ASSERT_TRUE(reopened.ok()) << reopened.error().message();
  }
  void ExpectHeld(const std::string& id) {
    const uint64_t size = SizeAtRest(LogPath(id));
    EXPECT_GE(size, kBound);
    EXPECT_LE(size, kMost);
  }

 private:
  std::mutex mutex_;
  std::map<std::string, uint64_t> told_;
};

TEST_F(LogBoundTest, HoldsBeforeAndAfterARestart) {
  const std::string id = Start(RunPod(TestPod("p")), Shell("loud", "exec yes"));
  ExpectHeld(id);
  for (int i = 0; i < 500 && LastTold(id) != SizeOf(LogPath(id)); ++i) usleep(10'000);
  EXPECT_EQ(LastTold(id), SizeOf(LogPath(id)));
  Rotate(id);
  ExpectHeld(id);
  machine_->Restart();
  Rotate(id);
  ExpectHeld(id);
  EXPECT_TRUE(runtime().StopContainer(id, seconds(0)).ok());
}

TEST_F(LogBoundTest, ContainersGoOnWithoutAnAgent) {
  const std::string id = Start(RunPod(TestPod("p")), Shell("loud", "exec yes"));
  ExpectHeld(id);
  const std::string path = LogPath(id);
  machine_->Restart([&] {
    for (int i = 0; i < 1000 && SizeOf(path) < 4 * kBound; ++i) usleep(10'000);
    EXPECT_GE(SizeOf(path), 4 * kBound);
  });
  // What is long too large is told by itself.
  for (int i = 0; i < 500 && LastTold(id) < 4 * kBound; ++i) usleep(10'000);
  EXPECT_GE(LastTold(id), 4 * kBound);
}

TEST_F(LogBoundTest, AnOlderShimIsNotAskedForWhatItDoesNotKnow) {
  const std::string pod = RunPod(TestPod("p"));
  const std::string id = Start(pod, Shell("loud",
                                          "while [ ! -e /go ]; do sleep 0.05; done; "
                                          "exec yes"));
  std::unique_ptr<OldShim> old;
  const Recovery recovery = machine_->Restart(
      [&] { old = std::make_unique<OldShim>(machine_->instance().run_dir + "/sandboxes/" + pod); });
  EXPECT_EQ(recovery.problems, std::vector<std::string>{});
  EXPECT_EQ(recovery.ready, std::vector<std::string>{pod});
  const auto answer = runtime().ExecSync(id, {"touch", "/go"}, seconds(20));
  EXPECT_TRUE(answer.ok()) << answer.error().message();
  for (int i = 0; i < 1000 && SizeOf(LogPath(id)) < 4 * kBound; ++i) usleep(10'000);
  EXPECT_GE(SizeOf(LogPath(id)), 4 * kBound);
  EXPECT_EQ(old->refused(), 0);
  EXPECT_TRUE(runtime().RemovePodSandbox(pod).ok());
}

}  // namespace
}  // namespace podium::runtime
