#include "node/dns.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "node/pods.h"

namespace podium::node {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

NodeConfig WithoutCluster() { return {.name = "n"}; }
NodeConfig WithCluster() {
  NodeConfig config{.name = "n"};
  config.cluster_dns = {"10.96.0.10"};
  return config;
}
const wire::cri::DNSConfig kHost{
    .servers = {"192.0.2.53"}, .searches = {"example.org"}, .options = {"edns0"}};

TEST(DnsTest, ResolvConf) {
  const auto config = ParseResolvConf(
      "# a comment\n; another\nnameserver 192.0.2.1 # behind\nnameserver\t2001:db8::1\n"
      "nameserver 192.0.2.1\ndomain old.example\nsearch a.example\nsearch b.example. . "
      "c.example\r\n"
      "options ndots:3 edns0\noptions ndots:4 timeout:1\nsortlist 10.0.0.0\nnameserver\n");
  EXPECT_THAT(config.servers, ElementsAre("192.0.2.1", "2001:db8::1"));
  EXPECT_THAT(config.searches, ElementsAre("b.example", "c.example"));
  EXPECT_THAT(config.options, ElementsAre("edns0", "ndots:4", "timeout:1"));
  EXPECT_THAT(ParseResolvConf("").servers, IsEmpty());
  EXPECT_THAT(ParseResolvConf("nameserver 1.2.3.4").servers, ElementsAre("1.2.3.4"));
}

TEST(DnsTest, Policies) {
  struct Case {
    const char* spec;
    bool cluster;
    std::vector<std::string> servers;
    std::vector<std::string> searches;
    std::vector<std::string> options;
    size_t events;
  };
  const std::vector<std::string> searches{"ns.svc.cluster.local", "svc.cluster.local",
                                          "cluster.local", "example.org"};
  const Case cases[] = {
      {"dnsPolicy: Default", true, {"192.0.2.53"}, {"example.org"}, {"edns0"}, 0},
      {"dnsPolicy: ClusterFirst", true, {"10.96.0.10"}, searches, {"ndots:5"}, 0},
      {"dnsPolicy: ClusterFirst, hostNetwork: true",
       true,
       {"192.0.2.53"},
       {"example.org"},
       {"edns0"},
       0},
      {"dnsPolicy: ClusterFirstWithHostNet, hostNetwork: true",
       true,
       {"10.96.0.10"},
       searches,
       {"ndots:5"},
       0},
      {"dnsPolicy: ClusterFirst", false, {"192.0.2.53"}, {"example.org"}, {"edns0"}, 2},
      {"dnsPolicy: Default", false, {"192.0.2.53"}, {"example.org"}, {"edns0"}, 0},
      {"dnsPolicy: None, dnsConfig: {nameservers: [1.2.3.4]}", true, {"1.2.3.4"}, {}, {}, 0},
      {"dnsPolicy: ClusterFirst, dnsConfig: {nameservers: [1.2.3.4, 10.96.0.10], searches: "
       "[svc.cluster.local, x], options: [{name: ndots, value: '2'}, {name: rotate}]}",
       true,
       {"10.96.0.10", "1.2.3.4"},
       {"ns.svc.cluster.local", "svc.cluster.local", "cluster.local", "example.org", "x"},
       {"ndots:2", "rotate"},
       0},
  };
  for (const Case& each : cases) {
    SCOPED_TRACE(each.spec);
    const v1::Pod pod = PodOf(std::string(each.spec) + ", containers: [{name: a}]");
    const PodDns dns = MakePodDns(pod, each.cluster ? WithCluster() : WithoutCluster(), kHost);
    EXPECT_EQ(dns.config.servers, each.servers);
    EXPECT_EQ(dns.config.searches, each.searches);
    EXPECT_EQ(dns.config.options, each.options);
    EXPECT_EQ(dns.events.size(), each.events);
  }
}

TEST(DnsTest, WithoutClusterDnsAnEventSaysSo) {
  const std::string problem =
      "kubelet does not have ClusterDNS IP configured and cannot create Pod using \"ClusterFirst\" "
      "policy. Falling back to \"Default\" policy.";
  for (const char* policy :
       {"", "dnsPolicy: ClusterFirst, ", "dnsPolicy: ClusterFirstWithHostNet, "}) {
    const v1::Pod pod = PodOf(std::string(policy) + "containers: [{name: a}]");
    EXPECT_THAT(MakePodDns(pod, WithoutCluster(), kHost).events,
                ElementsAre(SetupEvent{"MissingClusterDNS", problem, true},
                            SetupEvent{"MissingClusterDNS", "pod: \"p_ns(u)\". " + problem}))
        << policy;
  }
}

TEST(DnsTest, MoreThanResolversTake) {
  v1::Pod pod = PodOf("dnsPolicy: None, containers: [{name: a}]");
  v1::PodDNSConfig& config = pod.spec.dnsConfig.emplace();
  config.nameservers = {"1.1.1.1", "2.2.2.2", "3.3.3.3", "4.4.4.4"};
  for (int i = 0; i < 33; ++i) config.searches.push_back("s" + std::to_string(i));
  PodDns dns = MakePodDns(pod, WithoutCluster(), kHost);
  EXPECT_THAT(dns.config.servers, ElementsAre("1.1.1.1", "2.2.2.2", "3.3.3.3"));
  EXPECT_EQ(dns.config.searches.size(), 32u);
  ASSERT_EQ(dns.events.size(), 2u);
  EXPECT_EQ(dns.events[0],
            (SetupEvent{"DNSConfigForming",
                        "Nameserver limits were exceeded, some nameservers have been omitted, the "
                        "applied nameserver line is: 1.1.1.1 2.2.2.2 3.3.3.3"}));
  EXPECT_EQ(dns.events[1].reason, "DNSConfigForming");
  EXPECT_TRUE(dns.events[1].message.starts_with(
      "Search Line limits were exceeded, some search paths have been omitted, the applied search "
      "line is: s0 s1 "))
      << dns.events[1].message;

  config.nameservers.resize(1);
  config.searches = {std::string(1023, 'a'), std::string(1024, 'b')};
  EXPECT_EQ(MakePodDns(pod, WithoutCluster(), kHost).config.searches.size(), 2u);
  config.searches[1] += "b";
  EXPECT_EQ(MakePodDns(pod, WithoutCluster(), kHost).config.searches.size(), 1u);
}

}  // namespace
}  // namespace podium::node
