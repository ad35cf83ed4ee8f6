#include "client/late_connection.h"

#include <utility>

namespace podium::client {

void LateConnection::Set(Connection& connection) {
  const std::lock_guard lock(mutex_);
  connection_ = &connection;
  changed_.notify_all();
}

void LateConnection::Stop() {
  const std::lock_guard lock(mutex_);
  stopped_ = true;
  changed_.notify_all();
}

Result<Connection*> LateConnection::Wait() {
  std::unique_lock lock(mutex_);
  changed_.wait_for(lock, patience_, [this] { return connection_ || stopped_; });
  if (stopped_) return Error(Code::kCancelled, "the connection was stopped");
  if (!connection_) return Error(Code::kUnavailable, "there is no connection to the server yet");
  return connection_;
}

Result<SharedObject> LateConnection::Get(const Target& target,
                                         const api::meta::v1::GetOptions& options) {
  TRY(Connection * connection, Wait());
  return connection->Get(target, options);
}

Result<ObjectList> LateConnection::List(const Target& target,
                                        const api::meta::v1::ListOptions& options) {
  TRY(Connection * connection, Wait());
  return connection->List(target, options);
}

Result<SharedObject> LateConnection::Create(const Target& target, const ObjectView& object,
                                            const api::meta::v1::CreateOptions& options) {
  TRY(Connection * connection, Wait());
  return connection->Create(target, object, options);
}

Result<SharedObject> LateConnection::Update(const Target& target, const ObjectView& object,
                                            const api::meta::v1::UpdateOptions& options) {
  TRY(Connection * connection, Wait());
  return connection->Update(target, object, options);
}

Result<SharedObject> LateConnection::Patch(const Target& target, PatchType type,
                                           std::string_view patch,
                                           const api::meta::v1::PatchOptions& options) {
  TRY(Connection * connection, Wait());
  return connection->Patch(target, type, patch, options);
}

Result<SharedObject> LateConnection::Delete(const Target& target,
                                            const api::meta::v1::DeleteOptions& options) {
  TRY(Connection * connection, Wait());
  return connection->Delete(target, options);
}

Result<void> LateConnection::DeleteCollection(const Target& target,
                                              const api::meta::v1::DeleteOptions& options,
                                              const api::meta::v1::ListOptions& which) {
  TRY(Connection * connection, Wait());
  return connection->DeleteCollection(target, options, which);
}

Result<std::unique_ptr<ObjectWatch>> LateConnection::Watch(
    const Target& target, const api::meta::v1::ListOptions& options, Ready ready) {
  TRY(Connection * connection, Wait());
  return connection->Watch(target, options, std::move(ready));
}

Result<std::string> LateConnection::GetRaw(const std::string& path_and_query) {
  TRY(Connection * connection, Wait());
  return connection->GetRaw(path_and_query);
}

}  // namespace podium::client
