// A Connection over HTTP: JSON in and out, whatever kind the server has; kinds that this program
// does not know come with typed metadata and the rest kept as it is.
//
//   TRY(auto connection, HttpConnection::Create(address));
//   TRY(auto pod, connection->Get({"", "v1", "pods", "ns", "web"}, {}));
//
// Calls wait for the server: ten seconds for the connection, a minute while no byte moves. After
// 401 they ask once more with newer credentials, after 429 or 5xx with Retry-After as often as
// client-go does. All watches of a connection share one thread, which only waits; events are read
// and decoded by whoever takes them.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include "client/address.h"
#include "client/connection.h"

namespace podium::client {

class Decoder;
class Session;
class WatchPoller;

class HttpConnection : public Connection {
 public:
  struct Options {
    // Each text of the server's Warning headers, on the thread of the call.
    std::function<void(std::string_view text)> on_warning{};
    // Each request that was sent (Session::OnAnswer).
    std::function<void(std::string_view method, const std::string& host, const std::string& status)>
        on_answer{};
  };

  // Nothing is sent yet. kInvalidArgument for an address that is none.
  static Result<std::unique_ptr<HttpConnection>> Create(ServerAddress address, Options options);
  static Result<std::unique_ptr<HttpConnection>> Create(ServerAddress address) {
    return Create(std::move(address), Options());
  }
  // Of a session that others use, too; Session is private to client.
  explicit HttpConnection(std::shared_ptr<Session> session);
  // Watches may outlive it.
  ~HttpConnection() override;

  // Calls that wait, and all that come later, get kCancelled; watches too. For good.
  void Stop();

  Result<SharedObject> Get(const Target& target, const api::meta::v1::GetOptions& options) override;
  Result<ObjectList> List(const Target& target, const api::meta::v1::ListOptions& options) override;
  Result<SharedObject> Create(const Target& target, const ObjectView& object,
                              const api::meta::v1::CreateOptions& options) override;
  Result<SharedObject> Update(const Target& target, const ObjectView& object,
                              const api::meta::v1::UpdateOptions& options) override;
  Result<SharedObject> Patch(const Target& target, PatchType type, std::string_view patch,
                             const api::meta::v1::PatchOptions& options) override;
  Result<SharedObject> Delete(const Target& target,
                              const api::meta::v1::DeleteOptions& options) override;
  Result<void> DeleteCollection(const Target& target, const api::meta::v1::DeleteOptions& options,
                                const api::meta::v1::ListOptions& which) override;
  Result<std::unique_ptr<ObjectWatch>> Watch(const Target& target,
                                             const api::meta::v1::ListOptions& options,
                                             Ready ready) override;
  Result<std::string> GetRaw(const std::string& path_and_query) override;

 private:
  struct Call {
    std::string_view method;
    const Target& target;
    std::string query;
    std::string body = {};
    std::string_view content_type = "application/json";
  };

  Result<std::string> Send(const Call& call);
  Result<SharedObject> SendForObject(const Call& call);
  Result<std::shared_ptr<WatchPoller>> Poller();

  const std::shared_ptr<Session> session_;
  const std::shared_ptr<Decoder> decoder_;
  std::mutex mutex_;
  std::shared_ptr<WatchPoller> poller_;  // under mutex_; made for the first watch
};

}  // namespace podium::client
