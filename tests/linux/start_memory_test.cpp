#include "linux/start_memory.h"

#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstring>
#include <fstream>
#include <string>

#include "base/unique_fd.h"

namespace podium::kernel {
namespace {

constexpr size_t kPage = 4096;
constexpr size_t kBytes = 64 * kPage;

class StartMemory : public ::testing::Test {
 protected:
  void SetUp() override {
    file_.reset(memfd_create("start_memory_test", MFD_CLOEXEC));
    ASSERT_TRUE(file_);
    ASSERT_EQ(write(file_.get(), std::string(kBytes, 'f').data(), kBytes), ssize_t{kBytes});
    void* at = mmap(nullptr, kBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE, file_.get(), 0);
    ASSERT_NE(at, MAP_FAILED);
    memory_ = static_cast<char*>(at);
  }
  void TearDown() override { munmap(memory_, kBytes); }

  // Of the mapping, in pages.
  size_t Resident() const {
    std::ifstream smaps("/proc/self/smaps");
    const std::string begin = [this] {
      char text[32];
      snprintf(text, sizeof text, "%lx-", reinterpret_cast<unsigned long>(memory_));
      return std::string(text);
    }();
    bool here = false;
    for (std::string line; std::getline(smaps, line);) {
      here = here || line.starts_with(begin);
      if (here && line.starts_with("Rss:")) return std::stoul(line.substr(4)) * 1024 / kPage;
    }
    return 0;
  }
  bool ReadsAs(char value) const {
    for (size_t i = 0; i < kBytes; ++i) {
      if (memory_[i] != value) return false;
    }
    return true;
  }

  UniqueFd file_;
  char* memory_ = nullptr;
};

TEST_F(StartMemory, WhatIsTheFilesIsLetGoAndComesBack) {
  ASSERT_EQ(mprotect(memory_, kBytes, PROT_READ), 0);
  ASSERT_TRUE(ReadsAs('f'));
  ASSERT_EQ(Resident(), kBytes / kPage);
  ReleaseStartMemory();
  EXPECT_EQ(Resident(), 0U);
  EXPECT_TRUE(ReadsAs('f'));
}

// Relocated tables are such pages, and code with a debugger's breakpoints.
TEST_F(StartMemory, WhatWasWrittenStays) {
  memset(memory_, 'w', kBytes);
  ASSERT_EQ(mprotect(memory_, kBytes, PROT_READ), 0);
  ReleaseStartMemory();
  EXPECT_TRUE(ReadsAs('w'));
}

TEST_F(StartMemory, WhatMayBeWrittenStays) {
  ASSERT_TRUE(ReadsAs('f'));
  ReleaseStartMemory();
  EXPECT_EQ(Resident(), kBytes / kPage);
}

}  // namespace
}  // namespace podium::kernel
