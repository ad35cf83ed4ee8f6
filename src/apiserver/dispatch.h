// Dispatch: the path of a request through the server, in one place: read it, see who asks, whether
// they may, which resource it is, and hand it to the half that answers. Internal to the room.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "apiserver/audit/audit.h"
#include "apiserver/authentication/authenticator.h"
#include "apiserver/authorization/authorizer.h"
#include "apiserver/call.h"
#include "apiserver/catalog.h"
#include "apiserver/component_statuses.h"
#include "apiserver/custom_resources/definitions.h"
#include "apiserver/metrics.h"
#include "apiserver/nodes/node_way.h"
#include "apiserver/questions.h"
#include "apiserver/request_log.h"
#include "apiserver/usage/resource_metrics.h"
#include "apiserver/watch.h"
#include "apiserver/write.h"
#include "http/poller.h"
#include "http/server.h"
#include "store/store.h"

namespace podium::apiserver {

// What answers a path that is about no resource: discovery, health, metrics. Null: no such path.
using PathHandler = std::function<Result<Answer>(const CallPtr& call, const CatalogPtr& catalog)>;

// Paths of podium's own, for root on the same machine; what they do may wait.
inline constexpr std::string_view kOwnPaths = "/podium/";

class Dispatcher {
 public:
  struct Parts {
    store::Store* store = nullptr;
    Authenticator* authenticator = nullptr;
    const Authorizer* authorizer = nullptr;
    const Questions* questions = nullptr;
    Metrics* metrics = nullptr;
    const Audit* audit = nullptr;             // null: there is no policy
    const RequestLog* request_log = nullptr;  // null: nothing is logged
    const LiveCatalog* catalog = nullptr;
    Writer* writer = nullptr;
    const WatchRoom* watches = nullptr;
    const Clock* clock = nullptr;
    Executor* executor = nullptr;
    // Null: definitions of custom resources are stored, and nothing follows from them.
    Definitions* definitions = nullptr;
    std::shared_ptr<http::Poller> poller{};  // of WebSockets; none: they are not answered as such
    const NodeWay* nodes = nullptr;          // none: 503 for what nodes answer
    const ComponentStatuses* components = nullptr;  // none: there are no ComponentStatuses
    const ResourceMetrics* usage = nullptr;         // none: 405 for what nodes and pods use
    PathHandler paths{};
    // The endpoint of the server that only root can open; -1 for none.
    int root_endpoint = -1;
  };
  // All of it outlives the dispatcher, which outlives the requests.
  explicit Dispatcher(Parts parts) : parts_(std::move(parts)) {}

  // How the server treats a request, from its head.
  static http::Treatment TreatmentOf(const http::RequestHead& head);
  void Handle(const std::shared_ptr<http::Exchange>& exchange) const;

  // The same for who asks in this process. 403.
  Result<void> Authorize(Call& call) const;
  // The resource that a call is about, where it may be asked for so: 404, 405.
  static Result<const ServedResource*> Find(const Call& call, const Catalog& catalog);
  // A write of any kind. The resource lives until `done` is called.
  void Write(const CallPtr& call, const ServedResource& resource, const WriteDone& done) const;

  const Parts& parts() const { return parts_; }

 private:
  using ExchangePtr = std::shared_ptr<http::Exchange>;

  Result<CallPtr> ReadCall(const ExchangePtr& exchange) const;
  Result<void> Authenticate(const http::ServerRequest& request, Call& call) const;
  Result<void> Impersonate(Call& call) const;
  void Serve(const ExchangePtr& exchange, const CallPtr& call) const;
  // Counts it and sends it. `resource` is null for what is about none.
  void Reply(http::Exchange& exchange, const Call& call, const ServedResource* resource,
             Answer answer) const;
  void ServeResource(const ExchangePtr& exchange, const CallPtr& call,
                     const CatalogPtr& catalog) const;
  // Has what a written definition says be done before its writer is answered.
  WriteDone AfterDefinitions(const ServedResource& resource, WriteDone done) const;
  // A watch or a log, by WebSocket.
  void Feed(http::Exchange& exchange, const Call& call, Answer answer) const;
  void ServeOnNode(const ExchangePtr& exchange, const CallPtr& call, const CatalogPtr& catalog,
                   const ServedResource& resource) const;
  void ServeRead(const ExchangePtr& exchange, const CallPtr& call, const CatalogPtr& catalog,
                 const ServedResource& resource) const;

  const Parts parts_;
};

// Sends it, with what every answer of the server has.
void Send(http::Exchange& exchange, const Call& call, Answer answer);

}  // namespace podium::apiserver
