#include "cri/cri_server.h"

#include <utility>
#include <vector>

#include "cri/calls.h"
#include "grpc/service.h"
#include "http/server.h"

namespace podium::cri {

struct CriServer::State {
  explicit State(CriParts given) : parts(std::move(given)) {}

  CriParts parts;
  EventStreams events;
  std::unique_ptr<StreamUrls> streams;
  std::unique_ptr<grpc::Service> service;
  std::unique_ptr<http::Server> server;
};

CriServer::CriServer(std::unique_ptr<State> state) : state_(std::move(state)) {}

CriServer::~CriServer() {
  while (!Stop(std::chrono::seconds(1))) {
  }
}

Result<std::unique_ptr<CriServer>> CriServer::Create(CriParts parts) {
  auto state = std::make_unique<State>(std::move(parts));
  TRY(state->streams, StreamUrls::Create(state->parts.runtime, state->parts.executor));
  grpc::Methods methods;
  AddRuntimeCalls(state->parts, state->events, *state->streams, &methods);
  AddImageCalls(state->parts, &methods);
  state->service = std::make_unique<grpc::Service>(std::move(methods), state->parts.executor);
  state->parts.runtime.SetEventHandler(
      [&events = state->events](const v1::ContainerEventResponse& event) { events.Tell(event); });
  return std::unique_ptr<CriServer>(new CriServer(std::move(state)));
}

Result<void> CriServer::Serve(http::Listener socket, http::Listener streaming,
                              const std::string& streaming_host) {
  TRY_VOID(state_->streams->Serve(std::move(streaming), streaming_host));
  std::vector<http::Endpoint> endpoints;
  endpoints.push_back({.listener = std::move(socket), .plain_http2 = true});
  TRY(state_->server, http::Server::Start(std::move(endpoints), grpc::Service::Options(),
                                          [&service = *state_->service](
                                              const std::shared_ptr<http::Exchange>& exchange) {
                                            service.Handle(exchange);
                                          }));
  return {};
}

bool CriServer::Stop(std::chrono::milliseconds grace) {
  if (state_->server) state_->server->Stop(grace);
  state_->streams->Stop();
  state_->parts.runtime.SetEventHandler(nullptr);
  return state_->service->WaitUntilIdle(grace);
}

}  // namespace podium::cri
