// Whether, when and how a container's image is pulled: pull policies, one pull for all who wait for
// the same image, back-off after failures; with upstream's events and words
// (pkg/kubelet/images/image_manager.go, release 1.36).
#pragma once

#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "base/clock.h"
#include "node/back_off.h"
#include "node/container_status.h"
#include "node/event_recorder.h"
#include "node/image_service.h"
#include "node/metrics/start_times.h"
#include "node/objects.h"
#include "node/pull_records.h"

namespace podium::node {

struct ImageRequest {
  const v1::Pod& pod;
  std::optional<ContainerRef> container;  // none: for a volume
  std::string image;                      // as the pod has it
  std::string policy;                     // Always, IfNotPresent, Never
  const PullSecrets& secrets;
  const http::Cancellation* cancellation = nullptr;
};

// The secrets that pulling its images may need; those that are missing are told and left out.
PullSecrets PullSecretsOf(const v1::Pod& pod, const ObjectSource& objects, EventSink& events);

struct ImageOutcome {
  std::optional<NodeImage> image;
  // Without an image: ErrImagePull, ImagePullBackOff, ErrImageNeverPull, InvalidImageName,
  // ImageInspectError.
  WaitingReason problem;
  // When it is worth to ask again; nanoseconds since 1970.
  std::optional<int64_t> retry_at;
};

// Threads: any. Ensure blocks while an image is pulled.
class ImagePulls {
 public:
  // Records of pulls are in config.data_dir. `starts` is told how long pods wait for pulls.
  ImagePulls(ImageService& images, const Clock& clock, EventSink& events, const NodeConfig& config,
             StartTimes* starts = nullptr)
      : images_(images), clock_(clock), events_(events), starts_(starts), records_(config, clock) {}

  // To be called once, before anything is pulled (pull_records.h).
  void Recover();

  // Every pod may use the image under this name (pull_records.h).
  void Allow(const std::string& image, const std::string& id) { records_.Allow(image, id); }

  ImageOutcome Ensure(const ImageRequest& request);
  // Its back-offs are not needed any more.
  void Forget(const v1::Pod& pod);

 private:
  struct Pull {
    bool done = false;
    std::optional<Result<NodeImage>> result;
  };

  // Null when the pull may go on.
  std::optional<ImageOutcome> InBackOff(const ImageRequest& request, const std::string& key);
  Result<NodeImage> PullOnce(const ImageRequest& request);
  // With its record, which is written before anybody hears of it.
  Result<NodeImage> PullAndRecord(const ImageRequest& request);

  ImageService& images_;
  const Clock& clock_;
  EventSink& events_;
  StartTimes* const starts_;
  PullRecords records_;
  std::mutex mutex_;
  std::condition_variable changed_;
  BackOff back_off_;                                // by pod and image
  std::map<std::string, std::string> last_errors_;  // likewise
  std::map<std::string, std::shared_ptr<Pull>> pulls_;
};

// As Go prints a time.Duration.
std::string DurationText(int64_t nanoseconds);

}  // namespace podium::node
