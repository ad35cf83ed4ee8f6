#include "client/remote.h"

#include <algorithm>
#include <charconv>
#include <cstring>

#include "api/status.h"
#include "api/types/meta_v1.h"
#include "reflect/json.h"

namespace podium::client {
namespace {

using http::RemoteChannel;

// Channels of a forwarded port: the first port's, and we ask for one.
constexpr uint8_t kPortData = 0;
constexpr uint8_t kPortError = 1;
constexpr size_t kPortNumber = 2;
// What a server may say at the end of a session.
constexpr size_t kMaxStatus = size_t{1} << 20;

}  // namespace

Result<void> RemoteCommand::WriteStdin(std::string_view bytes) {
  if (bytes.empty()) return {};
  return channels_->Send(RemoteChannel::kStdin, bytes);
}

Result<void> RemoteCommand::CloseStdin() {
  return channels_->CloseChannel(static_cast<uint8_t>(RemoteChannel::kStdin));
}

Result<void> RemoteCommand::Resize(const http::TerminalSize& size) {
  return channels_->Send(RemoteChannel::kResize, http::EncodeTerminalSize(size));
}

Result<std::optional<RemoteCommand::Output>> RemoteCommand::Read() {
  while (true) {
    auto message = channels_->Read();
    if (!message.ok()) {
      // Servers may hang up once they have said how it ended.
      if (!status_.empty() && message.error().code() == Code::kUnavailable) break;
      return std::move(message).error();
    }
    if (!*message) break;
    std::string& data = (*message)->data;
    switch (static_cast<RemoteChannel>((*message)->channel)) {
      case RemoteChannel::kStdout:
      case RemoteChannel::kStderr:
        if (data.empty()) continue;
        return std::optional<Output>(
            {(*message)->channel == static_cast<uint8_t>(RemoteChannel::kStderr), std::move(data)});
      case RemoteChannel::kError:
        status_ += data;
        if (status_.size() > kMaxStatus) {
          return Error(Code::kResourceExhausted, "the session's status is too large");
        }
        continue;
      case RemoteChannel::kStdin:
      case RemoteChannel::kResize:
        continue;
    }
  }
  return std::optional<Output>();
}

Result<int> RemoteCommand::exit_code() const {
  if (status_.empty()) {
    return Error(Code::kUnavailable, "the session ended without the command's exit status");
  }
  return ExitCodeOf(status_);
}

Result<int> ExitCodeOf(std::string_view status_json) {
  auto status = reflect::FromJson<api::meta::v1::Status>(status_json, {.strict = false});
  // Before version 4 the channel carried plain text.
  if (!status.ok()) return Error(Code::kInternal, std::string(status_json.substr(0, 1000)));
  if (status->status == "Success") return 0;
  if (status->reason == "NonZeroExitCode" && status->details) {
    for (const api::meta::v1::StatusCause& cause : status->details->causes) {
      if (cause.reason != "ExitCode") continue;
      int code = 0;
      const char* end = cause.message.data() + cause.message.size();
      const auto [at, error] = std::from_chars(cause.message.data(), end, code);
      if (error == std::errc() && at == end) return code;
    }
  }
  return api::StatusError(*status);
}

Result<size_t> PortConnection::Read(std::span<char> buffer) {
  while (taken_ == pending_.size()) {
    if (ended_) return 0;
    TRY(auto message, channels_->Read());
    if (!message) {
      ended_ = true;
      return 0;
    }
    const uint8_t channel = message->channel;
    if (channel != kPortData && channel != kPortError) continue;
    if (message->closed) {
      if (channel == kPortData) ended_ = true;
      continue;
    }
    std::string& data = message->data;
    const size_t number = std::min(kPortNumber - announced_[channel], data.size());
    announced_[channel] += number;
    data.erase(0, number);
    if (channel == kPortError) {
      if (!data.empty()) return Error(Code::kUnavailable, std::move(data));
      continue;
    }
    pending_ = std::move(data);
    taken_ = 0;
  }
  const size_t size = std::min(buffer.size(), pending_.size() - taken_);
  std::memcpy(buffer.data(), &pending_[taken_], size);
  taken_ += size;
  return size;
}

Result<void> PortConnection::Write(std::string_view bytes) {
  if (bytes.empty()) return {};
  return channels_->Send(kPortData, bytes);
}

Result<void> PortConnection::CloseWrite() { return channels_->CloseChannel(kPortData); }

}  // namespace podium::client
