// A driver over a root of its own, as each kind of machine that this one can be, and children that
// live in its cgroups.
#pragma once

#include <gtest/gtest.h>
#include <sys/types.h>

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "linux/cgroup.h"

namespace podium::kernel {

inline constexpr std::chrono::milliseconds kPatience{10'000};

// A child process that runs a function in a cgroup. Killed and reaped when it is dropped.
class CgroupChild {
 public:
  // The child exits with what `body` returns.
  CgroupChild(const CgroupDriver& driver, const std::string& path, std::function<int()> body);
  CgroupChild(const CgroupChild&) = delete;
  CgroupChild& operator=(const CgroupChild&) = delete;
  ~CgroupChild();

  pid_t pid() const { return pid_; }
  // As waitpid gives it; fails the test if it takes longer than kPatience.
  int Wait();
  bool Ended();

 private:
  pid_t pid_ = -1;
  int status_ = -1;
  bool reaped_ = false;
};

// Runs `body` in a cgroup and returns its exit code; 128 and the signal if one ended it.
int RunIn(const CgroupDriver& driver, const std::string& path, std::function<int()> body);

// Until the condition holds; false after kPatience.
bool Eventually(const std::function<bool()>& condition);

// Numbers that a child and the test share.
class SharedCounter {
 public:
  SharedCounter();
  SharedCounter(const SharedCounter&) = delete;
  SharedCounter& operator=(const SharedCounter&) = delete;
  ~SharedCounter();
  std::atomic<uint64_t>& operator*() const { return *counter_; }

 private:
  std::atomic<uint64_t>* counter_;
};

class CgroupTest : public ::testing::TestWithParam<CgroupMode> {
 protected:
  void SetUp() override;
  void TearDown() override;

  CgroupDriver& driver() { return *driver_; }
  // Whether a v1 tree, or the v2 tree, of those in use has the controller.
  bool HasController(const std::string& v1, const std::string& v2) const;
  bool HasV1(const std::string& name) const;
  bool HasV2(const std::string& name) const;
  // What stands in a file of a controller, in whichever tree has it; "" where it is not there.
  std::string Read(const std::string& controller, const std::string& path, const std::string& file);

  std::string root_;

 private:
  std::unique_ptr<CgroupDriver> driver_;
};

std::string ModeName(const ::testing::TestParamInfo<CgroupMode>& info);

}  // namespace podium::kernel
