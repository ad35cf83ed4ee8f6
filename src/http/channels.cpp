#include "http/channels.h"

#include <charconv>

#include "base/text.h"
#include "reflect/json_value.h"

namespace podium::http {
namespace {

constexpr uint8_t kCloseChannel = 255;
// client-go's readers take messages of up to 32 KiB.
constexpr size_t kPiece = (size_t{32} << 10) - 1;

}  // namespace

std::vector<std::string> ChannelProtocols() {
  return {std::string(kChannelsV5), std::string(kChannelsV4)};
}

Result<void> Channels::Send(uint8_t channel, std::string_view bytes) {
  do {
    const std::string_view piece = bytes.substr(0, kPiece);
    std::string message(1, static_cast<char>(channel));
    TRY_VOID(socket_->SendBinary(message.append(piece)));
    bytes.remove_prefix(piece.size());
  } while (!bytes.empty());
  return {};
}

Result<void> Channels::CloseChannel(uint8_t channel) {
  if (!can_close_channels()) {
    return Error(Code::kUnsupported, "the protocol cannot close one channel alone");
  }
  const char message[] = {static_cast<char>(kCloseChannel), static_cast<char>(channel)};
  return socket_->SendBinary({message, sizeof message});
}

Result<std::optional<Channels::Message>> Channels::Read() {
  while (true) {
    TRY(auto message, socket_->Read());
    if (!message) return std::optional<Message>();
    // Some clients send an empty message to begin with.
    if (message->data.empty()) continue;
    const auto channel = static_cast<uint8_t>(message->data[0]);
    if (channel != kCloseChannel || !can_close_channels()) {
      return std::optional<Message>({channel, false, message->data.substr(1)});
    }
    if (message->data.size() != 2) {
      return Error(Code::kInvalidArgument, "a bad close of a channel");
    }
    return std::optional<Message>({static_cast<uint8_t>(message->data[1]), true, {}});
  }
}

std::string EncodeTerminalSize(const TerminalSize& size) {
  return "{\"Width\":" + std::to_string(size.width) + ",\"Height\":" + std::to_string(size.height) +
         "}";
}

Result<TerminalSize> DecodeTerminalSize(std::string_view json) {
  TRY(const reflect::JsonValue value, reflect::ParseJson(json, {.max_depth = 8}));
  const Error bad(Code::kInvalidArgument, "a bad terminal size");
  if (!value.is_object()) return bad;
  TerminalSize size;
  for (const auto& [key, member] : value.object()) {
    const bool width = EqualsIgnoringCase(key, "Width");
    if (!width && !EqualsIgnoringCase(key, "Height")) continue;
    if (!member.is_number()) return bad;
    const std::string& text = member.number();
    uint16_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc() || end != text.data() + text.size()) return bad;
    (width ? size.width : size.height) = number;
  }
  return size;
}

}  // namespace podium::http
