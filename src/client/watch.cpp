#include "client/watch.h"

#include "client/status_error.h"

namespace podium::client {
namespace {

constexpr size_t kReadSize = size_t{64} << 10;
// An object is at most 3 MiB when it is written, and larger with what servers add.
constexpr size_t kMaxEvent = size_t{16} << 20;

}  // namespace

Result<std::optional<std::string>> EventStream::NextLine() {
  while (true) {
    const size_t end = buffer_.find('\n', begin_ + searched_);
    if (end != std::string::npos) {
      std::string line = buffer_.substr(begin_, end - begin_);
      begin_ = end + 1;
      searched_ = 0;
      if (line.find_first_not_of(" \t\r") == std::string::npos) continue;
      return std::optional<std::string>(std::move(line));
    }
    buffer_.erase(0, std::exchange(begin_, 0));
    searched_ = buffer_.size();
    if (searched_ > kMaxEvent) {
      return Error(Code::kResourceExhausted, "an event of the watch is too large");
    }
    buffer_.resize(searched_ + kReadSize);
    auto size = bytes_.Read({&buffer_[searched_], kReadSize});
    buffer_.resize(searched_ + (size.ok() ? *size : 0));
    if (!size.ok()) return std::move(size).error();
    if (*size > 0) continue;
    // The last line's end may be missing. Half an event is no JSON, and an error to whoever
    // decodes.
    std::string rest = std::exchange(buffer_, {});
    searched_ = 0;
    if (rest.empty()) return std::optional<std::string>();
    return std::optional<std::string>(std::move(rest));
  }
}

Result<std::optional<api::meta::v1::WatchEvent>> EventStream::Next() {
  TRY(const std::optional<std::string> line, NextLine());
  if (!line) return std::optional<api::meta::v1::WatchEvent>();
  TRY(auto event, reflect::FromJson<api::meta::v1::WatchEvent>(*line, {.strict = false}));
  if (event.type == "ERROR") return ErrorOfAnswer(500, event.object.text, "watch");
  return std::optional<api::meta::v1::WatchEvent>(std::move(event));
}

Result<EventType> ParseEventType(std::string_view type) {
  if (type == "ADDED") return EventType::kAdded;
  if (type == "MODIFIED") return EventType::kModified;
  if (type == "DELETED") return EventType::kDeleted;
  if (type == "BOOKMARK") return EventType::kBookmark;
  return Error(Code::kInvalidArgument, "unknown watch event type \"" + std::string(type) + "\"");
}

}  // namespace podium::client
