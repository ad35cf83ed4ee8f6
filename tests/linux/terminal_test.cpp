#include "linux/terminal.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <pty.h>
#include <unistd.h>

#include <csignal>
#include <thread>

namespace podium::kernel {
namespace {

class TerminalTest : public ::testing::Test {
 protected:
  TerminalTest() {
    int control = -1;
    int terminal = -1;
    if (openpty(&control, &terminal, nullptr, nullptr, nullptr) != 0) ADD_FAILURE() << "openpty";
    control_.reset(control);
    terminal_.reset(terminal);
  }
  bool Echoes() const {
    termios mode{};
    EXPECT_EQ(tcgetattr(terminal_.get(), &mode), 0);
    return (mode.c_lflag & ECHO) != 0;
  }

  UniqueFd control_;
  UniqueFd terminal_;
};

TEST_F(TerminalTest, WindowSize) {
  ASSERT_TRUE(SetWindowSize(control_.get(), {.rows = 24, .columns = 132}).ok());
  EXPECT_EQ(*GetWindowSize(terminal_.get()), (WindowSize{.rows = 24, .columns = 132}));
}

TEST_F(TerminalTest, RawModeIsRestored) {
  ASSERT_TRUE(Echoes());
  {
    auto raw = RawMode::Enter(terminal_.get());
    ASSERT_TRUE(raw.ok()) << raw.error().message();
    EXPECT_FALSE(Echoes());
    const RawMode moved = *std::move(raw);
    EXPECT_FALSE(Echoes());
    // Ctrl-C is a byte like others.
    ASSERT_EQ(write(control_.get(), "\x03", 1), 1);
    char byte = 0;
    ASSERT_EQ(read(terminal_.get(), &byte, 1), 1);
    EXPECT_EQ(byte, '\x03');
  }
  EXPECT_TRUE(Echoes());
}

TEST_F(TerminalTest, RawModeIsRestoredOnce) {
  auto raw = RawMode::Enter(terminal_.get());
  ASSERT_TRUE(raw.ok());
  raw->Restore();
  EXPECT_TRUE(Echoes());
  auto again = RawMode::Enter(terminal_.get());
  raw->Restore();
  EXPECT_FALSE(Echoes());
  *raw = *std::move(again);
  EXPECT_FALSE(Echoes());
}

TEST_F(TerminalTest, WhatIsNoTerminal) {
  const UniqueFd file(open("/dev/null", O_RDWR | O_CLOEXEC));
  EXPECT_FALSE(IsTerminal(file.get()));
  EXPECT_TRUE(IsTerminal(terminal_.get()));
  EXPECT_EQ(GetWindowSize(file.get()).error().code(), Code::kInvalidArgument);
  EXPECT_EQ(SetWindowSize(file.get(), {}).error().code(), Code::kInvalidArgument);
  EXPECT_EQ(RawMode::Enter(file.get()).error().code(), Code::kInvalidArgument);
}

// In a thread of its own, whose signal mask ends with it.
TEST(WindowSizeChangesTest, ArriveOnce) {
  std::thread([] {
    auto changes = WindowSizeChanges::Watch();
    ASSERT_TRUE(changes.ok()) << changes.error().message();
    EXPECT_FALSE(changes->Drain());
    ASSERT_EQ(pthread_kill(pthread_self(), SIGWINCH), 0);
    pollfd readable{.fd = changes->fd(), .events = POLLIN, .revents = 0};
    ASSERT_EQ(poll(&readable, 1, 5000), 1);
    EXPECT_TRUE(changes->Drain());
    EXPECT_FALSE(changes->Drain());
    EXPECT_NE(fcntl(changes->fd(), F_GETFD) & FD_CLOEXEC, 0);
  }).join();
}

}  // namespace
}  // namespace podium::kernel
