#include <set>
#include <string>
#include <string_view>

#include "api/labels.h"
#include "api/validation/common.h"
#include "api/validation/object_meta.h"
#include "api/validation/signers.h"
#include "api/validation/volume_paths.h"
#include "api/validation/volume_sources.h"

namespace podium::api {
namespace {

constexpr int64_t kMinTokenSeconds = int64_t{10} * 60;
constexpr int64_t kMaxTokenSeconds = int64_t{1} << 32;
constexpr int32_t kMinCertificateSeconds = 60 * 60;
constexpr int32_t kMaxCertificateSeconds = 91 * 24 * 60 * 60;
// Signers of the Kubernetes project itself issue for a day.
constexpr int32_t kMaxKubernetesCertificateSeconds = 24 * 60 * 60;

// Checks the sources of one projected volume; paths must differ between all of them.
class ProjectionCheck {
 public:
  ProjectionCheck(const field::Path& path, const PodValidationOptions& options,
                  field::ErrorList* errors)
      : path_(path), options_(options), errors_(errors) {}

  void Source(const core::v1::VolumeProjection& source, const field::Path& path) {
    int kinds = 0;
    const auto one = [&](const auto& box, std::string_view name, auto check) {
      if (!box) return;
      ++kinds;
      (this->*check)(*box, path.Child(name));
    };
    one(source.secret, "secret", &ProjectionCheck::Files<core::v1::SecretProjection>);
    one(source.configMap, "configMap", &ProjectionCheck::Files<core::v1::ConfigMapProjection>);
    one(source.downwardAPI, "downwardAPI", &ProjectionCheck::DownwardApi);
    one(source.serviceAccountToken, "serviceAccountToken", &ProjectionCheck::Token);
    one(source.clusterTrustBundle, "clusterTrustBundle", &ProjectionCheck::TrustBundle);
    one(source.podCertificate, "podCertificate", &ProjectionCheck::Certificate);
    if (kinds > 1) {
      errors_->Add(field::Forbidden(path, "may not specify more than 1 volume type per source"));
    }
  }

 private:
  // Of a Secret or ConfigMap.
  template <class Projection>
  void Files(const Projection& projection, const field::Path& path) {
    CheckNotEmpty(projection.name, path, "name", errors_);
    const field::Path items = path.Child("items");
    for (size_t i = 0; i < projection.items.size(); ++i) {
      const auto& item = projection.items[i];
      CheckKeyToPath(item, items.Index(i), errors_);
      if (!item.path.empty()) Claim(item.path, projection.name);
    }
  }

  void DownwardApi(const core::v1::DownwardAPIProjection& projection, const field::Path& path) {
    for (const auto& file : projection.items) {
      CheckDownwardApiFile(file, path, errors_);
      if (!file.path.empty()) Claim(file.path, file.path);
    }
  }

  void Token(const core::v1::ServiceAccountTokenProjection& token, const field::Path& path) {
    const field::Path expiration = path.Child("expirationSeconds");
    const int64_t seconds = token.expirationSeconds.value_or(0);
    if (seconds < kMinTokenSeconds) {
      errors_->Add(
          field::Invalid(expiration, seconds, "may not specify a duration less than 10 minutes"));
    }
    if (seconds > kMaxTokenSeconds) {
      errors_->Add(field::Invalid(expiration, seconds,
                                  "may not specify a duration larger than 2^32 seconds"));
    }
    // As upstream, the path stands as if it were the volume's own.
    const field::Path token_path = path_.Child("path");
    if (token.path.empty()) {
      errors_->Add(field::Required(token_path, ""));
    } else if (!options_.allow_non_local_projected_token_path) {
      errors_->Append(ValidateLocalNonReservedPath(token.path, token_path));
    }
  }

  void TrustBundle(const core::v1::ClusterTrustBundleProjection& bundle, const field::Path& path) {
    if (bundle.name && bundle.signerName) {
      errors_->Add(field::Invalid(path, BundleAsUpstreamPrints(bundle),
                                  "only one of name and signerName may be used"));
    } else if (bundle.name) {
      BundleByName(bundle, path);
    } else if (bundle.signerName) {
      BundleBySigner(bundle, path);
    } else {
      errors_->Add(field::Required(path, "either name or signerName must be specified"));
    }
    CheckNotEmpty(bundle.path, path, "path", errors_);
    errors_->Append(ValidateLocalNonReservedPath(bundle.path, path.Child("path")));
    Claim(bundle.path, bundle.path);
  }

  void BundleByName(const core::v1::ClusterTrustBundleProjection& bundle, const field::Path& path) {
    const field::Path name_path = path.Child("name");
    if (bundle.name->empty()) {
      errors_->Add(field::Required(name_path, "must be a valid object name"));
    }
    for (const std::string& message : ClusterTrustBundleNameProblems(*bundle.name)) {
      errors_->Add(field::Invalid(name_path, *bundle.name,
                                  "not a valid clustertrustbundlename: " + message));
    }
    if (bundle.labelSelector) {
      errors_->Add(field::Invalid(path.Child("labelSelector"), bundle.labelSelector,
                                  "labelSelector must be unset if name is specified"));
    }
  }

  void BundleBySigner(const core::v1::ClusterTrustBundleProjection& bundle,
                      const field::Path& path) {
    const field::Path signer_path = path.Child("signerName");
    if (bundle.signerName->empty()) {
      errors_->Add(field::Required(signer_path, "must be a valid signer name"));
    }
    errors_->Append(ValidateSignerName(*bundle.signerName, signer_path));
    if (bundle.labelSelector) {
      errors_->Append(ValidateLabelSelector(*bundle.labelSelector, path.Child("labelSelector")));
    }
  }

  void Certificate(const core::v1::PodCertificateProjection& certificate, const field::Path& path) {
    errors_->Append(ValidateSignerName(certificate.signerName, path.Child("signerName")));
    errors_->Append(
        ValidateUserAnnotations(certificate.userAnnotations, path.Child("userAnnotations")));
    CheckKeyType(certificate.keyType, path.Child("keyType"));
    CheckLifetime(certificate, path.Child("maxExpirationSeconds"));
    bool any_path = false;
    const auto file = [&](const std::string& target, std::string_view name) {
      if (target.empty()) return;
      any_path = true;
      errors_->Append(ValidateLocalNonReservedPath(target, path.Child(name)));
      Claim(target, target);
    };
    file(certificate.credentialBundlePath, "credentialBundlePath");
    file(certificate.keyPath, "keyPath");
    file(certificate.certificateChainPath, "certificateChainPath");
    if (!any_path) {
      errors_->Add(field::Required(
          path, "specify at least one of credentialBundlePath, keyPath, and certificateChainPath"));
    }
  }

  void CheckKeyType(const std::string& type, const field::Path& path) {
    static constexpr std::initializer_list<std::string_view> kTypes = {
        "RSA3072", "RSA4096", "ECDSAP256", "ECDSAP384", "ECDSAP521", "ED25519"};
    if (!IsOneOf(type, kTypes)) errors_->Add(field::NotSupported(path, type, kTypes));
  }

  void CheckLifetime(const core::v1::PodCertificateProjection& certificate,
                     const field::Path& path) {
    if (!certificate.maxExpirationSeconds) return;
    const int32_t seconds = *certificate.maxExpirationSeconds;
    if (seconds < kMinCertificateSeconds) {
      errors_->Add(
          field::Invalid(path, seconds, "if provided, maxExpirationSeconds must be >= 3600"));
    }
    const int32_t max = IsKubernetesSignerName(certificate.signerName)
                            ? kMaxKubernetesCertificateSeconds
                            : kMaxCertificateSeconds;
    if (seconds > max) {
      errors_->Add(field::Invalid(
          path, seconds, "if provided, maxExpirationSeconds must be <= " + std::to_string(max)));
    }
  }

  // Takes a path of the volume; `value` is what an error shows.
  void Claim(std::string_view target, std::string_view value) {
    if (!paths_.insert(target).second) {
      errors_->Add(field::Invalid(path_, value, "conflicting duplicate paths"));
    }
  }

  // Upstream's internal type has no JSON names: its fields print as in Go.
  static field::BadValue BundleAsUpstreamPrints(
      const core::v1::ClusterTrustBundleProjection& bundle) {
    const auto text = [](const auto& value) { return field::BadValue(value).text(); };
    std::string json = "{\"Name\":" + text(bundle.name) +
                       ",\"SignerName\":" + text(bundle.signerName) +
                       ",\"LabelSelector\":" + text(bundle.labelSelector) +
                       ",\"Optional\":" + text(bundle.optional) + ",\"Path\":" + text(bundle.path);
    return field::BadValue::Json(json + "}");
  }

  const field::Path& path_;
  const PodValidationOptions& options_;
  field::ErrorList* errors_;
  std::set<std::string_view> paths_;
};

}  // namespace

void CheckProjectedVolume(const core::v1::ProjectedVolumeSource& source, const field::Path& path,
                          const PodValidationOptions& options, field::ErrorList* errors) {
  CheckFileMode(source.defaultMode, path.Child("defaultMode"), errors);
  ProjectionCheck check(path, options, errors);
  const field::Path sources = path.Child("sources");
  for (size_t i = 0; i < source.sources.size(); ++i) {
    check.Source(source.sources[i], sources.Index(i));
  }
}

}  // namespace podium::api
