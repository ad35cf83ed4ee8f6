#include "node/port_conflicts.h"

#include <gtest/gtest.h>

#include "node/pods.h"

namespace podium::node {
namespace {

runtime::PortHolder Holder(uint16_t port, cri::Protocol protocol = cri::Protocol::kTcp) {
  runtime::PortHolder out;
  out.port = port;
  out.protocol = protocol;
  out.container_id = "x";
  out.container_name = "first";
  out.pid = 4711;
  out.program = "httpd";
  return out;
}

class PortConflictsTest : public ::testing::Test {
 protected:
  std::string Describe(const std::string& container, std::vector<runtime::PortHolder> holders,
                       std::string_view lines = "") {
    const v1::Pod pod = PodOf("containers: [{name: b" + container + "}]");
    return DescribePortConflict(pod.spec.containers[0], holders, lines);
  }
};

constexpr char kFirst80[] = "port 80 is held by container \"first\" (httpd, pid 4711)";

TEST_F(PortConflictsTest, APortThatIsDeclared) {
  EXPECT_EQ(Describe(", ports: [{containerPort: 80}]", {Holder(80)}), kFirst80);
  EXPECT_EQ(Describe(", ports: [{containerPort: 81}]", {Holder(80)}), "");
  EXPECT_EQ(Describe(", ports: [{containerPort: 80, protocol: UDP}]", {Holder(80)}), "");
  EXPECT_EQ(Describe(", ports: [{containerPort: 53, protocol: UDP}]",
                     {Holder(53), Holder(53, cri::Protocol::kUdp)}),
            "UDP port 53 is held by container \"first\" (httpd, pid 4711)");
  EXPECT_EQ(Describe(", ports: [{containerPort: 80}]", {}), "");
}

TEST_F(PortConflictsTest, APortThatTheLastLinesName) {
  for (const char* line :
       {"nginx: [emerg] bind() to 0.0.0.0:80 failed (98: Address already in use)",
        "listen tcp :80: bind: address already in use",
        "Error: listen EADDRINUSE: address already in use :::80",
        "OSError: [Errno 98] Address already in use: ('127.0.0.1', port 80)",
        "could not bind [::]:80: Address in use\n"}) {
    EXPECT_EQ(Describe("", {Holder(80), Holder(98), Holder(8)}, line), kFirst80) << line;
  }
}

TEST_F(PortConflictsTest, LastLinesThatNameNoPort) {
  const std::string all =
      "address in use; held by others here: port 80 by container \"first\" (httpd, pid 4711), port "
      "81 by container \"first\" (httpd, pid 4711)";
  EXPECT_EQ(Describe("", {Holder(80), Holder(81)}, "httpd: bind: Address already in use"), all);
  EXPECT_EQ(Describe("", {}, "httpd: bind: Address already in use"), "");
  // Another port than those that are held, the number of the error, a part of an address.
  for (const char* line : {"bind :8080: Address already in use", "bind 80.1.1.1: address in use",
                           "bind 10.0.0.80 failed (80: Address already in use)"}) {
    EXPECT_EQ(Describe("", {Holder(80), Holder(81)}, line), all) << line;
  }
  // Numbers in lines about something else.
  EXPECT_EQ(Describe("", {Holder(80), Holder(81)},
                     "connected to db:80\nhttpd: bind: Address already in use"),
            all);
}

TEST_F(PortConflictsTest, LinesThatTellOfSomethingElse) {
  EXPECT_EQ(Describe("", {Holder(80)}, "cannot open /etc/x:80: No such file or directory"), "");
  EXPECT_EQ(Describe("", {Holder(80)}, "addresses in user space: 80"), "");
}

TEST_F(PortConflictsTest, AHolderInAnotherPodOfTheHostsNetwork) {
  runtime::PortHolder holder = Holder(80);
  holder.pod_namespace = "default";
  holder.pod_name = "web";
  EXPECT_EQ(Describe(", ports: [{containerPort: 80}]", {holder}),
            "port 80 is held by container \"first\" of pod \"default/web\" (httpd, pid 4711)");
}

}  // namespace
}  // namespace podium::node
