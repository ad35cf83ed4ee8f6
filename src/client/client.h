// What commands say to a server of the Kubernetes API, be it the agent of this machine at its
// socket or an API server: the calls of a Connection in types that are known when podium is built,
// and what a Connection does not have, sessions in containers, logs and raw paths.
//
//   TRY(auto client, Client::Create(AgentAt(instance.run_dir)));
//   TRY(auto pod, client.Get<api::core::v1::Pod>({"default", "web"}));
//
// Threads: Client is for any; what it returns is for one at a time, unless it says more.
//
// Errors are a Connection's (connection.h). Without a server they are those of http/client.h; at an
// agent's socket they say what to do.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "api/types/core_v1.h"
#include "api/types/meta_v1.h"
#include "base/result.h"
#include "client/address.h"
#include "client/byte_stream.h"
#include "client/connection.h"
#include "client/object.h"
#include "client/paths.h"
#include "client/remote.h"
#include "client/watch.h"
#include "http/client.h"
#include "reflect/type.h"

namespace podium::client {

class Session;

class Client {
 public:
  static Result<Client> Create(ServerAddress address);
  // For a session that is there already.
  static Client Over(std::shared_ptr<Session> session);

  // The same server, asked by the same user.
  Connection& connection() const { return *connection_; }

  template <class T>
  Result<T> Get(const ObjectKey& key) const {
    TRY(const Target target, TargetOf(reflect::TypeOf<T>(), key));
    return Typed<T>(connection_->Get(target, {}));
  }
  // A list type: PodList. Of every namespace where `name_space` is "".
  template <class L>
  Result<L> List(std::string_view name_space,
                 const api::meta::v1::ListOptions& options = {}) const {
    using T = typename decltype(L::items)::value_type;
    TRY(const Target target, TargetOf(reflect::TypeOf<L>(), {std::string(name_space), ""}));
    TRY(ObjectList found, connection_->List(target, options));
    L list;
    SetKind(reflect::TypeOf<L>(), &list);
    list.metadata = std::move(found.metadata);
    // "items":[] where there is none, as servers answer it.
    if constexpr (requires { list.items.present; }) list.items.present = true;
    for (SharedObject& item : found.items) {
      TRY(T object, Typed<T>(std::exchange(item, {})));
      list.items.push_back(std::move(object));
    }
    return list;
  }
  // In the object's own namespace. What the server made of it.
  template <class T>
  Result<T> Create(const T& object) const {
    TRY(const Target target, TargetOf(reflect::TypeOf<T>(), {object.metadata.namespace_, ""}));
    return Typed<T>(connection_->Create(target, object, {}));
  }
  template <class T>
  Result<T> Update(const T& object) const {
    TRY(const Target target,
        TargetOf(reflect::TypeOf<T>(), {object.metadata.namespace_, object.metadata.name}));
    return Typed<T>(connection_->Update(target, object, {}));
  }
  template <class T>
  Result<void> Delete(const ObjectKey& key,
                      const api::meta::v1::DeleteOptions& options = {}) const {
    TRY(const Target target, TargetOf(reflect::TypeOf<T>(), key));
    TRY_VOID(connection_->Delete(target, options));
    return {};
  }
  // Events of the objects of T's kind, from options.resourceVersion on.
  template <class T>
  Result<Watch<T>> WatchObjects(std::string_view name_space,
                                const api::meta::v1::ListOptions& options = {}) const {
    TRY(const Target target, TargetOf(reflect::TypeOf<T>(), {std::string(name_space), ""}));
    TRY(auto events, EventStream::Start(*connection_, target, options));
    return Watch<T>(std::move(events));
  }

  // What a container printed; with `follow` also what it will print, until it ends or Stop.
  Result<ByteStream> Logs(const ObjectKey& pod, const api::core::v1::PodLogOptions& options) const;
  // A command in a container, or the container's own process.
  // `window`: the size of the terminal from the first moment on, which the agent understands; other
  // servers hear of it by RemoteCommand::Resize alone.
  Result<RemoteCommand> Exec(const ObjectKey& pod, const api::core::v1::PodExecOptions& options,
                             const std::optional<http::TerminalSize>& window = {}) const;
  Result<RemoteCommand> Attach(const ObjectKey& pod,
                               const api::core::v1::PodAttachOptions& options) const;
  // A connection to this port inside the pod.
  Result<PortConnection> PortForward(const ObjectKey& pod, uint16_t port) const;

  // Anything else the server has, /node/v1 among it. `path` begins with a slash; the body is JSON,
  // or empty. The answer's body, of at most 64 MiB; it must not stop for longer than a minute.
  Result<std::string> Raw(std::string_view method, const std::string& path,
                          std::string_view query = "", std::string_view body = "") const;
  // The same with bodies that are streamed, of any size and type: archives in and out.
  Result<ByteStream> RawStream(std::string_view method, const std::string& path,
                               std::string_view query, http::BodySource body,
                               std::string_view content_type) const;

 private:
  Client(std::shared_ptr<Session> session, std::shared_ptr<Connection> connection)
      : session_(std::move(session)), connection_(std::move(connection)) {}

  template <class T>
  static Result<T> Typed(Result<SharedObject> answer) {
    if (!answer.ok()) return std::move(answer).error();
    const std::shared_ptr<const T> object = answer->template As<T>();
    if (!object) return NotOfType(reflect::TypeOf<T>(), *answer);
    return *object;
  }
  Result<std::unique_ptr<http::WebSocket>> Connect(const ObjectKey& pod,
                                                   std::string_view subresource,
                                                   const std::string& query) const;

  std::shared_ptr<Session> session_;
  std::shared_ptr<Connection> connection_;  // over session_
};

}  // namespace podium::client
