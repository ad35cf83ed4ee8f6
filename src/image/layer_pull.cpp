#include "image/layer_pull.h"

#include <poll.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <mutex>
#include <optional>
#include <system_error>
#include <thread>
#include <vector>

namespace podium::image {
namespace {

using State = PullProgress::State;

constexpr std::chrono::milliseconds kReportEvery(100);

class Work {
 public:
  Work(const LayerPull& pull, std::unique_ptr<http::Cancellation> stop,
       std::unique_ptr<http::Cancellation> finished)
      : pull_(&pull), stop_(std::move(stop)), finished_(std::move(finished)) {}

  Result<void> Run();

 private:
  // What is said about one layer, not too often.
  class Report {
   public:
    Report(Work& work, size_t index) : work_(&work), index_(index) {}
    void Now(State state, uint64_t done) {
      last_ = std::chrono::steady_clock::now();
      state_ = state;
      work_->Tell(index_, state, done);
    }
    void Maybe(State state, uint64_t done) {
      if (state != state_ || std::chrono::steady_clock::now() - last_ >= kReportEvery) {
        Now(state, done);
      }
    }

   private:
    Work* work_;
    size_t index_;
    State state_ = State::kWaiting;
    std::chrono::steady_clock::time_point last_;
  };

  size_t count() const { return pull_->manifest->layers.size(); }
  void RunThread();
  void Fail(Error error);
  void Tell(size_t index, State state, uint64_t done);
  Result<void> BringLayer(size_t index);
  Result<bool> Fetch(const Descriptor& layer, const BlobInfo& blob, Report* report);
  Result<BlobStream> Open(const Descriptor& layer, const Digest& digest, uint64_t offset);

  const LayerPull* const pull_;
  const std::unique_ptr<http::Cancellation> stop_;      // for the threads
  const std::unique_ptr<http::Cancellation> finished_;  // set by the last of them
  std::atomic<size_t> next_ = 0;
  std::atomic<size_t> running_ = 0;
  std::mutex mutex_;  // of error_, and for one call of the observer at a time
  std::optional<Error> error_;
};

void Work::Tell(size_t index, State state, uint64_t done) {
  if (!*pull_->observer) return;
  const Descriptor& layer = pull_->manifest->layers[index];
  auto digest = DigestOfDescriptor(layer);
  if (!digest.ok()) return;
  const std::lock_guard lock(mutex_);
  (*pull_->observer)({.layer = index,
                      .layers = count(),
                      .digest = *std::move(digest),
                      .state = state,
                      .done = done,
                      .total = static_cast<uint64_t>(layer.size)});
}

void Work::Fail(Error error) {
  {
    const std::lock_guard lock(mutex_);
    if (!error_) error_ = std::move(error);
  }
  stop_->Cancel();
}

// Foreign layers may stand elsewhere alone; the registry is asked first, since it is trusted more.
Result<BlobStream> Work::Open(const Descriptor& layer, const Digest& digest, uint64_t offset) {
  auto stream = pull_->repository->OpenBlob(digest, offset, stop_.get());
  if (stream.ok() || stream.error().code() != Code::kNotFound) return stream;
  for (const std::string& url : layer.urls) {
    auto elsewhere = pull_->repository->OpenUrl(url, offset, stop_.get());
    if (elsewhere.ok() || elsewhere.error().code() == Code::kCancelled) return elsewhere;
  }
  return stream;
}

Result<bool> Work::Fetch(const Descriptor& layer, const BlobInfo& blob, Report* report) {
  auto fetched = pull_->blobs->Fetch(
      blob, [&](uint64_t offset) { return Open(layer, blob.digest, offset); },
      [&](uint64_t done) { report->Maybe(State::kDownloading, done); }, stop_.get());
  if (fetched.ok()) return fetched;
  return std::move(fetched).error().WithContext("failed to copy layer " + blob.digest.String());
}

Result<void> Work::BringLayer(size_t index) {
  const Descriptor& layer = pull_->manifest->layers[index];
  TRY(Digest digest, DigestOfDescriptor(layer));
  TRY(const Digest diff_id, Digest::Parse(pull_->document->rootfs.diff_ids[index]));
  const BlobInfo blob{std::move(digest), static_cast<uint64_t>(layer.size)};
  Report report(*this, index);
  bool damaged = false;
  while (true) {
    TRY(const bool fetched, Fetch(layer, blob, &report));
    if (pull_->store->IsUnpacked(diff_id)) {
      report.Now(fetched ? State::kDone : State::kExists, blob.size);
      return {};
    }
    report.Now(State::kExtracting, 0);
    auto unpacked = pull_->store->Unpack(layer, diff_id, [&](uint64_t done) {
      report.Maybe(State::kExtracting, done);
      return !stop_->cancelled();
    });
    if (unpacked.ok()) {
      report.Now(State::kDone, blob.size);
      return {};
    }
    // The disk has damaged what was there; once it may be fetched again.
    if (unpacked.error().code() != Code::kDataLoss || damaged) {
      return std::move(unpacked).error().WithContext("failed to extract layer " + diff_id.String());
    }
    damaged = true;
  }
}

void Work::RunThread() {
  while (!stop_->cancelled()) {
    const size_t index = next_++;
    if (index >= count()) break;
    auto brought = BringLayer(index);
    if (!brought.ok()) Fail(std::move(brought).error());
  }
  if (--running_ == 0) finished_->Cancel();
}

Result<void> Work::Run() {
  for (size_t i = 0; i < count(); ++i) Tell(i, State::kWaiting, 0);
  const size_t wanted = std::min(std::max<size_t>(pull_->parallel, 1), count());
  // One for this thread, so that none of the others is the last before all have begun.
  running_ = 1;
  std::vector<std::thread> threads;
  for (size_t i = 0; i < wanted; ++i) {
    ++running_;
    try {
      threads.emplace_back([this] { RunThread(); });
    } catch (const std::system_error& error) {
      --running_;
      // Fewer do as well.
      if (threads.empty()) Fail(Error::FromErrno(error.code().value(), "starting a thread"));
      break;
    }
  }
  if (--running_ == 0) finished_->Cancel();
  auto waited = http::WaitFor(finished_->fd(), POLLIN, {.cancellation = pull_->cancellation});
  if (!waited.ok()) Fail(std::move(waited).error());
  for (std::thread& thread : threads) thread.join();
  if (error_) return *std::move(error_);
  return {};
}

}  // namespace

Result<void> PullLayers(const LayerPull& pull) {
  TRY(auto stop, http::Cancellation::Create());
  TRY(auto finished, http::Cancellation::Create());
  return Work(pull, std::move(stop), std::move(finished)).Run();
}

}  // namespace podium::image
