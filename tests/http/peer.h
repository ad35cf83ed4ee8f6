// The other side of a connection, played by a test: raw bytes on a real socket on loopback, or on a
// unix socket, with TLS if wanted.
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "base/unique_fd.h"

struct ssl_ctx_st;
struct ssl_st;

namespace podium::http {

// One accepted connection. Every read ends after five seconds at the latest.
class Peer {
 public:
  explicit Peer(UniqueFd fd, ssl_st* ssl = nullptr) : fd_(std::move(fd)), ssl_(ssl) {}
  Peer(const Peer&) = delete;
  Peer& operator=(const Peer&) = delete;
  ~Peer();

  // A request's head, "" when the client closed. `body`: what its Content-Length announces, behind.
  std::string ReadHead();
  std::string ReadExactly(size_t size);
  // Whatever is there, or comes next; "" at the end.
  std::string ReadSome();
  // Whether ReadSome would return something without waiting for the descriptor.
  bool Buffered() const;
  // Until the client closes.
  std::string ReadToEnd();
  // False when the client is gone.
  bool Send(std::string_view bytes);
  // "HTTP/1.1 200 OK" with this body.
  bool Answer(std::string_view body);
  void CloseWrite();
  // RST instead of FIN.
  void Reset();
  int fd() const { return fd_.get(); }

 private:
  bool Fill();

  UniqueFd fd_;
  ssl_st* ssl_;
  std::string buffer_;
};

// Certificates for 127.0.0.1 and "localhost", made anew by the openssl program.
struct TestCertificates {
  std::string folder;  // ca.pem, server.pem, server.key, other.pem, client.pem, …
  std::string Read(const std::string& name) const;
  // One set for the whole test program.
  static const TestCertificates& Get();
};

struct PeerOptions {
  std::string unix_path{};  // instead of TCP on loopback
  bool ipv6 = false;
  // A name of TestCertificates ("server"): then TLS.
  std::string certificate{};
  bool ask_client_certificate = false;
};

// Accepts connections one by one and hands each, numbered from 0, to `play`, in a thread of its
// own.
class PeerServer {
 public:
  using Play = std::function<void(Peer& peer, int number)>;
  explicit PeerServer(Play play, PeerOptions options = {});
  ~PeerServer();

  uint16_t port() const { return port_; }
  // "http://127.0.0.1:PORT" + path.
  std::string Url(std::string_view path) const;
  int connections() const { return connections_; }

 private:
  void Run();

  Play play_;
  PeerOptions options_;
  UniqueFd listener_;
  UniqueFd stop_;
  uint16_t port_ = 0;
  std::shared_ptr<ssl_ctx_st> tls_;
  std::atomic<int> connections_ = 0;
  std::thread thread_;
};

// A folder that goes with its contents.
class TestFolder {
 public:
  TestFolder();
  ~TestFolder();
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

}  // namespace podium::http
