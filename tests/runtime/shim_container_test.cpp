// What a container is once it runs.
#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>

#include "runtime/shim_harness.h"

namespace podium::runtime::shim {
namespace {

class ShimContainerTest : public ShimTest {};

TEST_F(ShimContainerTest, RunsAProgramToItsEnd) {
  Pod pod;
  ASSERT_EQ(pod.Run().Failure(), "");
  const Output output = pod.RunToEnd("c1", ShellPlan("echo hello; echo $$; exit 7"));
  EXPECT_EQ(output.failure, "");
  EXPECT_EQ(output.log, "hello\n1\n");
  EXPECT_EQ(output.state.exit_code, 7);
  EXPECT_EQ(output.state.exit_signal, 0);
  EXPECT_EQ(output.state.phase, ProcessPhase::kExited);
  EXPECT_GT(output.state.started_ns, output.state.created_ns);
  EXPECT_GE(output.state.finished_ns, output.state.started_ns);
}

}  // namespace
}  // namespace podium::runtime::shim
