// Static pods: manifests in a folder of the node, each run as long as its file is there (upstream's
// k8s.io/kubernetes/pkg/kubelet/config/file.go and common.go; release 1.36).
//
// A pod's uid is made of its manifest, so another text is another pod: the old one ends first. Its
// name has the node's behind it. A file that cannot be read, is no pod or may not be one is told
// and leaves what its last good text has started. Changes are seen at once (inotify), and the
// folder is read again every twenty seconds, as some file systems tell nothing.
//
// Threads: any; one of its own reads.
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <thread>

#include "base/result.h"
#include "base/unique_fd.h"
#include "http/stream.h"
#include "node/agent.h"
#include "node/node_config.h"
#include "node/pod_spec.h"

namespace podium::node {

// The pod of a manifest, YAML or JSON, as this node runs it. `source`: the file's path, which is
// part of what the pod is. kInvalidArgument for what is no pod, not a valid one, or refers to
// objects of the API, which nobody could bind to it.
Result<v1::Pod> StaticPodOf(std::string_view manifest, std::string_view source,
                            const NodeConfig& config);

class StaticPods {
 public:
  struct Options {
    std::string folder{};
    Agent* agent = nullptr;  // outlives it
    std::chrono::milliseconds look_every = std::chrono::seconds(20);
    // A file that is not what it should be, the same until it changes. On the thread that reads.
    std::function<void(const std::string& text)> on_error{};
  };

  // Reads the folder, which need not be there yet, once before it returns.
  static Result<std::unique_ptr<StaticPods>> Start(Options options);
  StaticPods(const StaticPods&) = delete;
  StaticPods& operator=(const StaticPods&) = delete;
  // Ends reading; the pods run on.
  ~StaticPods();

 private:
  struct File {
    std::string text;
    std::shared_ptr<const v1::Pod> pod;  // null: no text of it was good yet
  };

  explicit StaticPods(Options options) : options_(std::move(options)) {}
  void Run();
  // Whether something has to be tried again soon.
  bool Look();
  void ReadFolder();
  void ReadManifest(const std::string& path, File* file) const;
  bool Assign();
  void WatchFolder();
  void Say(const std::string& text) const;

  const Options options_;
  std::unique_ptr<http::Cancellation> stop_;
  UniqueFd inotify_;
  bool watched_ = false;
  std::map<std::string, File> files_;  // by path
  std::thread thread_;
};

}  // namespace podium::node
