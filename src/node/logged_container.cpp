#include "node/logged_container.h"

#include "api/status.h"
#include "node/container_status.h"

namespace podium::node {

Result<std::string> LoggedContainer(const v1::Pod& pod, const std::string& name, bool previous) {
  const std::string where = "container \"" + name + "\" in pod \"" + pod.metadata.name + "\"";
  const auto refuse = [&](const std::string& why) { return api::BadRequestError(where + why); };
  const v1::ContainerStatus* status = FindStatus(pod.status, name);
  if (!status) return refuse(" is not available");
  const auto id_of = [](const auto& terminated) {
    return terminated ? terminated->containerID : std::string();
  };
  std::string last = id_of(status->lastState.terminated);
  if (previous) {
    if (!last.empty()) return last;
    return api::BadRequestError("previous terminated " + where + " not found");
  }
  if (status->state.running) return status->containerID;
  if (std::string ended = id_of(status->state.terminated); !ended.empty()) return ended;
  if (!last.empty()) return last;
  if (status->state.terminated || status->lastState.terminated) return refuse(" is terminated");
  if (!status->state.waiting) return refuse(" is waiting to start - no logs yet");
  const std::string& reason = status->state.waiting->reason;
  if (reason == "ErrImagePull") return refuse(" is waiting to start: image can't be pulled");
  if (reason == "ImagePullBackOff") {
    return refuse(" is waiting to start: trying and failing to pull image");
  }
  return refuse(" is waiting to start: " + reason);
}

}  // namespace podium::node
