#include "image/repository.h"

#include <charconv>

#include "image/backoff.h"
#include "image/manifest.h"
#include "image/registry_errors.h"

namespace podium::image {
namespace {

constexpr int kMaxRedirects = 10;
// A token may be refused because it has grown old between two uses; then a fresh one must do.
constexpr int kMaxAuthorizations = 3;

bool MayPass(int status) {
  return status == 408 || status == 429 || status == 500 || status == 502 || status == 503 ||
         status == 504;
}

bool WasRefused(const Error& error) { return error.message().contains("Connection refused"); }

// Tries again what may pass.
template <class Attempt>
Result<http::Response> WithRetries(const RetryPolicy& policy, const http::Request& request,
                                   Refusals refusals, const Attempt& attempt) {
  Backoff backoff(policy);
  while (true) {
    std::optional<std::chrono::seconds> after;
    Result<http::Response> response = attempt();
    if (response.ok() && !MayPass(response->status())) return response;
    std::optional<Error> error;
    if (response.ok()) {
      after = RetryAfter(response->headers().Get("Retry-After"), std::chrono::system_clock::now());
      error = StatusError(request.method, *response);
    } else {
      error = std::move(response).error();
    }
    if (!IsTransient(*error)) return *std::move(error);
    if (refusals == Refusals::kFinal && WasRefused(*error)) return *std::move(error);
    TRY(const bool again, backoff.Wait(request.cancellation, after));
    if (!again) return *std::move(error);
  }
}

http::Request Get(const http::Cancellation* cancellation) {
  http::Request request{.max_redirects = kMaxRedirects, .cancellation = cancellation};
  return request;
}

void AddRange(uint64_t offset, http::Request* request) {
  // Bytes as they are: digests are of these.
  request->headers.Add("Accept-Encoding", "identity");
  if (offset > 0) request->headers.Add("Range", "bytes=" + std::to_string(offset) + "-");
}

// Where the bytes of an answer begin. "Content-Range: bytes 100-199/200".
Result<uint64_t> BeginOf(const http::Response& response, uint64_t asked) {
  if (response.status() == 200) return 0;
  std::string_view range = response.headers().Get("Content-Range");
  uint64_t begin = 0;
  if (range.starts_with("bytes ")) {
    range.remove_prefix(6);
    const auto [end, error] = std::from_chars(range.data(), range.data() + range.size(), begin);
    if (error == std::errc() && begin == asked) return begin;
  }
  return Error(Code::kUnsupported, "the answer to a request for a range is for another: \"" +
                                       std::string(response.headers().Get("Content-Range")) + '"');
}

Result<BlobStream> StreamOf(Result<http::Response> response, uint64_t offset) {
  if (!response.ok()) return std::move(response).error();
  if (response->status() != 200 && response->status() != 206) {
    return StatusError("GET", *response);
  }
  TRY(const uint64_t begin, BeginOf(*response, offset));
  return BlobStream{*std::move(response), begin};
}

}  // namespace

Repository::Repository(Registries& registries, RegistryEndpoint endpoint, const std::string& path,
                       Credentials credentials)
    : registries_(&registries),
      endpoint_(std::move(endpoint)),
      path_(endpoint_.prefix + path),
      authorizer_(registries, endpoint_.host, path_, std::move(credentials)) {}

// Answers challenges; everything else is the caller's.
Result<http::Response> Repository::SendWithAuth(http::Request* request) {
  TRY(const http::Client* client, registries_->ClientFor(endpoint_.host));
  for (int i = 0;; ++i) {
    const std::string header = authorizer_.Header();
    request->headers.Remove("Authorization");
    if (!header.empty()) request->headers.Add("Authorization", header);
    auto response = client->Send(*request);
    if (!response.ok()) return std::move(response).error().WithContext("failed to do request");
    if (response->status() != 401) {
      if (!header.empty()) authorizer_.Accepted(header);
      return response;
    }
    if (i == kMaxAuthorizations) return StatusError(request->method, *response);
    TRY_VOID(authorizer_.Answer(*response, header, request->cancellation));
  }
}

Result<http::Response> Repository::SendTo(const std::string& scheme, http::Request* request,
                                          const std::string& path) {
  request->url = scheme + "://" + endpoint_.host + "/v2/" + path_ + path;
  // Mirrors of several registries tell them apart by this, as containerd's do.
  if (!endpoint_.mirrored.empty()) {
    request->url += "?ns=" + http::PercentEncode(endpoint_.mirrored);
  }
  return SendWithAuth(request);
}

// Where the scheme is not known yet, the first that is answered wins.
Result<http::Response> Repository::SendOnce(http::Request* request, const std::string& path) {
  std::optional<Error> first;
  for (const std::string& scheme : registries_->SchemesOf(endpoint_)) {
    auto response = SendTo(scheme, request, path);
    if (response.ok()) {
      // 400 is also what a server of TLS answers to plain HTTP.
      if (endpoint_.scheme.empty() && response->status() != 400) {
        registries_->RememberScheme(endpoint_, scheme);
      }
      return response;
    }
    const bool other_scheme = response.error().code() == Code::kUnsupported ||
                              WasRefused(response.error()) ||
                              response.error().message().ends_with("tls: unexpected EOF");
    if (!first || !other_scheme) first = std::move(response).error();
    if (!other_scheme) break;
  }
  return *std::move(first);
}

Result<http::Response> Repository::Send(http::Request request, const std::string& path,
                                        Refusals refusals) {
  return WithRetries(registries_->options().retry, request, refusals,
                     [&] { return SendOnce(&request, path); });
}

Result<FetchedManifest> Repository::ManifestOnce(const std::string& reference,
                                                 const http::Cancellation* cancellation,
                                                 bool* arrived) {
  http::Request request = Get(cancellation);
  for (const std::string_view type : AcceptedManifestTypes()) request.headers.Add("Accept", type);
  TRY(http::Response response,
      Send(std::move(request), "/manifests/" + reference, Refusals::kFinal));
  if (response.status() == 404) {
    return Error(Code::kNotFound, "not found");
  }
  if (response.status() != 200) return StatusError("GET", response);
  *arrived = true;
  FetchedManifest manifest;
  TRY(manifest.bytes, response.ReadAll(kMaxManifestSize));
  manifest.media_type = response.headers().Get("Content-Type");
  // What was asked for by its digest must have it; else what the server says it is.
  auto expected = Digest::Parse(reference);
  if (!expected.ok()) expected = Digest::Parse(response.headers().Get("Docker-Content-Digest"));
  if (!expected.ok()) {
    manifest.digest = DigestOf(manifest.bytes);
    return manifest;
  }
  Hasher hasher(expected->algorithm);
  hasher.Update(manifest.bytes);
  manifest.digest = hasher.Finish();
  if (manifest.digest == *expected) return manifest;
  return Error(Code::kDataLoss, "the manifest that " + endpoint_.host + " sent is damaged: " +
                                    manifest.digest.String() + " instead of " + expected->String());
}

Result<FetchedManifest> Repository::Manifest(const std::string& reference,
                                             const http::Cancellation* cancellation) {
  Backoff backoff(registries_->options().retry);
  while (true) {
    bool arrived = false;
    auto manifest = ManifestOnce(reference, cancellation, &arrived);
    // What happens before the body was tried again already.
    if (manifest.ok() || !arrived ||
        (manifest.error().code() != Code::kDataLoss && !IsTransient(manifest.error()))) {
      return manifest;
    }
    TRY(const bool again, backoff.Wait(cancellation));
    if (!again) return manifest;
  }
}

Result<std::optional<Digest>> Repository::DigestOfTag(const std::string& tag,
                                                      const http::Cancellation* cancellation) {
  http::Request request = Get(cancellation);
  request.method = "HEAD";
  for (const std::string_view type : AcceptedManifestTypes()) request.headers.Add("Accept", type);
  TRY(http::Response response, Send(std::move(request), "/manifests/" + tag, Refusals::kFinal));
  if (response.status() != 200) return std::optional<Digest>();
  auto digest = Digest::Parse(response.headers().Get("Docker-Content-Digest"));
  if (!digest.ok()) return std::optional<Digest>();
  return std::optional(*std::move(digest));
}

Result<BlobStream> Repository::OpenBlob(const Digest& digest, uint64_t offset,
                                        const http::Cancellation* cancellation) {
  http::Request request = Get(cancellation);
  AddRange(offset, &request);
  return StreamOf(Send(std::move(request), "/blobs/" + digest.String(), Refusals::kPass), offset);
}

Result<BlobStream> Repository::OpenUrl(const std::string& url, uint64_t offset,
                                       const http::Cancellation* cancellation) {
  TRY(const http::Url parsed, http::Url::Parse(url));
  if (parsed.scheme != "https" && !registries_->MayBePlain(parsed.Authority())) {
    return Error(Code::kPermissionDenied,
                 "a layer is not fetched from " + parsed.ToString() + " without TLS");
  }
  TRY(const http::Client* client, registries_->ClientFor(parsed.Authority()));
  http::Request request = Get(cancellation);
  request.url = parsed.ToString();
  AddRange(offset, &request);
  return StreamOf(WithRetries(registries_->options().retry, request, Refusals::kPass,
                              [&] { return client->Send(request); }),
                  offset);
}

}  // namespace podium::image
