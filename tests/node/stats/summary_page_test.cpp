#include "node/stats/summary_page.h"

#include <gmock/gmock.h>

#include <string>

namespace podium::node {
namespace {

constexpr int64_t kTime = 1'700'000'000'700'000'000;

NodeSample Sample() {
  NodeSample sample;
  sample.read_at = kTime;
  sample.machine.read_at = kTime;
  sample.machine.booted_at = 1'600'000'000'000'000'000;
  sample.machine.cpu_ns = 9;
  sample.machine.memory_total = 1000;
  sample.machine.memory_usage = 700;
  sample.machine.memory_working_set = 600;
  sample.machine.swap_total = 50;
  sample.machine.swap_usage = 20;
  sample.machine.max_pid = 32768;
  sample.machine.threads = 99;
  sample.machine.devices.push_back({.name = "eth0", .rx_bytes = 1, .tx_bytes = 2});
  sample.agent.cpu_ns = 5;
  sample.agent.resident_bytes = 11;
  sample.nano_cores["/"] = 123;
  runtime::GroupUsage group{.read_at = kTime, .cgroup = "/podium/kubepods"};
  group.used.cpu.emplace().usage_ns = 8;
  sample.groups.emplace("kubepods", std::move(group));
  runtime::PodUsage& pod = sample.pods.emplace_back();
  pod.metadata.name = "web";
  pod.metadata.namespace_ = "ns";
  pod.metadata.uid = "u1";
  pod.created_at = 1'690'000'000'000'000'000;
  pod.read_at = kTime;
  pod.cgroup = "/podium/kubepods/podu1";
  pod.used.cpu.emplace().usage_ns = 7;
  pod.used.pids = kernel::PidStats{.current = 4, .limit = std::nullopt};
  pod.interface = "eth0";
  pod.network = network::PodCounters{.rx_bytes = 10, .tx_errors = 4};
  runtime::ContainerUsage& app = pod.containers.emplace_back();
  app.name = "app";
  app.started_at = 1'690'000'001'000'000'000;
  app.read_at = kTime;
  app.cgroup = "/podium/kubepods/podu1/c1";
  app.used.cpu.emplace().usage_ns = 6;
  app.used.cpu_pressure.emplace().some = {.avg10 = 1.5, .avg60 = 0, .avg300 = 0, .total_us = 42};
  auto& memory = app.used.memory.emplace();
  memory.usage = 300;
  memory.working_set = 200;
  memory.limit = 250;
  memory.swap_usage = 3;
  sample.nano_cores["/podium/kubepods/podu1/c1"] = 77;
  return sample;
}

const std::string kApp =
    R"({"name":"app","startTime":"2023-07-22T04:26:41Z",)"
    R"("cpu":{"time":"2023-11-14T22:13:20Z","usageNanoCores":77,"usageCoreNanoSeconds":6,)"
    R"("psi":{"full":{"total":0,"avg10":0,"avg60":0,"avg300":0},)"
    R"("some":{"total":42,"avg10":1.5,"avg60":0,"avg300":0}}},)"
    R"("memory":{"time":"2023-11-14T22:13:20Z","availableBytes":50,"usageBytes":300,)"
    R"("workingSetBytes":200,"rssBytes":0,"pageFaults":0,"majorPageFaults":0},)"
    R"("swap":{"time":"2023-11-14T22:13:20Z","swapUsageBytes":3}})";

TEST(SummaryPageTest, WhatPodsHoldOnDisks) {
  auto disk = std::make_shared<PodDisk>();
  disk->read_at = kTime;
  disk->layers["app"] = {.bytes = 10, .inodes = 1};
  disk->logs["app"] = {.bytes = 20, .inodes = 2};
  disk->volumes["cache"] = {.read_at = kTime, .used = {.bytes = 30, .inodes = 3}, .own = {}};
  disk->volumes["mem"] = {
      .read_at = kTime,
      .used = {.bytes = 40, .inodes = 4},
      .own = FileSystemUse{
          .capacity = 50, .available = 10, .used = 40, .inodes = 8, .inodes_free = 4}};
  disk->volumes["own"] = {
      .read_at = kTime,
      .used = {.bytes = 2, .inodes = 1},
      .own = FileSystemUse{.capacity = 9, .available = 6, .used = 2, .inodes = 5, .inodes_free = 4},
      .claim = "data"};
  disk->together = {.bytes = 60, .inodes = 6};
  const SummaryDisks disks{
      .read_at = kTime,
      .node =
          FileSystemUse{
              .capacity = 100, .available = 30, .used = 60, .inodes = 9, .inodes_free = 2},
      .images = std::nullopt,
      .logs =
          FileSystemUse{
              .capacity = 200, .available = 90, .used = 80, .inodes = 7, .inodes_free = 5},
      .pods = {{"u1", disk}, {"another", nullptr}}};
  const std::string page = SummaryPage(Sample(), "node7", &disks);
  const std::string time = R"({"time":"2023-11-14T22:13:20Z",)";
  EXPECT_THAT(page, ::testing::HasSubstr(
                        R"("rootfs":)" + time +
                        R"("availableBytes":30,"capacityBytes":100,"usedBytes":10,"inodesFree":2,)"
                        R"("inodes":9,"inodesUsed":1},"logs":)" +
                        time +
                        R"("availableBytes":90,"capacityBytes":200,"usedBytes":20,"inodesFree":5,)"
                        R"("inodes":7,"inodesUsed":2})"));
  EXPECT_THAT(page, ::testing::HasSubstr(
                        R"("volume":[)" + time +
                        R"("availableBytes":30,"capacityBytes":100,"usedBytes":30,"inodesFree":2,)"
                        R"("inodes":9,"inodesUsed":3,"name":"cache"},)" +
                        time +
                        R"("availableBytes":10,"capacityBytes":50,"usedBytes":40,"inodesFree":4,)"
                        R"("inodes":8,"inodesUsed":4,"name":"mem"},)" +
                        time +
                        R"("availableBytes":6,"capacityBytes":9,"usedBytes":2,"inodesFree":4,)"
                        R"("inodes":5,"inodesUsed":1,"name":"own",)"
                        R"("pvcRef":{"name":"data","namespace":"ns"}}],"ephemeral-storage":)" +
                        time +
                        R"("availableBytes":30,"capacityBytes":100,"usedBytes":60,"inodesFree":2,)"
                        R"("inodes":9,"inodesUsed":6})"));
  EXPECT_THAT(SummaryPage(Sample(), "node7", nullptr),
              ::testing::Not(::testing::HasSubstr("rootfs")));
}

TEST(SummaryPageTest, AllOfIt) {
  const SummaryDisks disks{
      .read_at = kTime,
      .node =
          FileSystemUse{
              .capacity = 100, .available = 30, .used = 60, .inodes = 9, .inodes_free = 2},
      .images = std::nullopt};
  EXPECT_EQ(
      SummaryPage(Sample(), "node7", &disks),
      R"({"node":{"nodeName":"node7","systemContainers":[)"
      R"({"name":"kubelet","startTime":null,"cpu":{"time":"2023-11-14T22:13:20Z",)"
      R"("usageCoreNanoSeconds":5},"memory":{"time":"2023-11-14T22:13:20Z","usageBytes":11,)"
      R"("workingSetBytes":11,"rssBytes":11,"pageFaults":0,"majorPageFaults":0}},)"
      R"({"name":"pods","startTime":null,"cpu":{"time":"2023-11-14T22:13:20Z",)"
      R"("usageCoreNanoSeconds":8}}],"startTime":"2020-09-13T12:26:40Z",)"
      R"("cpu":{"time":"2023-11-14T22:13:20Z","usageNanoCores":123,"usageCoreNanoSeconds":9},)"
      R"("memory":{"time":"2023-11-14T22:13:20Z","availableBytes":400,"usageBytes":700,)"
      R"("workingSetBytes":600,"rssBytes":0,"pageFaults":0,"majorPageFaults":0},)"
      R"("network":{"time":"2023-11-14T22:13:20Z","name":"eth0","rxBytes":1,"rxErrors":0,)"
      R"("txBytes":2,"txErrors":0,"interfaces":[{"name":"eth0","rxBytes":1,"rxErrors":0,)"
      R"("txBytes":2,"txErrors":0}]},)"
      R"("fs":{"time":"2023-11-14T22:13:20Z","availableBytes":30,"capacityBytes":100,)"
      R"("usedBytes":60,"inodesFree":2,"inodes":9,"inodesUsed":7},)"
      R"("rlimit":{"time":"2023-11-14T22:13:20Z","maxpid":32768,"curproc":99},)"
      R"("swap":{"time":"2023-11-14T22:13:20Z","swapAvailableBytes":30,"swapUsageBytes":20}},)"
      R"("pods":[{"podRef":{"name":"web","namespace":"ns","uid":"u1"},)"
      R"("startTime":"2023-07-22T04:26:40Z","containers":[)" +
          kApp +
          R"(],"cpu":{"time":"2023-11-14T22:13:20Z","usageCoreNanoSeconds":7},)"
          R"("network":{"time":"2023-11-14T22:13:20Z","name":"eth0","rxBytes":10,"rxErrors":0,)"
          R"("txBytes":0,"txErrors":4,"interfaces":[{"name":"eth0","rxBytes":10,"rxErrors":0,)"
          R"("txBytes":0,"txErrors":4}]},"process_stats":{"process_count":4}}]})");
}

TEST(SummaryPageTest, OnlyCpuAndMemory) {
  const std::string page = SummaryPage(Sample(), "node7", nullptr);
  EXPECT_THAT(page, ::testing::HasSubstr(kApp));
  for (const char* left_out : {"network", "rlimit", "\"fs\"", "process_stats", "\"io\""}) {
    EXPECT_THAT(page, ::testing::Not(::testing::HasSubstr(left_out)));
  }
  NodeSample nothing;
  EXPECT_THAT(SummaryPage(nothing, "n", nullptr), ::testing::EndsWith(R"(,"pods":[]})"));
}

}  // namespace
}  // namespace podium::node
