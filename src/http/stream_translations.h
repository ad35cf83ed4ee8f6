// What kubelets that speak SPDY alone are told for clients that speak WebSocket: upstream's
// StreamTranslatorHandler and TunnelingHandler (k8s.io/apiserver/pkg/util/proxy, release 1.36),
// without a thread. For relay.h, once both connections have changed the protocol.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "http/relay.h"

namespace podium::http {

// What a command was asked to have.
struct RemoteStreams {
  bool in = false;
  bool out = false;
  bool err = false;
  bool tty = false;
};

// The last message of channel 3 to the client, a metav1.Status in JSON, out of what the server said
// in its error stream. None: the connection broke before the end of that.
using RemoteStatus = std::function<std::string(std::optional<std::string_view> said)>;

// exec and attach: v5.channel.k8s.io of the client, v4.channel.k8s.io over SPDY/3.1 of the server
// (k8s.io/client-go/tools/remotecommand). It is over when the server has ended all of its streams,
// or the client closes.
std::unique_ptr<Translation> TranslateChannels(const RemoteStreams& streams, RemoteStatus status);

// The whole session for a command that could not be begun: the same messages, with this status.
std::unique_ptr<Translation> RefuseChannels(const RemoteStreams& streams, std::string_view status);

// portforward: the bytes of SPDY, in any pieces, as the messages of a WebSocket
// (SPDY/3.1+portforward.k8s.io).
std::unique_ptr<Translation> TranslateTunnel();

}  // namespace podium::http
