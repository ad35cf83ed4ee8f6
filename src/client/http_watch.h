// A watch over HTTP: lines of a body that never ends. Private to client.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "client/connection.h"
#include "client/decode.h"
#include "client/session.h"
#include "client/watch_poller.h"
#include "http/client.h"

namespace podium::client {

class HttpWatch : public ObjectWatch {
 public:
  HttpWatch(http::Response response, std::shared_ptr<Session> session,
            std::shared_ptr<Decoder> decoder, std::shared_ptr<WatchPoller> poller,
            Connection::Ready ready);
  ~HttpWatch() override;

  Result<EventBatch> Take(size_t max_events) override;

 private:
  Result<EventBatch> TakeSome(size_t max_events);
  // The next line that is there, without waiting.
  Result<std::optional<std::string>> NextLine();

  const std::shared_ptr<Session> session_;
  const std::shared_ptr<Decoder> decoder_;
  const std::shared_ptr<WatchPoller> poller_;
  std::optional<http::Response> response_;
  WatchPoller::Id id_ = 0;  // 0: the body was there as a whole
  std::string buffer_;
  size_t begin_ = 0;     // of the line that is next
  size_t searched_ = 0;  // behind it, without a line end
  bool ended_ = false;
  std::optional<Error> error_;
};

}  // namespace podium::client
