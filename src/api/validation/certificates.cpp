#include "api/validation/certificates.h"

#include <algorithm>
#include <iterator>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "api/names.h"
#include "api/validation/common.h"
#include "api/validation/object_meta.h"
#include "api/validation/signers.h"
#include "api/validation/unversioned_json.h"
#include "pki/pem.h"
#include "pki/x509.h"
#include "reflect/go_text.h"

namespace podium::api {

using certificates::v1::CertificateSigningRequest;
using certificates::v1::CertificateSigningRequestCondition;
using field::ErrorList;
using field::Path;

namespace {

using Conditions = reflect::List<CertificateSigningRequestCondition>;

constexpr std::string_view kApproved = "Approved";
constexpr std::string_view kDenied = "Denied";
constexpr std::string_view kFailed = "Failed";
constexpr std::string_view kLegacySigner = "kubernetes.io/legacy-unknown";

const std::vector<std::string>& KnownUsages() {
  static const auto& usages = *new std::vector<std::string>{"any",
                                                            "cert sign",
                                                            "client auth",
                                                            "code signing",
                                                            "content commitment",
                                                            "crl sign",
                                                            "data encipherment",
                                                            "decipher only",
                                                            "digital signature",
                                                            "email protection",
                                                            "encipher only",
                                                            "ipsec end system",
                                                            "ipsec tunnel",
                                                            "ipsec user",
                                                            "key agreement",
                                                            "key encipherment",
                                                            "microsoft sgc",
                                                            "netscape sgc",
                                                            "ocsp signing",
                                                            "s/mime",
                                                            "server auth",
                                                            "signing",
                                                            "timestamping"};
  return usages;
}

// What the way of an update allows, and what stored requests may keep.
struct Options {
  bool allow_approval = false;
  bool allow_certificate = false;
  bool allow_approved_and_denied = false;
  bool allow_legacy_signer = false;
  bool allow_duplicate_types = false;
  bool allow_empty_type = false;
  bool allow_any_certificate = false;
  bool allow_unknown_usages = false;
  bool allow_duplicate_usages = false;
};

Messages AnyName(std::string_view /*name*/, bool /*prefix*/) { return {}; }

// What is wrong with the PKCS#10 request; empty when nothing is.
std::string RequestProblem(std::string_view pem) {
  const auto block = pki::TakePemBlock(&pem);
  if (!block || block->type != "CERTIFICATE REQUEST") {
    return "PEM block type must be CERTIFICATE REQUEST";
  }
  const auto checked = pki::CheckCertificateRequest(block->bytes);
  return checked.ok() ? "" : checked.error().message();
}

// What is wrong with a chain of certificates, if there is one.
std::string CertificateProblem(std::string_view pem) {
  if (pem.empty()) return {};
  bool found = false;
  while (const auto block = pki::TakePemBlock(&pem)) {
    if (block->type != "CERTIFICATE") {
      return "only CERTIFICATE PEM blocks are allowed, found " + reflect::GoQuoted(block->type);
    }
    if (block->has_headers) return "no PEM block headers are permitted";
    found = true;
    const auto count = pki::CountCertificates(block->bytes);
    if (!count.ok()) return count.error().message();
    if (*count == 0) return "found CERTIFICATE PEM block containing 0 certificates";
  }
  return found ? "" : "must contain at least one CERTIFICATE PEM block";
}

bool IsKnownUsage(const std::string& usage) {
  return std::ranges::find(KnownUsages(), usage) != KnownUsages().end();
}

template <class List, class Key>
bool HasDuplicate(const List& list, Key key) {
  std::set<std::string_view> seen;
  return std::ranges::any_of(list,
                             [&](const auto& each) { return !seen.insert(key(each)).second; });
}

std::string_view TypeOfCondition(const CertificateSigningRequestCondition& condition) {
  return condition.type;
}

bool HasType(const Conditions& conditions, std::string_view type) {
  return std::ranges::find(conditions, type, TypeOfCondition) != conditions.end();
}

Options OptionsBeside(const CertificateSigningRequest& request,
                      const CertificateSigningRequest& old_request) {
  const Conditions& conditions = old_request.status.conditions;
  const auto& usages = old_request.spec.usages;
  const auto& certificate = old_request.status.certificate;
  Options options;
  options.allow_approved_and_denied =
      HasType(conditions, kApproved) && HasType(conditions, kDenied);
  options.allow_legacy_signer = old_request.spec.signerName == kLegacySigner;
  options.allow_duplicate_types = HasDuplicate(conditions, TypeOfCondition);
  options.allow_empty_type = HasType(conditions, "");
  options.allow_any_certificate =
      request.status.certificate == certificate || !CertificateProblem(certificate.data).empty();
  options.allow_unknown_usages = !std::ranges::all_of(usages, IsKnownUsage);
  options.allow_duplicate_usages =
      HasDuplicate(usages, [](const std::string& usage) { return std::string_view(usage); });
  return options;
}

void CheckUsages(const reflect::List<std::string>& usages, const Options& options, const Path& path,
                 ErrorList* errors) {
  if (usages.empty()) errors->Add(field::Required(path, ""));
  for (size_t i = 0; i < usages.size() && !options.allow_unknown_usages; ++i) {
    if (IsKnownUsage(usages[i])) continue;
    errors->Add(field::NotSupported(path.Index(i), NamedString(usages[i]), KnownUsages()));
  }
  std::set<std::string_view> seen;
  for (size_t i = 0; i < usages.size() && !options.allow_duplicate_usages; ++i) {
    if (seen.insert(usages[i]).second) continue;
    errors->Add(field::Duplicate(path.Index(i), NamedString(usages[i])));
  }
}

void CheckConditionStatus(const CertificateSigningRequestCondition& condition, const Path& path,
                          ErrorList* errors) {
  const std::string& status = condition.status;
  if (status.empty()) {
    errors->Add(field::Required(path, ""));
  } else if (IsOneOf(condition.type, {kApproved, kDenied, kFailed})) {
    if (status != "True") errors->Add(field::NotSupported(path, NamedString(status), {"True"}));
  } else if (!IsOneOf(status, {"False", "True", "Unknown"})) {
    errors->Add(field::NotSupported(path, NamedString(status), {"False", "True", "Unknown"}));
  }
}

void CheckConditions(const Conditions& conditions, const Options& options, const Path& path,
                     ErrorList* errors) {
  std::set<std::string_view> seen;
  for (size_t i = 0; i < conditions.size(); ++i) {
    const std::string& type = conditions[i].type;
    const Path at = path.Index(i);
    const Path type_path = at.Child("type");
    if (type.empty() && !options.allow_empty_type) errors->Add(field::Required(type_path, ""));
    CheckConditionStatus(conditions[i], at.Child("status"), errors);
    if (!options.allow_approved_and_denied && ((type == kApproved && seen.contains(kDenied)) ||
                                               (type == kDenied && seen.contains(kApproved)))) {
      errors->Add(field::Invalid(path, NamedString(type),
                                 "Approved and Denied conditions are mutually exclusive"));
    }
    if (!seen.insert(type).second && !options.allow_duplicate_types) {
      errors->Add(field::Duplicate(type_path, NamedString(type)));
    }
  }
}

ErrorList Validate(const CertificateSigningRequest& request, const Options& options) {
  ErrorList errors =
      ValidateObjectMeta(request.metadata, Scope::kCluster, AnyName, Path("metadata"));
  const Path spec("spec");
  if (const std::string problem = RequestProblem(request.spec.request.data); !problem.empty()) {
    errors.Add(field::Invalid(spec.Child("request"), BytesValue(request.spec.request), problem));
  }
  CheckUsages(request.spec.usages, options, spec.Child("usages"), &errors);
  const std::string& signer = request.spec.signerName;
  if (signer == kLegacySigner && !options.allow_legacy_signer) {
    errors.Add(field::Invalid(spec.Child("signerName"), signer,
                              "the legacy signerName is not allowed via this API version"));
  } else {
    errors.Append(ValidateSignerName(signer, spec.Child("signerName")));
  }
  constexpr int32_t kShortest = 600;
  if (request.spec.expirationSeconds.value_or(kShortest) < kShortest) {
    errors.Add(field::Invalid(spec.Child("expirationSeconds"), *request.spec.expirationSeconds,
                              "may not specify a duration less than 600 seconds (10 minutes)"));
  }
  const Path status("status");
  CheckConditions(request.status.conditions, options, status.Child("conditions"), &errors);
  if (options.allow_any_certificate) return errors;
  if (const std::string problem = CertificateProblem(request.status.certificate.data);
      !problem.empty()) {
    errors.Add(field::Invalid(status.Child("certificate"), "<certificate data>", problem));
  }
  return errors;
}

Conditions OfType(const Conditions& conditions, std::string_view type) {
  Conditions found;
  std::ranges::copy_if(conditions, std::back_inserter(found),
                       [&](const auto& condition) { return condition.type == type; });
  return found;
}

// Decisions are never taken back, and made in one way only.
void CheckDecisions(const Conditions& conditions, const Conditions& old_conditions,
                    const Options& options, ErrorList* errors) {
  const Path path("status.conditions");
  for (const std::string_view type : {kApproved, kDenied, kFailed}) {
    if (OfType(conditions, type).size() < OfType(old_conditions, type).size()) {
      errors->Add(field::Forbidden(
          path, "updates may not remove a condition of type " + reflect::GoQuoted(type)));
    }
  }
  if (options.allow_approval) return;
  for (const std::string_view type : {kApproved, kDenied}) {
    const Conditions now = OfType(conditions, type);
    const Conditions before = OfType(old_conditions, type);
    if (now.size() > before.size()) {
      errors->Add(field::Forbidden(
          path, "updates may not add a condition of type " + reflect::GoQuoted(type)));
    } else if (now.size() == before.size() && !SameLists(now, before)) {
      errors->Add(field::Forbidden(path, "updates may not modify a condition of type " +
                                             reflect::GoQuoted(type) + "\n" +
                                             UnversionedDiff(before, now)));
    }
  }
}

ErrorList ValidateUpdate(const CertificateSigningRequest& request,
                         const CertificateSigningRequest& old_request, const Options& options) {
  ErrorList errors = Validate(request, options);
  CheckDecisions(request.status.conditions, old_request.status.conditions, options, &errors);
  const Path certificate("status.certificate");
  if (request.status.certificate != old_request.status.certificate) {
    if (!options.allow_certificate) {
      errors.Add(field::Forbidden(certificate, "updates may not set certificate content"));
    } else if (!old_request.status.certificate.empty()) {
      errors.Add(
          field::Forbidden(certificate, "updates may not modify existing certificate content"));
    }
  }
  errors.Append(ValidateObjectMetaUpdate(request.metadata, old_request.metadata, Path("metadata")));
  return errors;
}

}  // namespace

ErrorList ValidateCertificateSigningRequest(const CertificateSigningRequest& request) {
  return Validate(request, {});
}

ErrorList ValidateCertificateSigningRequestUpdate(const CertificateSigningRequest& request,
                                                  const CertificateSigningRequest& old_request) {
  return ValidateUpdate(request, old_request, OptionsBeside(request, old_request));
}

ErrorList ValidateCertificateSigningRequestStatusUpdate(
    const CertificateSigningRequest& request, const CertificateSigningRequest& old_request) {
  Options options = OptionsBeside(request, old_request);
  options.allow_certificate = true;
  return ValidateUpdate(request, old_request, options);
}

ErrorList ValidateCertificateSigningRequestApprovalUpdate(
    const CertificateSigningRequest& request, const CertificateSigningRequest& old_request) {
  Options options = OptionsBeside(request, old_request);
  options.allow_approval = true;
  return ValidateUpdate(request, old_request, options);
}

}  // namespace podium::api
