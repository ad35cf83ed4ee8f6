// Takes images off a disk that fills up, and tells when that does not help; with upstream's events
// and words (pkg/kubelet/images/image_gc_manager.go and kubelet.go, release 1.36).
#pragma once

#include <functional>

#include "image/image_store.h"
#include "node/event_recorder.h"

namespace podium::node {

// One thread at a time.
class ImageCollector {
 public:
  // Collects once (ImageStore::CollectGarbage), and how large the disk is.
  using Collect = std::function<Result<image::GcResult>()>;
  using Usage = std::function<Result<image::ImageUsage>()>;

  ImageCollector(Collect collect, Usage usage, EventSink& events)
      : collect_(std::move(collect)), usage_(std::move(usage)), events_(events) {}

  // To be called every five minutes or so.
  //   InvalidDiskCapacity   the file system says that it has no room at all
  //   FreeDiskSpaceFailed   less could be freed than the thresholds ask for
  //   ImageGCFailed         it has failed more than once in a row, and why
  void Run();

 private:
  Result<void> RunOnce();

  const Collect collect_;
  const Usage usage_;
  EventSink& events_;
  bool failed_ = false;
};

}  // namespace podium::node
