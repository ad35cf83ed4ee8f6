// LocalConnection: the server as components in the same process see it (client/connection.h). Calls
// pass the authorization and admission of their user like those from outside; nothing is encoded
// that nobody has to read.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "apiserver/dispatch.h"
#include "apiserver/user.h"
#include "client/connection.h"

namespace podium::apiserver {

class LocalConnection final : public client::Connection {
 public:
  // The dispatcher outlives it and its watches. `agent`: who the writes are by, in managedFields.
  LocalConnection(const Dispatcher& dispatcher, User user, std::string agent);

  Result<client::SharedObject> Get(const client::Target& target,
                                   const api::meta::v1::GetOptions& options) override;
  Result<client::ObjectList> List(const client::Target& target,
                                  const api::meta::v1::ListOptions& options) override;
  Result<client::SharedObject> Create(const client::Target& target,
                                      const client::ObjectView& object,
                                      const api::meta::v1::CreateOptions& options) override;
  Result<client::SharedObject> Update(const client::Target& target,
                                      const client::ObjectView& object,
                                      const api::meta::v1::UpdateOptions& options) override;
  Result<client::SharedObject> Patch(const client::Target& target, client::PatchType type,
                                     std::string_view patch,
                                     const api::meta::v1::PatchOptions& options) override;
  Result<client::SharedObject> Delete(const client::Target& target,
                                      const api::meta::v1::DeleteOptions& options) override;
  Result<void> DeleteCollection(const client::Target& target,
                                const api::meta::v1::DeleteOptions& options,
                                const api::meta::v1::ListOptions& which) override;
  Result<std::unique_ptr<client::ObjectWatch>> Watch(const client::Target& target,
                                                     const api::meta::v1::ListOptions& options,
                                                     Ready ready) override;
  Result<std::string> GetRaw(const std::string& path_and_query) override;

 private:
  struct Request;  // a call with what it points to

  std::shared_ptr<Request> NewRequest(std::string_view verb, const client::Target& target) const;
  // The resource that may be asked for so; 404, 405, 403.
  Result<const ServedResource*> Find(const Request& request) const;
  // The same; the audit log has then that it is asked.
  Result<const ServedResource*> Begin(const Request& request) const;
  template <class Options>
  Result<const ServedResource*> Begin(const Request& request, const Options& options) const;
  Result<WriteOutcome> WriteAndWait(const std::shared_ptr<Request>& request) const;
  Result<client::SharedObject> Changed(const std::shared_ptr<Request>& request) const;
  Result<client::SharedObject> ShowOutcome(const Request& request, WriteOutcome outcome) const;

  const Dispatcher& dispatcher_;
  const std::shared_ptr<const User> user_;
  const std::string agent_;
};

}  // namespace podium::apiserver
