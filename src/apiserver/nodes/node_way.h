// NodeWay: requests that a node, or what runs in a pod, has to answer: pods/log, exec, attach,
// portforward and proxy, services/proxy and nodes/proxy (upstream's k8s.io/kubernetes/pkg/registry/
// core/{pod,node,service}/rest and k8s.io/apimachinery/pkg/util/proxy, release 1.36).
//
// A request is authorized before it comes here. Those that open something pass admission as CONNECT
// with their options; then it is decided where they go (locations.h), they are sent there with what
// may be passed on (forward.h), and what comes back is pulled by the client's loop as the client
// takes it, or, once both sides have changed the protocol, the two connections become one
// (http/splice.h). No request has a thread; a body goes on as the client sends it and the other
// side takes it. Nothing is kept of a stream but its two connections.
//
// Streams to containers go on as they came to a kubelet that says it takes them so
// (ExtendWebSocketsToKubelet among the features that its Node declares), as podium's agent does.
// Other kubelets speak SPDY, and of WebSocket's protocols none newer than v4.channel.k8s.io: for
// them what a client says by v5.channel.k8s.io, or by SPDY in a tunnel, is translated here
// (translation.h, http/stream_translations.h), as upstream does it. Other protocols always go on.
//
// An upgrade that is refused ends both connections (CVE-2018-1002105): no byte that the client sent
// behind it reaches the node.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>

#include "api/types/core_v1.h"
#include "apiserver/admission/chain.h"
#include "apiserver/authorization/authorizer.h"
#include "apiserver/call.h"
#include "apiserver/catalog.h"
#include "apiserver/metrics.h"
#include "apiserver/nodes/backend_tls.h"
#include "apiserver/nodes/forward.h"
#include "apiserver/nodes/locations.h"
#include "apiserver/nodes/translation.h"
#include "apiserver/objects.h"
#include "base/executor.h"
#include "base/result.h"
#include "http/backend.h"
#include "http/poller.h"
#include "http/server.h"
#include "http/stream_translations.h"
#include "reflect/type.h"

namespace podium::apiserver {

class NodeWay {
 public:
  struct Parts {
    const Objects* objects = nullptr;
    const Authorizer* authorizer = nullptr;
    const AdmissionChain* admission = nullptr;
    Executor* executor = nullptr;  // for what may wait: names, and admission by webhooks
    std::shared_ptr<http::Poller> poller{};
    BackendTls* tls = nullptr;
    Metrics* metrics = nullptr;
    std::function<uint64_t(uint64_t)> random{};  // below its argument
  };
  // All of it outlives the way, which is used until the poller is stopped.
  explicit NodeWay(Parts parts) : parts_(std::move(parts)) {}

  struct Request {
    std::shared_ptr<http::Exchange> exchange;
    CallPtr call;
    const ServedResource* resource = nullptr;
    CatalogPtr catalog{};  // that the resource is in
    // Counts and sends.
    std::function<void(Answer answer)> reply{};
    // Counts what sends itself.
    std::function<void(int status)> count{};
  };

  // Whether it is for here. Of nodes only the proxy is, and so on.
  static bool Serves(const RequestInfo& info);
  // How the server treats such a request: known from its head, before it is known to be allowed.
  // Changes nothing for others.
  static void Treat(const http::RequestHead& head, http::Treatment* treatment);

  // Answers now or later. Does not wait.
  void Serve(Request request) const;

 private:
  // A request on its way.
  struct Way {
    Request request;
    BackendLocation location{};
    bool upgrade = false;
    bool is_log = false;
    bool is_proxy = false;
    bool streamed = false;  // the request's body is pulled out of the exchange
    ProxyPath path{};       // of proxies
    StreamTranslation translation = StreamTranslation::kNone;
    http::RemoteStreams streams{};  // of exec and attach
    std::shared_ptr<http::BackendCancel> cancel = std::make_shared<http::BackendCancel>();
    void Fail(const Error& error) const;
  };
  using WayPtr = std::shared_ptr<Way>;

  Result<void> Begin(const WayPtr& way) const;
  Result<void> BeginLog(const WayPtr& way) const;
  Result<void> BeginStream(const WayPtr& way) const;
  Result<void> BeginProxy(const WayPtr& way) const;
  template <class Options>
  Result<void> BeginStreamWith(const WayPtr& way,
                               Result<BackendLocation> (*locate)(const Objects&, std::string_view,
                                                                 std::string_view,
                                                                 const Options&)) const;
  // Who may read a stream by GET must be one who may make it (KEP-4006).
  Result<void> CheckCreate(const Call& call) const;
  // Goes on with `next` once the options are admitted; in the executor if that may wait.
  void Admit(const WayPtr& way, std::shared_ptr<void> options, const reflect::Type& type,
             std::function<Result<void>()> next) const;

  Result<void> Dial(const WayPtr& way, http::BackendDialled done) const;
  http::BackendRequest RequestOf(const Way& way) const;
  void Send(const WayPtr& way) const;
  void Answered(const WayPtr& way, Result<http::BackendAnswer> answer) const;
  void AnswerLog(const WayPtr& way, http::BackendAnswer answer) const;
  void AnswerProxied(const WayPtr& way, http::BackendAnswer answer) const;
  void AnswerUpgrade(const WayPtr& way, http::BackendAnswer answer) const;
  void AnswerTunnel(const WayPtr& way, http::BackendAnswer answer) const;
  void AnswerCommand(const WayPtr& way, http::BackendAnswer answer) const;
  // Begins a translation, over no server when it is done already.
  void Translate(const WayPtr& way, std::string_view protocol,
                 std::unique_ptr<http::Translation> translation, http::SpliceSide server) const;
  // Nothing came back.
  void Lose(const WayPtr& way, const Error& error, bool dialled) const;
  // What the client is told when nothing came back.
  static Error LostError(const Way& way, const Error& error, bool dialled);

  const Parts parts_;
};

}  // namespace podium::apiserver
