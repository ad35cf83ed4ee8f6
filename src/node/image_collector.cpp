#include "node/image_collector.h"

#include <string>

namespace podium::node {

void ImageCollector::Run() {
  const Result<void> ran = RunOnce();
  // Once is no news: the disk may have been in use by a pull.
  if (!ran.ok() && failed_) {
    events_.RecordNode(EventType::kWarning, "ImageGCFailed", ran.error().message());
  }
  failed_ = !ran.ok();
}

Result<void> ImageCollector::RunOnce() {
  TRY(const image::ImageUsage usage, usage_());
  if (usage.capacity_bytes == 0) {
    const Error error(Code::kUnavailable, "invalid capacity 0 on image filesystem");
    events_.RecordNode(EventType::kWarning, "InvalidDiskCapacity", error.message());
    return error;
  }
  TRY(const image::GcResult result, collect_());
  if (result.removed.bytes >= result.wanted) return {};
  const Error error(Code::kResourceExhausted,
                    "Failed to garbage collect required amount of images. Attempted to free " +
                        std::to_string(result.wanted) + " bytes, but only found " +
                        std::to_string(result.removed.bytes) + " bytes eligible to free.");
  events_.RecordNode(EventType::kWarning, "FreeDiskSpaceFailed", error.message());
  return error;
}

}  // namespace podium::node
