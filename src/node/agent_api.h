// The agent's HTTP interface, at RUN/agent.sock for root alone: a subset of the Kubernetes API in
// its own paths, verbs and errors, and facts of the node beside it.
//
//   /api/v1/pods, /api/v1/namespaces/NS/pods[/NAME]           list, watch, create, get, update,
//                                                             delete
//   /api/v1/namespaces/NS/pods/NAME/ephemeralcontainers       get, update
//   /api/v1/namespaces/NS/pods/NAME/log, exec, attach, portforward
//   /api/v1[/namespaces/NS]/configmaps, secrets[/NAME]        list, create, update, get, delete
//   /api/v1[/namespaces/NS]/events[/NAME]                     list, watch, get
//   /node/v1/containers, sandboxes                            CRI's statuses, verbose: with pids
//   and
//                                                             the inodes of namespaces
//   /node/v1/stats                                            CRI's PodSandboxStats
//   /node/v1/images                                           list, delete; POST .../pull?image=,
//                                                             .../prune; .../import, .../export as
//                                                             in image_facts.h
//   /node/v1/traces/UID                                       the steps of the start of a pod that
//                                                             was created with ?trace=true, as in
//                                                             pod_trace.h
//   /node/v1/shutdown                                         POST: the machine is about to go down
//                                                             (shutdown/shutdown_manager.h);
//                                                             DELETE: not any more; GET: how far it
//                                                             is
//   /node/v1/version
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "api/status.h"
#include "http/server.h"
#include "http/url.h"
#include "image/image_store.h"
#include "node/agent.h"
#include "node/api_answers.h"
#include "node/container_log.h"
#include "node/followed_logs.h"
#include "node/image_service.h"
#include "node/shutdown/shutdown_manager.h"
#include "node/streams/stream_service.h"
#include "reflect/json.h"

namespace podium::node {

class AgentApi {
 public:
  // All outlive the api, and the api outlives the server that calls it. `store` may be null: then
  // nothing is known of images; and `shutdown`: nobody ends pods for a machine that goes down.
  AgentApi(Agent& agent, ImageService& images, image::ImageStore* store, StreamService& streams,
           FollowedLogs& logs, std::string version, ShutdownManager* shutdown = nullptr)
      : agent_(agent),
        images_(images),
        store_(store),
        streams_(streams),
        logs_(logs),
        version_(std::move(version)),
        shutdown_(shutdown) {}

  // Any thread.
  void Handle(const std::shared_ptr<http::Exchange>& exchange);
  // What the server must know of a request before.
  static http::Treatment TreatmentOf(const http::RequestHead& head);

 private:
  using ExchangePtr = std::shared_ptr<http::Exchange>;
  struct Call {
    ExchangePtr exchange;
    std::string method;
    std::string name_space;  // "": all
    std::string resource;
    std::string name;
    std::string subresource;
    http::QueryParameters query;

    std::string Parameter(std::string_view key) const;
    bool Flag(std::string_view key) const;
    uint64_t Version() const;  // resourceVersion; 0: none
    std::optional<int64_t> Number(std::string_view key) const;
  };

  void HandleResource(const Call& call);
  void HandlePods(const Call& call);
  void ListPods(const Call& call);
  void WatchPods(const Call& call);
  void CreatePod(const Call& call);
  void UpdatePod(const Call& call);
  void DeletePod(const Call& call);
  void UpdateEphemeralContainers(const Call& call);
  // The object in the request's body, which must be the one that the path names.
  template <class T>
  static Result<T> ReadBody(const Call& call);
  // Until the client goes, or the time that it asked for is over.
  void KeepWatch(const Call& call, const std::shared_ptr<Watcher>& watcher,
                 const std::function<void()>& unwatch);

  // agent_objects.cpp
  void HandleConfigMaps(const Call& call);
  void HandleSecrets(const Call& call);
  template <class T>
  void HandleStored(const Call& call, const char* kind, const char* plural);
  template <class T>
  Result<T> CreateStored(const Call& call, const char* kind, const char* plural);
  template <class T>
  Result<T> UpdateStored(const Call& call, const char* kind, const char* plural);
  void HandleEvents(const Call& call);
  void WatchEvents(const Call& call);

  // agent_streams.cpp
  void Log(const Call& call);
  Result<LogOptions> LogOptionsOf(const Call& call) const;
  template <class Request>
  static bool ReadStreams(const Call& call, Request* request, RemoteStreams* streams);
  void Exec(const Call& call);
  void Attach(const Call& call);
  void PortForward(const Call& call);
  // The container that a request means: the only one, or the one it names.
  Result<ContainerRef> ContainerOf(const Call& call, const v1::Pod& pod) const;
  Result<std::string> RunningContainer(const Call& call) const;

  // node_facts.cpp
  void HandleNode(const ExchangePtr& exchange, const std::vector<std::string>& path,
                  const http::QueryParameters& query);
  void ListContainers(const ExchangePtr& exchange);
  void ListSandboxes(const ExchangePtr& exchange);
  void ListStats(const ExchangePtr& exchange);
  void GetTrace(const ExchangePtr& exchange, const std::string& uid);
  void HandleShutdown(const ExchangePtr& exchange, const http::QueryParameters& query);
  void HandleImages(const ExchangePtr& exchange, const std::vector<std::string>& path,
                    const http::QueryParameters& query);

  Agent& agent_;
  ImageService& images_;
  image::ImageStore* const store_;
  StreamService& streams_;
  FollowedLogs& logs_;
  const std::string version_;
  ShutdownManager* const shutdown_;
};

template <class T>
Result<T> AgentApi::ReadBody(const Call& call) {
  auto object = reflect::FromJson<T>(call.exchange->request().body);
  if (!object.ok()) return api::BadRequestError(object.error().message());
  auto& metadata = object->metadata;
  if (call.name_space.empty()) return api::MethodNotAllowedError();
  if (metadata.namespace_.empty()) metadata.namespace_ = call.name_space;
  if (metadata.namespace_ != call.name_space) {
    return api::BadRequestError(
        "the namespace of the provided object does not match the namespace sent on the request");
  }
  if (!call.name.empty() && metadata.name != call.name) {
    return api::BadRequestError("the name of the object (" + metadata.name +
                                ") does not match the name on the URL (" + call.name + ")");
  }
  return *std::move(object);
}

}  // namespace podium::node
