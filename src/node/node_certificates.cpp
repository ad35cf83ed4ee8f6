#include "node/node_certificates.h"

#include <algorithm>
#include <utility>

#include "api/types/core_v1.h"
#include "client/certificate_request.h"
#include "client/paths.h"
#include "linux/path.h"
#include "pki/keys.h"

namespace podium::node {
namespace {

using api::core::v1::ConfigMap;

constexpr const char* kClientFile = "kubelet-client-current.pem";
constexpr const char* kServingFile = "kubelet-server-current.pem";
constexpr size_t kMostBytes = size_t{256} << 10;

Result<std::string> ReadRootCa(client::Connection& connection) {
  TRY(const client::Target target,
      client::TargetOf(reflect::TypeOf<ConfigMap>(), {"kube-system", "kube-root-ca.crt"}));
  const auto got = connection.Get(target, {});
  if (!got.ok() && got.error().code() != Code::kNotFound) return got.error();
  if (got.ok()) {
    const auto map = got->As<ConfigMap>();
    const auto found = map->data.find("ca.crt");
    if (found != map->data.end()) return found->second;
  }
  return Error(Code::kUnavailable,
               "the cluster has no ConfigMap kube-system/kube-root-ca.crt yet; its controllers "
               "make it");
}

}  // namespace

struct NodeCertificates::Wanted {
  const char* file;
  client::CertificateOrder order;
  std::vector<pki::Certificate> authorities;
};

Result<int64_t> NodeCertificates::Renew(client::Connection& approver) {
  TRY(std::string root_ca, ReadRootCa(approver));
  TRY(const auto authorities, pki::Certificate::AllFromPem(root_ca));
  const pki::Subject subject{.common_name = "system:node:" + options_.node_name,
                             .organizations = {"system:nodes"}};
  TRY(auto client,
      LoadOrMake(approver, {.file = kClientFile,
                            .order = {.signer = "kubernetes.io/kube-apiserver-client-kubelet",
                                      .subject = subject,
                                      .usages = {"digital signature", "client auth"}},
                            .authorities = authorities}));
  // Nobody approves this one by rules: that the node has these names is the word of the machine's
  // root.
  TRY(auto serving,
      LoadOrMake(approver,
                 {.file = kServingFile,
                  .order = {.signer = "kubernetes.io/kubelet-serving",
                            .subject = subject,
                            .names = options_.serving,
                            .usages = {"digital signature", "server auth"},
                            .approval = "The agent of this machine has asked for it as root."},
                  .authorities = authorities}));
  const int64_t again = std::min(client->renew_at, serving->renew_at);
  const std::lock_guard lock(mutex_);
  client_ = std::move(client);
  serving_ = std::move(serving);
  root_ca_ = std::move(root_ca);
  return again;
}

Result<std::shared_ptr<const NodeCertificate>> NodeCertificates::LoadOrMake(
    client::Connection& approver, const Wanted& wanted) const {
  TRY(const UniqueFd folder, kernel::MakeFolders(options_.folder, 0700));
  const auto stored = kernel::ReadFile(folder.get(), wanted.file, kMostBytes);
  if (stored.ok()) {
    auto fitting = Fitting(wanted, *stored);
    if (fitting.ok()) return std::make_shared<const NodeCertificate>(*std::move(fitting));
  }
  TRY(const pki::PrivateKey key, pki::PrivateKey::Generate());
  TRY(const std::string certificate,
      client::RequestCertificate(approver, clock_, key, wanted.order));
  const std::string pem = certificate + key.Pem();
  TRY(NodeCertificate made, Fitting(wanted, pem));
  TRY_VOID(kernel::ReplaceFile(folder.get(), wanted.file, pem, 0600));
  return std::make_shared<const NodeCertificate>(std::move(made));
}

// What is in the file, when it is what is wanted and has time left. Errors say what is wrong.
Result<NodeCertificate> NodeCertificates::Fitting(const Wanted& wanted,
                                                  const std::string& pem) const {
  TRY(const auto chain, pki::Certificate::AllFromPem(pem));
  TRY(const pki::PrivateKey key, pki::PrivateKey::FromPem(pem));
  const pki::Certificate& leaf = chain.front();
  const auto unfit = [&](const char* what) {
    return Error(Code::kInvalidArgument, std::string(wanted.file) + ": " + what);
  };
  if (!(leaf.public_key() == key.public_key())) return unfit("the key is another one's");
  if (!(leaf.subject() == wanted.order.subject)) return unfit("it is for somebody else");
  if (!(leaf.alternative_names() == wanted.order.names)) return unfit("it has other names");
  if (std::ranges::none_of(wanted.authorities,
                           [&](const auto& each) { return leaf.IsSignedBy(each); })) {
    return unfit("it is of another cluster");
  }
  const int64_t life = leaf.not_after() - leaf.not_before();
  NodeCertificate fitting{.key = key.Pem(), .renew_at = leaf.not_before() + life / 5 * 4};
  if (clock_.Now() / kNanosPerSecond >= fitting.renew_at) return unfit("its time is over");
  for (const pki::Certificate& each : chain) fitting.certificate += each.Pem();
  return fitting;
}

std::shared_ptr<const NodeCertificate> NodeCertificates::client() const {
  const std::lock_guard lock(mutex_);
  return client_;
}
std::shared_ptr<const NodeCertificate> NodeCertificates::serving() const {
  const std::lock_guard lock(mutex_);
  return serving_;
}
std::string NodeCertificates::root_ca() const {
  const std::lock_guard lock(mutex_);
  return root_ca_;
}

}  // namespace podium::node
