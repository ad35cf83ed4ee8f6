// CriServer: this machine's runtime and images for whoever speaks the CRI (k8s.io/cri-api
// runtime/v1 of release 1.36) by gRPC over a unix socket: a kubelet, crictl, critest.
//
// What a call does is as runtime/runtime.h says it, what CRI leaves open as containerd has it:
// removing an image takes all of its names, and what does not exist is removed with success.
// Checkpoints are refused (UNIMPLEMENTED).
//
// Exec, Attach and PortForward answer with a URL of the second listener, to be used once and within
// a minute; its clients speak SPDY or WebSockets (node/streams).
//
// Threads: any.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>

#include "base/executor.h"
#include "base/result.h"
#include "http/listener.h"
#include "image/image_store.h"
#include "image/keyring.h"
#include "image/puller.h"
#include "runtime/runtime.h"
#include "runtime/usage.h"

namespace podium::cri {

// All of it outlives the server.
struct CriParts {
  runtime::Runtime& runtime;
  runtime::UsageReader& usage;
  image::ImageStore& images;
  image::Puller& puller;
  Executor& executor;
  // The machine's own credentials, for images that are pulled without any.
  std::function<Result<image::Keyring>()> credentials{};
  std::string images_folder{};  // as ImageFsInfo shows it
  std::string version{};        // of podium
  std::string pod_range{};      // of the built-in network; "": a CNI plugin deals out addresses
  std::string info{};           // a JSON object, of Status when it is verbose
};

class CriServer {
 public:
  // The runtime's events come here (Runtime::SetEventHandler): to be called before its Recover.
  static Result<std::unique_ptr<CriServer>> Create(CriParts parts);
  // Serves from here on. `streaming` listens at `streaming_host`, as URLs name it.
  Result<void> Serve(http::Listener socket, http::Listener streaming,
                     const std::string& streaming_host);
  // No more calls; those that are at work have this long to end, and streams end. False when some
  // have not: what they use must then stay, and the process is best ended (all that the runtime
  // does may be cut off at any time).
  bool Stop(std::chrono::milliseconds grace);
  // Waits for all calls.
  ~CriServer();

 private:
  struct State;
  explicit CriServer(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace podium::cri
