#include "http/listener.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <filesystem>
#include <fstream>

#include "http/connect.h"
#include "http/peer.h"

namespace podium::http {
namespace {

namespace fs = std::filesystem;

class ListenerTest : public ::testing::Test {
 protected:
  TestFolder folder_;
  const std::string path_ = folder_.path() + "/agent.sock";
};

TEST_F(ListenerTest, IsForItsOwnerAlone) {
  {
    const Listener listener = *Listener::Unix(path_);
    struct stat info{};
    ASSERT_EQ(stat(path_.c_str(), &info), 0);
    EXPECT_EQ(info.st_mode, S_IFSOCK | 0600U);
    EXPECT_TRUE(ConnectUnix(path_, {}).ok());
    EXPECT_TRUE(listener.is_unix());
    EXPECT_EQ(Listener::Unix(path_).error().code(), Code::kAlreadyExists);
  }
  // Nothing is left, neither there nor beside it.
  EXPECT_TRUE(fs::is_empty(folder_.path()));
}

TEST_F(ListenerTest, ReplacesWhatADeadServerLeft) {
  {
    // Bound and closed, as after kill -9: the file stays.
    const UniqueFd dead(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path_.copy(address.sun_path, sizeof address.sun_path - 1);
    ASSERT_EQ(bind(dead.get(), reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  }
  ASSERT_TRUE(fs::exists(path_));
  auto listener = Listener::Unix(path_);
  ASSERT_TRUE(listener.ok()) << listener.error().message();
  EXPECT_TRUE(ConnectUnix(path_, {}).ok());
}

TEST_F(ListenerTest, LeavesAloneWhatIsNoSocket) {
  std::ofstream(path_) << "data";
  EXPECT_EQ(Listener::Unix(path_).error().code(), Code::kInvalidArgument);
  EXPECT_EQ(fs::file_size(path_), 4U);
  fs::remove(path_);
  fs::create_symlink(folder_.path() + "/elsewhere", path_);
  EXPECT_EQ(Listener::Unix(path_).error().code(), Code::kInvalidArgument);
  EXPECT_FALSE(Listener::Unix(folder_.path() + "/" + std::string(200, 'x')).ok());
  EXPECT_EQ(Listener::Unix(folder_.path() + "/missing/x").error().code(), Code::kNotFound);
}

TEST_F(ListenerTest, RemovesOnlyItsOwn) {
  auto first = std::make_unique<Listener>(*Listener::Unix(path_));
  fs::rename(path_, folder_.path() + "/moved");
  const Listener second = *Listener::Unix(path_);
  first.reset();
  EXPECT_TRUE(ConnectUnix(path_, {}).ok());
}

TEST_F(ListenerTest, MovesWithItsPath) {
  Listener first = *Listener::Unix(path_);
  const Listener second = std::move(first);
  EXPECT_TRUE(ConnectUnix(path_, {}).ok());
}

TEST(TcpListener, TakesAnAddress) {
  for (const char* address : {"127.0.0.1", "::1"}) {
    auto listener = Listener::Tcp(address, 0);
    if (!listener.ok() && listener.error().os_errno() == EADDRNOTAVAIL) continue;
    ASSERT_TRUE(listener.ok()) << listener.error().message();
    EXPECT_NE(listener->port(), 0);
    EXPECT_TRUE(ConnectTcp(address, listener->port(), {}).ok());
    EXPECT_EQ(Listener::Tcp(address, listener->port()).error().os_errno(), EADDRINUSE);
  }
  EXPECT_EQ(Listener::Tcp("localhost", 0).error().code(), Code::kInvalidArgument);
}

}  // namespace
}  // namespace podium::http
