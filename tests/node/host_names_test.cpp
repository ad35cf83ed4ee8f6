#include "node/host_names.h"

#include <gtest/gtest.h>

#include "node/pods.h"

namespace podium::node {
namespace {

const NodeConfig kConfig{.name = "n"};

TEST(HostNamesTest, Names) {
  struct Case {
    const char* spec;
    const char* hostname;
    const char* domain;
    const char* kernel_name;
  };
  const Case cases[] = {
      {"", "p", "", "p"},
      {"hostname: h", "h", "", "h"},
      {"subdomain: s", "p", "s.ns.svc.cluster.local", "p"},
      {"hostname: h, subdomain: s", "h", "s.ns.svc.cluster.local", "h"},
      {"setHostnameAsFQDN: true", "p", "", "p"},
      {"setHostnameAsFQDN: true, subdomain: s", "p", "s.ns.svc.cluster.local",
       "p.s.ns.svc.cluster.local"},
      {"setHostnameAsFQDN: false, subdomain: s", "p", "s.ns.svc.cluster.local", "p"},
      {"hostnameOverride: some.where.else, subdomain: s", "some.where.else", "", "some.where.else"},
  };
  for (const Case& each : cases) {
    SCOPED_TRACE(each.spec);
    const std::string spec = std::string(each.spec) + (*each.spec ? ", " : "");
    auto names = MakeHostNames(PodOf(spec + "containers: [{name: a}]"), kConfig);
    ASSERT_TRUE(names.ok()) << names.error().message();
    EXPECT_EQ(names->hostname, each.hostname);
    EXPECT_EQ(names->domain, each.domain);
    EXPECT_EQ(names->kernel_name, each.kernel_name);
  }
}

TEST(HostNamesTest, LongNamesAreCut) {
  v1::Pod pod = PodOf("containers: [{name: a}]");
  pod.metadata.name = std::string(63, 'a');
  EXPECT_EQ(MakeHostNames(pod, kConfig)->hostname, pod.metadata.name);
  pod.metadata.name = std::string(64, 'a');
  EXPECT_EQ(MakeHostNames(pod, kConfig)->hostname, std::string(63, 'a'));
  // What a label cannot end with goes as well.
  pod.metadata.name = std::string(60, 'a') + "-.-" + "b";
  EXPECT_EQ(MakeHostNames(pod, kConfig)->hostname, std::string(60, 'a'));
  pod.metadata.name = std::string(63, '.') + "b";
  EXPECT_EQ(MakeHostNames(pod, kConfig).error().message(),
            "hostname for pod was invalid: \"" + pod.metadata.name + "\"");
}

TEST(HostNamesTest, AFullNameMustFitTheKernel) {
  v1::Pod pod = PodOf("setHostnameAsFQDN: true, subdomain: s, containers: [{name: a}]");
  const size_t rest = std::string(".s.ns.svc.cluster.local").size();
  pod.metadata.name = std::string(64 - rest, 'a');
  EXPECT_EQ(MakeHostNames(pod, kConfig)->kernel_name.size(), 64u);
  pod.metadata.name += 'a';
  auto names = MakeHostNames(pod, kConfig);
  ASSERT_FALSE(names.ok());
  EXPECT_EQ(names.error().message(),
            "failed to construct FQDN from pod hostname and cluster domain, FQDN " +
                pod.metadata.name +
                ".s.ns.svc.cluster.local is too long (64 characters is the max, 65 characters "
                "requested)");
}

TEST(HostNamesTest, HostsFile) {
  v1::Pod pod = PodOf(
      "subdomain: s, hostAliases: [{ip: 1.2.3.4, hostnames: [foo, bar]}, {ip: '::2', hostnames: "
      "[baz]}], containers: [{name: a}]");
  EXPECT_EQ(MakeHostsFile(pod, *MakeHostNames(pod, kConfig), {"10.208.0.2", "fd00::2"}, "unused"),
            "# Kubernetes-managed hosts file.\n"
            "127.0.0.1\tlocalhost\n"
            "::1\tlocalhost ip6-localhost ip6-loopback\n"
            "fe00::0\tip6-localnet\n"
            "fe00::0\tip6-mcastprefix\n"
            "fe00::1\tip6-allnodes\n"
            "fe00::2\tip6-allrouters\n"
            "10.208.0.2\tp.s.ns.svc.cluster.local\tp\n"
            "fd00::2\tp.s.ns.svc.cluster.local\tp\n"
            "\n# Entries added by HostAliases.\n"
            "1.2.3.4\tfoo\tbar\n"
            "::2\tbaz\n");
  pod.spec.subdomain.clear();
  pod.spec.hostAliases.clear();
  EXPECT_TRUE(MakeHostsFile(pod, *MakeHostNames(pod, kConfig), {"10.208.0.2"}, "")
                  .ends_with("ip6-allrouters\n10.208.0.2\tp\n"));
}

TEST(HostNamesTest, HostsFileOnTheHostsNetwork) {
  const v1::Pod pod = PodOf(
      "hostNetwork: true, hostAliases: [{ip: 1.2.3.4, hostnames: [foo]}], containers: [{name: a}]");
  EXPECT_EQ(MakeHostsFile(pod, *MakeHostNames(pod, kConfig), {"192.0.2.1"}, "127.0.0.1 here"),
            "# Kubernetes-managed hosts file (host network).\n"
            "127.0.0.1 here\n"
            "\n# Entries added by HostAliases.\n"
            "1.2.3.4\tfoo\n");
}

}  // namespace
}  // namespace podium::node
