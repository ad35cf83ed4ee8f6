#include "apiserver/usage/resource_metrics.h"

#include <gmock/gmock.h>

#include <chrono>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "api/types/core_v1.h"
#include "apiserver/read_support.h"
#include "apiserver/test_store.h"
#include "apiserver/write_support.h"
#include "client/virtual_time.h"

namespace podium::apiserver {
namespace {

using namespace std::chrono_literals;
using ::testing::IsEmpty;

constexpr std::string_view kTable = "application/json;as=Table;v=v1;g=meta.k8s.io";

class ResourceMetricsTest : public ::testing::Test {
 protected:
  void SetUp() override {
    time_.RunFor(std::chrono::hours(1));
    for (const char* name : {"n1", "n2"}) {
      api::core::v1::Node node;
      node.metadata.name = name;
      node.metadata.labels["disk"] = name == std::string("n1") ? "ssd" : "hdd";
      store_.Put(std::move(node));
    }
    Run("ns", "web", "n1");
    Run("ns", "api", "n2");
    Run("other", "web", "n1");
  }
  void Run(const std::string& name_space, const std::string& name, const std::string& node,
           const std::string& phase = "Running") {
    api::core::v1::Pod pod;
    pod.metadata.namespace_ = name_space;
    pod.metadata.name = name;
    pod.metadata.labels["app"] = name;
    pod.spec.nodeName = node;
    pod.status.phase = phase;
    store_.Put(std::move(pod));
  }
  // A kubelet whose containers have used a tenth of a processor each from the beginning, and itself
  // one and a half.
  Result<std::string> Fetch(const std::string& node) {
    asked_.push_back(node);
    if (silent_.contains(node)) return Error(Code::kUnavailable, "refused");
    const int64_t now = time_.Now();
    const double seconds = static_cast<double>(now - began_) / kNanosPerSecond;
    const std::string stamp = " " + std::to_string(now / 1'000'000) + "\n";
    std::string page = "node_cpu_usage_seconds_total " + std::to_string(1.5 * seconds) + stamp +
                       "node_memory_working_set_bytes 1.048576e+09" + stamp;
    for (const auto& [name_space, pod] : pods_of_[node]) {
      for (const char* container : {"a", "b"}) {
        const std::string labels = "{container=\"" + std::string(container) + "\",namespace=\"" +
                                   name_space + "\",pod=\"" + pod + "\"} ";
        page += "container_cpu_usage_seconds_total" + labels + std::to_string(0.1 * seconds) +
                stamp + "container_memory_working_set_bytes" + labels + "2097152" + stamp +
                "container_start_time_seconds" + labels + "1\n";
      }
    }
    return page;
  }
  // Waits as long as the reader does.
  Replied Get(const std::string& path, std::string_view accept = "application/json") {
    const CallPtr call = AcceptCall("/apis/metrics.k8s.io/v1beta1" + path, std::string(accept));
    const ServedResource& resource =
        *catalog_->Find("metrics.k8s.io", "v1beta1", call->info.resource);
    Replied replied;
    reader_.WhenRead(
        [&] { replied = WriteRig::ReplyOf(*call, metrics_.AnswerRead(*call, resource)); });
    time_.RunFor(2s);
    return replied;
  }

  TestStore store_;
  client::VirtualTime time_;
  const int64_t began_ = time_.Now();
  const CatalogPtr catalog_ = Catalog::Make({});
  std::map<std::string, std::vector<PodName>> pods_of_ = {{"n1", {{"ns", "web"}, {"other", "web"}}},
                                                          {"n2", {{"ns", "api"}}}};
  std::set<std::string> silent_;
  std::vector<std::string> asked_;
  UsageReader reader_{{.executor = &time_,
                       .clock = &time_,
                       .nodes = [] { return std::vector<std::string>{"n1", "n2"}; },
                       .fetch = [this](const std::string& node) { return Fetch(node); }}};
  ResourceMetrics metrics_{store_.objects, reader_, time_};
};

TEST_F(ResourceMetricsTest, NobodyIsAskedBeforeTheFirstQuestionAndAfterTheLast) {
  time_.RunFor(1h);
  EXPECT_THAT(asked_, IsEmpty());
  EXPECT_EQ(Get("/nodes").Find("items")->array().size(), 2u) << "the first one is answered";
  EXPECT_EQ(asked_.size(), 4u) << "both nodes, twice";
  asked_.clear();
  time_.RunFor(60s);
  EXPECT_EQ(asked_.size(), 8u) << "every fifteen seconds";
  time_.RunFor(90s);
  asked_.clear();
  time_.RunFor(1h);
  EXPECT_THAT(asked_, IsEmpty()) << "nobody has asked for two minutes";
  EXPECT_EQ(Get("/nodes").Find("items")->array().size(), 2u);
}

TEST_F(ResourceMetricsTest, Nodes) {
  const Replied one = Get("/nodes/n1");
  EXPECT_EQ(one.status, 200);
  EXPECT_EQ(one.At("kind") + " " + one.At("apiVersion"), "NodeMetrics metrics.k8s.io/v1beta1");
  EXPECT_EQ(one.At("metadata.name"), "n1");
  EXPECT_EQ(one.At("metadata.labels.disk"), "ssd");
  EXPECT_EQ(one.At("usage.cpu"), "1500m");
  EXPECT_EQ(one.At("usage.memory"), "1000Mi");
  EXPECT_EQ(one.At("window"), "1.2s");
  const Replied list = Get("/nodes");
  EXPECT_EQ(list.At("kind") + " " + list.At("metadata"), "NodeMetricsList {}");
  EXPECT_EQ(list.At("items.0.metadata.name") + " " + list.At("items.1.metadata.name"), "n1 n2");
  EXPECT_EQ(Get("/nodes?labelSelector=disk%3Dhdd").At("items.0.metadata.name"), "n2");
  EXPECT_EQ(Get("/nodes?fieldSelector=metadata.name!%3Dn1").Find("items")->array().size(), 1u);
  EXPECT_EQ(Get("/nodes?fieldSelector=spec.x%3Dy").status, 400);
  const Replied none = Get("/nodes/n3");
  EXPECT_EQ(none.status, 404);
  EXPECT_EQ(none.message(), "nodes \"n3\" not found");
}

TEST_F(ResourceMetricsTest, Pods) {
  const Replied one = Get("/namespaces/ns/pods/web");
  EXPECT_EQ(one.status, 200);
  EXPECT_EQ(one.At("metadata.namespace") + "/" + one.At("metadata.name"), "ns/web");
  EXPECT_EQ(one.At("containers.0.name") + " " + one.At("containers.1.name"), "a b");
  EXPECT_EQ(one.At("containers.0.usage.cpu"), "100m");
  EXPECT_EQ(one.At("containers.0.usage.memory"), "2Mi");
  EXPECT_EQ(Get("/pods").Find("items")->array().size(), 3u);
  const Replied list = Get("/namespaces/ns/pods");
  EXPECT_EQ(list.At("items.0.metadata.name") + " " + list.At("items.1.metadata.name"), "api web");
  EXPECT_EQ(Get("/pods?labelSelector=app%3Dapi").Find("items")->array().size(), 1u);
  EXPECT_EQ(Get("/pods?fieldSelector=metadata.namespace%3Dother").Find("items")->array().size(),
            1u);
  EXPECT_EQ(Get("/namespaces/ns/pods/none").message(), "pods \"none\" not found");
}

TEST_F(ResourceMetricsTest, WithoutTwoReadingsItIs404) {
  Run("ns", "late", "n1");
  Run("ns", "done", "n1", "Succeeded");
  Run("ns", "moved", "n2");
  pods_of_["n1"].push_back({"ns", "done"});
  pods_of_["n1"].push_back({"ns", "moved"});  // which is none of its own
  EXPECT_EQ(Get("/namespaces/ns/pods/web").status, 200);
  for (const std::string name : {"late", "done", "moved"}) {
    const Replied none = Get("/namespaces/ns/pods/" + name);
    EXPECT_EQ(none.status, 404) << name;
    EXPECT_EQ(none.message(), "podmetrics.metrics.k8s.io \"ns/" + name + "\" not found");
  }
  pods_of_["n1"].push_back({"ns", "late"});
  time_.RunFor(15s);
  EXPECT_EQ(Get("/namespaces/ns/pods/late").status, 404) << "seen once";
  time_.RunFor(15s);
  EXPECT_EQ(Get("/namespaces/ns/pods/late").status, 200);
  silent_.insert("n2");
  time_.RunFor(15s);
  EXPECT_EQ(Get("/nodes/n2").message(), "nodemetrics.metrics.k8s.io \"n2\" not found");
  EXPECT_EQ(Get("/nodes").Find("items")->array().size(), 1u);
}

TEST_F(ResourceMetricsTest, Tables) {
  const Replied list = Get("/namespaces/ns/pods", kTable);
  EXPECT_EQ(list.At("columnDefinitions.0.name") + " " + list.At("columnDefinitions.1.name") + " " +
                list.At("columnDefinitions.2.name") + " " + list.At("columnDefinitions.3.name") +
                " " + list.At("columnDefinitions.4.name"),
            "Name cpu memory swap Window");
  EXPECT_EQ(list.At("columnDefinitions.1.format"), "quantity");
  EXPECT_EQ(list.At("rows.1.cells"), R"(["web","200m","4Mi","0","1.2s"])");
  EXPECT_EQ(list.At("rows.1.object.kind"), "PartialObjectMetadata");
  EXPECT_EQ(Get("/nodes/n1", kTable).At("rows.0.cells"), R"(["n1","1500m","1000Mi","0","1.2s"])");
  EXPECT_EQ(Get("/nodes/n1?includeObject=Object", kTable).At("rows.0.object.kind"), "NodeMetrics");
  const Replied partial =
      Get("/nodes", "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io");
  EXPECT_EQ(partial.At("items.1.metadata.name"), "n2");
}

TEST_F(ResourceMetricsTest, WhoWaitsWhenItStopsIsForgotten) {
  bool told = false;
  reader_.WhenRead([&] { told = true; });
  reader_.Stop();
  reader_.WhenRead([&] { told = true; });
  time_.RunFor(60s);
  EXPECT_FALSE(told);
}

}  // namespace
}  // namespace podium::apiserver
