// One repository at one endpoint, asked with one set of credentials: its manifests and blobs.
// Source: OCI distribution specification 1.1 ("Pull"); Docker registry HTTP API v2.
//
// Threads: any, at once.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "http/client.h"
#include "image/digest.h"
#include "image/registry.h"
#include "image/registry_auth.h"

namespace podium::image {

struct FetchedManifest {
  std::string bytes;
  std::string media_type;
  Digest digest;  // of the bytes, and what the server said it is
};

// An open blob. What is read is not verified yet.
struct BlobStream {
  http::Response response;
  // Where it begins: what was asked for, or 0 where the server does not do ranges.
  uint64_t offset = 0;
};

// Whether a refused connection is tried again: not where a pull begins, since who refuses now does
// so in a second, too; but amid a pull, where the server may be starting anew.
enum class Refusals { kFinal, kPass };

// Every call tries again what may pass (RetryPolicy) before it fails.
class Repository {
 public:
  // `path` is the repository's in references ("library/nginx"), without the endpoint's prefix.
  Repository(Registries& registries, RegistryEndpoint endpoint, const std::string& path,
             Credentials credentials);

  // Of a tag or a digest. kDataLoss when the bytes are not what was asked for or announced.
  Result<FetchedManifest> Manifest(const std::string& reference,
                                   const http::Cancellation* cancellation);
  // The digest that a tag stands for, without the manifest; nothing where the server does not say.
  Result<std::optional<Digest>> DigestOfTag(const std::string& tag,
                                            const http::Cancellation* cancellation);
  Result<BlobStream> OpenBlob(const Digest& digest, uint64_t offset,
                              const http::Cancellation* cancellation);
  // Content that stands elsewhere (foreign layers), asked for without credentials.
  Result<BlobStream> OpenUrl(const std::string& url, uint64_t offset,
                             const http::Cancellation* cancellation);

  const RegistryEndpoint& endpoint() const { return endpoint_; }

 private:
  Result<http::Response> Send(http::Request request, const std::string& path, Refusals refusals);
  Result<http::Response> SendOnce(http::Request* request, const std::string& path);
  Result<http::Response> SendTo(const std::string& scheme, http::Request* request,
                                const std::string& path);
  Result<http::Response> SendWithAuth(http::Request* request);
  Result<FetchedManifest> ManifestOnce(const std::string& reference,
                                       const http::Cancellation* cancellation, bool* arrived);

  Registries* const registries_;
  const RegistryEndpoint endpoint_;
  const std::string path_;  // with the endpoint's prefix
  Authorizer authorizer_;
};

}  // namespace podium::image
