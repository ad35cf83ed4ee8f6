// What is read of a cgroup's files, as kernels show them: Linux 6.12 for v2, Linux 6.1 for v1.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <utility>
#include <vector>

#include "linux/cgroup.h"
#include "linux/cgroup_controllers.h"
#include "linux/path.h"

namespace podium::kernel {
namespace {

class RecordedCgroup {
 public:
  explicit RecordedCgroup(const std::vector<std::pair<std::string, std::string>>& files) {
    std::string path = ::testing::TempDir() + "cgroup-XXXXXX";
    if (mkdtemp(path.data()) == nullptr) std::abort();
    path_ = path;
    for (const auto& [name, text] : files) std::ofstream(path_ / name) << text;
    folder_ = *OpenPath(path, O_RDONLY | O_DIRECTORY);
  }
  RecordedCgroup(const RecordedCgroup&) = delete;
  RecordedCgroup& operator=(const RecordedCgroup&) = delete;
  ~RecordedCgroup() { std::filesystem::remove_all(path_); }
  int fd() const { return folder_.get(); }

 private:
  std::filesystem::path path_;
  UniqueFd folder_;
};

TEST(CgroupFilesTest, MemoryOfVersion2) {
  const RecordedCgroup folder({{"memory.current", "20971520\n"},
                               {"memory.max", "67108864\n"},
                               {"memory.low", "1048576\n"},
                               {"memory.peak", "33554432\n"},
                               {"memory.swap.current", "4096\n"},
                               {"memory.swap.max", "max\n"},
                               {"memory.events",
                                "low 0\nhigh 7\nmax 42\noom 3\noom_kill 2\n"
                                "oom_group_kill 1\n"},
                               {"memory.stat",
                                "anon 8388608\nfile 12582912\nkernel 65536\n"
                                "file_mapped 2097152\nfile_dirty 8192\n"
                                "file_writeback 4096\ninactive_file 4194304\n"
                                "active_file 6291456\npgfault 5000\n"
                                "pgmajfault 12\n"}});
  const auto memory = cgroup_v2::ReadMemory(folder.fd(), CgroupDetail::kAll);
  ASSERT_TRUE(memory);
  EXPECT_EQ(memory->usage, 20971520u);
  EXPECT_EQ(memory->working_set, 20971520u - 4194304u);
  EXPECT_EQ(memory->rss, 8388608u);
  EXPECT_EQ(memory->cache, 12582912u);
  EXPECT_EQ(memory->kernel, 65536u);
  EXPECT_EQ(memory->mapped_file, 2097152u);
  EXPECT_EQ(memory->dirty, 8192u);
  EXPECT_EQ(memory->writeback, 4096u);
  EXPECT_EQ(memory->active_file, 6291456u);
  EXPECT_EQ(memory->inactive_file, 4194304u);
  EXPECT_EQ(memory->limit, 67108864u);
  EXPECT_EQ(memory->reservation, 1048576u);
  EXPECT_EQ(memory->max_usage, 33554432u);
  EXPECT_EQ(memory->swap_usage, 4096u);
  EXPECT_EQ(memory->swap_limit, std::nullopt);
  EXPECT_EQ(memory->page_faults, 5000u);
  EXPECT_EQ(memory->own_major_page_faults, 12u);
  EXPECT_EQ(memory->limit_hits, 42u);
  EXPECT_EQ(memory->high_hits, 7u);
  EXPECT_EQ(memory->oom_kills, 2u);
  EXPECT_EQ(cgroup_v2::ReadMemory(folder.fd(), CgroupDetail::kUse)->max_usage, 0u);
}

TEST(CgroupFilesTest, MemoryOfVersion1) {
  const RecordedCgroup folder(
      {{"memory.usage_in_bytes", "20971520\n"},
       {"memory.limit_in_bytes", "67108864\n"},
       {"memory.soft_limit_in_bytes", "9223372036854771712\n"},
       {"memory.memsw.limit_in_bytes", "134217728\n"},
       {"memory.max_usage_in_bytes", "33554432\n"},
       {"memory.kmem.usage_in_bytes", "65536\n"},
       {"memory.failcnt", "42\n"},
       {"memory.oom_control", "oom_kill_disable 0\nunder_oom 0\noom_kill 2\n"},
       {"memory.stat",
        "cache 1\nrss 2\npgfault 100\npgmajfault 1\n"
        "hierarchical_memory_limit 67108864\ntotal_cache 12582912\n"
        "total_rss 8388608\ntotal_mapped_file 2097152\ntotal_dirty 8192\n"
        "total_writeback 4096\ntotal_swap 4096\ntotal_pgfault 5000\n"
        "total_pgmajfault 12\ntotal_inactive_file 4194304\n"
        "total_active_file 6291456\n"}});
  const auto memory = cgroup_v1::ReadMemory(folder.fd(), CgroupDetail::kAll);
  ASSERT_TRUE(memory);
  EXPECT_EQ(memory->working_set, 20971520u - 4194304u);
  EXPECT_EQ(memory->rss, 8388608u);
  EXPECT_EQ(memory->cache, 12582912u);
  EXPECT_EQ(memory->kernel, 65536u);
  EXPECT_EQ(memory->mapped_file, 2097152u);
  EXPECT_EQ(memory->dirty, 8192u);
  EXPECT_EQ(memory->reservation, std::nullopt);
  EXPECT_EQ(memory->swap_limit, 67108864u);
  EXPECT_EQ(memory->swap_usage, 4096u);
  EXPECT_EQ(memory->page_faults, 5000u);
  EXPECT_EQ(memory->own_page_faults, 100u);
  EXPECT_EQ(memory->limit_hits, 42u);
  EXPECT_EQ(memory->oom_kills, 2u);
}

TEST(CgroupFilesTest, ProcessorsOfBothVersions) {
  const RecordedCgroup folder({{"cpu.stat",
                                "usage_usec 5000\nuser_usec 3000\nsystem_usec 2000\nnr_periods 10\n"
                                "nr_throttled 4\nthrottled_usec 700\nnr_bursts 2\nburst_usec 60\n"
                                "throttled_time 800000\nburst_time 70000\n"},
                               {"cpu.max", "50000 100000\n"},
                               {"cpu.weight", "100\n"},
                               {"cpu.shares", "1024\n"},
                               {"cpu.cfs_quota_us", "-1\n"},
                               {"cpu.cfs_period_us", "100000\n"},
                               {"cpuacct.usage", "6000000\n"},
                               {"cpuacct.usage_user", "4000000\n"},
                               {"cpuacct.usage_sys", "2000000\n"},
                               {"cgroup.procs", "17\n19\n"}});
  const auto second = cgroup_v2::ReadCpu(folder.fd(), CgroupDetail::kAll);
  EXPECT_EQ(second->usage_ns, 5'000'000u);
  EXPECT_EQ(second->user_ns, 3'000'000u);
  EXPECT_EQ(second->throttled_ns, 700'000u);
  EXPECT_EQ(second->burst_ns, 60'000u);
  EXPECT_EQ(second->quota_us, 50000u);
  EXPECT_EQ(second->period_us, 100000u);
  EXPECT_EQ(CpuWeightFromShares(second->shares.value_or(0)), 100u);
  auto first = cgroup_v1::ReadCpuUsage(folder.fd(), CgroupDetail::kAll);
  cgroup_v1::ReadCpuLimits(folder.fd(), &*first);
  EXPECT_EQ(first->usage_ns, 6'000'000u);
  EXPECT_EQ(first->system_ns, 2'000'000u);
  EXPECT_EQ(first->periods, 10u);
  EXPECT_EQ(first->throttled_ns, 800'000u);
  EXPECT_EQ(first->burst_periods, 2u);
  EXPECT_EQ(first->shares, 1024u);
  EXPECT_EQ(first->quota_us, std::nullopt);
  EXPECT_EQ(first->period_us, 100000u);
  EXPECT_EQ(CountProcesses(folder.fd()), 2u);
}

}  // namespace
}  // namespace podium::kernel
