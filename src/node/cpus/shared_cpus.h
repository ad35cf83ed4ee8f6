// Keeps containers that have no CPUs of their own on those that are left (cpu_manager.h).
#pragma once

#include <memory>
#include <mutex>

#include "base/executor.h"
#include "node/cpus/cpu_manager.h"
#include "runtime/runtime.h"

namespace podium::node {

// Threads: any. All that is given outlives Stop.
class SharedCpus : public std::enable_shared_from_this<SharedCpus> {
 public:
  SharedCpus(const CpuManager& cpus, runtime::Runtime& runtime, Executor& executor)
      : cpus_(cpus), runtime_(runtime), executor_(executor) {}

  // The shared pool is another: containers are moved soon.
  void Changed();
  // Nothing is done any more from then on.
  void Stop();

 private:
  void MoveAll();

  const CpuManager& cpus_;
  runtime::Runtime& runtime_;
  Executor& executor_;
  std::mutex mutex_;  // held while containers are moved
  bool stopped_ = false;
};

}  // namespace podium::node
