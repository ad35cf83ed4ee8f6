// The contract of runtime.h as tests that run over every Runtime. A harness makes a fresh runtime
// and says how to get containers that behave in a certain way.
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>

#include "runtime/runtime.h"

namespace podium::runtime {

class ContractHarness {
 public:
  virtual ~ContractHarness() = default;

  virtual Runtime& runtime() = 0;
  // Runs until it is stopped; exits with 0 on the stop signal.
  virtual cri::ContainerConfig Runs(const std::string& name) = 0;
  // As Runs, but nothing less than SIGKILL ends it.
  virtual cri::ContainerConfig IgnoresStop(const std::string& name) = 0;
  virtual cri::ContainerConfig Exits(const std::string& name, int code) = 0;
  // Its program does not exist.
  virtual cri::ContainerConfig CannotStart(const std::string& name) = 0;
  // Returns once a container of Runs would notice its stop signal.
  virtual void AwaitUp(const std::string& /*container*/) {}
  // For time to go by; called in a loop while the tests wait for something.
  virtual void Pass() = 0;
};

// Null, with the reason to skip in *skip, where this machine cannot run it.
using MakeHarness = std::function<std::unique_ptr<ContractHarness>(std::string* skip)>;

struct ContractParameter {
  std::string name;
  MakeHarness make;
};

class RuntimeContract : public ::testing::TestWithParam<ContractParameter> {
 protected:
  void SetUp() override;

  Runtime& runtime() { return harness_->runtime(); }
  static cri::PodSandboxConfig Pod(const std::string& name);
  // Fail the test when they fail.
  std::string RunPod(const std::string& name);
  std::string Create(const std::string& sandbox, const cri::ContainerConfig& config);
  std::string Start(const std::string& sandbox, const cri::ContainerConfig& config);
  cri::ContainerStatus StatusOf(const std::string& container);
  cri::PodSandboxState StateOf(const std::string& sandbox);
  // Waits, for ten seconds at most, until it is EXITED.
  cri::ContainerStatus WaitForExit(const std::string& container);

  std::unique_ptr<ContractHarness> harness_;
};

}  // namespace podium::runtime
