#include "apiserver/authentication/service_account_validator.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <limits>
#include <optional>

#include "api/status.h"
#include "api/time.h"
#include "apiserver/authentication/known_user.h"
#include "apiserver/storage_keys.h"
#include "base/clock.h"
#include "pki/digest.h"

namespace podium::apiserver {
namespace {

using api::core::v1::Node;
using api::core::v1::Pod;
using api::core::v1::Secret;
using api::core::v1::ServiceAccount;

constexpr std::string_view kInvalidated = "service account token has been invalidated";
constexpr std::string_view kInvalidSince = "kubernetes.io/legacy-token-invalid-since";
constexpr std::string_view kLastUsed = "kubernetes.io/legacy-token-last-used";

Error Wrong(std::string_view why) { return Error(Code::kUnauthenticated, std::string(why)); }

store::Revision RevisionOf(const std::string& version) {
  store::Revision revision = 0;
  std::from_chars(version.data(), version.data() + version.size(), revision);
  return revision;
}

class Validation {
 public:
  Validation(const ServiceAccountClaims& claims, std::string_view token, const Objects& objects,
             int64_t now_nanos)
      : claims_(claims), token_(token), objects_(objects), now_(now_nanos) {}

  Result<ValidatedAccount> Run(std::vector<std::string> audiences) {
    result_.from_nanos = now_;
    result_.until_nanos = std::numeric_limits<int64_t>::max();
    who_.audiences = std::move(audiences);
    if (claims_.is_legacy()) {
      TRY_VOID(CheckLegacy());
    } else {
      TRY_VOID(CheckTimes());
      TRY_VOID(CheckAccount());
      TRY_VOID(CheckSecret());
      TRY_VOID(CheckPod());
      TRY_VOID(CheckNode());
      CheckWarning();
    }
    SetUser();
    result_.who = KnownUser(std::move(who_));
    return std::move(result_);
  }

 private:
  // Null when it is not there. What is there is noted, so that an answer can be used again for as
  // long as it does not change.
  template <class T>
  Result<std::shared_ptr<const T>> Get(std::string_view name_space, std::string_view name) {
    TRY(auto object, objects_.Get<T>(name_space, name));
    if (object == nullptr) return object;
    result_.depends_on.emplace_back(
        KeyOf(Objects::PrefixOf(reflect::TypeOf<T>()), name_space, name),
        RevisionOf(object->metadata.resourceVersion));
    return object;
  }

  void StandsUntil(int64_t seconds) {
    // Within years that the API writes, so that nothing overflows.
    result_.until_nanos = std::min(result_.until_nanos, seconds * kNanosPerSecond);
  }

  // Gone for longer than clocks differ. An object that is being deleted is there until then.
  bool IsGone(const std::optional<api::Time>& deletion) {
    if (!deletion) return false;
    const int64_t end = deletion->unix_seconds() + kTokenLeewaySeconds;
    if (end * kNanosPerSecond < now_) return true;
    StandsUntil(end);
    return false;
  }

  Result<void> CheckTimes() {
    const int64_t leeway = kTokenLeewaySeconds * kNanosPerSecond;
    if (claims_.not_before && now_ + leeway < *claims_.not_before * kNanosPerSecond) {
      return Wrong("service account token is not valid yet");
    }
    // Upstream's tokens all have an end, and ours.
    if (!claims_.expires) return Wrong("service account token has no expiry");
    if (now_ - leeway > *claims_.expires * kNanosPerSecond) {
      return Wrong("service account token has expired");
    }
    StandsUntil(*claims_.expires + kTokenLeewaySeconds);
    if (claims_.issued_at && now_ + leeway < *claims_.issued_at * kNanosPerSecond) {
      return Wrong("service account token is issued in the future");
    }
    return {};
  }

  Result<void> CheckAccount() {
    TRY(const auto account, Get<ServiceAccount>(claims_.name_space, claims_.account.name));
    if (account == nullptr) {
      return api::NotFoundError({.group = "", .resource = "serviceaccounts"}, claims_.account.name);
    }
    if (account->metadata.uid != claims_.account.uid) {
      return Wrong(fmt::format("service account UID ({}) does not match claim ({})",
                               account->metadata.uid, claims_.account.uid));
    }
    if (IsGone(account->metadata.deletionTimestamp)) {
      return Wrong(fmt::format("service account {}/{} has been deleted", claims_.name_space,
                               claims_.account.name));
    }
    return {};
  }

  template <class T>
  Result<void> CheckBound(std::string_view kind, std::string_view name_space,
                          const ServiceAccountClaims::Reference& reference) {
    TRY(const auto object, Get<T>(name_space, reference.name));
    if (object == nullptr) return Wrong(kInvalidated);
    if (object->metadata.uid != reference.uid) {
      return Wrong(fmt::format("{} UID ({}) does not match service account {} ref claim ({})", kind,
                               object->metadata.uid, kind, reference.uid));
    }
    if (IsGone(object->metadata.deletionTimestamp)) return Wrong(kInvalidated);
    return {};
  }

  Result<void> CheckSecret() {
    if (!claims_.secret) return {};
    return CheckBound<Secret>("secret", claims_.name_space, *claims_.secret);
  }

  Result<void> CheckPod() {
    if (!claims_.pod) return {};
    TRY_VOID(CheckBound<Pod>("pod", claims_.name_space, *claims_.pod));
    if (claims_.pod->name.empty() || claims_.pod->uid.empty()) return {};
    who_.user.extra[std::string(kPodNameKey)] = {claims_.pod->name};
    who_.user.extra[std::string(kPodUidKey)] = {claims_.pod->uid};
    return {};
  }

  Result<void> CheckNode() {
    if (!claims_.node) return {};
    if (!claims_.pod) TRY_VOID(CheckBound<Node>("node", "", *claims_.node));
    if (claims_.node->name.empty()) return {};
    who_.user.extra[std::string(kNodeNameKey)] = {claims_.node->name};
    if (!claims_.node->uid.empty()) {
      who_.user.extra[std::string(kNodeUidKey)] = {claims_.node->uid};
    }
    return {};
  }

  void CheckWarning() {
    if (claims_.warn_after.value_or(0) == 0) return;
    const int64_t after = now_ / kNanosPerSecond - *claims_.warn_after;
    if (now_ <= *claims_.warn_after * kNanosPerSecond) {
      StandsUntil(*claims_.warn_after);
      return;
    }
    who_.audit_annotations["authentication.k8s.io/stale-token"] =
        fmt::format("subject: {}, seconds after warning threshold: {}", claims_.subject, after);
  }

  Result<void> CheckLegacyClaims() const {
    if (claims_.subject.empty()) return Wrong("sub claim is missing");
    if (claims_.name_space.empty()) return Wrong("namespace claim is missing");
    if (claims_.secret->name.empty()) return Wrong("secretName claim is missing");
    if (claims_.account.name.empty()) return Wrong("serviceAccountName claim is missing");
    if (claims_.account.uid.empty()) return Wrong("serviceAccountUID claim is missing");
    std::string_view name_space;
    std::string_view name;
    if (!SplitServiceAccountName(claims_.subject, &name_space, &name) ||
        name_space != claims_.name_space || name != claims_.account.name) {
      return Wrong("sub claim is invalid");
    }
    return {};
  }

  Result<void> CheckLegacy() {
    TRY_VOID(CheckLegacyClaims());
    TRY(const auto secret, Get<Secret>(claims_.name_space, claims_.secret->name));
    if (secret == nullptr || secret->metadata.deletionTimestamp) {
      return Wrong("Token has been invalidated");
    }
    const auto data = secret->data.find("token");
    if (data == secret->data.end() || !pki::EqualInConstantTime(data->second.data, token_)) {
      return Wrong("Token does not match server's copy");
    }
    TRY(const auto account, Get<ServiceAccount>(claims_.name_space, claims_.account.name));
    if (account == nullptr) {
      return api::NotFoundError({.group = "", .resource = "serviceaccounts"}, claims_.account.name);
    }
    if (account->metadata.deletionTimestamp) {
      return Wrong(fmt::format("ServiceAccount {}/{} has been deleted", claims_.name_space,
                               claims_.account.name));
    }
    if (account->metadata.uid != claims_.account.uid) {
      return Wrong(fmt::format("ServiceAccount UID ({}) does not match claim ({})",
                               account->metadata.uid, claims_.account.uid));
    }
    return CheckMarks(*secret, *account);
  }

  Result<void> CheckMarks(const Secret& secret, const ServiceAccount& account) {
    const auto invalid = secret.metadata.labels.find(kInvalidSince);
    if (invalid != secret.metadata.labels.end() && !invalid->second.empty()) {
      return Wrong(fmt::format(
          "the token in secret {}/{} for service account {}/{} has been marked invalid. Use tokens "
          "from the TokenRequest API or manually created secret-based tokens, or remove the '{}' "
          "label from the secret to temporarily allow use of this token",
          claims_.name_space, secret.metadata.name, claims_.name_space, account.metadata.name,
          kInvalidSince));
    }
    const bool generated = std::ranges::any_of(
        account.secrets, [&](const auto& listed) { return listed.name == secret.metadata.name; });
    if (generated) {
      who_.warnings.emplace_back(
          "Use tokens from the TokenRequest API or manually created secret-based tokens instead "
          "of auto-generated secret-based tokens.");
    }
    who_.audit_annotations[generated ? "authentication.k8s.io/legacy-token-autogenerated-secret"
                                     : "authentication.k8s.io/legacy-token-manual-secret"] =
        secret.metadata.name;
    who_.audit_annotations["authentication.k8s.io/legacy-token"] = claims_.subject;
    CheckLabel(secret);
    return {};
  }

  // Days in UTC; tomorrow's counts as upstream has it, for servers whose clocks are early.
  void CheckLabel(const Secret& secret) {
    constexpr int64_t kDay = 86400;
    const int64_t seconds = now_ / kNanosPerSecond;
    const auto day = [](int64_t time) { return api::Time::FromUnix(time).String().substr(0, 10); };
    const auto label = secret.metadata.labels.find(kLastUsed);
    const std::string used = label != secret.metadata.labels.end() ? label->second : "";
    result_.label_is_old = used != day(seconds) && used != day(seconds + kDay);
    StandsUntil((seconds / kDay + 1) * kDay);
  }

  void SetUser() {
    who_.user.name =
        fmt::format("{}{}:{}", kServiceAccountPrefix, claims_.name_space, claims_.account.name);
    who_.user.uid = claims_.account.uid;
    who_.user.groups = ServiceAccountGroups(claims_.name_space);
    if (!claims_.id.empty()) {
      who_.user.extra[std::string(kCredentialIdKey)] = {"JTI=" + claims_.id};
    }
  }

  const ServiceAccountClaims& claims_;
  const std::string_view token_;
  const Objects& objects_;
  const int64_t now_;
  Authenticated who_;
  ValidatedAccount result_;
};

}  // namespace

Result<ValidatedAccount> ValidateAccount(const ServiceAccountClaims& claims, std::string_view token,
                                         std::vector<std::string> audiences, const Objects& objects,
                                         int64_t now_nanos) {
  return Validation(claims, token, objects, now_nanos).Run(std::move(audiences));
}

}  // namespace podium::apiserver
