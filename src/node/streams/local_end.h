// The other end of a client's streams: a descriptor of a process or of a connection into a pod,
// read and written on a Poller's thread, as far as there is room.
//
// Threads: all calls, and those to the owner, on the poller's.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/unique_fd.h"
#include "http/poller.h"

namespace podium::node {

class LocalEnd;

class LocalEndOwner {
 public:
  virtual ~LocalEndOwner() = default;
  // Whether bytes may come. Where not, Pull goes on when they may.
  virtual bool HasRoom() = 0;
  virtual void OnBytes(LocalEnd& end, std::string_view bytes) = 0;
  // Nothing more comes from it.
  virtual void OnReadEnd(LocalEnd& end) = 0;
  // All that was given to it is written, and so is the end, if it was; or it takes no more.
  virtual void OnDrained(LocalEnd& end) = 0;
  // After calls that came by themselves, and not from within one of this owner's: what they led to
  // can be sent.
  virtual void Settle() = 0;
};

class LocalEnd : public std::enable_shared_from_this<LocalEnd> {
 public:
  // Takes a descriptor of its own, and makes what it stands for non-blocking, for whoever else has
  // it too. `tag` is for the owner, which is called for as long as it lives.
  static Result<std::shared_ptr<LocalEnd>> Create(std::shared_ptr<http::Poller> poller, int fd,
                                                  uint32_t tag, std::weak_ptr<LocalEndOwner> owner);

  // Reads what there is, and from then on what comes. To be called once, and when there is room
  // again.
  void Pull();
  // To be written, in order.
  void Push(std::string_view bytes);
  // Behind all of it: the other side reads its end. A socket's half is shut down, another
  // descriptor is closed.
  void PushEnd();
  // Gives the descriptor up. Nothing is called any more.
  void Close();

  // What was pushed and is not written.
  size_t pending() const { return pending_.size() - begin_; }
  uint32_t tag() const { return tag_; }
  bool read_ended() const { return read_ended_; }

 private:
  LocalEnd(std::shared_ptr<http::Poller> poller, UniqueFd fd, uint32_t tag, bool is_socket,
           std::weak_ptr<LocalEndOwner> owner);
  void Begin();
  void Ready();
  void Read(LocalEndOwner& owner);
  void Write(LocalEndOwner& owner);
  void Arm();

  const std::shared_ptr<http::Poller> poller_;
  UniqueFd fd_;
  const uint32_t tag_;
  const bool is_socket_;
  const std::weak_ptr<LocalEndOwner> owner_;
  std::unique_ptr<http::PolledFd> wait_;  // goes before the descriptor
  std::string pending_;
  size_t begin_ = 0;  // what of it is written
  bool pulled_ = false;
  bool read_ended_ = false;
  bool end_pushed_ = false;
  bool write_ended_ = false;   // the end is told, or it takes no more
  bool read_blocked_ = false;  // there is nothing to read
  bool write_blocked_ = false;
};

}  // namespace podium::node
