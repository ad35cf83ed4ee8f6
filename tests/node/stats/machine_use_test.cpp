#include "node/stats/machine_use.h"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "base/clock.h"

namespace podium::node {
namespace {

// Files of a root of its own.
class MachineUseTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::filesystem::remove_all(root_);
    std::filesystem::create_directories(root_);
  }
  void TearDown() override { std::filesystem::remove_all(root_); }
  void Write(const std::string& path, const std::string& text) {
    std::filesystem::create_directories((root_ / path).parent_path());
    std::ofstream(root_ / path) << text;
  }
  MachineUse Read() { return ReadMachineUse(7, root_.string()); }

  const std::filesystem::path root_ =
      std::filesystem::path(::testing::TempDir()) / ("machine" + std::to_string(getpid()));
};

TEST_F(MachineUseTest, Processors) {
  ASSERT_EQ(sysconf(_SC_CLK_TCK), 100);
  Write("proc/stat",
        "cpu  1000 50 300 90000 700 20 30 400 10 0\n"
        "cpu0 1000 50 300 90000 700 20 30 400 10 0\n"
        "intr 1 2 3\nctxt 5\nbtime 1700000000\nprocesses 10\n");
  const MachineUse use = Read();
  EXPECT_EQ(use.read_at, 7);
  EXPECT_EQ(use.booted_at, 1700000000 * kNanosPerSecond);
  EXPECT_EQ(use.cpu_user_ns, 10'500'000'000u) << "user and nice; guests are in the first";
  EXPECT_EQ(use.cpu_system_ns, 3'500'000'000u) << "with interrupts; neither iowait nor steal";
  EXPECT_EQ(use.cpu_ns, 14'000'000'000u);
}

TEST_F(MachineUseTest, Memory) {
  Write("proc/meminfo",
        "MemTotal:        4000 kB\nMemFree:         1000 kB\nCached:           900 kB\n"
        "Inactive(file):   600 kB\nAnonPages:        500 kB\nSwapTotal:        200 kB\n"
        "SwapFree:         150 kB\nHugePages_Total:       3\n");
  Write("proc/vmstat", "nr_free_pages 1\npgfault 123\npgmajfault 4\n");
  const MachineUse use = Read();
  EXPECT_EQ(use.memory_total, 4000u << 10);
  EXPECT_EQ(use.memory_usage, 3000u << 10);
  EXPECT_EQ(use.memory_working_set, 2400u << 10);
  EXPECT_EQ(use.memory_rss, 500u << 10);
  EXPECT_EQ(use.swap_usage, 50u << 10);
  EXPECT_EQ(use.page_faults, 123u);
  EXPECT_EQ(use.major_page_faults, 4u);
}

TEST_F(MachineUseTest, DevicesThreadsAndPressure) {
  Write("proc/net/dev",
        "Inter-|   Receive                                                |  Transmit\n"
        " face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs "
        "drop fifo colls carrier compressed\n"
        "    lo:  100  1 0 0 0 0 0 0  100 1 0 0 0 0 0 0\n"
        "  eth0: 1000 10 1 2 0 0 0 0 2000 20 3 4 0 0 0 0\n"
        "veth1a2b: 5 5 5 5 0 0 0 0 5 5 5 5 0 0 0 0\n"
        "broken: 1 2\n");
  Write("proc/loadavg", "0.20 0.18 0.12 2/345 11206\n");
  Write("proc/sys/kernel/pid_max", "32768\n");
  Write("proc/pressure/memory",
        "some avg10=1.50 avg60=0.25 avg300=0.00 total=1234\n"
        "full avg10=0.50 avg60=0.00 avg300=0.00 total=567\n");
  const MachineUse use = Read();
  ASSERT_EQ(use.devices.size(), 1u);
  EXPECT_EQ(use.devices[0].name, "eth0");
  EXPECT_EQ(use.devices[0].rx_bytes, 1000u);
  EXPECT_EQ(use.devices[0].rx_dropped, 2u);
  EXPECT_EQ(use.devices[0].tx_packets, 20u);
  EXPECT_EQ(use.devices[0].tx_errors, 3u);
  EXPECT_EQ(use.threads, 345);
  EXPECT_EQ(use.max_pid, 32768);
  ASSERT_TRUE(use.memory_pressure);
  EXPECT_EQ(use.memory_pressure->some.total_us, 1234u);
  EXPECT_EQ(use.memory_pressure->some.avg10, 1.5);
  EXPECT_EQ(use.memory_pressure->full.total_us, 567u);
  EXPECT_FALSE(use.cpu_pressure) << "this kernel has none";
}

TEST_F(MachineUseTest, NothingToRead) {
  const MachineUse use = Read();
  EXPECT_EQ(use.cpu_ns, 0u);
  EXPECT_EQ(use.memory_usage, 0u);
  EXPECT_EQ(use.threads, 0);
  Write("proc/loadavg", "0 0 0 \n");
  EXPECT_EQ(Read().threads, 0);
  Write("proc/loadavg", "0 0 0 none 1\n");
  EXPECT_EQ(Read().threads, 0);
}

TEST_F(MachineUseTest, ThisProcessAndMachine) {
  const ProcessUse own = ReadOwnUse();
  const int64_t now = SystemClock().Now();
  EXPECT_GT(own.resident_bytes, uint64_t{1} << 20);
  EXPECT_GE(own.virtual_bytes, own.resident_bytes);
  EXPECT_GT(own.cpu_ns, 0u);
  EXPECT_LE(own.started_at, now + 2 * kNanosPerSecond);
  EXPECT_GT(own.started_at, now - 3600 * kNanosPerSecond);
  const MachineUse machine = ReadMachineUse(now);
  EXPECT_GT(machine.cpu_ns, 0u);
  EXPECT_GT(machine.memory_working_set, 0u);
  EXPECT_LE(machine.memory_working_set, machine.memory_usage);
  EXPECT_LT(machine.memory_usage, machine.memory_total);
  const auto disk = ReadFileSystemUse("/");
  ASSERT_TRUE(disk);
  EXPECT_LE(disk->used, disk->capacity);
  EXPECT_FALSE(ReadFileSystemUse(root_.string() + "/none"));
}

}  // namespace
}  // namespace podium::node
