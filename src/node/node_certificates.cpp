#include "node/node_certificates.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "api/types/core_v1.h"
#include "client/certificate_request.h"
#include "client/paths.h"
#include "linux/path.h"
#include "pki/certificate_authority.h"
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
  std::vector<pki::Certificate> authorities = {};  // one of these has signed it; empty: anyone
  std::chrono::seconds patience{30};
};

NodeCertificates::Wanted NodeCertificates::WantedClient() const {
  return {.file = kClientFile,
          .order = {.signer = "kubernetes.io/kube-apiserver-client-kubelet",
                    .subject = {.common_name = "system:node:" + options_.node_name,
                                .organizations = {"system:nodes"}},
                    .usages = {"digital signature", "client auth"}}};
}

NodeCertificates::Wanted NodeCertificates::WantedServing() const {
  return {.file = kServingFile,
          .order = {.signer = "kubernetes.io/kubelet-serving",
                    .subject = {.common_name = "system:node:" + options_.node_name,
                                .organizations = {"system:nodes"}},
                    .names = options_.serving,
                    .usages = {"digital signature", "server auth"}}};
}

Result<int64_t> NodeCertificates::Renew(client::Connection& approver) {
  TRY(std::string root_ca, ReadRootCa(approver));
  Wanted wanted_client = WantedClient();
  TRY(wanted_client.authorities, pki::Certificate::AllFromPem(root_ca));
  TRY(auto client, LoadOrMake(approver, wanted_client));
  Wanted wanted_serving = WantedServing();
  wanted_serving.authorities = wanted_client.authorities;
  // Nobody approves this one by rules: that the node has these names is the word of the machine's
  // root.
  wanted_serving.order.approval = "The agent of this machine has asked for it as root.";
  TRY(auto serving, LoadOrMake(approver, wanted_serving));
  const int64_t again = std::min(client->renew_at, serving->renew_at);
  const std::lock_guard lock(mutex_);
  client_ = std::move(client);
  serving_ = std::move(serving);
  root_ca_ = std::move(root_ca);
  return again;
}

void NodeCertificates::Load() {
  auto client = LoadFitting(WantedClient());
  auto serving = LoadFitting(WantedServing());
  const std::lock_guard lock(mutex_);
  if (client.ok()) client_ = *std::move(client);
  if (serving.ok()) serving_ = *std::move(serving);
}

Result<int64_t> NodeCertificates::RenewClient(client::Connection& asker, bool anew) {
  const CertificatePtr now = client();
  if (now && !anew && !IsDue(*now)) return now->renew_at;
  TRY(CertificatePtr made, Make(asker, WantedClient()));
  const std::lock_guard lock(mutex_);
  client_ = std::move(made);
  return client_->renew_at;
}

Result<int64_t> NodeCertificates::RenewServing(client::Connection& asker,
                                               std::chrono::seconds patience) {
  Wanted wanted = WantedServing();
  wanted.patience = patience;
  const auto stored = LoadFitting(wanted);
  if (stored.ok() && !IsDue(**stored)) {
    const std::lock_guard lock(mutex_);
    serving_ = *stored;
    return serving_->renew_at;
  }
  TRY(CertificatePtr made, Make(asker, wanted));
  const std::lock_guard lock(mutex_);
  serving_ = std::move(made);
  return serving_->renew_at;
}

Result<void> NodeCertificates::UseSelfSigned() {
  if (const CertificatePtr now = serving(); now && !IsDue(*now)) return {};
  constexpr int64_t kYear = int64_t{365} * 24 * 3600;
  const int64_t now = clock_.Now() / kNanosPerSecond;
  const int64_t begin = now - pki::kBackdateSeconds;
  const std::string suffix = "@" + std::to_string(now);
  TRY(const auto authority,
      pki::CertificateAuthority::Create(options_.node_name + "-ca" + suffix, begin, now + kYear));
  TRY(const pki::PrivateKey key, pki::PrivateKey::Generate());
  TRY(const pki::Certificate leaf,
      authority.Issue(key.public_key(), {.subject = {.common_name = options_.node_name + suffix},
                                         .names = options_.serving,
                                         .usages = {.digital_signature = true, .server_auth = true},
                                         .not_before = begin,
                                         .not_after = now + kYear}));
  auto made = std::make_shared<const NodeCertificate>(
      NodeCertificate{.certificate = leaf.Pem() + authority.certificate().Pem(),
                      .key = key.Pem(),
                      .renew_at = begin + kYear / 5 * 4,
                      .not_after = now + kYear});
  const std::lock_guard lock(mutex_);
  serving_ = std::move(made);
  return {};
}

Result<NodeCertificates::CertificatePtr> NodeCertificates::LoadFitting(const Wanted& wanted) const {
  TRY(const UniqueFd folder, kernel::MakeFolders(options_.folder, 0700));
  TRY(const std::string stored, kernel::ReadFile(folder.get(), wanted.file, kMostBytes));
  TRY(NodeCertificate fitting, Fitting(wanted, stored));
  return std::make_shared<const NodeCertificate>(std::move(fitting));
}

Result<NodeCertificates::CertificatePtr> NodeCertificates::LoadOrMake(client::Connection& approver,
                                                                      const Wanted& wanted) const {
  auto stored = LoadFitting(wanted);
  if (stored.ok() && !IsDue(**stored)) return stored;
  return Make(approver, wanted);
}

Result<NodeCertificates::CertificatePtr> NodeCertificates::Make(client::Connection& asker,
                                                                const Wanted& wanted) const {
  TRY(const UniqueFd folder, kernel::MakeFolders(options_.folder, 0700));
  TRY(const pki::PrivateKey key, pki::PrivateKey::Generate());
  TRY(const std::string certificate,
      client::RequestCertificate(asker, clock_, key, wanted.order, wanted.patience));
  const std::string pem = certificate + key.Pem();
  TRY(NodeCertificate made, Fitting(wanted, pem));
  TRY_VOID(kernel::ReplaceFile(folder.get(), wanted.file, pem, 0600));
  return std::make_shared<const NodeCertificate>(std::move(made));
}

// What is in the file, when it is what is wanted and lives. Errors say what is wrong.
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
  if (!wanted.authorities.empty() &&
      std::ranges::none_of(wanted.authorities,
                           [&](const auto& each) { return leaf.IsSignedBy(each); })) {
    return unfit("it is of another cluster");
  }
  const int64_t life = leaf.not_after() - leaf.not_before();
  NodeCertificate fitting{.key = key.Pem(),
                          .renew_at = leaf.not_before() + life / 5 * 4,
                          .not_after = leaf.not_after()};
  if (clock_.Now() / kNanosPerSecond >= fitting.not_after) return unfit("its time is over");
  for (const pki::Certificate& each : chain) fitting.certificate += each.Pem();
  return fitting;
}

bool NodeCertificates::IsDue(const NodeCertificate& certificate) const {
  return clock_.Now() / kNanosPerSecond >= certificate.renew_at;
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
