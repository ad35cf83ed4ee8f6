// Discovery: the paths at which a server says what it is and has: /api, /apis and what is below
// them, /version, /openapi/v2, /openapi/v3 (upstream's k8s.io/apiserver/pkg/endpoints/discovery,
// kube-openapi's handlers, release 1.36).
//
// Documents of OpenAPI are large. They are made when somebody asks, shared, and dropped again some
// minutes after the last one did, or when another catalog takes the place of theirs.
//
// Threads: any. Making a document takes tens of milliseconds: TakesLong says which paths are not
// for the thread of a loop.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "apiserver/call.h"
#include "apiserver/catalog.h"
#include "base/clock.h"
#include "base/executor.h"
#include "base/result.h"

namespace podium::apiserver {

class Discovery {
 public:
  // `address`: host and port that clients are told. The executor and the clock outlive it.
  Discovery(std::string address, const Clock& clock, Executor& executor);
  ~Discovery();
  Discovery(const Discovery&) = delete;
  Discovery& operator=(const Discovery&) = delete;

  // Nothing when the path is none of these. Errors: 404 for a group or version that is not there,
  // 405, 406.
  Result<std::optional<Answer>> Serve(const CallPtr& call, const CatalogPtr& catalog) const;
  static bool TakesLong(std::string_view path) { return path.starts_with("/openapi/"); }

  // What a document takes now, for tests.
  size_t cached_bytes() const;

 private:
  struct Cache;
  struct Document {
    std::string body;
    std::string hash;
  };
  using DocumentPtr = std::shared_ptr<const Document>;

  Result<Answer> ServeDiscovery(const Call& call, const Catalog& catalog,
                                std::string_view path) const;
  Result<Answer> ServeV2(const Call& call, const Catalog& catalog) const;
  Result<Answer> ServeV3(const Call& call, const Catalog& catalog, std::string_view path) const;
  DocumentPtr Find(const Catalog& catalog, const std::string& name) const;

  const std::string address_;
  const std::shared_ptr<Cache> cache_;
};

}  // namespace podium::apiserver
