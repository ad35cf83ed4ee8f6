// Paths: what answers a request that is about no resource, in one place: discovery, health,
// metrics, documents that never change, and "/", which lists them all. A path that is none of them
// gets that list too, with 404, as from upstream's IndexLister
// (k8s.io/apiserver/pkg/server/routes).
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "apiserver/call.h"
#include "apiserver/catalog.h"
#include "apiserver/discovery/discovery.h"
#include "apiserver/health.h"
#include "apiserver/metrics.h"
#include "base/result.h"
#include "store/store.h"

namespace podium::apiserver {

// One that is the same for everybody, for as long as the server runs.
struct FixedDocument {
  std::string path;
  std::string content_type;
  std::string cache_control{};  // "" for what every answer has
  std::string body{};
};

class Paths {
 public:
  struct Parts {
    const Discovery* discovery = nullptr;
    const Health* health = nullptr;
    const Metrics* metrics = nullptr;
    const Audit* audit = nullptr;  // null: there is no policy
    store::Store* store = nullptr;
    std::vector<FixedDocument> documents{};
  };
  // All of it outlives this.
  explicit Paths(Parts parts) : parts_(std::move(parts)) {}

  // Threads: any; not one of a loop where TakesLong says so.
  Result<Answer> Serve(const CallPtr& call, const CatalogPtr& catalog) const;
  static bool TakesLong(std::string_view path) {
    return Discovery::TakesLong(path) || path == "/metrics";
  }

 private:
  std::vector<std::string> All(const Catalog& catalog) const;

  const Parts parts_;
};

}  // namespace podium::apiserver
