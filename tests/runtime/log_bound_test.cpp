// Output that waits for its log's rotation, as the agent's end of it: across a restart, and with
// shims that an older version has started.
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <cstring>
#include <map>
#include <mutex>

#include "embedded_harness.h"
#include "runtime/messages.h"
#include "shim_proxy.h"

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

// Makes a shim one of version 1: what such a one says, and what it refuses.
class OldShim {
 public:
  explicit OldShim(const std::string& folder)
      : proxy_(folder,
               [this](ShimProxy::From from, std::string* packet) { Change(from, packet); }) {}

  // Requests that version 1 does not understand.
  int refused() const { return refused_; }

 private:
  static constexpr size_t kOldHello = offsetof(shim::Hello, log_bound);

  void Change(ShimProxy::From from, std::string* packet) {
    shim::Header header{};
    std::memcpy(&header, packet->data(), sizeof header);
    if (from == ShimProxy::From::kAgent && header.type == shim::MessageType::kHello &&
        packet->find_first_not_of('\0', kOldHello) != std::string::npos) {
      ++refused_;
    }
    if (from == ShimProxy::From::kShim) header.version = 1;
    std::memcpy(packet->data(), &header, sizeof header);
  }

  std::atomic<int> refused_ = 0;
  ShimProxy proxy_;
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
