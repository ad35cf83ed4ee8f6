#include "apiserver/authentication/credentials_folder.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "apiserver/authentication/admin_kubeconfig.h"
#include "apiserver/authentication/credential_files.h"
#include "apiserver/user.h"

namespace podium::apiserver {
namespace {

using pki::Certificate;
using pki::CertificateAuthority;
using pki::PrivateKey;

constexpr int64_t kDay = 86400;
constexpr int64_t kAuthorityLife = 3650 * kDay;
constexpr int64_t kLeafLife = 365 * kDay;
constexpr char kAuthorityName[] = "kubernetes";

// Four fifths of its life.
int64_t RenewalOf(int64_t not_before, int64_t not_after) {
  return not_before + (not_after - not_before) / 5 * 4;
}

KeyedCertificate InPem(const Certificate& certificate, const PrivateKey& key) {
  return {.certificate = certificate.Pem(),
          .key = key.Pem(),
          .not_after = certificate.not_after(),
          .renew_at = RenewalOf(certificate.not_before(), certificate.not_after())};
}

bool IsFresh(const Certificate& certificate, int64_t now) {
  return certificate.not_before() <= now &&
         now < RenewalOf(certificate.not_before(), certificate.not_after());
}

Error At(const std::string& path, Error error) { return std::move(error).WithContext(path); }

// Nothing where there is no such file.
Result<std::optional<PrivateKey>> ReadKey(const std::string& path) {
  TRY(const auto text, ReadSecretFile(path));
  if (!text) return std::optional<PrivateKey>();
  auto key = PrivateKey::FromPem(*text);
  if (!key.ok()) return At(path, std::move(key).error());
  return std::optional<PrivateKey>(*std::move(key));
}

Result<std::optional<Certificate>> ReadCertificate(const std::string& path) {
  TRY(const auto text, ReadSecretFile(path));
  if (!text) return std::optional<Certificate>();
  auto certificate = Certificate::FromPem(*text);
  if (!certificate.ok()) return At(path, std::move(certificate).error());
  return std::optional<Certificate>(*std::move(certificate));
}

std::vector<std::string> Sorted(std::vector<std::string> list) {
  std::ranges::sort(list);
  const auto rest = std::ranges::unique(list);
  list.erase(rest.begin(), rest.end());
  return list;
}

// What is wrong with a certificate that is there for what it is wanted for; "" for nothing.
std::string WhyNot(const Certificate& certificate, const PrivateKey& key,
                   const CertificateAuthority& ca, const CertificateAuthority::Order& order,
                   int64_t now) {
  if (!(certificate.public_key() == key.public_key())) return "is of another key";
  if (!certificate.IsSignedBy(ca.certificate())) return "is of another certificate authority";
  if (!(certificate.subject() == order.subject)) return "is of another subject";
  if (!(certificate.alternative_names() == order.names)) return "is for other names";
  if (now > certificate.not_after()) return "has expired";
  return IsFresh(certificate, now) ? "" : "is due";
}

Result<CertificateAuthority> NewAuthority(const std::string& folder, PrivateKey key, int64_t now,
                                          SecretFiles* files) {
  TRY(CertificateAuthority ca,
      CertificateAuthority::CreateFor(std::move(key), kAuthorityName, now - pki::kBackdateSeconds,
                                      now + kAuthorityLife));
  files->Put(folder + "/ca.crt", ca.certificate().Pem());
  return ca;
}

// The authority that is there; a new certificate for its key when the old one is due or was never
// written, which leaves everything valid that the key has signed; or a new one of both.
Result<CertificateAuthority> OpenAuthority(const std::string& folder, int64_t now,
                                           SecretFiles* files, std::vector<std::string>* notes) {
  const std::string key_path = folder + "/ca.key";
  const std::string certificate_path = folder + "/ca.crt";
  TRY(auto key, ReadKey(key_path));
  TRY(auto certificate, ReadCertificate(certificate_path));
  if (!key && certificate) {
    return Error(Code::kDataLoss,
                 fmt::format("{} is there without its key: put ca.key back, or move the folder "
                             "away to begin with another authority, which no client trusts yet",
                             certificate_path));
  }
  if (!key) {
    TRY(PrivateKey made, PrivateKey::Generate());
    files->Put(key_path, made.Pem());
    return NewAuthority(folder, std::move(made), now, files);
  }
  if (!certificate) {
    notes->push_back(certificate_path + " was not there, and is made for ca.key");
    return NewAuthority(folder, *std::move(key), now, files);
  }
  auto ca = CertificateAuthority::Load(*certificate, *key);
  if (!ca.ok()) {
    return At(certificate_path + " does not fit " + key_path, std::move(ca).error());
  }
  // One that others made, under another name, is theirs to renew.
  if (IsFresh(*certificate, now) || certificate->subject().common_name != kAuthorityName) {
    if (now > certificate->not_after()) {
      return Error(Code::kInvalidArgument, certificate_path + " has expired");
    }
    return ca;
  }
  notes->push_back(certificate_path + " is renewed, with the same key");
  return NewAuthority(folder, *std::move(key), now, files);
}

Result<PrivateKey> OpenServiceAccountKey(const std::string& path, SecretFiles* files) {
  TRY(auto key, ReadKey(path));
  if (key && key->public_key().kind() == pki::KeyKind::kEd25519) {
    return Error(Code::kInvalidArgument, path + ": tokens take ECDSA or RSA keys, not Ed25519");
  }
  if (key) return *std::move(key);
  TRY(PrivateKey made, PrivateKey::Generate());
  files->Put(path, made.Pem());
  return made;
}

}  // namespace

CredentialsFolder::CredentialsFolder(CredentialsOptions options, const Clock& clock,
                                     CertificateAuthority ca, PrivateKey service_account_key)
    : options_(std::move(options)),
      clock_(clock),
      ca_(std::move(ca)),
      service_account_key_(std::move(service_account_key)) {}

Result<std::unique_ptr<CredentialsFolder>> CredentialsFolder::Open(CredentialsOptions options,
                                                                   const Clock& clock) {
  if (options.kubeconfig_path.empty()) options.kubeconfig_path = options.folder + "/admin.conf";
  TRY_VOID(MakeSecretFolder(options.folder));
  std::vector<std::string> notes;
  const int64_t now = clock.Now() / kNanosPerSecond;
  SecretFiles files;
  TRY(CertificateAuthority ca, OpenAuthority(options.folder, now, &files, &notes));
  TRY(PrivateKey key, OpenServiceAccountKey(options.folder + "/sa.key", &files));
  std::unique_ptr<CredentialsFolder> folder(
      new CredentialsFolder(std::move(options), clock, std::move(ca), std::move(key)));
  folder->notes_ = std::move(notes);
  TRY_VOID(folder->RenewWith(&files));
  return folder;
}

int64_t CredentialsFolder::Now() const { return clock_.Now() / kNanosPerSecond; }

std::string CredentialsFolder::PathOf(std::string_view name) const {
  return fmt::format("{}/{}", options_.folder, name);
}

void CredentialsFolder::Note(std::string note) {
  const std::lock_guard lock(mutex_);
  notes_.push_back(std::move(note));
}

std::vector<std::string> CredentialsFolder::TakeNotes() {
  const std::lock_guard lock(mutex_);
  return std::exchange(notes_, {});
}

CertificateAuthority::Order CredentialsFolder::ServingOrder() const {
  const int64_t now = Now();
  std::vector<std::string> dns = {"kubernetes", "kubernetes.default", "kubernetes.default.svc",
                                  "kubernetes.default.svc." + options_.cluster_domain, "localhost"};
  std::vector<std::string> addresses = {"127.0.0.1", "::1"};
  dns.insert(dns.end(), options_.host_names.begin(), options_.host_names.end());
  addresses.insert(addresses.end(), options_.addresses.begin(), options_.addresses.end());
  return {.subject = {.common_name = "kube-apiserver"},
          .names = {.dns = Sorted(std::move(dns)), .addresses = Sorted(std::move(addresses))},
          .usages = {.digital_signature = true, .key_encipherment = true, .server_auth = true},
          .not_before = now - pki::kBackdateSeconds,
          .not_after = now + kLeafLife};
}

Result<KeyedCertificate> CredentialsFolder::Make(const std::string& name,
                                                 const CertificateAuthority::Order& order,
                                                 SecretFiles* files) {
  TRY(const PrivateKey key, PrivateKey::Generate());
  TRY(const Certificate certificate, ca_.Issue(key.public_key(), order));
  KeyedCertificate made = InPem(certificate, key);
  // A crash between the two may leave a certificate of another key, which the next start makes
  // anew.
  files->Put(PathOf(name + ".key"), made.key);
  files->Put(PathOf(name + ".crt"), made.certificate);
  return made;
}

Result<KeyedCertificate> CredentialsFolder::LoadOrMake(const std::string& name,
                                                       const CertificateAuthority::Order& order,
                                                       SecretFiles* files) {
  const std::string path = PathOf(name + ".crt");
  const auto key = ReadKey(PathOf(name + ".key"));
  const auto certificate = ReadCertificate(path);
  std::string why;
  if (!key.ok()) {
    why = "has no key that can be read: " + key.error().message();
  } else if (!certificate.ok()) {
    why = "cannot be read: " + certificate.error().message();
  } else if (key->has_value() && certificate->has_value()) {
    why = WhyNot(**certificate, **key, ca_, order, Now());
    if (why.empty()) {
      return InPem(**certificate, **key);
    }
  } else if (key->has_value() != certificate->has_value()) {
    why = "or its key was not there";
  }
  if (!why.empty()) Note(fmt::format("{} {}; it is made anew", path, why));
  return Make(name, order, files);
}

Result<KeyedCertificate> CredentialsFolder::PrepareAdmin(SecretFiles* files) {
  const int64_t now = Now();
  TRY(KeyedCertificate admin,
      LoadOrMake(
          "admin",
          {.subject = {.common_name = std::string(kAdminUser),
                       .organizations = {std::string(kMastersGroup)}},
           .usages = {.digital_signature = true, .key_encipherment = true, .client_auth = true},
           .not_before = now - pki::kBackdateSeconds,
           .not_after = now + kLeafLife},
          files));
  std::string yaml = ToYaml({.server_url = options_.server_url,
                             .ca = ca_pem(),
                             .client_certificate = admin.certificate,
                             .client_key = admin.key});
  const auto there = ReadSecretFile(options_.kubeconfig_path);
  if (!there.ok() || *there != yaml) files->Put(options_.kubeconfig_path, std::move(yaml));
  return admin;
}

std::shared_ptr<const KeyedCertificate> CredentialsFolder::serving() const {
  const std::lock_guard lock(mutex_);
  return serving_;
}

std::shared_ptr<const KeyedCertificate> CredentialsFolder::kubelet_client() const {
  const std::lock_guard lock(mutex_);
  return kubelet_client_;
}

void CredentialsFolder::OnNewServing(std::function<void(const KeyedCertificate&)> callback) {
  const std::lock_guard lock(mutex_);
  on_new_serving_ = std::move(callback);
}

Result<int64_t> CredentialsFolder::Renew() {
  SecretFiles files;
  return RenewWith(&files);
}

Result<int64_t> CredentialsFolder::RenewWith(SecretFiles* files) {
  TRY(KeyedCertificate serving, LoadOrMake("apiserver", ServingOrder(), files));
  TRY(const KeyedCertificate admin, PrepareAdmin(files));
  TRY(KeyedCertificate kubelet_client,
      IssueClient({.common_name = "kube-apiserver-kubelet-client",
                   .organizations = {std::string(kMastersGroup)}}));
  TRY_VOID(files->Commit());
  // No sooner than in a minute: where the authority itself ends, so does all it signs.
  const int64_t due =
      std::max(std::min({serving.renew_at, kubelet_client.renew_at, admin.renew_at}), Now() + 60);
  const auto shared = std::make_shared<const KeyedCertificate>(std::move(serving));
  std::function<void(const KeyedCertificate&)> callback;
  {
    const std::lock_guard lock(mutex_);
    if (serving_ != nullptr && serving_->certificate != shared->certificate) {
      callback = on_new_serving_;
    }
    serving_ = shared;
    kubelet_client_ = std::make_shared<const KeyedCertificate>(std::move(kubelet_client));
  }
  if (callback) callback(*shared);
  return due;
}

Result<KeyedCertificate> CredentialsFolder::IssueClient(const pki::Subject& subject) const {
  const int64_t now = Now();
  TRY(const PrivateKey key, PrivateKey::Generate());
  TRY(const Certificate certificate,
      ca_.Issue(
          key.public_key(),
          {.subject = subject,
           .usages = {.digital_signature = true, .key_encipherment = true, .client_auth = true},
           .not_before = now - pki::kBackdateSeconds,
           .not_after = now + kLeafLife}));
  return InPem(certificate, key);
}

}  // namespace podium::apiserver
