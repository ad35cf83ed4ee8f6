#include "node/log_rotator.h"

#include <utility>

#include "node/labels.h"
#include "node/log_rotation.h"

namespace podium::node {
namespace {

namespace cri = wire::cri;

std::string PathOf(const NodeConfig& config, const cri::Container& container) {
  const auto label = [&](std::string_view key) {
    const auto found = container.labels.find(key);
    return found == container.labels.end() ? std::string() : found->second;
  };
  return PodLogFolder(config, label(kPodNamespaceLabel), label(kPodNameLabel),
                      label(kPodUidLabel)) +
         "/" + label(kContainerNameLabel) + "/" +
         std::to_string(container.metadata ? container.metadata->attempt : 0) + ".log";
}

}  // namespace

void LogRotator::LookAtAll() {
  Post("all", [this] {
    const auto containers = services_.runtime.ListContainers({});
    if (!containers.ok()) return;
    for (const cri::Container& container : *containers) {
      if (container.state != cri::ContainerState::kContainerRunning) continue;
      Post("rotate " + container.id,
           [this, id = container.id, path = PathOf(services_.config, container)] {
             Rotate(id, path);
           });
    }
  });
}

void LogRotator::Grown(const std::string& container_id, uint64_t written) {
  if (written < static_cast<uint64_t>(services_.config.log_max_bytes)) return;
  Post("rotate " + container_id, [this, container_id] {
    cri::ContainerFilter filter;
    filter.id = container_id;
    const auto containers = services_.runtime.ListContainers(filter);
    if (!containers.ok() || containers->empty()) return;
    Rotate(container_id, PathOf(services_.config, containers->front()));
  });
}

void LogRotator::Stop() {
  std::unique_lock lock(mutex_);
  stopped_ = true;
  idle_.wait(lock, [this] { return running_ == 0; });
}

void LogRotator::Post(const std::string& name, std::function<void()> task) {
  {
    const std::lock_guard lock(mutex_);
    if (stopped_ || !posted_.insert(name).second) return;
  }
  services_.executor.Post([self = shared_from_this(), name, task = std::move(task)] {
    {
      const std::lock_guard lock(self->mutex_);
      if (self->stopped_) return;
      ++self->running_;
    }
    task();
    const std::lock_guard lock(self->mutex_);
    self->posted_.erase(name);
    --self->running_;
    self->idle_.notify_all();
  });
}

void LogRotator::Rotate(const std::string& container_id, const std::string& path) {
  // A log that cannot be rotated grows on; the next time may do better.
  const auto rotated = RotateLog(path, services_.config, services_.clock.Now(), [&] {
    return services_.runtime.ReopenContainerLog(container_id);
  });
  if (!rotated.ok() || !*rotated) return;
  // Not before, and not here: meanwhile it may have to be rotated again.
  Post("compress " + path, [path] { (void)CompressPutAside(path); });
}

}  // namespace podium::node
