#include "node/image_pulls.h"

#include <chrono>

#include "api/time.h"
#include "base/image_reference.h"
#include "base/trace.h"
#include "reflect/go_text.h"

namespace podium::node {
namespace {

// How often those who wait for another's pull look whether they are still wanted.
constexpr std::chrono::milliseconds kLook{100};

ImageOutcome Problem(std::string reason, std::string message) {
  ImageOutcome out;
  out.problem = {.reason = std::move(reason), .message = std::move(message)};
  return out;
}

std::string KeyOf(const ImageRequest& request) {
  return request.pod.metadata.uid + "_" + request.image;
}

// Secrets are of a namespace: two pods share a pull only where the same ones are used.
std::string PullKey(const ImageRequest& request) {
  std::string key = request.image;
  for (const auto& secret : request.secrets) {
    key += "\n" + secret->metadata.namespace_ + "/" + secret->metadata.name;
  }
  return key;
}

}  // namespace

PullSecrets PullSecretsOf(const v1::Pod& pod, const ObjectSource& objects, EventSink& events) {
  PullSecrets out;
  std::string missing;
  for (const v1::LocalObjectReference& reference : pod.spec.imagePullSecrets) {
    // The API lets a reference without a name through.
    if (reference.name.empty()) continue;
    auto secret = objects.GetSecret(pod.metadata.namespace_, reference.name);
    if (secret.ok()) {
      out.push_back(*std::move(secret));
    } else {
      missing += (missing.empty() ? "" : ", ") + reference.name;
    }
  }
  if (!missing.empty()) {
    events.Record(pod, std::nullopt, EventType::kWarning, "FailedToRetrieveImagePullSecret",
                  "Unable to retrieve some image pull secrets (" + missing +
                      "); attempting to pull the image may not succeed.");
  }
  return out;
}

std::string DurationText(int64_t nanoseconds) {
  return api::Duration::FromNanos(nanoseconds).String();
}

std::optional<ImageOutcome> ImagePulls::InBackOff(const ImageRequest& request,
                                                  const std::string& key) {
  std::string message = "Back-off pulling image \"" + request.image + "\"";
  std::optional<int64_t> until;
  {
    std::lock_guard lock(mutex_);
    until = back_off_.RetryAt(key, clock_.Now());
    if (!until) return std::nullopt;
    events_.Record(request.pod, request.container, EventType::kNormal, "BackOff", message);
    const auto before = last_errors_.find(key);
    if (before != last_errors_.end()) message += ": " + before->second;
  }
  ImageOutcome out = Problem("ImagePullBackOff", std::move(message));
  out.retry_at = until;
  return out;
}

Result<NodeImage> ImagePulls::PullOnce(const ImageRequest& request) {
  const std::string key = PullKey(request);
  const auto cancelled = [&] { return request.cancellation && request.cancellation->cancelled(); };
  std::shared_ptr<Pull> pull;
  {
    std::unique_lock lock(mutex_);
    while (true) {
      auto [at, first] = pulls_.try_emplace(key);
      if (first) {
        at->second = std::make_shared<Pull>();
        pull = at->second;
        break;
      }
      const std::shared_ptr<Pull> other = at->second;
      while (!other->done && !cancelled()) changed_.wait_for(lock, kLook);
      if (cancelled()) return Error(Code::kCancelled, "the pod is deleted");
      // Who pulled was deleted on the way, and the image is still wanted here.
      if (!other->result->ok() && other->result->error().code() == Code::kCancelled) continue;
      return *other->result;
    }
  }
  Result<NodeImage> result = PullAndRecord(request);
  std::lock_guard lock(mutex_);
  pull->result = result;
  pull->done = true;
  pulls_.erase(key);
  changed_.notify_all();
  return result;
}

void ImagePulls::Recover() {
  records_.Recover([this](const std::string& image) { return images_.IdOf(image); });
}

Result<NodeImage> ImagePulls::PullAndRecord(const ImageRequest& request) {
  if (auto begun = records_.Begin(request.image); !begun.ok()) {
    return Error(begun.error().code(), "Failed to record image pull intent for container image " +
                                           reflect::GoQuoted(request.image) + ": " +
                                           begun.error().message());
  }
  std::optional<ImageSecret> used;
  auto pulled = images_.Pull(request.image, request.secrets, request.cancellation, &used);
  if (pulled.ok()) {
    records_.Done(request.image, pulled->id, used);
  } else {
    records_.Failed(request.image);
  }
  return pulled;
}

ImageOutcome ImagePulls::Ensure(const ImageRequest& request) {
  const TraceSpan span("image", request.image);
  const auto record = [&](EventType type, std::string_view reason, std::string_view message) {
    events_.Record(request.pod, request.container, type, reason, message);
  };
  auto reference = ImageReference::Parse(request.image);
  if (!reference.ok()) {
    std::string message = "Failed to apply default image tag \"" + request.image +
                          "\": couldn't parse image name \"" + request.image +
                          "\": " + reference.error().message();
    record(EventType::kWarning, "InspectFailed", message);
    return Problem("InvalidImageName", std::move(message));
  }
  Result<NodeImage> present = images_.Find(request.image);
  if (!present.ok() && present.error().code() != Code::kNotFound) {
    std::string message =
        "Failed to inspect image \"" + request.image + "\": " + present.error().message();
    record(EventType::kWarning, "InspectFailed", message);
    ImageOutcome out = Problem("ImageInspectError", std::move(message));
    out.retry_at = clock_.Now() + BackOff::kInitial;
    return out;
  }
  const auto must_pull = [&] {
    return records_.MustPull(request.image, present->id,
                             images_.SecretsFor(request.image, request.secrets));
  };
  if (present.ok() && request.policy != "Always" && !must_pull()) {
    record(EventType::kNormal, "Pulled",
           "Container image \"" + request.image +
               "\" already present on machine and can be accessed by the pod");
    return {.image = *std::move(present), .problem = {}, .retry_at = {}};
  }
  if (request.policy == "Never") {
    std::string message =
        "Container image \"" + request.image + "\" is not present with pull policy of Never";
    record(EventType::kWarning, "ErrImageNeverPull", message);
    ImageOutcome out = Problem("ErrImageNeverPull", std::move(message));
    out.retry_at = clock_.Now() + BackOff::kInitial;
    return out;
  }
  const std::string key = KeyOf(request);
  if (auto waiting = InBackOff(request, key)) return *std::move(waiting);

  record(EventType::kNormal, "Pulling", "Pulling image \"" + request.image + "\"");
  const int64_t begin = clock_.Now();
  if (starts_) starts_->PullBegins(request.pod.metadata.uid, begin);
  Result<NodeImage> pulled = PullOnce(request);
  const int64_t now = clock_.Now();
  if (starts_) starts_->PullEnds(request.pod.metadata.uid, now);
  const bool given_up = !pulled.ok() && request.cancellation && request.cancellation->cancelled();
  if (given_up) return Problem("ErrImagePull", pulled.error().message());
  if (!pulled.ok()) {
    const std::string& error = pulled.error().message();
    record(EventType::kWarning, "Failed",
           "Failed to pull image \"" + request.image + "\": " + error);
    ImageOutcome out = Problem("ErrImagePull", error);
    std::lock_guard lock(mutex_);
    back_off_.Prune(now);
    back_off_.Next(key, now, now);
    last_errors_[key] = "ErrImagePull: " + error;
    out.retry_at = back_off_.RetryAt(key, now);
    return out;
  }
  const std::string took = DurationText((now - begin) / 1'000'000 * 1'000'000);
  record(EventType::kNormal, "Pulled",
         "Successfully pulled image \"" + request.image + "\" in " + took + " (" + took +
             " including waiting). Image size: " + std::to_string(pulled->size) + " bytes.");
  std::lock_guard lock(mutex_);
  last_errors_.erase(key);
  return {.image = *std::move(pulled), .problem = {}, .retry_at = {}};
}

void ImagePulls::Forget(const v1::Pod& pod) {
  std::lock_guard lock(mutex_);
  for (const std::string& image : ImagesOf(pod)) {
    const std::string key = pod.metadata.uid + "_" + image;
    back_off_.Forget(key);
    last_errors_.erase(key);
  }
}

}  // namespace podium::node
