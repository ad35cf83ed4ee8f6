#include <gmock/gmock.h>

#include <atomic>
#include <thread>

#include "api/quota_usage.h"
#include "api/types/apps_v1.h"
#include "api/types/core_v1.h"
#include "apiserver/admission/admission_fixture.h"
#include "apiserver/admission/plugins.h"

namespace podium::apiserver {
namespace {

using api::apps::v1::Deployment;
using api::core::v1::ConfigMap;
using api::core::v1::PersistentVolumeClaim;
using api::core::v1::Pod;
using api::core::v1::ResourceQuota;
using api::core::v1::Service;
using ::testing::HasSubstr;

class ResourceQuotaTest : public AdmissionTest {
 protected:
  const std::unique_ptr<AdmissionPlugin> plugin_ = NewResourceQuota(dependencies_);

  // `spec` begins with a comma, if there is any.
  void PutQuota(const std::string& hard, const std::string& used, const std::string& spec = "",
                const std::string& name = "q") {
    Put<ResourceQuota>(R"({"metadata":{"name":")" + name +
                       R"(","namespace":"ns"},"spec":{"hard":{)" + hard + "}" + spec +
                       R"(},"status":{"hard":{)" + hard + R"(},"used":{)" + used + "}}}");
  }
  std::string Used(const std::string& name = "q") {
    const auto quota = store_.objects.Get<ResourceQuota>("ns", name);
    std::string text;
    for (const auto& [resource, amount] : (*quota)->status.used) {
      text += resource + "=" + amount.String() + " ";
    }
    return text;
  }
  template <class T>
  std::string Create(const std::string& json) {
    Writing<T> write(json);
    return Validate(*plugin_, write.request);
  }
  template <class T>
  std::string Update(const std::string& before, const std::string& after,
                     std::string_view subresource = "") {
    Writing<T> write(before, after, subresource);
    return Validate(*plugin_, write.request);
  }
};

std::string PodWith(const std::string& spec) {
  return R"({"metadata":{"name":"p","namespace":"ns"},"spec":{)" + spec + "}}";
}
std::string Asking(const std::string& resources) {
  return PodWith(R"("containers":[{"name":"c","resources":{)" + resources + "}}]");
}

TEST_F(ResourceQuotaTest, CountsPodsUntilNoneIsLeft) {
  EXPECT_FALSE(plugin_->MayBlock(Writing<Pod>(PodWith("")).request));
  EXPECT_EQ(Create<Pod>(PodWith("")), "");
  PutQuota(R"("pods":"2","count/pods":"5")", R"("pods":"1","count/pods":"1")");
  EXPECT_TRUE(plugin_->MayBlock(Writing<Pod>(PodWith("")).request));
  EXPECT_EQ(Create<Pod>(PodWith("")), "");
  EXPECT_EQ(Used(), "count/pods=2 pods=2 ");
  Writing<Pod> late(PodWith(""));
  const auto answer = plugin_->Validate(late.request);
  ASSERT_FALSE(answer.ok());
  EXPECT_EQ(
      answer.error().message(),
      R"(pods "p" is forbidden: exceeded quota: q, requested: pods=1, used: pods=2, limited: )"
      "pods=2");
  EXPECT_EQ(api::StatusOf(answer.error()).code, 403);
  EXPECT_EQ(Used(), "count/pods=2 pods=2 ");
}

TEST_F(ResourceQuotaTest, DryRunsAndUpdatesTakeNothing) {
  PutQuota(R"("pods":"1")", R"("pods":"0")");
  for (int i = 0; i < 2; ++i) {
    Writing<Pod> write(PodWith(""));
    write.request.dry_run = true;
    EXPECT_EQ(Validate(*plugin_, write.request), "");
  }
  EXPECT_EQ(Used(), "pods=0 ");
  EXPECT_EQ(Update<Pod>(PodWith(""), PodWith("")), "");
  EXPECT_EQ(Update<Pod>(PodWith(""), PodWith(""), "status"), "");
  EXPECT_EQ(Used(), "pods=0 ");
  EXPECT_EQ(Create<Pod>(PodWith("")), "");
  Writing<Pod> write(PodWith(""));
  write.request.dry_run = true;
  EXPECT_THAT(Validate(*plugin_, write.request), HasSubstr("exceeded quota"));
}

TEST_F(ResourceQuotaTest, CountsWhatContainersAskFor) {
  PutQuota(
      R"("requests.cpu":"2","limits.memory":"1Gi","requests.example.com/gpu":"1","hugepages-2Mi":"4Mi")",
      R"("requests.cpu":"0","limits.memory":"0","requests.example.com/gpu":"0","hugepages-2Mi":"0")");
  EXPECT_EQ(
      Create<Pod>(Asking(R"("requests":{"cpu":"1500m","example.com/gpu":"1","hugepages-2Mi":"2Mi"},
                               "limits":{"memory":"512Mi"})")),
      "");
  EXPECT_EQ(Used(),
            "hugepages-2Mi=2Mi limits.memory=512Mi requests.cpu=1500m "
            "requests.example.com/gpu=1 ");
  EXPECT_EQ(Create<Pod>(Asking(
                R"("requests":{"cpu":"1","example.com/gpu":"1"},"limits":{"memory":"1Mi"})")),
            R"(pods "p" is forbidden: exceeded quota: q, requested: requests.cpu=1,)"
            "requests.example.com/gpu=1, used: requests.cpu=1500m,requests.example.com/gpu=1, "
            "limited: requests.cpu=2,requests.example.com/gpu=1");
  EXPECT_EQ(Create<Pod>(PodWith(R"("containers":[{"name":"b"},{"name":"a","resources":{
                                "requests":{"cpu":"1"}}}])")),
            R"(pods "p" is forbidden: failed quota: q: must specify limits.memory for: a,b; )"
            "requests.cpu for: b");
  EXPECT_EQ(Create<Pod>(Asking(R"("requests":{"cpu":"-1"},"limits":{"memory":"1Mi"})")),
            R"(pods "p" is forbidden: quota usage is negative for resource(s): cpu,requests.cpu)");
}

TEST_F(ResourceQuotaTest, WaitsForTheControllerToCount) {
  PutQuota(R"("pods":"2","requests.cpu":"1")", "");
  EXPECT_EQ(Create<Pod>(Asking(R"("requests":{"cpu":"1"})")),
            R"(pods "p" is forbidden: status unknown for quota: q, resources: pods,requests.cpu)");
  // One that no controller has seen counts nothing yet.
  Put<ResourceQuota>(R"({"metadata":{"name":"q","namespace":"ns"},"spec":{"hard":{"pods":"0"}}})");
  EXPECT_EQ(Create<Pod>(PodWith("")), "");
}

TEST_F(ResourceQuotaTest, ScopesSayWhichPodsCount) {
  const auto exceeds = [&](const std::string& scope, const std::string& spec) {
    PutQuota(R"("pods":"0")", R"("pods":"0")", "," + scope);
    return Create<Pod>(PodWith(spec)).contains("exceeded quota");
  };
  const std::string requests =
      R"("containers":[{"name":"c","resources":{"requests":{"cpu":"1"}}}])";
  EXPECT_TRUE(exceeds(R"("scopes":["BestEffort"])", R"("containers":[{"name":"c"}])"));
  EXPECT_FALSE(exceeds(R"("scopes":["BestEffort"])", requests));
  EXPECT_TRUE(exceeds(R"("scopes":["NotBestEffort"])", requests));
  EXPECT_TRUE(exceeds(R"("scopes":["Terminating"])", R"("activeDeadlineSeconds":5)"));
  EXPECT_FALSE(exceeds(R"("scopes":["Terminating"])", ""));
  EXPECT_TRUE(exceeds(R"("scopes":["NotTerminating"])", ""));
  EXPECT_FALSE(exceeds(R"("scopes":["NotTerminating","BestEffort"])", requests));
  const auto selector = [](const std::string& rest) {
    return R"("scopeSelector":{"matchExpressions":[{"scopeName":"PriorityClass",)" + rest + "}]}";
  };
  const std::string high = R"("priorityClassName":"high")";
  EXPECT_TRUE(exceeds(selector(R"("operator":"In","values":["high","mid"])"), high));
  EXPECT_FALSE(exceeds(selector(R"("operator":"In","values":["mid"])"), high));
  EXPECT_TRUE(exceeds(selector(R"("operator":"NotIn","values":["mid"])"), high));
  EXPECT_TRUE(exceeds(selector(R"("operator":"NotIn","values":["mid"])"), ""));
  EXPECT_FALSE(exceeds(selector(R"("operator":"Exists")"), ""));
  EXPECT_TRUE(exceeds(selector(R"("operator":"DoesNotExist")"), ""));
  const std::string across =
      R"("affinity":{"podAntiAffinity":{"preferredDuringSchedulingIgnoredDuringExecution":[
    {"weight":1,"podAffinityTerm":{"topologyKey":"k","namespaces":["other"]}}]}})";
  EXPECT_TRUE(exceeds(R"("scopes":["CrossNamespacePodAffinity"])", across));
  EXPECT_FALSE(exceeds(R"("scopes":["CrossNamespacePodAffinity"])", ""));
}

TEST_F(ResourceQuotaTest, ServicesCountTheirPorts) {
  PutQuota(R"("services":"9","services.nodeports":"3","services.loadbalancers":"1")",
           R"("services":"0","services.nodeports":"0","services.loadbalancers":"0")");
  const auto service = [](const std::string& spec) {
    return R"({"metadata":{"name":"s","namespace":"ns","resourceVersion":"1"},"spec":{)" + spec +
           "}}";
  };
  const std::string ports = R"("ports":[{"port":1},{"port":2}])";
  EXPECT_EQ(Create<Service>(service(R"("type":"ClusterIP",)" + ports)), "");
  EXPECT_EQ(Used(), "services=1 services.loadbalancers=0 services.nodeports=0 ");
  EXPECT_EQ(Update<Service>(service(R"("type":"ClusterIP",)" + ports),
                            service(R"("type":"NodePort",)" + ports)),
            "");
  EXPECT_EQ(Used(), "services=1 services.loadbalancers=0 services.nodeports=2 ");
  EXPECT_EQ(Create<Service>(service(R"("type":"LoadBalancer","allocateLoadBalancerNodePorts":false,
    "ports":[{"port":1,"nodePort":30000},{"port":2}])")),
            "");
  EXPECT_EQ(Used(), "services=2 services.loadbalancers=1 services.nodeports=3 ");
  EXPECT_EQ(Create<Service>(service(R"("type":"LoadBalancer",)" + ports)),
            R"(services "s" is forbidden: exceeded quota: q, requested: services.loadbalancers=1,)"
            "services.nodeports=2, used: services.loadbalancers=1,services.nodeports=3, limited: "
            "services.loadbalancers=1,services.nodeports=3");
}

TEST_F(ResourceQuotaTest, ClaimsCountByTheirClassAndGrow) {
  PutQuota(R"("requests.storage":"10Gi","gold.storageclass.storage.k8s.io/requests.storage":"3Gi",
    "gold.storageclass.storage.k8s.io/persistentvolumeclaims":"5","persistentvolumeclaims":"5")",
           R"("requests.storage":"0","gold.storageclass.storage.k8s.io/requests.storage":"0",
    "gold.storageclass.storage.k8s.io/persistentvolumeclaims":"0","persistentvolumeclaims":"0")");
  const auto claim = [](const std::string& of, const std::string& size) {
    return R"({"metadata":{"name":"v","namespace":"ns","resourceVersion":"1"},"spec":{"storageClassName":")" +
           of + R"(","resources":{"requests":{"storage":")" + size + R"("}}}})";
  };
  EXPECT_EQ(Create<PersistentVolumeClaim>(claim("gold", "2Gi")), "");
  EXPECT_EQ(Create<PersistentVolumeClaim>(claim("iron", "5Gi")), "");
  EXPECT_EQ(Used(),
            "gold.storageclass.storage.k8s.io/persistentvolumeclaims=1 "
            "gold.storageclass.storage.k8s.io/requests.storage=2Gi persistentvolumeclaims=2 "
            "requests.storage=7Gi ");
  EXPECT_EQ(Update<PersistentVolumeClaim>(claim("gold", "2Gi"), claim("gold", "3Gi")), "");
  EXPECT_THAT(Used(), HasSubstr("gold.storageclass.storage.k8s.io/requests.storage=3Gi"));
  EXPECT_THAT(Update<PersistentVolumeClaim>(claim("gold", "3Gi"), claim("gold", "4Gi")),
              HasSubstr("requested: gold.storageclass.storage.k8s.io/requests.storage=1Gi, used: "
                        "gold.storageclass.storage.k8s.io/requests.storage=3Gi, limited: "
                        "gold.storageclass.storage.k8s.io/requests.storage=3Gi"));
  // What has become smaller gives nothing back here: the controller counts anew.
  EXPECT_EQ(Update<PersistentVolumeClaim>(claim("gold", "3Gi"), claim("gold", "1Gi")), "");
  EXPECT_THAT(Used(), HasSubstr("requests.storage=8Gi"));
}

TEST_F(ResourceQuotaTest, EverythingCounts) {
  PutQuota(R"("count/deployments.apps":"1","configmaps":"1","count/configmaps":"9")",
           R"("count/deployments.apps":"1","configmaps":"0","count/configmaps":"0")");
  EXPECT_EQ(Create<Deployment>(R"({"metadata":{"name":"d","namespace":"ns"}})"),
            R"(deployments.apps "d" is forbidden: exceeded quota: q, requested: )"
            "count/deployments.apps=1, used: count/deployments.apps=1, limited: "
            "count/deployments.apps=1");
  EXPECT_EQ(Create<ConfigMap>(R"({"metadata":{"name":"m","namespace":"ns"}})"), "");
  EXPECT_EQ(Used(), "configmaps=1 count/configmaps=1 count/deployments.apps=1 ");
}

TEST_F(ResourceQuotaTest, EveryQuotaMustHaveRoom) {
  PutQuota(R"("pods":"5")", R"("pods":"0")", "", "a");
  PutQuota(R"("pods":"0")", R"("pods":"0")", "", "b");
  EXPECT_THAT(Create<Pod>(PodWith("")), HasSubstr("exceeded quota: b"));
  EXPECT_EQ(Used("a"), "pods=0 ");
}

TEST_F(ResourceQuotaTest, ResizesCountForWhatTheyAdd) {
  PutQuota(R"("requests.cpu":"2")", R"("requests.cpu":"1")");
  const auto pod = [](const std::string& cpu) {
    return R"({"metadata":{"name":"p","namespace":"ns","resourceVersion":"1"},"spec":{"containers":[
      {"name":"c","resources":{"requests":{"cpu":")" +
           cpu + R"("}}}]}})";
  };
  EXPECT_EQ(Update<Pod>(pod("1"), pod("1500m"), "resize"), "");
  EXPECT_EQ(Used(), "requests.cpu=1500m ");
  EXPECT_THAT(Update<Pod>(pod("1500m"), pod("3"), "resize"), HasSubstr("exceeded quota"));
}

TEST_F(ResourceQuotaTest, TwoServersCannotTakeTheSameRoom) {
  // Two plugins over one store are two servers: only the comparison keeps them apart.
  const std::unique_ptr<AdmissionPlugin> other = NewResourceQuota(dependencies_);
  constexpr int kThreads = 8;
  constexpr int kEach = 20;
  constexpr int kRoom = 50;
  PutQuota(R"("pods":")" + std::to_string(kRoom) + R"(")", R"("pods":"0")");
  std::atomic<int> admitted = 0;
  std::atomic<int> exceeded = 0;
  std::atomic<int> conflicts = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([&, i] {
      for (int k = 0; k < kEach; ++k) {
        Writing<Pod> write(PodWith(""));
        const std::string answer = Validate(i % 2 == 0 ? *plugin_ : *other, write.request);
        if (answer.empty()) {
          ++admitted;
        } else if (answer.contains("exceeded quota")) {
          ++exceeded;
        } else if (answer.contains("the object has been modified")) {
          ++conflicts;
        } else {
          ADD_FAILURE() << answer;
        }
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(admitted + exceeded + conflicts, kThreads * kEach);
  EXPECT_LE(admitted, kRoom);
  EXPECT_EQ(Used(), "pods=" + std::to_string(admitted.load()) + " ");
  if (conflicts == 0) {
    EXPECT_EQ(admitted, kRoom);
  }
}

TEST(QuotaUsage, PodsThatAreOverUseTheirCountOnly) {
  const auto used = [](const std::string& json, int64_t now) {
    const Pod pod = Parse<Pod>(json);
    std::string names;
    for (const auto& [name, amount] :
         api::QuotaUsageOf({"", "pods", &reflect::TypeOf<Pod>(), &pod}, now)) {
      names += name + "=" + amount.String() + " ";
    }
    return names;
  };
  EXPECT_EQ(used(R"({"status":{"phase":"Running"}})", 0), "count/pods=1 pods=1 ");
  EXPECT_EQ(used(R"({"status":{"phase":"Failed"}})", 0), "count/pods=1 ");
  const std::string leaving =
      R"({"metadata":{"deletionTimestamp":"1970-01-01T00:01:00Z","deletionGracePeriodSeconds":30}})";
  EXPECT_EQ(used(leaving, 90), "count/pods=1 pods=1 ");
  EXPECT_EQ(used(leaving, 91), "count/pods=1 ");
  // While the node makes room, the greater of both counts.
  EXPECT_EQ(used(R"({"spec":{"containers":[{"name":"c","resources":{"requests":{"cpu":"1"}}}],
    "overhead":{"cpu":"10m"}},"status":{"containerStatuses":[{"name":"c",
    "resources":{"requests":{"cpu":"3"}},"allocatedResources":{"cpu":"2"}}]}})",
                 0),
            "count/pods=1 cpu=3010m pods=1 requests.cpu=3010m ");
}

}  // namespace
}  // namespace podium::apiserver
