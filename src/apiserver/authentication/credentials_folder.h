// The keys and certificates of a cluster, in one folder: made at the first start in a few
// milliseconds, loaded at every other one, and renewed in time. Names are those of kubeadm's
// /etc/kubernetes/pki, so that who knows them finds his way:
//
//   ca.key, ca.crt                who signs servers and clients of the cluster; 10 years
//   apiserver.key, apiserver.crt  what the API server shows; a year
//   admin.key, admin.crt          the administrator (system:masters); a year
//   admin.conf                    the administrator's kubeconfig, with all of it inline
//   sa.key                        signs tokens of service accounts; has no end
//
// Every file is 0600, in a folder of 0700. Each is written under a name of its own, synced and
// renamed, a key before its certificate, so that a crash leaves nothing half: what is there without
// its other half, or fits it not, is made anew where that can be done without harm, and is an error
// that says what to do where it cannot: the authority's certificate without its key, or with
// another's.
//
// One process at a time; its caller has the lock of the data folder.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "pki/certificate_authority.h"
#include "pki/keys.h"

namespace podium::apiserver {

class SecretFiles;

struct CredentialsOptions {
  std::string folder;  // is made; its parent is there
  // Of the machine and whatever else clients call the server by, beside the names that every
  // cluster has: kubernetes[.default[.svc[.DOMAIN]]], localhost, 127.0.0.1, ::1.
  std::vector<std::string> host_names{};
  std::vector<std::string> addresses{};  // those of the Service `kubernetes` among them
  std::string cluster_domain = "cluster.local";
  // Of the kubeconfig.
  std::string server_url = "https://127.0.0.1:6443";
  // Where the kubeconfig is written; "" for FOLDER/admin.conf.
  std::string kubeconfig_path{};
};

// A certificate with those behind it, and its key, in PEM.
struct KeyedCertificate {
  std::string certificate;
  std::string key;
  int64_t not_after = 0;  // seconds since 1970
  int64_t renew_at = 0;   // likewise: four fifths of its life are over
};

class CredentialsFolder {
 public:
  // Loads what is there and makes what is not. The clock outlives it. kInvalidArgument,
  // kDataLoss: a file that does not fit, with its path and what to do.
  static Result<std::unique_ptr<CredentialsFolder>> Open(CredentialsOptions options,
                                                         const Clock& clock);

  const pki::CertificateAuthority& ca() const { return ca_; }
  std::string ca_pem() const { return ca_.certificate().Pem(); }
  // The first is what tokens are signed with; one per start of the server so far.
  const pki::PrivateKey& service_account_key() const { return service_account_key_; }
  const std::string& kubeconfig_path() const { return options_.kubeconfig_path; }

  // What the server shows. Threads: any.
  std::shared_ptr<const KeyedCertificate> serving() const;
  // What the server shows to kubelets, from memory; of user kube-apiserver-kubelet-client.
  std::shared_ptr<const KeyedCertificate> kubelet_client() const;
  // Called by Renew, in its thread, with what takes the place of serving().
  void OnNewServing(std::function<void(const KeyedCertificate&)> callback);

  // Makes anew what has lived four fifths of its time. Returns when it should be called again, in
  // seconds since 1970. After an error everything is as it was. One thread at a time.
  Result<int64_t> Renew();

  // A certificate for a client, with a key of its own, for a year: a node's agent on this machine.
  // Any thread.
  Result<KeyedCertificate> IssueClient(const pki::Subject& subject) const;

  // What Open and Renew did that an administrator should see in the log, in sentences.
  std::vector<std::string> TakeNotes();

 private:
  CredentialsFolder(CredentialsOptions options, const Clock& clock, pki::CertificateAuthority ca,
                    pki::PrivateKey service_account_key);
  int64_t Now() const;
  std::string PathOf(std::string_view name) const;
  // What is there for this order, where it fits and has time left; made anew otherwise.
  Result<KeyedCertificate> LoadOrMake(const std::string& name,
                                      const pki::CertificateAuthority::Order& order,
                                      SecretFiles* files);
  Result<KeyedCertificate> Make(const std::string& name,
                                const pki::CertificateAuthority::Order& order, SecretFiles* files);
  pki::CertificateAuthority::Order ServingOrder() const;
  Result<KeyedCertificate> PrepareAdmin(SecretFiles* files);
  Result<int64_t> RenewWith(SecretFiles* files);
  void Note(std::string note);

  CredentialsOptions options_;
  const Clock& clock_;
  const pki::CertificateAuthority ca_;
  const pki::PrivateKey service_account_key_;

  mutable std::mutex mutex_;
  std::shared_ptr<const KeyedCertificate> serving_;
  std::shared_ptr<const KeyedCertificate> kubelet_client_;
  std::function<void(const KeyedCertificate&)> on_new_serving_;
  std::vector<std::string> notes_;
};

}  // namespace podium::apiserver
