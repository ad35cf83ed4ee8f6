// Watches of a FakeServer, and what lists and watches select. Private to client.
#pragma once

#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "api/fields.h"
#include "api/labels.h"
#include "client/connection.h"
#include "client/fake_server.h"

namespace podium::client {

// Namespace, name, labels and fields that a request asks for.
class Selection {
 public:
  static Result<Selection> Parse(const Target& target, const api::meta::v1::ListOptions& options);
  // False for a null object.
  bool Matches(const SharedObject& object) const;
  bool Everything() const { return labels_.Empty() && fields_.Empty(); }

 private:
  std::string namespace_;
  std::string name_;
  api::labels::Selector labels_;
  api::fields::Selector fields_;
};

class FakeWatch : public ObjectWatch {
 public:
  // Under the server's lock, as everything but Take and the destructor.
  FakeWatch(FakeServer& server, std::string resource, Selection selection, Connection::Ready ready)
      : server_(server),
        resource_(std::move(resource)),
        selection_(std::move(selection)),
        caller_(std::make_shared<Caller>()) {
    caller_->ready = std::move(ready);
  }
  ~FakeWatch() override;

  Result<EventBatch> Take(size_t max_events) override;

 private:
  friend class FakeServer;
  // Calls `ready` while the watch is there, and without the server's lock.
  struct Caller {
    std::mutex mutex;
    Connection::Ready ready;  // null once the watch is gone
  };

  Result<EventBatch> TakeLocked(size_t max_events);
  std::optional<ObjectEvent> EventOf(const FakeServer::Change& change) const;
  bool HasNewsLocked() const;

  FakeServer& server_;
  const std::string resource_;
  const Selection selection_;
  const std::shared_ptr<Caller> caller_;
  std::deque<ObjectEvent> waiting_;  // what was there, bookmarks
  int64_t after_ = 0;                // the version it has come to
  bool bookmarks_ = false;
  bool armed_ = false;
  bool ended_ = false;
  std::optional<Error> error_;
};

}  // namespace podium::client
