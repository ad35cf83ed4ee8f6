#include "apiserver/usage/kubelet_pages.h"

#include <chrono>
#include <utility>

#include "apiserver/nodes/locations.h"

namespace podium::apiserver {
namespace {

constexpr std::chrono::seconds kPatience{5};
// A page of a node that is full of pods has some hundred bytes a container.
constexpr size_t kMostPage = size_t{32} << 20;

}  // namespace

Result<std::unique_ptr<KubeletPages>> KubeletPages::Create(const Objects& objects,
                                                           ClientCertificate certificate,
                                                           std::string roots) {
  TRY(auto cancellation, http::Cancellation::Create());
  return std::unique_ptr<KubeletPages>(
      new KubeletPages(objects, std::move(certificate), std::move(roots), std::move(cancellation)));
}

Result<std::shared_ptr<const http::Client>> KubeletPages::ClientOfNow() {
  const std::lock_guard lock(mutex_);
  auto certificate = certificate_();
  if (client_ == nullptr || certificate != shown_) {
    http::ClientOptions options;
    options.tls = {.extra_roots = roots_,
                   .system_roots = false,
                   .certificate = certificate->certificate,
                   .key = certificate->key};
    options.timeouts = {.connect = kPatience, .idle = kPatience, .total = kPatience};
    TRY(http::Client client, http::Client::Create(std::move(options)));
    client_ = std::make_shared<const http::Client>(std::move(client));
    shown_ = std::move(certificate);
  }
  return client_;
}

Result<std::string> KubeletPages::Fetch(const std::string& node, const std::string& path) {
  TRY(const BackendLocation location, KubeletLocation(objects_, node));
  TRY(const auto client, ClientOfNow());
  http::Request request;
  request.url = "https://" + location.Authority() + path;
  request.cancellation = cancellation_.get();
  TRY(http::Response response, client->Send(request));
  if (response.status() != 200) {
    return Error(Code::kUnavailable,
                 "node " + node + " answers " + std::to_string(response.status()));
  }
  return response.ReadAll(kMostPage);
}

}  // namespace podium::apiserver
