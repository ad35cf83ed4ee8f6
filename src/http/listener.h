// Sockets that wait for connections.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>

#include "base/result.h"
#include "base/unique_fd.h"

namespace podium::http {

class Listener {
 public:
  // At `path`, with these permissions from its first moment on. What a dead server left there is
  // replaced; kAlreadyExists when one is listening there, kInvalidArgument when something stands
  // there that is no socket. Two that begin at once: the caller has a lock. The folder is there,
  // and only who may serve can write to it.
  static Result<Listener> Unix(const std::string& path, mode_t mode = 0600);
  // `address` is an IPv4 or IPv6 address; port 0 takes a free one.
  static Result<Listener> Tcp(const std::string& address, uint16_t port);

  Listener(Listener&& other) noexcept;
  Listener& operator=(Listener&& other) noexcept;
  // Removes the path, if it is still its own.
  ~Listener();

  int fd() const { return socket_.get(); }
  bool is_unix() const { return !path_.empty(); }
  uint16_t port() const { return port_; }

 private:
  explicit Listener(UniqueFd socket) : socket_(std::move(socket)) {}
  void RemovePath();

  UniqueFd socket_;
  uint16_t port_ = 0;
  std::string path_;
  dev_t device_ = 0;
  ino_t inode_ = 0;
};

}  // namespace podium::http
