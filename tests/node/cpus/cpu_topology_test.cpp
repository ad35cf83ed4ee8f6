#include "node/cpus/cpu_topology.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "base/text.h"

namespace podium::node {
namespace {

// Numbered as Linux does: first threads of all cores, then second ones.
CpuTopology Machine(int sockets, int nodes_per_socket, int cores_per_node, int threads) {
  CpuTopology out;
  const int cores = sockets * nodes_per_socket * cores_per_node;
  for (int thread = 0; thread < threads; ++thread) {
    for (int core = 0; core < cores; ++core) {
      const int node = core / cores_per_node;
      out.push_back({.id = (thread * cores) + core,
                     .core = core,
                     .socket = node / nodes_per_socket,
                     .numa_node = node});
    }
  }
  return out;
}

std::string Taken(const CpuTopology& topology, const std::string& available, size_t count) {
  const auto set = ParseCpuSet(available);
  EXPECT_TRUE(set.ok());
  const auto taken = TakeCpus(topology, *set, count);
  return taken.ok() ? CpuSetText(*taken) : taken.error().message();
}

TEST(CpuSetTest, TextForms) {
  for (const char* text : {"", "0", "0-3", "0,2,4-7,9"}) {
    const auto set = ParseCpuSet(text);
    ASSERT_TRUE(set.ok()) << text;
    EXPECT_EQ(CpuSetText(*set), text);
  }
  EXPECT_EQ(CpuSetText(*ParseCpuSet("3,2,1,0-0")), "0-3");
  for (const char* text : {"a", "1-", "-1", "3-1", "1,,2", "1,", "0-99999999", "1 "}) {
    EXPECT_FALSE(ParseCpuSet(text).ok()) << text;
  }
}

// Facts of upstream's cpu_assignment_test.go: two sockets of two cores of two threads and one
// socket of four cores of two threads.
TEST(TakeCpusTest, OneSocketWithThreads) {
  const CpuTopology machine = Machine(1, 1, 4, 2);
  EXPECT_EQ(Taken(machine, "0-7", 1), "0");
  EXPECT_EQ(Taken(machine, "1-7", 1), "4");  // the half-free core first
  EXPECT_EQ(Taken(machine, "0-7", 2), "0,4");
  EXPECT_EQ(Taken(machine, "0-7", 3), "0-1,4");
  EXPECT_EQ(Taken(machine, "1,3,5-7", 2), "1,5");
  EXPECT_EQ(Taken(machine, "1,3,5-7", 5), "1,3,5-7");
  EXPECT_EQ(Taken(machine, "0-7", 0), "");
  EXPECT_EQ(Taken(machine, "0-1", 3),
            "not enough cpus available to satisfy request: requested=3, available=2");
}

TEST(TakeCpusTest, WholeSocketsFirst) {
  const CpuTopology machine = Machine(2, 1, 3, 2);  // cores 0-2 and 3-5; threads 6-11
  EXPECT_EQ(Taken(machine, "0-11", 6), "0-2,6-8");
  // The socket that is whole, not the one that has begun.
  EXPECT_EQ(Taken(machine, "1-11", 6), "3-5,9-11");
  // A core from the socket that has begun, so that the other stays whole.
  EXPECT_EQ(Taken(machine, "1-5,7-11", 2), "1,7");
  EXPECT_EQ(Taken(machine, "0-11", 7), "0-3,6-8");
  EXPECT_EQ(Taken(machine, "0-11", 12), "0-11");
}

TEST(TakeCpusTest, NodesWithinSockets) {
  const CpuTopology machine = Machine(1, 2, 2, 1);
  EXPECT_EQ(Taken(machine, "0-3", 2), "0-1");
  EXPECT_EQ(Taken(machine, "1-3", 2), "2-3");
  EXPECT_EQ(Taken(machine, "1-3", 1), "1");
}

class ReadCpuTopologyTest : public ::testing::Test {
 protected:
  ReadCpuTopologyTest() {
    std::string form = ::testing::TempDir() + "podium-cpus-XXXXXX";
    root_ = mkdtemp(form.data());
  }
  ~ReadCpuTopologyTest() override { std::filesystem::remove_all(root_); }
  void Write(const std::string& path, const std::string& text) {
    std::filesystem::create_directories(std::filesystem::path(root_ + "/" + path).parent_path());
    std::ofstream(root_ + "/" + path) << text << '\n';
  }
  std::string Read() {
    const auto topology = ReadCpuTopology(root_);
    if (!topology.ok()) return topology.error().message();
    return Join(*topology, " ", [](const Cpu& cpu) {
      return std::to_string(cpu.id) + ":" + std::to_string(cpu.core) + "/" +
             std::to_string(cpu.socket) + "/" + std::to_string(cpu.numa_node);
    });
  }
  std::string root_;
};

TEST_F(ReadCpuTopologyTest, CoresOfTwoSocketsAreNotOne) {
  Write("cpu/online", "0-3");
  Write("node/online", "0-1");
  Write("node/node0/cpulist", "0,2");
  Write("node/node1/cpulist", "1,3");
  for (int cpu = 0; cpu < 4; ++cpu) {
    const std::string folder = "cpu/cpu" + std::to_string(cpu) + "/topology/";
    Write(folder + "physical_package_id", std::to_string(cpu % 2));
    Write(folder + "core_id", "0");
  }
  EXPECT_EQ(Read(), "0:0/0/0 1:1/1/1 2:0/0/0 3:1/1/1");
}

TEST_F(ReadCpuTopologyTest, MachinesThatTellLittle) {
  Write("cpu/online", "0,2");
  EXPECT_EQ(Read(), "0:0/0/0 2:2/0/0");
  // Some virtual machines have no socket's number.
  Write("cpu/cpu0/topology/physical_package_id", "-1");
  EXPECT_EQ(Read(), "0:0/0/0 2:2/0/0");
}

TEST_F(ReadCpuTopologyTest, ThisMachine) {
  const auto topology = ReadCpuTopology("/sys/devices/system");
  ASSERT_TRUE(topology.ok()) << topology.error().message();
  EXPECT_FALSE(topology->empty());
}

}  // namespace
}  // namespace podium::node
