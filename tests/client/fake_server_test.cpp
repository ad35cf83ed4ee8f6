#include "client/fake_server.h"

#include "client/contract.h"
#include "client/virtual_time.h"

namespace podium::client {
namespace {

class FakeContractServer : public ContractServer {
 public:
  Connection& connection() override { return server_; }
  bool Compact() override {
    server_.Compact();
    return true;
  }

 private:
  VirtualTime time_;
  FakeServer server_{time_};
};

std::unique_ptr<ContractServer> MakeFake() { return std::make_unique<FakeContractServer>(); }

INSTANTIATE_TEST_SUITE_P(Fake, ConnectionContract, testing::Values(&MakeFake));

TEST(FakeServer, FailsOnDemand) {
  VirtualTime time;
  FakeServer server(time);
  server.SetFault([](std::string_view verb, const Target& target) -> std::optional<Error> {
    if (verb == "list" && target.resource == "pods") return Error(Code::kUnavailable, "not now");
    return std::nullopt;
  });
  EXPECT_EQ(server.List({"", "v1", "pods"}, {}).error().message(), "not now");
  EXPECT_TRUE(server.List({"", "v1", "nodes"}, {}).ok());
  EXPECT_EQ(server.calls("list"), 2);
}

}  // namespace
}  // namespace podium::client
