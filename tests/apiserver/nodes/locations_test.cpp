#include "apiserver/nodes/locations.h"

#include <gtest/gtest.h>

#include "api/status.h"
#include "apiserver/test_store.h"
#include "reflect/json.h"

namespace podium::apiserver {
namespace {

namespace v1 = api::core::v1;

struct LocationsTest : ::testing::Test {
  void SetUp() override {
    AddNode("all", R"([{"type":"InternalIP","address":"10.0.0.1"},
                       {"type":"ExternalIP","address":"1.2.3.4"},
                       {"type":"InternalDNS","address":"all.local"},
                       {"type":"Hostname","address":"all"}])",
            4711);
    AddNode("plain", R"([{"type":"ExternalIP","address":"1.2.3.4"},
                         {"type":"InternalIP","address":"fd00::1"}])",
            0);
    AddNode("none", "[]", 0);
  }
  void AddNode(const std::string& name, const std::string& addresses, int port) {
    Add<v1::Node>(R"({"metadata":{"name":")" + name + R"("},"status":{"addresses":)" + addresses +
                  R"(,"daemonEndpoints":{"kubeletEndpoint":{"Port":)" + std::to_string(port) +
                  "}}}}");
  }
  void AddPod(const std::string& name, const std::string& node, const std::string& spec) {
    Add<v1::Pod>(R"({"metadata":{"name":")" + name + R"(","namespace":"a"},"spec":{"nodeName":")" +
                 node + R"(",)" + spec + "}}");
  }
  template <class T>
  void Add(const std::string& json) {
    auto object = reflect::FromJson<T>(json);
    ASSERT_TRUE(object.ok()) << object.error().message();
    store.Put(*std::move(object));
  }
  template <class T>
  static std::string Message(const Result<T>& result) {
    return result.ok() ? "" : result.error().message();
  }

  TestStore store;
};

TEST_F(LocationsTest, AddressesInUpstreamsOrder) {
  auto all = KubeletLocation(store.objects, "all");
  ASSERT_TRUE(all.ok());
  EXPECT_EQ(all->Authority(), "all:4711");
  EXPECT_TRUE(all->https);
  EXPECT_EQ(KubeletLocation(store.objects, "plain")->Authority(), "[fd00::1]:10250");
  EXPECT_EQ(Message(KubeletLocation(store.objects, "none")),
            "Internal error occurred: no preferred addresses found; known addresses: []");
  EXPECT_EQ(Message(KubeletLocation(store.objects, "x")), "nodes \"x\" not found");
}

TEST_F(LocationsTest, StreamsOfContainers) {
  AddPod("p", "plain",
         R"("initContainers":[{"name":"i"}],"containers":[{"name":"c"}],
            "ephemeralContainers":[{"name":"e"}])");
  v1::PodExecOptions exec{};
  exec.command = {"sh", "-c", "a&b"};
  exec.stdin_ = true;
  exec.stdout_ = true;
  exec.stderr_ = true;
  auto location = ExecLocation(store.objects, "a", "p", exec);
  ASSERT_TRUE(location.ok()) << Message(location);
  EXPECT_EQ(location->path, "/exec/a/p/c");
  EXPECT_EQ(location->query, "command=sh&command=-c&command=a%26b&input=1&output=1&error=1");
  v1::PodAttachOptions attach{};
  attach.container = "e";
  attach.tty = true;
  location = AttachLocation(store.objects, "a", "p", attach);
  EXPECT_EQ(location->path, "/attach/a/p/e");
  EXPECT_EQ(location->query, "tty=1");
  v1::PodPortForwardOptions ports{};
  ports.ports = {80, 443};
  location = PortForwardLocation(store.objects, "a", "p", ports);
  EXPECT_EQ(location->path, "/portForward/a/p");
  EXPECT_EQ(location->query, "port=80%2C443");
  EXPECT_EQ(Message(PortForwardLocation(store.objects, "a", "q", ports)), "pods \"q\" not found");
}

TEST_F(LocationsTest, LogOptionsAreChecked) {
  v1::PodLogOptions options{};
  EXPECT_TRUE(CheckLogOptions("p", options).ok());
  options.sinceSeconds = 1;
  options.sinceTime = api::Time::FromUnix(0);
  EXPECT_EQ(Message(CheckLogOptions("p", options)),
            "PodLogOptions \"p\" is invalid: []: Forbidden: at most one of `sinceTime` or "
            "`sinceSeconds` may be specified");
  options = {};
  options.limitBytes = 0;
  options.sinceSeconds = 0;
  EXPECT_EQ(Message(CheckLogOptions("p", options)),
            "PodLogOptions \"p\" is invalid: [limitBytes: Invalid value: 0: must be greater than "
            "0, sinceSeconds: Invalid value: 0: must be greater than 0]");
  options = {};
  options.stream = "Stdout";
  EXPECT_TRUE(CheckLogOptions("p", options).ok());
  options.tailLines = 1;
  EXPECT_FALSE(CheckLogOptions("p", options).ok());
  options.stream = "x";
  EXPECT_EQ(Message(CheckLogOptions("p", options)),
            "PodLogOptions \"p\" is invalid: stream: Unsupported value: \"x\": supported values: "
            "\"All\", \"Stderr\", \"Stdout\"");
}

}  // namespace
}  // namespace podium::apiserver
