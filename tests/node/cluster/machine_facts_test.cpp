#include "node/cluster/machine_facts.h"

#include <gtest/gtest.h>
#include <sys/utsname.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

namespace podium::node {
namespace {

// A root folder with some of a machine's files.
class MachineFactsTest : public testing::Test {
 public:
  MachineFactsTest() {
    char name[] = "/tmp/podium_machine_facts_XXXXXX";
    root = mkdtemp(name);
  }
  ~MachineFactsTest() override { std::filesystem::remove_all(root); }
  void Write(const std::string& path, const std::string& text) {
    std::filesystem::create_directories(std::filesystem::path(root + path).parent_path());
    std::ofstream(root + path) << text;
  }
  MachineFacts Read() { return ReadMachineFacts(root, root); }
  std::string root;
};

TEST_F(MachineFactsTest, ReadsWhatCAdvisorReads) {
  Write("/etc/machine-id", "0123456789abcdef0123456789abcdef\n");
  Write("/sys/class/dmi/id/product_uuid", "U-U-I-D\n");
  Write("/proc/sys/kernel/random/boot_id", "b-o-o-t\n");
  Write("/etc/os-release", "NAME=\"X\"\nPRETTY_NAME=\"X Linux 12 (worm)\"\nID=x\n");
  Write("/proc/meminfo", "MemTotal:        4046864 kB\nMemFree: 1 kB\nSwapTotal:       2048 kB\n");
  Write("/sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages", "3\n");
  Write("/sys/kernel/mm/hugepages/hugepages-1048576kB/nr_hugepages", "0\n");
  const MachineFacts facts = Read();
  EXPECT_EQ(facts.machine_id, "0123456789abcdef0123456789abcdef");
  EXPECT_EQ(facts.system_uuid, "U-U-I-D");
  EXPECT_EQ(facts.boot_id, "b-o-o-t");
  EXPECT_EQ(facts.os_image, "X Linux 12 (worm)");
  EXPECT_EQ(facts.memory_bytes, int64_t{4046864} * 1024);
  EXPECT_EQ(facts.swap_bytes, 2048 * 1024);
  EXPECT_EQ(facts.huge_pages,
            (std::map<int64_t, int64_t>{{int64_t{2} << 20, 3}, {int64_t{1} << 30, 0}}));
  utsname names{};
  uname(&names);
  EXPECT_EQ(facts.kernel_version, names.release);
  EXPECT_EQ(facts.architecture, GoArchitecture(names.machine));
  EXPECT_GT(facts.cpus, 0);
  EXPECT_GT(facts.disk_bytes, 0);
}

TEST_F(MachineFactsTest, FallsBackWhereFilesAreMissing) {
  const MachineFacts none = Read();
  EXPECT_EQ(none.os_image, "Linux");
  EXPECT_EQ(none.machine_id, "");
  EXPECT_EQ(none.system_uuid, "");
  EXPECT_EQ(none.memory_bytes, 0);
  EXPECT_TRUE(none.huge_pages.empty());
  Write("/usr/lib/os-release", "PRETTY_NAME=Y\n");
  Write("/etc/machine-id", "m\n");
  Write("/proc/device-tree/vm,uuid", std::string("t\0", 2));
  EXPECT_EQ(Read().os_image, "Y");
  EXPECT_EQ(Read().system_uuid, "t");
  std::filesystem::remove(root + "/proc/device-tree/vm,uuid");
  EXPECT_EQ(Read().system_uuid, "m");
}

TEST(MachineFacts, ArchitecturesAreGos) {
  EXPECT_EQ(GoArchitecture("x86_64"), "amd64");
  EXPECT_EQ(GoArchitecture("aarch64"), "arm64");
  EXPECT_EQ(GoArchitecture("sparc64"), "sparc64");
}

}  // namespace
}  // namespace podium::node
