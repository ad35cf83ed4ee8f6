// A session with an API server over a store in memory, for fuzz targets: requests as texts, each on
// the server's way from routing through authorization and admission into the store, without
// sockets.
//
//   POST /api/v1/namespaces/a/configmaps?fieldValidation=Strict
//   Content-Type: application/yaml
//
//   kind: ConfigMap
//   …
//
// Who asks is the administrator, or whom the headers Impersonate-User and so on name. The namespace
// `a` is there, with its default account. No plugin that calls webhooks runs: what is fuzzed must
// not reach anybody. PODIUM_FUZZ_TRACE=1 prints what every request is answered.
#pragma once

#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "apiserver/admission/all.h"
#include "apiserver/admission/chain.h"
#include "apiserver/authorization/server_authorizer.h"
#include "apiserver/call.h"
#include "apiserver/catalog.h"
#include "apiserver/dispatch.h"
#include "apiserver/objects.h"
#include "apiserver/questions.h"
#include "apiserver/services/service_allocator.h"
#include "apiserver/write.h"
#include "base/clock.h"
#include "base/executor.h"
#include "store/memory_store.h"

namespace podium::fuzz {

struct SessionReply {
  int status = 0;
  std::string body{};
};

// A request's parts. Empty `method`: not even its first line could be read.
struct SessionRequest {
  std::string method{};
  std::string target{};
  http::Headers headers{};
  std::string body{};

  static SessionRequest Parse(std::string_view text);
};

// Tasks that wait for Run, in order. One thread, so that an input does the same every time.
class QueueExecutor final : public Executor {
 public:
  void Post(Task task) override { tasks_.push_back(std::move(task)); }
  TimerId PostAfter(std::chrono::nanoseconds, Task) override { std::abort(); }
  void Cancel(TimerId) override {}
  // Until there are none.
  void Run();

 private:
  std::deque<Task> tasks_;
};

class ApiSession {
 public:
  ApiSession();
  ApiSession(const ApiSession&) = delete;
  ApiSession& operator=(const ApiSession&) = delete;
  ~ApiSession();

  // The answer, with the whole body. Nothing where the server's HTTP refuses the target before any
  // of this, and for watches, which do not end.
  std::optional<SessionReply> Send(const SessionRequest& request);
  // As the administrator, of JSON.
  SessionReply Ask(const std::string& method, const std::string& target, std::string body = "");

 private:
  apiserver::Dispatcher::Parts DispatcherParts();
  apiserver::Answer AnswerTo(const apiserver::CallPtr& call);
  apiserver::Answer AnswerRead(const apiserver::CallPtr& call,
                               const apiserver::ServedResource& resource,
                               const apiserver::CatalogPtr& catalog);
  Result<void> Authorize(const apiserver::Dispatcher& dispatcher, apiserver::Call& call);

  QueueExecutor executor_;
  store::MemoryStore store_;
  apiserver::Objects objects_{store_};
  apiserver::ServerAuthorizer authorizer_{store_};
  SystemClock clock_;
  uint64_t random_ = 0;
  apiserver::AdmissionChain admission_;
  std::unique_ptr<apiserver::ServiceAllocator> services_;
  apiserver::Questions questions_;
  apiserver::Writer writer_;
};

}  // namespace podium::fuzz
