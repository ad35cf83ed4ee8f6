// LateConnection: the connection of components that begin before there is one, as an agent's do
// that is nobody yet. Calls wait for it, a while; then they are the connection's.
//
// Threads: any, for everything.
#pragma once

#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include "client/connection.h"

namespace podium::client {

class LateConnection : public Connection {
 public:
  // How long a call waits before it is kUnavailable.
  explicit LateConnection(std::chrono::milliseconds patience = std::chrono::seconds(10))
      : patience_(patience) {}

  // Once. It outlives all calls and watches.
  void Set(Connection& connection);
  // Calls that wait here, and all that come later, get kCancelled. Those that have come through are
  // the connection's to end.
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
  Result<Connection*> Wait();

  const std::chrono::milliseconds patience_;
  std::mutex mutex_;
  std::condition_variable changed_;
  // Under mutex_.
  Connection* connection_ = nullptr;
  bool stopped_ = false;
};

}  // namespace podium::client
