#include "linux/cgroup_harness.h"

#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <thread>

#include "linux/cgroup_mounts.h"

namespace podium::kernel {
namespace {

namespace fs = std::filesystem;

const std::vector<CgroupMount>& Mounts() {
  static const std::vector<CgroupMount> kMounts = *CgroupMounts();
  return kMounts;
}

std::string ReadAll(const fs::path& path) {
  std::ifstream file(path);
  std::stringstream text;
  text << file.rdbuf();
  std::string all = text.str();
  while (all.ends_with('\n')) all.pop_back();
  return all;
}

bool UsesV1(CgroupMode mode) { return mode != CgroupMode::kV2; }
bool UsesV2(CgroupMode mode) { return mode != CgroupMode::kV1; }

}  // namespace

CgroupChild::CgroupChild(const CgroupDriver& driver, const std::string& path,
                         std::function<int()> body) {
  const auto entry = driver.OpenForSpawn(path);
  if (!entry.ok()) {
    ADD_FAILURE() << entry.error().message();
    return;
  }
  pid_ = fork();
  if (pid_ != 0) return;
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  bool entered = !entry->directory_procs || write(entry->directory_procs.get(), "0", 1) == 1;
  for (const UniqueFd& tasks : entry->tasks) entered &= write(tasks.get(), "0", 1) == 1;
  _exit(entered ? body() : 126);
}

CgroupChild::~CgroupChild() {
  if (pid_ <= 0 || reaped_) return;
  kill(pid_, SIGKILL);
  waitpid(pid_, nullptr, 0);
}

bool CgroupChild::Ended() {
  if (!reaped_ && waitpid(pid_, &status_, WNOHANG) == pid_) reaped_ = true;
  return reaped_;
}

int CgroupChild::Wait() {
  EXPECT_TRUE(pid_ > 0 && Eventually([this] { return Ended(); }));
  return status_;
}

int RunIn(const CgroupDriver& driver, const std::string& path, std::function<int()> body) {
  const int status = CgroupChild(driver, path, std::move(body)).Wait();
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

bool Eventually(const std::function<bool()>& condition) {
  const auto deadline = std::chrono::steady_clock::now() + kPatience;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  return true;
}

SharedCounter::SharedCounter()
    : counter_(new(mmap(nullptr, sizeof(*counter_), PROT_READ | PROT_WRITE,
                        MAP_SHARED | MAP_ANONYMOUS, -1, 0)) std::atomic<uint64_t>(0)) {}

SharedCounter::~SharedCounter() { munmap(counter_, sizeof(*counter_)); }

void CgroupTest::SetUp() {
  if (geteuid() != 0) GTEST_SKIP() << "making cgroups needs root";
  root_ = "podium-test-" + std::to_string(getpid());
  auto driver = CgroupDriver::Detect(
      {.root = root_, .use_v1 = UsesV1(GetParam()), .use_v2 = UsesV2(GetParam())});
  if (!driver.ok() && driver.error().code() == Code::kUnsupported) {
    GTEST_SKIP() << driver.error().message();
  }
  ASSERT_TRUE(driver.ok()) << driver.error().message();
  if ((*driver)->mode() != GetParam()) GTEST_SKIP() << "this machine mounts only one of v1 and v2";
  driver_ = *std::move(driver);
}

void CgroupTest::TearDown() {
  if (!driver_) return;
  const auto killed = driver_->Kill("", kPatience);
  EXPECT_TRUE(killed.ok()) << killed.error().message();
  const auto removed = driver_->Remove("", kPatience);
  EXPECT_TRUE(removed.ok()) << removed.error().message();
  for (const CgroupMount& mount : Mounts()) {
    EXPECT_FALSE(fs::exists(fs::path(mount.path) / root_)) << mount.path;
  }
}

bool CgroupTest::HasV1(const std::string& name) const {
  return UsesV1(GetParam()) && std::ranges::any_of(Mounts(), [&](const CgroupMount& mount) {
           return std::ranges::find(mount.controllers, name) != mount.controllers.end();
         });
}

bool CgroupTest::HasV2(const std::string& name) const {
  if (!UsesV2(GetParam())) return false;
  for (const CgroupMount& mount : Mounts()) {
    if (!mount.unified) continue;
    std::istringstream offered(ReadAll(fs::path(mount.path) / "cgroup.controllers"));
    for (std::string word; offered >> word;) {
      if (word == name) return true;
    }
  }
  return false;
}

bool CgroupTest::HasController(const std::string& v1, const std::string& v2) const {
  return HasV1(v1) || HasV2(v2);
}

std::string CgroupTest::Read(const std::string& controller, const std::string& path,
                             const std::string& file) {
  for (const CgroupMount& mount : Mounts()) {
    const bool has = mount.unified
                         ? UsesV2(GetParam())
                         : UsesV1(GetParam()) && std::ranges::find(mount.controllers, controller) !=
                                                     mount.controllers.end();
    const fs::path place = fs::path(mount.path) / root_ / path / file;
    if (has && fs::exists(place)) return ReadAll(place);
  }
  return "";
}

std::string ModeName(const ::testing::TestParamInfo<CgroupMode>& info) {
  switch (info.param) {
    case CgroupMode::kV1:
      return "V1";
    case CgroupMode::kV2:
      return "V2";
    case CgroupMode::kHybrid:
      return "Hybrid";
  }
  return "";
}

}  // namespace podium::kernel
