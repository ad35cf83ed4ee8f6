// How much is left of a machine, from files as kernels write them.
#include "node/eviction/node_reader.h"

#include <gmock/gmock.h>
#include <sys/statvfs.h>

#include <filesystem>
#include <fstream>

#include "node/fake_services.h"
#include "node/pods.h"

namespace podium::node {
namespace {

class NodeReaderTest : public ::testing::Test {
 protected:
  void SetUp() override {
    Write("/proc/meminfo",
          "MemTotal:        4096 kB\nMemFree:         1024 kB\nMemAvailable:    9999 kB\n"
          "Inactive:         700 kB\nInactive(anon):   200 kB\nInactive(file):   500 kB\n");
    Write("/proc/sys/kernel/pid_max", "32768\n");
    Write("/proc/sys/kernel/threads-max", "1000\n");
    Write("/proc/loadavg", "0.20 0.18 0.12 1/80 11206\n");
  }
  std::string Root() const { return node_.folder.path() + "/root"; }
  void Write(const std::string& path, const std::string& text) const {
    std::filesystem::create_directories(std::filesystem::path(Root() + path).parent_path());
    std::ofstream(Root() + path) << text;
  }
  NodeReader Reader() {
    return NodeReader({.config = node_.config,
                       .runtime = node_.runtime,
                       .pods_memory = [this] { return memory_; },
                       .root = Root()});
  }
  // "available of capacity"
  std::string Seen(const std::string& signal) {
    const Observations all = Reader().Observe();
    const auto found = all.find(signal);
    if (found == all.end()) return "nothing";
    return found->second.available.String() + " of " + found->second.capacity.String();
  }

  FakeNode node_;
  std::optional<kernel::MemoryStats> memory_;
};

TEST_F(NodeReaderTest, MemoryIsAllButTheWorkingSet) {
  // Free, and inactive file pages.
  EXPECT_EQ(Seen("memory.available"), "1524Ki of 4Mi");
  Write("/proc/meminfo", "MemTotal: 4096 kB\nMemFree: 1024 kB\n");
  EXPECT_EQ(Seen("memory.available"), "nothing") << "half of it says nothing";
  std::filesystem::remove(Root() + "/proc/meminfo");
  EXPECT_EQ(Seen("memory.available"), "nothing");
}

TEST_F(NodeReaderTest, PodsMemoryIsWhatTheirLimitLeaves) {
  EXPECT_EQ(Seen("allocatableMemory.available"), "nothing");
  memory_.emplace();
  memory_->working_set = 3 << 20;
  EXPECT_EQ(Seen("allocatableMemory.available"), "nothing") << "without a limit";
  memory_->limit = 8 << 20;
  EXPECT_EQ(Seen("allocatableMemory.available"), "5Mi of 8Mi");
  memory_->working_set = 9 << 20;
  EXPECT_EQ(Seen("allocatableMemory.available"), "0 of 8Mi");
}

TEST_F(NodeReaderTest, ProcessesAreThreads) {
  EXPECT_EQ(Seen("pid.available"), "920 of 1k") << "the lesser of the two bounds";
  Write("/proc/sys/kernel/threads-max", "60\n");
  EXPECT_EQ(Seen("pid.available"), "0 of 60");
  Write("/proc/loadavg", "0.20 0.18 0.12\n");
  EXPECT_EQ(Seen("pid.available"), "nothing");
}

TEST_F(NodeReaderTest, TheDiskOfPodsFiles) {
  std::filesystem::create_directories(node_.config.data_dir + "/images");
  struct statvfs disk{};
  ASSERT_EQ(statvfs(node_.config.data_dir.c_str(), &disk), 0);
  const Observations all = Reader().Observe();
  ASSERT_TRUE(all.contains("nodefs.available"));
  EXPECT_EQ(all.at("nodefs.available").capacity.Value(),
            static_cast<int64_t>(disk.f_blocks * disk.f_frsize));
  // One file system: what is true of the one is true of the other.
  ASSERT_TRUE(all.contains("imagefs.available"));
  EXPECT_EQ(all.at("imagefs.available").capacity, all.at("nodefs.available").capacity);
  if (disk.f_files > 0) {
    EXPECT_EQ(all.at("nodefs.inodesFree").capacity.Value(), static_cast<int64_t>(disk.f_files));
  }
}

TEST_F(NodeReaderTest, WhatPodsUseIsMeasuredForTheirSignalAlone) {
  node_.runtime.Script("a", {.writable_layer = 1 << 20});
  auto pod = std::make_shared<v1::Pod>(PodOf("containers: [{name: a}]"));
  pod->metadata.uid = "u1";
  const auto worker = PodWorker::Create(node_.services, *pod,
                                        {.status = [](const auto&, const auto&) {},
                                         .unmounted = [](const auto&) {},
                                         .gone = [](const auto&) {}});
  node_.time.Settle();
  const PodUses memory = Reader().Measure("memory.available", {pod});
  ASSERT_TRUE(memory.contains("u1"));
  EXPECT_EQ(memory.at("u1").disk, 0) << "nobody walks through files for memory";
  const PodUses disk = Reader().Measure("nodefs.available", {pod});
  EXPECT_EQ(disk.at("u1").disk, 1 << 20);
  ASSERT_EQ(disk.at("u1").containers.size(), 1U);
  EXPECT_EQ(disk.at("u1").containers[0].name, "a");
  EXPECT_EQ(disk.at("u1").containers[0].root.value_or(0), 1 << 20);
  worker->Stop();
}

}  // namespace
}  // namespace podium::node
