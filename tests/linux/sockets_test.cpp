#include "linux/sockets.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <string>

#include "base/unique_fd.h"

namespace podium::kernel {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Not;

constexpr char kTable[] =
    "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout "
    "inode\n"
    "   0: 00000000:0050 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 "
    "111 1 ffff 100 0 0 10 0\n"
    "   1: 0100007F:1F90 0100007F:0050 01 00000000:00000000 00:00000000 00000000     0        0 "
    "112 1\n"
    "   2: 0100007F:1F91 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 "
    "113 1\n"
    "   3: 00000000:0051 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 "
    "0 1\n"
    "   4: 0000:0052\n";

TEST(SocketsTest, TablesOfTheKernel) {
  EXPECT_THAT(ParseBoundSockets(kTable, false),
              ElementsAre(BoundSocket{.udp = false, .port = 80, .inode = 111}));
  EXPECT_THAT(ParseBoundSockets(kTable, true),
              ElementsAre(BoundSocket{.udp = true, .port = 8081, .inode = 113}));
  EXPECT_THAT(ParseBoundSockets("", false), IsEmpty());
}

struct Bound {
  UniqueFd fd;
  BoundSocket socket;
};

// A socket of this process, on loopback.
Bound Bind(int family, int type) {
  Bound out;
  out.fd.reset(socket(family, type | SOCK_CLOEXEC, 0));
  sockaddr_storage address{};
  socklen_t size = sizeof address;
  if (family == AF_INET6) {
    auto& v6 = reinterpret_cast<sockaddr_in6&>(address);
    v6.sin6_family = AF_INET6;
    v6.sin6_addr = in6addr_loopback;
    size = sizeof v6;
  } else {
    auto& v4 = reinterpret_cast<sockaddr_in&>(address);
    v4.sin_family = AF_INET;
    v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    size = sizeof v4;
  }
  if (bind(out.fd.get(), reinterpret_cast<sockaddr*>(&address), size) != 0) return {};
  if (type == SOCK_STREAM) EXPECT_EQ(listen(out.fd.get(), 1), 0);
  getsockname(out.fd.get(), reinterpret_cast<sockaddr*>(&address), &size);
  // Both have the port at the same place.
  out.socket.port = ntohs(reinterpret_cast<sockaddr_in&>(address).sin_port);
  out.socket.udp = type == SOCK_DGRAM;
  struct stat status{};
  fstat(out.fd.get(), &status);
  out.socket.inode = status.st_ino;
  return out;
}

TEST(SocketsTest, WhatThisProcessHolds) {
  for (const int family : {AF_INET, AF_INET6}) {
    for (const int type : {SOCK_STREAM, SOCK_DGRAM}) {
      Bound bound = Bind(family, type);
      if (!bound.fd) {
        EXPECT_EQ(family, AF_INET6) << "no loopback";
        continue;
      }
      auto sockets = ReadBoundSockets(getpid());
      ASSERT_TRUE(sockets.ok()) << sockets.error().message();
      EXPECT_THAT(*sockets, Contains(bound.socket));
      auto open = OpenSockets(getpid());
      ASSERT_TRUE(open.ok()) << open.error().message();
      EXPECT_THAT(*open, Contains(bound.socket.inode));
      bound.fd.reset();
      EXPECT_THAT(*ReadBoundSockets(getpid()), Not(Contains(bound.socket)));
      EXPECT_THAT(*OpenSockets(getpid()), Not(Contains(bound.socket.inode)));
    }
  }
}

TEST(SocketsTest, AProcessThatIsNotThere) {
  // One more than the kernel gives out.
  constexpr pid_t kNone = (1 << 22) + 1;
  EXPECT_EQ(ReadBoundSockets(kNone).error().code(), Code::kNotFound);
  EXPECT_EQ(OpenSockets(kNone).error().code(), Code::kNotFound);
  EXPECT_EQ(ProcessName(kNone).error().code(), Code::kNotFound);
  EXPECT_FALSE(ProcessName(getpid())->empty());
}

}  // namespace
}  // namespace podium::kernel
