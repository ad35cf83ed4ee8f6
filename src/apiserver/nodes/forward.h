// What of a client's request goes to the other side of a proxy, and what of its answer comes back:
// upstream's UpgradeAwareHandler (k8s.io/apimachinery/pkg/util/proxy) over Go's ReverseProxy, and
// what the filters before them take off a request, release 1.36. Pure.
#pragma once

#include <string>
#include <string_view>

#include "apiserver/nodes/locations.h"
#include "http/message.h"
#include "http/server.h"

namespace podium::apiserver {

// What a WebSocket protocol that is a bearer token begins with
// (k8s.io/apiserver/pkg/authentication/ request/websocket).
inline constexpr std::string_view kBearerProtocol = "base64url.bearer.authorization.k8s.io.";

// Whether it asks for another protocol on its connection (httpstream.IsUpgradeRequest).
bool IsUpgrade(const http::RequestHead& head);

// The head of the request to the location: the client's method and headers, without what is about
// one connection, without how the client proved who it is (Authorization, a bearer token among
// WebSocket protocols) and whom it plays (Impersonate-*), and with its address behind
// X-Forwarded-For. With Connection and Upgrade, if it is one. The headers of the body's framing are
// left to who sends it; Host is the client's.
http::RequestHead ForwardedHead(const http::ServerRequest& request,
                                const BackendLocation& location);

// The headers of an answer: without what is about one connection, and without those that allow
// other origins to read it (Access-Control-*), which are the server's to say.
http::Headers AnswerHeaders(const http::ResponseHead& head);

// The two halves of a proxied request's path, encoded as the client sent it: up to the segment
// `proxy`, and from the slash behind it on ("" when there is none). `subresource` is that segment
// in the decoded path.
struct ProxyPath {
  std::string prefix;
  std::string rest;
};
ProxyPath SplitProxyPath(std::string_view target, std::string_view path,
                         std::string_view subresource);

}  // namespace podium::apiserver
