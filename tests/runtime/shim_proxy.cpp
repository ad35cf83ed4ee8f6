#include "shim_proxy.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <utility>
#include <vector>

#include "linux/packet_socket.h"
#include "linux/path.h"
#include "runtime/messages.h"

namespace podium::runtime {

ShimProxy::ShimProxy(const std::string& folder, Change change)
    : change_(std::move(change)), stop_(eventfd(0, EFD_CLOEXEC)) {
  EXPECT_EQ(std::rename((folder + "/shim.sock").c_str(), (folder + "/real.sock").c_str()), 0);
  const UniqueFd open = *kernel::OpenPath(folder, O_RDONLY | O_DIRECTORY);
  listener_ = *kernel::ListenPackets(open.get(), "shim.sock");
  shim_ = *kernel::ConnectPackets(open.get(), "real.sock");
  thread_ = std::thread([this] { Run(); });
}

ShimProxy::~ShimProxy() {
  const uint64_t one = 1;
  EXPECT_EQ(write(stop_.get(), &one, sizeof one), static_cast<ssize_t>(sizeof one));
  thread_.join();
}

void ShimProxy::Run() {
  const UniqueFd agent(accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
  while (true) {
    pollfd wait[] = {{.fd = agent.get(), .events = POLLIN, .revents = 0},
                     {.fd = shim_.get(), .events = POLLIN, .revents = 0},
                     {.fd = stop_.get(), .events = POLLIN, .revents = 0}};
    if (poll(wait, 3, -1) < 0 || wait[2].revents != 0) return;
    if (wait[0].revents != 0 && !Pass(agent.get(), shim_.get(), From::kAgent)) return;
    if (wait[1].revents != 0 && !Pass(shim_.get(), agent.get(), From::kShim)) return;
  }
}

bool ShimProxy::Pass(int from, int to, From who) {
  auto packet = kernel::ReceivePacket(from, shim::kMaxMessage);
  if (!packet.ok() || packet->bytes.size() < sizeof(shim::Header)) return false;
  change_(who, &packet->bytes);
  std::vector<int> descriptors;
  for (const UniqueFd& fd : packet->descriptors) descriptors.push_back(fd.get());
  return kernel::SendPacket(to, packet->bytes, descriptors).ok();
}

}  // namespace podium::runtime
