// Which streams to containers are translated, and in what words: upstream's StreamTranslatorHandler
// and TunnelingHandler (k8s.io/apiserver/pkg/util/proxy), and what its client of SPDY says of the
// end of a command (k8s.io/client-go/tools/remotecommand), release 1.36. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "apiserver/nodes/locations.h"
#include "base/error.h"
#include "base/result.h"
#include "http/message.h"
#include "http/server.h"

namespace podium::apiserver {

// What the WebSocket protocols begin with that are tunnels for SPDY; its protocol stands behind.
inline constexpr std::string_view kTunnelPrefix = "SPDY/3.1+";

enum class StreamTranslation {
  kNone,      // the two connections become one
  kChannels,  // v5.channel.k8s.io over WebSocket to SPDY: exec, attach
  kTunnel,    // SPDY in a WebSocket to SPDY: portforward
};
// `subresource`: exec, attach or portforward.
StreamTranslation TranslationOf(const http::RequestHead& asked, std::string_view subresource,
                                const BackendLocation& location);

// The request to the node, which is one of SPDY.
http::RequestHead TranslatedHead(const http::ServerRequest& request, StreamTranslation translation,
                                 const BackendLocation& location);
// The protocol that the node has chosen to speak over SPDY, "" for none. An error, in upstream's
// words, for an answer that is no switch to SPDY.
Result<std::string> SpdyProtocolOf(const http::ResponseHead& answer);

// What the client of a command is told at the end, a Status in JSON, of what the node said in its
// error stream. None: it broke off before the end of that, which upstream takes for success.
std::string CommandStatus(std::optional<std::string_view> said);
// The same of one that was not begun: why, or the node's answer that is no upgrade.
std::string CommandStatus(const Error& error);
std::string RefusedCommandStatus(std::string_view answer);

}  // namespace podium::apiserver
