// Containers that are held back until their log has been rotated, and when they must not be.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstring>
#include <optional>

#include "runtime/shim_harness.h"

namespace podium::runtime::shim {
namespace {

using std::chrono::seconds;
using std::chrono::steady_clock;

constexpr uint64_t kMiB = uint64_t{1} << 20;
constexpr uint64_t kBound = 2 * kMiB;
// A chunk of 16 KiB in lines of two bytes, each with its time.
constexpr uint64_t kChunkOfLines = kMiB / 2;

class ShimHoldTest : public ShimTest {
 protected:
  void SetUp() override {
    ShimTest::SetUp();
    if (IsSkipped()) return;
    ASSERT_EQ(pod_.emplace().Run().Failure(), "");
  }
  void TearDown() override {
    pod_.reset();
    ShimTest::TearDown();
  }

  Pod& pod() { return *pod_; }
  // What an agent says that rotates logs.
  void HoldAt(uint64_t bound) {
    Hello hello = {};
    hello.version = kMessageVersion;
    hello.log_bound = bound;
    EXPECT_EQ(pod().Ask(MessageType::kHello, hello).type(), MessageType::kHelloReply);
  }
  void Begin(const Plan& plan, const ContainerOptions& options = {}) {
    ASSERT_EQ(pod().Create("c1", plan, options).Failure(), "");
    ASSERT_EQ(pod().Start("c1").Failure(), "");
  }
  void Reopen(const std::string& path) {
    const UniqueFd log(open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600));
    ReopenLog reopen = {};
    std::memcpy(reopen.id, "c1", 3);
    reopen.log = 0;
    EXPECT_EQ(pod().Ask(MessageType::kReopenLog, reopen, {log.get()}).Failure(), "");
  }
  std::string FirstLog() { return pod().folder() + "/c1.log"; }
  static uint64_t SizeOf(const std::string& path) {
    struct stat status = {};
    return stat(path.c_str(), &status) == 0 ? static_cast<uint64_t>(status.st_size) : 0;
  }
  // The size of a file that has grown to some size and grows no more.
  static uint64_t SizeAtRest(const std::string& path, uint64_t least) {
    uint64_t size = SizeOf(path);
    int still = 0;
    for (int i = 0; i < 1000 && (still < 50 || size < least); ++i) {
      usleep(10'000);
      const uint64_t now = SizeOf(path);
      still = now == size ? still + 1 : 0;
      size = now;
    }
    return size;
  }
  void ExpectHeld(const std::string& path) {
    const uint64_t size = SizeAtRest(path, kBound);
    EXPECT_GE(size, kBound);
    EXPECT_LE(size, kBound + kChunkOfLines);
  }
  // Waits until the file is larger.
  static bool Exceeds(const std::string& path, uint64_t size) {
    for (int i = 0; i < 1000 && SizeOf(path) <= size; ++i) usleep(10'000);
    return SizeOf(path) > size;
  }

 private:
  std::optional<Pod> pod_;
};

size_t LinesIn(const std::string& path) {
  const std::string text = ReadPath(path);
  return static_cast<size_t>(std::ranges::count(text, '\n'));
}

TEST_F(ShimHoldTest, UntilTheLogIsReopened) {
  HoldAt(kBound);
  Begin(ShellPlan("yes | head -c 600000"));
  ExpectHeld(FirstLog());
  // Told with the size at which it stays, and told again.
  const uint64_t size = SizeOf(FirstLog());
  uint64_t written = 0;
  while (written != size && !HasFailure()) {
    written = pod().AwaitEvent(MessageType::kLogGrown).As<LogGrown>().written;
  }
  EXPECT_EQ(pod().AwaitEvent(MessageType::kLogGrown).As<LogGrown>().written, size);
  Reopen("/mnt/second");
  ExpectHeld("/mnt/second");
  EXPECT_EQ(SizeOf(FirstLog()), size);
  // Nobody rotates any more: the rest comes, and not a line is missing.
  HoldAt(0);
  const ProcessState state = pod().AwaitExit("c1");
  EXPECT_EQ(state.exit_code, 0);
  EXPECT_EQ(state.log_lost, 0U);
  EXPECT_GT(SizeOf("/mnt/second"), kBound + kChunkOfLines);
  EXPECT_EQ(LinesIn(FirstLog()) + LinesIn("/mnt/second"), 300'000U);
}

TEST_F(ShimHoldTest, ByNobodyWhoHasNotAskedOrIsGone) {
  Begin(ShellPlan("yes"));
  EXPECT_TRUE(Exceeds(FirstLog(), 4 * kBound));
  Pod& alone = pod();
  // The agent that asked for it is killed: as another sees, the container goes on.
  UniqueFd other = alone.Connect();
  HoldAt(kBound);
  const uint64_t size = SizeAtRest(FirstLog(), kBound);
  alone.SetControl(std::move(other));
  EXPECT_TRUE(Exceeds(FirstLog(), size + 4 * kBound));
  // The next one says it anew, and finds a log that is long too large.
  HoldAt(kBound);
  SizeAtRest(FirstLog(), kBound);
  Reopen("/mnt/second");
  ExpectHeld("/mnt/second");
}

TEST_F(ShimHoldTest, ByTheLargestOfSeveralBounds) {
  HoldAt(kBound / 2);
  UniqueFd first = pod().Connect();
  Pod& both = pod();
  // The harness speaks on one connection: what was said on the other stays said.
  const UniqueFd kept(fcntl(both.control(), F_DUPFD_CLOEXEC, 0));
  both.SetControl(std::move(first));
  HoldAt(kBound);
  Begin(ShellPlan("yes"));
  ExpectHeld(FirstLog());
}

// An agent that is connected and never comes costs ten seconds, once for a file.
TEST_F(ShimHoldTest, NotForLongerThanItsPatience) {
  HoldAt(kBound);
  const auto begin = steady_clock::now();
  Begin(ShellPlan("yes | head -c 600000"));
  EXPECT_EQ(pod().AwaitExit("c1").exit_code, 0);
  const auto took = steady_clock::now() - begin;
  EXPECT_GE(took, seconds(9));
  EXPECT_LT(took, seconds(19));
  EXPECT_EQ(LinesIn(FirstLog()), 300'000U);
}

TEST_F(ShimHoldTest, AndAllElseWorks) {
  HoldAt(kBound);
  Begin(ShellPlan("yes out & yes err >&2"));
  ExpectHeld(FirstLog());
  // An exec's output is the caller's, and its end is seen.
  const Output output =
      pod().ExecToEnd("e1", "c1", ExecPlan({"sh", "-c", "yes | head -c 1000000 | wc -c"}));
  EXPECT_EQ(output.log, "1000000\n");
  EXPECT_EQ(output.state.exit_code, 0);
  int out[2];
  ASSERT_EQ(pipe2(out, O_CLOEXEC), 0);
  const UniqueFd reader(out[0]);
  Attach attach = {};
  std::memcpy(attach.id, "c1", 3);
  attach.stderr_fd = -1;
  EXPECT_EQ(pod().Ask(MessageType::kAttach, attach, {out[1]}).Failure(), "");
  close(out[1]);
  // Its end lets nothing be lost that it had said, and its pipes end.
  ASSERT_EQ(pod().Signal(ProcessKind::kContainer, "c1", SIGKILL).Failure(), "");
  EXPECT_EQ(pod().AwaitExit("c1").exit_code, 137);
  EXPECT_GT(ReadAll(reader.get()).size(), 60'000U);
  EXPECT_GT(SizeOf(FirstLog()), kBound + kChunkOfLines);
  EXPECT_EQ(pod().AskAbout(MessageType::kRemoveContainer, "c1").Failure(), "");
}

// Not for what has been written, but for what is there.
TEST_F(ShimHoldTest, UntilTheLogIsEmptied) {
  HoldAt(kBound);
  Begin(ShellPlan("yes"));
  for (int i = 0; i < 3; ++i) {
    const auto begin = steady_clock::now();
    ExpectHeld(FirstLog());
    EXPECT_LT(steady_clock::now() - begin, seconds(8));
    ASSERT_EQ(truncate(FirstLog().c_str(), 0), 0);
  }
}

TEST_F(ShimHoldTest, NotWhereTheLogIsNoFile) {
  HoldAt(kBound);
  const UniqueFd null(open("/dev/null", O_WRONLY | O_CLOEXEC));
  const auto begin = steady_clock::now();
  Begin(ShellPlan("yes | head -c 600000"), {.log_fd = null.get()});
  EXPECT_EQ(pod().AwaitExit("c1").exit_code, 0);
  EXPECT_LT(steady_clock::now() - begin, seconds(8));
}

TEST_F(ShimHoldTest, WithATerminalToo) {
  HoldAt(kBound);
  Begin(ShellPlan("yes"), {.flags = kProcessTerminal});
  ExpectHeld(FirstLog());
  Reopen("/mnt/second");
  ExpectHeld("/mnt/second");
}

// What a container has left running in a pod's shared pid namespace is not rotated for.
TEST_F(ShimHoldTest, NotBehindItsContainersEnd) {
  HoldAt(kBound);
  Plan plan = ShellPlan("(usleep 200000; yes | head -c 600000; echo last) & exit 0");
  plan.flags &= ~uint32_t{kPlanNewPid};
  Begin(plan);
  EXPECT_EQ(pod().AwaitExit("c1").exit_code, 0);
  EXPECT_TRUE(Exceeds(FirstLog(), 4 * kBound));
  SizeAtRest(FirstLog(), kBound);
  EXPECT_EQ(LinesIn(FirstLog()), 300'001U);
}

}  // namespace
}  // namespace podium::runtime::shim
