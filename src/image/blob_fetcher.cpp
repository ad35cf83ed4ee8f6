#include "image/blob_fetcher.h"

#include <poll.h>

#include <algorithm>
#include <array>

#include "image/backoff.h"

namespace podium::image {
namespace {

constexpr size_t kBufferSize = size_t{64} << 10;
// How often a blob may arrive whole and wrong.
constexpr int kMaxDamaged = 3;
// Between two looks at what another thread or process does.
constexpr std::chrono::milliseconds kPoll(100);

// Until kPoll has passed or, given a descriptor, it is readable.
Result<void> Pause(int fd, const http::Cancellation* cancellation) {
  auto waited =
      http::WaitFor(fd, fd < 0 ? 0 : POLLIN,
                    {.deadline = http::Clock::now() + kPoll, .cancellation = cancellation});
  if (!waited.ok() && waited.error().code() != Code::kDeadlineExceeded) return waited;
  return {};
}

// Of a stream that begins before what is wanted: a server that does not do ranges.
Result<void> Skip(uint64_t bytes, http::Response* response) {
  std::array<char, kBufferSize> buffer{};
  while (bytes > 0) {
    const size_t want = static_cast<size_t>(std::min<uint64_t>(bytes, buffer.size()));
    TRY(const size_t count, response->Read(std::span(buffer).first(want)));
    if (count == 0) return Error(Code::kUnavailable, "unexpected EOF");
    bytes -= count;
  }
  return {};
}

Error TooMuch(const BlobInfo& blob) {
  return {Code::kDataLoss, blob.digest.String() + ": the registry sends more than the " +
                               std::to_string(blob.size) + " bytes announced"};
}

enum class Copied { kAll, kTooMuch };

Result<Copied> Copy(BlobStream stream, uint64_t size, BlobWriter* writer,
                    const std::function<void(uint64_t)>& progress) {
  if (stream.offset < writer->offset()) {
    TRY_VOID(Skip(writer->offset() - stream.offset, &stream.response));
  }
  std::array<char, kBufferSize> buffer{};
  while (true) {
    TRY(const size_t count, stream.response.Read(buffer));
    if (count == 0) break;
    if (count > size - writer->offset()) return Copied::kTooMuch;
    auto written = writer->Write({buffer.data(), count});
    // A full disk does not pass; the code of what fails to be written must not say that it does.
    if (!written.ok()) {
      return Error(
          written.error().code() == Code::kUnavailable ? Code::kInternal : written.error().code(),
          written.error().message(), written.error().os_errno());
    }
    progress(writer->offset());
  }
  if (writer->offset() < size) return Error(Code::kUnavailable, "unexpected EOF");
  return Copied::kAll;
}

}  // namespace

Result<std::shared_ptr<BlobFetcher::Flight>> BlobFetcher::Join(const BlobInfo& blob, bool* first) {
  const std::lock_guard lock(mutex_);
  auto& flight = flights_[blob.digest];
  *first = !flight;
  if (flight) return flight;
  auto done = http::Cancellation::Create();
  if (!done.ok()) {
    flights_.erase(blob.digest);
    return std::move(done).error();
  }
  flight = std::make_shared<Flight>();
  flight->done = *std::move(done);
  return flight;
}

void BlobFetcher::Leave(const BlobInfo& blob, Flight& flight) {
  {
    const std::lock_guard lock(mutex_);
    flights_.erase(blob.digest);
  }
  flight.done->Cancel();
}

Result<void> BlobFetcher::Wait(const Flight& flight, const Progress& progress,
                               const http::Cancellation* cancellation) const {
  while (!flight.done->cancelled()) {
    TRY_VOID(Pause(flight.done->fd(), cancellation));
    progress(flight.bytes);
  }
  return {};
}

Result<bool> BlobFetcher::Fetch(const BlobInfo& blob, const Open& open, const Progress& progress,
                                const http::Cancellation* cancellation) {
  while (true) {
    if (content_->Contains(blob.digest)) return false;
    bool first = false;
    TRY(const auto flight, Join(blob, &first));
    if (!first) {
      // What another failed at may succeed here: its credentials, its server or its patience were
      // others. So whoever waited tries, too.
      TRY_VOID(Wait(*flight, progress, cancellation));
      if (content_->Contains(blob.digest)) return true;
      continue;
    }
    auto brought = Bring(blob, open, progress, cancellation, flight.get());
    Leave(blob, *flight);
    if (!brought.ok()) return std::move(brought).error();
    return true;
  }
}

Result<void> BlobFetcher::Bring(const BlobInfo& blob, const Open& open, const Progress& progress,
                                const http::Cancellation* cancellation, Flight* flight) {
  int damaged = 0;
  const auto report = [&](uint64_t done) {
    flight->bytes = done;
    progress(done);
  };
  while (true) {
    auto writer = content_->Begin(blob);
    if (!writer.ok()) {
      if (writer.error().code() == Code::kAlreadyExists) return {};
      if (writer.error().code() != Code::kUnavailable) return std::move(writer).error();
      // Another process brings it, or a thread that imports.
      TRY_VOID(Pause(-1, cancellation));
      continue;
    }
    TRY(const bool whole, Fill(blob, open, report, cancellation, &*writer));
    auto committed = whole ? writer->Commit() : Result<void>(TooMuch(blob));
    if (committed.ok()) return {};
    if (!whole) writer->Discard();
    if (committed.error().code() != Code::kDataLoss || ++damaged == kMaxDamaged) return committed;
  }
}

Result<bool> BlobFetcher::Fill(const BlobInfo& blob, const Open& open, const Progress& report,
                               const http::Cancellation* cancellation, BlobWriter* writer) const {
  Backoff backoff(*retry_);
  while (true) {
    const uint64_t before = writer->offset();
    report(before);
    if (before == blob.size && blob.size > 0) return true;
    TRY(BlobStream stream, open(before));
    auto copied = Copy(std::move(stream), blob.size, writer, report);
    if (copied.ok()) return *copied == Copied::kAll;
    if (!IsTransient(copied.error())) return std::move(copied).error();
    if (writer->offset() > before) backoff.Reset();
    TRY(const bool again, backoff.Wait(cancellation));
    if (!again) return std::move(copied).error();
  }
}

}  // namespace podium::image
