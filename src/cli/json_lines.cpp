#include "cli/json_lines.h"

#include <utility>

namespace podium::cli {
namespace {

constexpr size_t kReadSize = size_t{64} << 10;
// An object is at most 3 MiB when it is written, and larger with what servers add.
constexpr size_t kMaxLine = size_t{16} << 20;

}  // namespace

Result<std::optional<reflect::JsonValue>> JsonLines::Next() {
  size_t searched = 0;
  while (true) {
    const size_t end = buffer_.find('\n', searched);
    if (end != std::string::npos || (ended_ && !buffer_.empty())) {
      const std::string line = buffer_.substr(0, end);
      buffer_.erase(0, end == std::string::npos ? end : end + 1);
      searched = 0;
      if (line.find_first_not_of(" \t\r") == line.npos) continue;
      TRY(reflect::JsonValue value, reflect::ParseJson(line));
      return std::optional<reflect::JsonValue>(std::move(value));
    }
    if (ended_) return std::optional<reflect::JsonValue>();
    searched = buffer_.size();
    if (searched > kMaxLine) return Error(Code::kResourceExhausted, "an event is too large");
    buffer_.resize(searched + kReadSize);
    const auto size = response_.Read({&buffer_[searched], kReadSize});
    buffer_.resize(searched + (size.ok() ? *size : 0));
    if (!size.ok()) return size.error();
    ended_ = *size == 0;
  }
}

}  // namespace podium::cli
