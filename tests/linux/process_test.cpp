#include "linux/process.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>

#include "linux/namespaces.h"
#include "linux/packet_socket.h"
#include "linux/path.h"

namespace podium::kernel {
namespace {

using std::chrono::milliseconds;

UniqueFd Shell() { return *OpenPath("/bin/sh", O_PATH); }

TEST(ProcessTest, SpawnedProgramsHaveTheirDescriptorsOnly) {
  int ends[2];
  ASSERT_EQ(pipe2(ends, O_CLOEXEC), 0);
  const UniqueFd in(ends[0]);
  UniqueFd out(ends[1]);
  const UniqueFd shell = Shell();
  const auto spawned =
      Spawn({.program = shell.get(),
             .arguments = {"sh", "-c", "echo $WORD; ls /proc/self/fd | wc -l; exit 7"},
             .environment = {"WORD=hello", "PATH=/usr/bin:/bin"},
             .descriptors = {out.get()},
             .output = out.get()});
  ASSERT_TRUE(spawned.ok()) << spawned.error().message();
  out.reset();
  // 0, 1, 2, 3, and ls's own of the folder.
  EXPECT_EQ(*ReadDescriptor(in.get(), 100), "hello\n5\n");
  ASSERT_TRUE(spawned->process.WaitForEnd(milliseconds(5000)));
  const auto code = spawned->process.Reap();
  ASSERT_TRUE(code.ok());
  EXPECT_EQ(**code, 7);
  EXPECT_EQ(spawned->process.Reap().error().os_errno(), ECHILD);
}

TEST(ProcessTest, SignalsAndEnds) {
  const UniqueFd shell = Shell();
  const auto spawned = Spawn({.program = shell.get(), .arguments = {"sh", "-c", "kill -STOP $$"}});
  ASSERT_TRUE(spawned.ok()) << spawned.error().message();
  EXPECT_FALSE(spawned->process.WaitForEnd(milliseconds(20)));
  EXPECT_EQ(spawned->process.Reap()->has_value(), false);
  EXPECT_TRUE(spawned->process.Signal(SIGKILL).ok());
  ASSERT_TRUE(spawned->process.WaitForEnd(milliseconds(5000)));
  EXPECT_EQ(**spawned->process.Reap(), 137);
  EXPECT_TRUE(spawned->process.Signal(SIGKILL).ok());
  EXPECT_EQ(PidFd::Open(spawned->pid).error().code(), Code::kNotFound);
}

TEST(ProcessTest, WhatIsNoProgramIsAnError) {
  const auto memory = SealedMemory("text", "no program");
  ASSERT_TRUE(memory.ok());
  EXPECT_FALSE(Spawn({.program = memory->get(), .arguments = {"x"}}).ok());
}

TEST(ProcessTest, SealedMemoryStaysAsItIs) {
  const auto memory = SealedMemory("text", "sealed");
  ASSERT_TRUE(memory.ok());
  EXPECT_EQ(pwrite(memory->get(), "x", 1, 0), -1);
  EXPECT_EQ(ftruncate(memory->get(), 0), -1);
  EXPECT_FALSE(Reopen(memory->get(), O_WRONLY | O_TRUNC).ok());
  EXPECT_EQ(*ReadDescriptor(Reopen(memory->get(), O_RDONLY)->get(), 10), "sealed");
}

TEST(SocketTest, PacketsKeepApartAndCarryDescriptors) {
  const auto pair = PacketSocketPair();
  ASSERT_TRUE(pair.ok());
  int ends[2];
  ASSERT_EQ(pipe2(ends, O_CLOEXEC), 0);
  const UniqueFd in(ends[0]);
  UniqueFd out(ends[1]);
  const int passed[] = {out.get()};
  ASSERT_TRUE(SendPacket(pair->first.get(), "one", passed).ok());
  ASSERT_TRUE(SendPacket(pair->first.get(), "two").ok());
  out.reset();
  {
    const auto one = ReceivePacket(pair->second.get(), 100);
    ASSERT_TRUE(one.ok());
    EXPECT_EQ(one->bytes, "one");
    ASSERT_EQ(one->descriptors.size(), 1U);
    EXPECT_NE(fcntl(one->descriptors[0].get(), F_GETFD) & FD_CLOEXEC, 0);
    ASSERT_TRUE(WriteAll(one->descriptors[0].get(), "through").ok());
  }
  // The last writing end is closed with the packet.
  EXPECT_EQ(*ReadDescriptor(in.get(), 100), "through");
  EXPECT_EQ(ReceivePacket(pair->second.get(), 2).error().code(), Code::kDataLoss);
  EXPECT_EQ(PeerOf(pair->first.get())->pid, getpid());
}

TEST(SocketTest, ListenersAreFoundInTheirFolder) {
  char name[] = "/tmp/podium-socket-XXXXXX";
  ASSERT_NE(mkdtemp(name), nullptr);
  // Beyond what a socket's address can name.
  const std::string deep = std::string(name) + '/' + std::string(100, 'd');
  const UniqueFd folder = *MakeFolders(deep, 0755);
  EXPECT_EQ(ConnectPackets(folder.get(), "s").error().code(), Code::kNotFound);
  {
    const auto listener = ListenPackets(folder.get(), "s");
    ASSERT_TRUE(listener.ok()) << listener.error().message();
    struct stat status{};
    ASSERT_EQ(fstatat(folder.get(), "s", &status, 0), 0);
    EXPECT_EQ(status.st_mode & 0777, 0600U);
    EXPECT_TRUE(ConnectPackets(folder.get(), "s").ok());
    EXPECT_FALSE(ListenPackets(folder.get(), std::string(120, 'x')).ok());
  }
  EXPECT_EQ(ConnectPackets(folder.get(), "s").error().code(), Code::kUnavailable);
  EXPECT_TRUE(ListenPackets(folder.get(), "s").ok());
  EXPECT_TRUE(RemoveTree(AT_FDCWD, name).ok());
}

TEST(NamespacesTest, EntryReturns) {
  if (geteuid() != 0) GTEST_SKIP() << "namespaces need root";
  const UniqueFd before = *OpenPath("/proc/thread-self/ns/net", O_RDONLY);
  const auto fresh = NewNetNamespace();
  ASSERT_TRUE(fresh.ok()) << fresh.error().message();
  const auto inode = [] {
    const UniqueFd now = *OpenPath("/proc/thread-self/ns/net", O_RDONLY);
    return *NamespaceInode(now.get());
  };
  EXPECT_EQ(inode(), *NamespaceInode(before.get()));
  {
    const auto entry = NetNamespaceEntry::Enter(fresh->get());
    ASSERT_TRUE(entry.ok());
    EXPECT_EQ(inode(), *NamespaceInode(fresh->get()));
  }
  EXPECT_EQ(inode(), *NamespaceInode(before.get()));
  EXPECT_FALSE(NetNamespaceEntry::Enter(0).ok());
  EXPECT_EQ(*NamespaceInode(OpenNamespace(getpid(), "net")->get()), inode());
}

}  // namespace
}  // namespace podium::kernel
