// Blobs from registries into the content store: each once, however many pulls want it, from where
// a broken connection left off, and verified.
//
// Threads: any, at once.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>

#include "base/result.h"
#include "http/stream.h"
#include "image/content_store.h"
#include "image/repository.h"

namespace podium::image {

class BlobFetcher {
 public:
  BlobFetcher(ContentStore& content, const RetryPolicy& retry)
      : content_(&content), retry_(&retry) {}

  // Opens the blob's bytes from an offset on; tries again itself what may pass.
  using Open = std::function<Result<BlobStream>(uint64_t offset)>;
  // Called now and then with how many of the blob's bytes are there; from the calling thread.
  using Progress = std::function<void(uint64_t done)>;

  // Returns when the blob is in the store; false when it was there already. Errors are those of
  // `open` that do not pass, kDataLoss when it keeps bringing other bytes, kResourceExhausted when
  // the disk is full, kCancelled. What has arrived stays for the next one.
  Result<bool> Fetch(const BlobInfo& blob, const Open& open, const Progress& progress,
                     const http::Cancellation* cancellation);

 private:
  // A blob on its way, shared by who brings it and who waits for it.
  struct Flight {
    std::unique_ptr<http::Cancellation> done;  // "cancelled" once it has ended
    std::atomic<uint64_t> bytes = 0;
  };

  Result<std::shared_ptr<Flight>> Join(const BlobInfo& blob, bool* first);
  void Leave(const BlobInfo& blob, Flight& flight);
  Result<void> Wait(const Flight& flight, const Progress& progress,
                    const http::Cancellation* cancellation) const;
  Result<void> Bring(const BlobInfo& blob, const Open& open, const Progress& progress,
                     const http::Cancellation* cancellation, Flight* flight);
  // All bytes that are missing; false when there were more than that.
  Result<bool> Fill(const BlobInfo& blob, const Open& open, const Progress& report,
                    const http::Cancellation* cancellation, BlobWriter* writer) const;

  ContentStore* const content_;
  const RetryPolicy* const retry_;
  std::mutex mutex_;
  std::map<Digest, std::shared_ptr<Flight>> flights_;
};

}  // namespace podium::image
