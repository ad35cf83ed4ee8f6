// What commands and components say to a server of the Kubernetes API: the agent of this machine at
// its socket, or an API server.
//
//   TRY(auto client, Client::Create(AgentAt(instance.run_dir)));
//   TRY(auto pod, client.Get<api::core::v1::Pod>({"default", "web"}));
//
// Threads: Client is for any; what it returns is for one at a time, unless it says more.
//
// Errors carry the server's own message ('pods "web" not found') and a code for its reason. Without
// a server they are those of http/client.h; at an agent's socket they say what to do.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "api/types/core_v1.h"
#include "api/types/meta_v1.h"
#include "base/result.h"
#include "client/address.h"
#include "client/paths.h"
#include "client/remote.h"
#include "client/watch.h"
#include "http/client.h"
#include "reflect/json.h"

namespace podium::client {

class Session;

class Client {
 public:
  static Result<Client> Create(ServerAddress address);

  template <class T>
  Result<T> Get(const ObjectKey& key) const {
    return Decoded<T>("GET", reflect::TypeOf<T>(), key, "", "");
  }
  // A list type: PodList. Of every namespace where `name_space` is "".
  template <class L>
  Result<L> List(std::string_view name_space,
                 const api::meta::v1::ListOptions& options = {}) const {
    TRY(const std::string query, QueryOf(reflect::TypeOf<api::meta::v1::ListOptions>(), &options));
    return Decoded<L>("GET", reflect::TypeOf<L>(), {std::string(name_space), ""}, query, "");
  }
  // In the object's own namespace. What the server made of it.
  template <class T>
  Result<T> Create(const T& object, std::string_view query = "") const {
    TRY(const std::string body, reflect::ToJson(object));
    return Decoded<T>("POST", reflect::TypeOf<T>(), {object.metadata.namespace_, ""}, query, body);
  }
  template <class T>
  Result<T> Update(const T& object) const {
    TRY(const std::string body, reflect::ToJson(object));
    return Decoded<T>("PUT", reflect::TypeOf<T>(),
                      {object.metadata.namespace_, object.metadata.name}, "", body);
  }
  template <class T>
  Result<void> Delete(const ObjectKey& key,
                      const api::meta::v1::DeleteOptions& options = {}) const {
    return DeleteObject(reflect::TypeOf<T>(), key, options);
  }
  // Events of the objects of T's kind, from options.resourceVersion on.
  template <class T>
  Result<Watch<T>> WatchObjects(std::string_view name_space,
                                const api::meta::v1::ListOptions& options = {}) const {
    TRY(auto events, StartWatch(reflect::TypeOf<T>(), name_space, options));
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
  explicit Client(std::shared_ptr<Session> session) : session_(std::move(session)) {}

  template <class T>
  Result<T> Decoded(std::string_view method, const reflect::Type& type, const ObjectKey& key,
                    std::string_view query, std::string_view body) const {
    TRY(const std::string path, PathFor(type, key, ""));
    TRY(const std::string text, Raw(method, path, query, body));
    return reflect::FromJson<T>(text, {.strict = false});
  }
  static Result<std::string> PathFor(const reflect::Type& type, const ObjectKey& key,
                                     std::string_view subresource);
  Result<void> DeleteObject(const reflect::Type& type, const ObjectKey& key,
                            const api::meta::v1::DeleteOptions& options) const;
  Result<EventStream> StartWatch(const reflect::Type& type, std::string_view name_space,
                                 const api::meta::v1::ListOptions& options) const;
  Result<std::unique_ptr<http::WebSocket>> Connect(const ObjectKey& pod,
                                                   std::string_view subresource,
                                                   const std::string& query) const;

  std::shared_ptr<Session> session_;
};

}  // namespace podium::client
