#include "node/stats/cadvisor_page.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <set>
#include <string>
#include <vector>

#include "base/text.h"

namespace podium::node {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr int64_t kTime = 1'700'000'000'700'000'000;

class CadvisorPageTest : public ::testing::Test {
 protected:
  void SetUp() override {
    sample_.read_at = kTime;
    sample_.machine.read_at = kTime;
    sample_.machine.booted_at = 1'600'000'000'000'000'000;
    sample_.machine.cpu_ns = 14'000'000'000;
    sample_.machine.devices.push_back({.name = "eth0", .rx_bytes = 77});
    runtime::GroupUsage group{.read_at = kTime, .cgroup = "/podium/kubepods"};
    group.used.cpu.emplace().usage_ns = 9'000'000'000;
    sample_.groups.emplace("kubepods", std::move(group));
    runtime::PodUsage& pod = sample_.pods.emplace_back();
    pod.metadata.name = "web";
    pod.metadata.namespace_ = "ns";
    pod.read_at = kTime;
    pod.created_at = 1'690'000'000'900'000'000;
    pod.cgroup = "/podium/kubepods/podu1";
    pod.used.cpu.emplace().usage_ns = 3'000'000'000;
    pod.interface = "eth0";
    pod.network = network::PodCounters{.rx_bytes = 10, .tx_packets = 4};
    runtime::ContainerUsage& app = pod.containers.emplace_back();
    app.id = "c1";
    app.name = "app";
    app.image = "busybox:1";
    app.cgroup = "/podium/kubepods/podu1/c1";
    app.read_at = kTime;
    app.started_at = 1'690'000'001'000'000'000;
    auto& cpu = app.used.cpu.emplace();
    cpu.usage_ns = 1'500'000'000;
    cpu.user_ns = 1'000'000'000;
    cpu.quota_us = 50'000;
    cpu.period_us = 100'000;
    cpu.shares = 512;
    cpu.throttled_ns = 250'000'000;
    auto& memory = app.used.memory.emplace();
    memory.usage = 300;
    memory.working_set = 200;
    memory.limit = 400;
    memory.oom_kills = 2;
    memory.own_page_faults = 5;
    memory.page_faults = 6;
    app.used.processes = 3;
    app.used.pids = kernel::PidStats{.current = 7, .limit = std::nullopt};
    app.used.io.push_back({.major = 8, .minor = 16, .read_bytes = 4096, .writes = 9});
    auto& pressure = app.used.memory_pressure.emplace();
    pressure.some.total_us = 1'500'000;
    pressure.full.total_us = 500'000;
  }
  std::string Page() {
    return CadvisorPage(sample_, {.machine_id = "m", .system_uuid = "s", .boot_id = "b", .cpus = 2},
                        {{{8, 16}, "/dev/sdb"}}, layers_);
  }

  NodeSample sample_;
  LayerDisk layers_;
};

TEST_F(CadvisorPageTest, WhatContainersHaveWritten) {
  EXPECT_THAT(Page(), Not(HasSubstr("container_fs_usage_bytes")));
  auto disk = std::make_shared<PodDisk>();
  disk->read_at = kTime - 5'000'000'000;
  disk->layers["app"] = {.bytes = 4096, .inodes = 2};
  sample_.pods[0].metadata.uid = "u1";
  layers_ = {.read_at = kTime,
             .device = "/dev/sdb",
             .use =
                 FileSystemUse{
                     .capacity = 1000, .available = 1, .used = 600, .inodes = 9, .inodes_free = 4},
             .pods = {{"u1", disk}}};
  const std::string page = Page();
  const std::string app =
      "{container=\"app\",device=\"/dev/sdb\",id=\"/podium/kubepods/podu1/c1\",image=\"busybox:1\","
      "name=\"c1\",namespace=\"ns\",pod=\"web\"} ";
  EXPECT_THAT(page, HasSubstr("# TYPE container_fs_usage_bytes gauge\n"));
  EXPECT_THAT(page, HasSubstr("container_fs_usage_bytes" + app + "4096 1699999995700\n"));
  EXPECT_THAT(page, HasSubstr("container_fs_limit_bytes" + app + "1000 1699999995700\n"));
  EXPECT_THAT(page, HasSubstr("container_fs_inodes_free" + app + "4 "));
  EXPECT_THAT(page, HasSubstr("container_fs_inodes_total" + app + "9 "));
  EXPECT_THAT(
      page, HasSubstr("container_fs_usage_bytes{container=\"\",device=\"/dev/sdb\",id=\"/\",image="
                      "\"\",name=\"\",namespace=\"\",pod=\"\"} 600 1700000000700\n"));
}

TEST_F(CadvisorPageTest, ContainersByKubeletsLabels) {
  const std::string page = Page();
  const std::string id = "id=\"/podium/kubepods/podu1/c1\",image=\"busybox:1\"";
  const std::string name = "name=\"c1\",namespace=\"ns\",pod=\"web\"";
  const std::string all = "{container=\"app\"," + id + "," + name + "} ";
  const std::string time = " 1700000000700\n";
  for (const std::string& line :
       {"container_cpu_user_seconds_total" + all + "1" + time,
        "container_cpu_cfs_throttled_seconds_total" + all + "0.25" + time,
        "container_memory_usage_bytes" + all + "300" + time,
        "container_memory_working_set_bytes" + all + "200" + time,
        "container_spec_cpu_quota" + all + "50000" + time,
        "container_spec_cpu_shares" + all + "512" + time,
        "container_spec_memory_limit_bytes" + all + "400" + time,
        "container_oom_events_total" + all + "2" + time,
        "container_processes" + all + "3" + time,
        "container_threads" + all + "7" + time,
        "container_threads_max" + all + "0" + time,
        "container_pressure_memory_waiting_seconds_total" + all + "1.5" + time,
        "container_pressure_memory_stalled_seconds_total" + all + "0.5" + time,
        "container_start_time_seconds" + all + "1.690000001e+09\n",
        "container_cpu_usage_seconds_total{container=\"app\",cpu=\"total\"," + id + "," + name +
            "} 1.5" + time,
        "container_fs_reads_bytes_total{container=\"app\",device=\"/dev/sdb\"," + id + "," + name +
            "} 4096" + time,
        "container_fs_writes_total{container=\"app\",device=\"/dev/sdb\"," + id + "," + name +
            "} 9" + time,
        "container_blkio_device_usage_total{container=\"app\",device=\"/dev/sdb\"," + id +
            ",major=\"8\",minor=\"16\",name=\"c1\",namespace=\"ns\",operation=\"Read\",pod=\"web\"}"
            " "
            "4096" +
            time,
        "container_memory_failures_total{container=\"app\",failure_type=\"pgfault\"," + id + "," +
            name + ",scope=\"container\"} 5" + time,
        "container_memory_failures_total{container=\"app\",failure_type=\"pgfault\"," + id + "," +
            name + ",scope=\"hierarchy\"} 6" + time}) {
    EXPECT_THAT(page, HasSubstr("\n" + line));
  }
  EXPECT_THAT(page, Not(HasSubstr("container_pressure_cpu"))) << "this kernel has none";
}

TEST_F(CadvisorPageTest, ThePodsAndWhatIsAboveThem) {
  const std::string page = Page();
  for (const char* line :
       {"container_cpu_usage_seconds_total{container=\"\",cpu=\"total\",id=\"/\",image=\"\",name="
        "\"\",namespace=\"\",pod=\"\"} 14 1700000000700\n",
        "container_cpu_usage_seconds_total{container=\"\",cpu=\"total\",id=\"/podium/kubepods\","
        "image=\"\",name=\"\",namespace=\"\",pod=\"\"} 9 1700000000700\n",
        "container_cpu_usage_seconds_total{container=\"\",cpu=\"total\",id=\"/podium/kubepods/"
        "podu1\",image=\"\",name=\"\",namespace=\"ns\",pod=\"web\"} 3 1700000000700\n",
        "container_network_receive_bytes_total{container=\"\",id=\"/podium/kubepods/podu1\",image="
        "\"\",interface=\"eth0\",name=\"\",namespace=\"ns\",pod=\"web\"} 10 1700000000700\n",
        "container_network_receive_bytes_total{container=\"\",id=\"/\",image=\"\",interface="
        "\"eth0\",name=\"\",namespace=\"\",pod=\"\"} 77 1700000000700\n",
        "container_start_time_seconds{container=\"\",id=\"/podium/kubepods/podu1\",image=\"\",name="
        "\"\",namespace=\"ns\",pod=\"web\"} 1.69e+09\n",
        "machine_cpu_cores{boot_id=\"b\",machine_id=\"m\",system_uuid=\"s\"} 2 1700000000700\n",
        "container_scrape_error 0\n"}) {
    EXPECT_THAT(page, HasSubstr(line));
  }
}

// Prometheus wants the samples of a family together, upstream sorts families and labels.
TEST_F(CadvisorPageTest, FamiliesAndLabelsAreSorted) {
  std::vector<std::string> families;
  std::set<std::string> series;
  const std::string page = Page();
  for (const std::string_view line : Split(page, '\n')) {
    if (line.starts_with("# TYPE ")) families.emplace_back(Words(line, " ")[2]);
    if (line.empty() || line.starts_with('#')) continue;
    EXPECT_EQ(line.substr(0, line.find_first_of("{ ")), families.back());
    const std::string_view labels = line.substr(0, line.find("} "));
    EXPECT_TRUE(series.emplace(labels).second) << "twice: " << line;
    std::vector<std::string> names;
    for (size_t at = labels.find('{'); at < labels.size(); at = labels.find("\",", at + 1)) {
      if (labels[at] == '"') ++at;
      names.emplace_back(labels.substr(at + 1, labels.find('=', at) - at - 1));
    }
    EXPECT_TRUE(std::ranges::is_sorted(names)) << line;
  }
  EXPECT_GT(families.size(), 40u);
  EXPECT_TRUE(std::ranges::is_sorted(families)) << ::testing::PrintToString(families);
}

}  // namespace
}  // namespace podium::node
