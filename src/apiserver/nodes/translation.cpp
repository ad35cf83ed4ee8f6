#include "apiserver/nodes/translation.h"

#include <algorithm>

#include "api/status.h"
#include "api/types/meta_v1.h"
#include "apiserver/nodes/forward.h"
#include "http/channels.h"
#include "http/spdy.h"
#include "http/websocket.h"
#include "http/websocket_feed.h"
#include "reflect/go_text.h"
#include "reflect/go_trim.h"
#include "reflect/json.h"

namespace podium::apiserver {
namespace {

using api::meta::v1::Status;

constexpr std::string_view kKubernetesSuffix = ".k8s.io";
constexpr std::string_view kStreamProtocol = "X-Stream-Protocol-Version";
constexpr std::string_view kNonZeroExitCode = "NonZeroExitCode";
constexpr std::string_view kExitCode = "ExitCode";

bool IsTunnel(std::string_view protocol) {
  return protocol.starts_with(kTunnelPrefix) && protocol.ends_with(kKubernetesSuffix);
}

std::string InJson(const Status& status) {
  std::string json;
  // Of texts that are no UTF-8 the encoder makes some.
  (void)reflect::EncodeJson(reflect::TypeOf<Status>(), &status, &json);
  return json;
}

std::string InternalStatus(std::string_view why) { return CommandStatus(api::InternalError(why)); }

std::string ProtocolError(std::string_view why) {
  return InternalStatus("error stream protocol error: " + std::string(why));
}

Status Decoded(std::string_view json, bool* decoded) {
  Status status;
  *decoded = reflect::DecodeJson(json, reflect::TypeOf<Status>(), &status).empty();
  return status;
}

std::string ExitStatus(const Status& said) {
  if (!said.details) return ProtocolError("details must be set");
  const auto& causes = said.details->causes;
  const auto cause = std::ranges::find(causes, kExitCode, &api::meta::v1::StatusCause::reason);
  if (cause == causes.end()) return ProtocolError("no ExitCode cause given");
  const auto code = reflect::ParseGoInt(cause->message);
  if (!code.ok() || *code < 0 || *code > UINT8_MAX) {
    std::string quoted;
    reflect::AppendGoQuoted(cause->message, &quoted);
    return ProtocolError("invalid exit code value " + quoted);
  }
  const std::string number = std::to_string(*code);
  Status told;
  told.status = "Failure";
  told.reason = kNonZeroExitCode;
  told.message =
      "command terminated with non-zero exit code: command terminated with exit code " + number;
  told.details.emplace();
  auto& told_cause = told.details->causes.emplace_back();
  told_cause.reason = kExitCode;
  told_cause.message = number;
  return InJson(told);
}

}  // namespace

StreamTranslation TranslationOf(const http::RequestHead& asked, std::string_view subresource,
                                const BackendLocation& location) {
  if (!http::IsWebSocketRequest(asked) || location.speaks_websocket) {
    return StreamTranslation::kNone;
  }
  const auto offered = http::OfferedProtocols(asked.headers);
  if (subresource == "portforward") {
    return std::ranges::any_of(offered, IsTunnel) ? StreamTranslation::kTunnel
                                                  : StreamTranslation::kNone;
  }
  return std::ranges::find(offered, http::kChannelsV5) != offered.end()
             ? StreamTranslation::kChannels
             : StreamTranslation::kNone;
}

http::RequestHead TranslatedHead(const http::ServerRequest& request, StreamTranslation translation,
                                 const BackendLocation& location) {
  http::RequestHead head;
  if (translation == StreamTranslation::kTunnel) {
    // The client's own, of which no more is changed than must be.
    head = ForwardedHead(request, location);
    for (const char* name :
         {"Sec-WebSocket-Protocol", "Sec-WebSocket-Key", "Sec-WebSocket-Version"}) {
      head.headers.Remove(name);
    }
    head.headers.Remove(kStreamProtocol);
    for (const std::string_view protocol : http::OfferedProtocols(request.head.headers)) {
      if (!IsTunnel(protocol)) continue;
      head.headers.Add(kStreamProtocol, protocol.substr(kTunnelPrefix.size()));
    }
  } else {
    // The server's own.
    head.target = location.path + (location.query.empty() ? "" : "?" + location.query);
    head.headers = {{"Host", location.Authority()}, {"Connection", "Upgrade"}};
    head.headers.Add(kStreamProtocol, http::kChannelsV5);
    head.headers.Add(kStreamProtocol, http::kChannelsV4);
  }
  head.method = "POST";
  head.headers.Set("Content-Length", "0");
  head.headers.Set("Upgrade", http::kSpdyProtocol);
  return head;
}

Result<std::string> SpdyProtocolOf(const http::ResponseHead& answer) {
  if (!answer.headers.HasToken("Connection", "upgrade") ||
      !answer.headers.HasToken("Upgrade", http::kSpdyProtocol)) {
    return Error(Code::kUnsupported, "unable to upgrade: missing upgrade headers in response");
  }
  return std::string(http::TrimBlanks(answer.headers.Get(kStreamProtocol)));
}

std::string CommandStatus(std::optional<std::string_view> said) {
  if (!said) return InternalStatus("the node is gone before the end of the command");
  if (said->empty()) {
    Status success;
    success.status = "Success";
    return InJson(success);
  }
  bool decoded = false;
  const Status status = Decoded(*said, &decoded);
  if (!decoded) {
    std::string quoted;
    reflect::AppendGoQuoted(*said, &quoted);
    return ProtocolError("no Status in " + quoted);
  }
  if (status.status == "Success") return CommandStatus(std::string_view());
  if (status.status != "Failure") return ProtocolError("unknown error");
  if (status.reason == kNonZeroExitCode) return ExitStatus(status);
  return InternalStatus(status.message);
}

std::string CommandStatus(const Error& error) {
  Status status = api::StatusOf(error);
  // As upstream's has them.
  status.kind.clear();
  status.apiVersion.clear();
  return InJson(status);
}

std::string RefusedCommandStatus(std::string_view answer) {
  bool decoded = false;
  const Status status = Decoded(answer, &decoded);
  if (decoded && status.kind == "Status" && status.apiVersion == "v1") return InJson(status);
  return InternalStatus("unable to upgrade connection: " +
                        std::string(reflect::TrimGoSpace(answer)));
}

}  // namespace podium::apiserver
