#include "linux/open_files.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <array>
#include <string>
#include <string_view>

#include "linux/process.h"

namespace podium::kernel {
namespace {

// Sets the soft limit, and puts the old one back at the end.
class OpenFilesTest : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &before_), 0);
    if (before_.rlim_max <= 512) GTEST_SKIP() << "nothing to raise";
    const rlimit lower{.rlim_cur = 512, .rlim_max = before_.rlim_max};
    ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &lower), 0);
  }
  void TearDown() override { setrlimit(RLIMIT_NOFILE, &before_); }

  static rlim_t Soft() {
    rlimit now{};
    getrlimit(RLIMIT_NOFILE, &now);
    return now.rlim_cur;
  }
  // The soft and the hard limit that a shell has, once Spawn has returned.
  static std::string OfAChild() {
    std::array<int, 2> go{};
    std::array<int, 2> said{};
    EXPECT_EQ(pipe2(go.data(), O_CLOEXEC), 0);
    EXPECT_EQ(pipe2(said.data(), O_CLOEXEC), 0);
    const UniqueFd go_in(go[0]);
    UniqueFd go_out(go[1]);
    const UniqueFd said_in(said[0]);
    UniqueFd said_out(said[1]);
    const UniqueFd shell(open("/bin/sh", O_RDONLY | O_CLOEXEC));
    auto child = Spawn({.program = shell.get(),
                        .arguments = {"sh", "-c", "read x <&3; ulimit -Sn; ulimit -Hn"},
                        .descriptors = {go_in.get()},
                        .output = said_out.get()});
    EXPECT_TRUE(child.ok()) << child.error().message();
    said_out.reset();
    EXPECT_EQ(write(go_out.get(), "\n", 1), 1);
    std::string out;
    std::array<char, 100> bytes;
    for (ssize_t count = 0; (count = read(said_in.get(), bytes.data(), bytes.size())) > 0;) {
      out += std::string_view(bytes.data(), static_cast<size_t>(count));
    }
    EXPECT_TRUE(child->process.WaitForEnd(std::chrono::seconds(10)));
    EXPECT_TRUE(child->process.Reap().ok());
    return out;
  }

  rlimit before_{};
};

TEST_F(OpenFilesTest, AreRaisedForThisProcessAlone) {
  const std::string hard = std::to_string(before_.rlim_max) + "\n";
  EXPECT_EQ(OfAChild(), "512\n" + hard);
  RaiseOpenFiles();
  EXPECT_EQ(Soft(), before_.rlim_max);
  EXPECT_EQ(OfAChild(), "512\n" + hard);
  // Once more is no other beginning.
  RaiseOpenFiles();
  EXPECT_EQ(OfAChild(), "512\n" + hard);
}

}  // namespace
}  // namespace podium::kernel
