#include "apiserver/metrics.h"

#include <gtest/gtest.h>

#include <string>
#include <thread>
#include <vector>

#include "api/types/core_v1.h"
#include "apiserver/read_support.h"
#include "apiserver/test_store.h"

namespace podium::apiserver {
namespace {

using api::core::v1::ConfigMap;

class MetricsTest : public testing::Test {
 protected:
  const ServedResource* Maps() { return catalog_->Find("", "v1", "configmaps"); }
  bool Says(const std::string& line) {
    const std::string text = "\n" + metrics_.Text(*catalog_, store_.memory);
    const bool says = text.find("\n" + line + "\n") != std::string::npos;
    EXPECT_TRUE(says) << line << "\nis not in" << text.substr(0, 4000);
    return says;
  }

  TestStore store_;
  const CatalogPtr catalog_ = Catalog::Make({});
  Metrics metrics_;
};

TEST_F(MetricsTest, Requests) {
  const CallPtr call = MakeCall("/api/v1/namespaces/a/configmaps");
  const RequestLabels labels = LabelsOf(*call, Maps());
  metrics_.Count(labels, 200, 3'000'000);
  metrics_.Count(labels, 200, 30'000'000);
  metrics_.Count(labels, 404, 100'000'000'000);
  const std::string words =
      R"(component="apiserver",dry_run="",group="",resource="configmaps",scope="namespace",subresource="",verb="LIST",version="v1")";
  Says(R"(apiserver_request_total{code="200",)" + words + "} 2");
  Says(R"(apiserver_request_total{code="404",)" + words + "} 1");
  Says("apiserver_request_duration_seconds_bucket{" + words + R"(,le="0.005"} 1)");
  Says("apiserver_request_duration_seconds_bucket{" + words + R"(,le="0.05"} 2)");
  Says("apiserver_request_duration_seconds_bucket{" + words + R"(,le="60"} 2)");
  Says("apiserver_request_duration_seconds_bucket{" + words + R"(,le="+Inf"} 3)");
  Says("apiserver_request_duration_seconds_count{" + words + "} 3");
}

TEST_F(MetricsTest, WordsOfClientsMakeNoSeries) {
  const RequestLabels unknown = LabelsOf(*MakeCall("/api/v1/foo/bar", {}, "BREW"), nullptr);
  EXPECT_EQ(unknown.verb, "OTHER");
  EXPECT_EQ(unknown.resource, "");
  const RequestLabels sub =
      LabelsOf(*MakeCall("/api/v1/namespaces/a/configmaps/x/hostile"), Maps());
  EXPECT_EQ(sub.subresource, "");
  EXPECT_EQ(sub.scope, "resource");
  const RequestLabels apply =
      LabelsOf(*MakeCall("/api/v1/namespaces/a/configmaps/x?dryRun=All",
                         {{"Content-Type", "application/apply-patch+yaml"}}, "PATCH"),
               Maps());
  EXPECT_EQ(apply.verb, "APPLY");
  EXPECT_EQ(apply.dry_run, "All");
}

TEST_F(MetricsTest, WhatRunsNow) {
  {
    const auto read = metrics_.Begin(LabelsOf(*MakeCall("/api/v1/configmaps"), Maps()));
    const auto watch = metrics_.Begin(LabelsOf(*MakeCall("/api/v1/configmaps?watch=1"), Maps()));
    Says(R"(apiserver_current_inflight_requests{request_kind="readOnly"} 1)");
    Says(R"(apiserver_current_inflight_requests{request_kind="mutating"} 0)");
    Says(
        R"(apiserver_longrunning_requests{component="apiserver",group="",resource="configmaps",scope="cluster",subresource="",verb="WATCH",version="v1"} 1)");
  }
  Says(R"(apiserver_current_inflight_requests{request_kind="readOnly"} 0)");
}

TEST_F(MetricsTest, Streams) {
  metrics_.CountStream("exec", true);
  metrics_.CountStream("exec", true);
  metrics_.CountStream("portforward", false);
  metrics_.CountStream("hostile", false);
  constexpr std::string_view kName = "apiserver_websocket_streaming_requests_total";
  Says(std::string(kName) + R"({proxy_type="proxied_to_kubelet",subresource="exec"} 2)");
  Says(std::string(kName) +
       R"({proxy_type="translated_at_apiserver",subresource="portforward"} 1)");
}

TEST_F(MetricsTest, ObjectsAndTheProcess) {
  for (const std::string name : {"a", "b", "c"}) {
    ConfigMap map;
    map.metadata.namespace_ = "a";
    map.metadata.name = name;
    store_.Put(map);
  }
  Says(R"(apiserver_storage_objects{resource="configmaps"} 3)");
  Says(R"(apiserver_storage_objects{resource="pods"} 0)");
  const std::string text = metrics_.Text(*catalog_, store_.memory);
  const auto value = [&](const std::string& name) {
    const size_t at = text.find("\n" + name + " ");
    return at == std::string::npos ? -1 : std::strtod(text.c_str() + at + name.size() + 2, nullptr);
  };
  EXPECT_GT(value("process_resident_memory_bytes"), 1e6);
  EXPECT_GT(value("process_open_fds"), 2);
  EXPECT_GT(value("process_cpu_seconds_total"), 0);
  // Between 2024 and now, whatever the machine's clock.
  EXPECT_GT(value("process_start_time_seconds"), 1.7e9);
  EXPECT_LE(value("process_start_time_seconds"), static_cast<double>(time(nullptr)) + 1);
}

TEST_F(MetricsTest, FromManyThreads) {
  const RequestLabels labels = LabelsOf(*MakeCall("/api/v1/configmaps"), Maps());
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      for (int n = 0; n < 500; ++n) {
        const auto running = metrics_.Begin(labels);
        metrics_.Count(labels, 200, 1000);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  Says(
      R"(apiserver_request_total{code="200",component="apiserver",dry_run="",group="",resource="configmaps",scope="cluster",subresource="",verb="LIST",version="v1"} 2000)");
  Says(R"(apiserver_current_inflight_requests{request_kind="readOnly"} 0)");
}

}  // namespace
}  // namespace podium::apiserver
