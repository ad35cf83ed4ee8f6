// A real registry for tests: Debian's docker-registry on loopback, with its own configuration and
// storage, and a proxy before it that does what networks and servers do on bad days.
#pragma once

#include <sys/types.h>

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "http/client.h"
#include "http/peer.h"
#include "image/digest.h"
#include "image/image_builder.h"

namespace podium::image {

inline constexpr const char* kManifestType = "application/vnd.oci.image.manifest.v1+json";
inline constexpr const char* kIndexType = "application/vnd.oci.image.index.v1+json";

// Whether docker-registry is installed; tests say so when they are skipped.
bool HaveDockerRegistry();

// To its end, without its standard error; false when it fails.
bool RunProgram(std::vector<std::string> words);

struct DockerRegistryOptions {
  std::string storage;        // a folder that may be shared by several, one after the other
  std::string auth{};         // the section "auth" of its configuration, indented
  std::string certificate{};  // paths, in PEM: then TLS
  std::string key{};
};

// Runs until this goes.
class DockerRegistry {
 public:
  explicit DockerRegistry(const DockerRegistryOptions& options);
  ~DockerRegistry();
  DockerRegistry(const DockerRegistry&) = delete;
  DockerRegistry& operator=(const DockerRegistry&) = delete;

  uint16_t port() const { return port_; }
  std::string host() const { return "127.0.0.1:" + std::to_string(port_); }

 private:
  pid_t pid_ = -1;
  uint16_t port_ = 0;
};

// Pushes bytes as they are, without authorization.
void PushBlob(const std::string& host, const std::string& repository, const std::string& bytes);
Digest PushManifest(const std::string& host, const std::string& repository,
                    const std::string& reference, const std::string& media_type,
                    const std::string& bytes);
// Returns the manifest's digest.
Digest PushImage(const std::string& host, const std::string& repository, const std::string& tag,
                 const ImageBuilder& image);
// For this machine, of one layer for each text, which is in a file /N.
ImageBuilder ImageOf(const std::vector<std::string>& texts);
// Bytes that look like nothing, the same for the same seed.
std::string Noise(size_t size, unsigned seed);

// Stands before a server and passes each request on, on a connection of its own.
class FaultyProxy {
 public:
  struct Exchange {
    int number = 0;      // of all requests, from 0
    int same = 0;        // of those with this request line
    std::string head;    // of the request
    std::string line;    // its first: "GET /v2/… HTTP/1.1"
    std::string answer;  // of the server, head and body; to be changed at will
    http::Peer* peer = nullptr;
  };
  // Changes the answer, or sends something itself. What is left in `answer` is sent.
  using Fault = std::function<void(Exchange& exchange)>;

  FaultyProxy(uint16_t upstream, Fault fault);

  uint16_t port() const { return server_->port(); }
  std::string host() const { return "127.0.0.1:" + std::to_string(port()); }
  // Request lines with this in it.
  int Count(std::string_view text) const;
  std::vector<std::string> heads() const;

 private:
  void Play(http::Peer& peer);

  const uint16_t upstream_;
  const Fault fault_;
  mutable std::mutex mutex_;
  std::vector<std::string> heads_;
  std::unique_ptr<http::PeerServer> server_;
};

std::string AnswerOf(int status, const std::string& headers, const std::string& body);

}  // namespace podium::image
