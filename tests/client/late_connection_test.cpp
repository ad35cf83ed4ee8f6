#include "client/late_connection.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "base/clock.h"
#include "client/contract.h"
#include "client/fake_server.h"

namespace podium::client {
namespace {

using namespace std::chrono_literals;

constexpr auto kPods = [] { return Target{.group = "", .version = "v1", .resource = "pods"}; };

class LateServer : public ContractServer {
 public:
  LateServer() { late_.Set(server_); }
  Connection& connection() override { return late_; }
  bool Compact() override {
    server_.Compact();
    return true;
  }

 private:
  SystemClock clock_;
  FakeServer server_{clock_};
  LateConnection late_;
};

std::unique_ptr<ContractServer> MakeLate() { return std::make_unique<LateServer>(); }

INSTANTIATE_TEST_SUITE_P(Late, ConnectionContract, testing::Values(&MakeLate));

TEST(LateConnection, CallsWaitForIt) {
  const SystemClock clock;
  FakeServer server(clock);
  LateConnection late;
  std::atomic<bool> done = false;
  std::thread caller([&] {
    EXPECT_TRUE(late.List(kPods(), {}).ok());
    done = true;
  });
  std::this_thread::sleep_for(50ms);
  EXPECT_FALSE(done);
  late.Set(server);
  caller.join();
}

TEST(LateConnection, NotForever) {
  LateConnection late(20ms);
  EXPECT_EQ(late.List(kPods(), {}).error().code(), Code::kUnavailable);
}

TEST(LateConnection, StopEndsTheirWait) {
  LateConnection late(1h);
  std::thread caller([&] { EXPECT_EQ(late.GetRaw("/version").error().code(), Code::kCancelled); });
  std::this_thread::sleep_for(20ms);
  late.Stop();
  caller.join();
  EXPECT_EQ(late.GetRaw("/version").error().code(), Code::kCancelled);
}

}  // namespace
}  // namespace podium::client
