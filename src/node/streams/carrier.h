// How several streams of bytes go over one connection of a client: what kubectl, the API server and
// other clients of kubelets speak (release 1.36, k8s.io/streaming). Without input or output: bytes
// go in, what happens is told to a listener, what is to be sent is appended to output().
//
//   SPDY/3.1               streams are opened by the client, with headers that say what they are
//   channel.k8s.io, …      a WebSocket; each message begins with the number of its stream, which
//                          the server knows already; in base64 forms that is a digit
//   SPDY/3.1+…             SPDY in the messages of a WebSocket (KEP-4006): upstream's API server
//                          takes it apart; here whoever it reaches does
//
// Threads: one.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"
#include "http/spdy.h"

namespace podium::node {

using StreamId = uint32_t;

// Of channels, OnData, OnEnd and OnHangUp alone are told.
class StreamListener : public http::SpdyListener {
 public:
  // The client's close frame: nothing follows.
  virtual void OnHangUp() = 0;
  // Nobody opens streams to a client.
  void OnReply(uint32_t /*stream*/, const http::Headers& /*headers*/) final {}
};

class StreamCarrier {
 public:
  virtual ~StreamCarrier() = default;

  // After an error the connection is of no more use, but for what is in output().
  virtual Result<void> Receive(std::string_view bytes, StreamListener& listener) = 0;

  // The stream that the client opened is wanted.
  virtual void Accept(StreamId stream) = 0;
  // Empty bytes: channels get an empty message, and others nothing.
  virtual void Send(StreamId stream, std::string_view bytes) = 0;
  // Nothing more is sent on it. Of channels nobody can tell.
  virtual void End(StreamId stream) = 0;
  // Neither side sends anything more on it.
  virtual void Reset(StreamId stream) = 0;
  // No more streams are expected.
  virtual void RefuseStreams() = 0;
  // Nothing more is sent on any.
  virtual void Close() = 0;
  // Whether any stream is open on either side; of channels, until Close.
  virtual bool HasStreams() const = 0;

  virtual std::string& output() = 0;
};

std::unique_ptr<StreamCarrier> SpdyCarrier();
std::unique_ptr<StreamCarrier> TunnelCarrier();

struct ChannelForm {
  bool base64 = false;
  bool can_end = false;  // version 5: 255 and the channel's number, in a message of their own
};
// Data of channels from `count` on is passed over.
std::unique_ptr<StreamCarrier> ChannelCarrier(ChannelForm form, StreamId count);

}  // namespace podium::node
