// What is left of containers and sandboxes that are gone, and takes the kernel long to take away:
// nobody waits for it. Gone means: no process, no address, no name, told to whoever asks. Left are
// empty cgroups, writable layers and records, and shims on their way out.
//
// A sandbox's folder is renamed before it is said to be gone, and goes when its cgroups have gone;
// so whatever moment ends this process, the next one finds what is left: RUN/sandboxes/<id>.ended,
// layers without a container.
#include <fcntl.h>

#include <cerrno>
#include <csignal>
#include <cstdio>

#include "linux/path.h"
#include "runtime/embedded_runtime.h"
#include "runtime/records.h"
#include "runtime/sandbox_files.h"

namespace podium::runtime {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::string_view kEnded = ".ended";
constexpr auto kCgroupTimeout = std::chrono::seconds(5);
constexpr auto kEndTimeout = std::chrono::seconds(10);
// What a removed pod leaves is let alone for a while: the pods that are removed with it come first,
// and pages that are freed by and by need not be searched for (memory.force_empty of version 1).
constexpr auto kRest = std::chrono::milliseconds(50);
// Pods that are being made come first too; but not for ever.
constexpr auto kPatience = std::chrono::seconds(1);

}  // namespace

void EmbeddedRuntime::InTime(std::function<void()> work) {
  const std::lock_guard lock(work_mutex_);
  remains_.emplace_back(Clock::now() + kRest, std::move(work));
  if (remains_.size() == 1) work_posted_.notify_one();
}

// With work_mutex_ held.
std::optional<Clock::time_point> EmbeddedRuntime::RemainsAt() const {
  if (remains_.empty()) return std::nullopt;
  return remains_.front().first + (starting_ > 0 ? kPatience : Clock::duration(0));
}

// When no thread of ours is at work any more.
void EmbeddedRuntime::TakeAllAway() {
  while (!remains_.empty()) {
    const std::function<void()> work = std::move(remains_.front().second);
    remains_.pop_front();
    work();
  }
}

void EmbeddedRuntime::EmptyCgroup(const ContainerRef& container) {
  // One at a time: the caller of a removal may be as fast as the worker.
  const std::lock_guard cleaning(container->cleaning);
  {
    const std::lock_guard lock(mutex_);
    // As long as it runs, more can come.
    const bool over =
        container->removed || container->status.state == cri::ContainerState::kContainerExited;
    if (container->cgroup_gone || (over && container->cgroup_empty)) return;
  }
  const auto killed = cgroups_.Kill(container->cgroup, kEndTimeout);
  if (!killed.ok()) return Warn("ending a container's processes: " + killed.error().message());
  const std::lock_guard lock(mutex_);
  container->cgroup_empty = container->status.state == cri::ContainerState::kContainerExited;
}

void EmbeddedRuntime::EmptyCgroupsBefore(const ContainerRef& container) {
  std::vector<ContainerRef> before;
  {
    const std::lock_guard lock(mutex_);
    for (const auto& [id, other] : container->sandbox->containers) {
      if (other != container && other->config.metadata->name == container->config.metadata->name) {
        before.push_back(other);
      }
    }
  }
  for (const ContainerRef& other : before) EmptyCgroup(other);
}

void EmbeddedRuntime::RemoveCgroup(const ContainerRef& container) {
  EmptyCgroup(container);
  const std::lock_guard cleaning(container->cleaning);
  {
    const std::lock_guard lock(mutex_);
    if (container->cgroup_gone) return;
  }
  const auto removed = cgroups_.Remove(container->cgroup, kEndTimeout);
  if (!removed.ok()) {
    return Warn("removing cgroup " + container->cgroup + ": " + removed.error().message());
  }
  const std::lock_guard lock(mutex_);
  container->cgroup_gone = true;
}

void EmbeddedRuntime::Leave(const ContainerRef& container) {
  InTime([this, container] {
    RemoveCgroup(container);
    layers_.Add(LayerFolder(container->id));
  });
}

Result<void> EmbeddedRuntime::Leave(const SandboxRef& sandbox) {
  const std::string folder = SandboxFolder(sandbox->id);
  const std::string ended = folder + std::string(kEnded);
  if (rename(folder.c_str(), ended.c_str()) != 0 && errno != ENOENT) {
    return Error::FromErrno(errno, folder);
  }
  LeaveRecord(ended, sandbox->cgroup, {});
  return {};
}

void EmbeddedRuntime::LeaveRecord(const std::string& folder, const std::string& cgroup,
                                  std::vector<std::string> containers) {
  {
    const std::lock_guard lock(mutex_);
    leaving_.try_emplace(cgroup, false);
  }
  InTime([this, folder, cgroup, containers = std::move(containers)] {
    for (const std::string& container : containers) {
      (void)cgroups_.Kill(container, kCgroupTimeout);
      (void)cgroups_.Remove(container, kCgroupTimeout);
    }
    RemovePodCgroup(cgroup);
    const auto removed = kernel::RemoveTree(AT_FDCWD, folder);
    if (!removed.ok()) Warn("removing a record: " + removed.error().message());
  });
}

void EmbeddedRuntime::RemovePodCgroup(const std::string& cgroup) {
  {
    const std::lock_guard lock(mutex_);
    const auto found = leaving_.find(cgroup);
    // The pod's next sandbox has taken it over.
    if (found == leaving_.end() || found->second) return;
    for (const auto& [id, sandbox] : sandboxes_) {
      if (sandbox->cgroup != cgroup) continue;
      leaving_.erase(found);
      return;
    }
    found->second = true;
  }
  if (!IsCallersCgroup(cgroup)) {
    const auto removed = cgroups_.Remove(cgroup, kCgroupTimeout);
    if (!removed.ok()) Warn("removing cgroup " + cgroup + ": " + removed.error().message());
  }
  const std::lock_guard lock(mutex_);
  leaving_.erase(cgroup);
  changed_.notify_all();
}

void EmbeddedRuntime::KeepPodCgroup(const std::string& cgroup) {
  std::unique_lock lock(mutex_);
  const auto being_removed = [&] {
    const auto found = leaving_.find(cgroup);
    return found != leaving_.end() && found->second;
  };
  changed_.wait(lock, [&] { return !being_removed(); });
  leaving_.erase(cgroup);
}

void EmbeddedRuntime::RecoverRemains(const std::vector<std::string>& names) {
  for (const std::string& name : names) {
    if (!name.ends_with(kEnded)) continue;
    const std::string path = run_folder_ + '/' + name;
    std::string cgroup;
    std::vector<std::string> containers;
    const auto folder = kernel::OpenPath(path, O_RDONLY | O_DIRECTORY);
    if (!folder.ok()) continue;
    const auto config = ReadRecord<cri::PodSandboxConfig>(folder->get(), "config.json");
    if (config.ok()) cgroup = SandboxCgroup(*config, name.substr(0, name.size() - kEnded.size()));
    const auto inside = kernel::OpenPath(path + "/containers", O_RDONLY | O_DIRECTORY);
    if (!cgroup.empty() && inside.ok()) {
      const auto ids = kernel::ListFolder(inside->get());
      for (size_t i = 0; ids.ok() && i < ids->size(); ++i) {
        containers.push_back(cgroup + '/' + (*ids)[i]);
      }
    }
    // Without a configuration nothing else was made, and the record is all.
    LeaveRecord(path, cgroup, std::move(containers));
  }
}

void EmbeddedRuntime::LeaveShim(kernel::PidFd process) {
  InTime([left = std::make_shared<kernel::PidFd>(std::move(process))] {
    if (!left->WaitForEnd(kEndTimeout)) (void)left->Signal(SIGKILL);
    if (left->WaitForEnd(kEndTimeout)) (void)left->Reap();
  });
}

}  // namespace podium::runtime
