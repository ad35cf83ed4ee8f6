#include "client/http_watch.h"

#include <utility>

namespace podium::client {
namespace {

constexpr size_t kReadSize = size_t{64} << 10;
// An object is at most 3 MiB when it is written, and larger with what servers add.
constexpr size_t kMaxEvent = size_t{16} << 20;

bool IsBlank(std::string_view line) { return line.find_first_not_of(" \t\r") == line.npos; }

}  // namespace

HttpWatch::HttpWatch(http::Response response, std::shared_ptr<Session> session,
                     std::shared_ptr<Decoder> decoder, std::shared_ptr<WatchPoller> poller,
                     Connection::Ready ready)
    : session_(std::move(session)),
      decoder_(std::move(decoder)),
      poller_(std::move(poller)),
      response_(std::move(response)) {
  if (response_->fd() >= 0) id_ = poller_->Add(response_->fd(), std::move(ready));
}

HttpWatch::~HttpWatch() {
  if (id_ != 0) poller_->Remove(id_);
}

Result<std::optional<std::string>> HttpWatch::NextLine() {
  while (true) {
    const size_t end = buffer_.find('\n', begin_ + searched_);
    if (end != std::string::npos) {
      std::string line = buffer_.substr(begin_, end - begin_);
      begin_ = end + 1;
      searched_ = 0;
      if (!IsBlank(line)) return std::optional<std::string>(std::move(line));
      continue;
    }
    buffer_.erase(0, std::exchange(begin_, 0));
    searched_ = buffer_.size();
    if (ended_) break;
    if (searched_ > kMaxEvent) {
      return Error(Code::kResourceExhausted, "an event of the watch is too large");
    }
    buffer_.resize(searched_ + kReadSize);
    auto size = response_->TryRead({&buffer_[searched_], kReadSize});
    buffer_.resize(searched_ + (size.ok() ? size->value_or(0) : 0));
    if (!size.ok()) return std::move(size).error();
    if (!*size) return std::optional<std::string>();
    if (**size > 0) continue;
    ended_ = true;
    // The connection may be another request's from now on.
    if (id_ != 0) poller_->Remove(std::exchange(id_, 0));
  }
  // The last line's end may be missing. Half an event is no JSON, which its reader finds.
  std::string rest = std::exchange(buffer_, {});
  searched_ = 0;
  if (IsBlank(rest)) return std::optional<std::string>();
  return std::optional<std::string>(std::move(rest));
}

Result<EventBatch> HttpWatch::TakeSome(size_t max_events) {
  if (session_->stopped()) return Error(Code::kCancelled, "the connection was stopped");
  EventBatch batch;
  while (batch.events.size() < max_events) {
    auto line = NextLine();
    // What came before an error is not lost: the error is the next answer.
    if (!line.ok() && batch.events.empty()) return std::move(line).error();
    if (!line.ok()) {
      error_ = std::move(line).error();
      batch.more = true;
      return batch;
    }
    if (!*line) {
      batch.ended = ended_;
      if (ended_) return batch;
      TRY_VOID(poller_->Arm(id_));
      // Stop may have woken everyone before this was armed.
      if (session_->stopped()) return Error(Code::kCancelled, "the connection was stopped");
      return batch;
    }
    auto event = decoder_->Event(**line);
    if (event.ok()) {
      batch.events.push_back(*std::move(event));
      continue;
    }
    if (batch.events.empty()) return std::move(event).error();
    error_ = std::move(event).error();
    batch.more = true;
    return batch;
  }
  batch.more = true;
  return batch;
}

Result<EventBatch> HttpWatch::Take(size_t max_events) {
  if (error_) return *error_;
  auto batch = TakeSome(max_events);
  if (!batch.ok()) error_ = batch.error();
  return batch;
}

}  // namespace podium::client
