#include "api/validation/signers.h"

#include <algorithm>

#include "api/names.h"
#include "api/validation/common.h"
#include "api/validation/object_meta.h"
#include "base/text.h"
#include "reflect/go_text.h"

namespace podium::api {
namespace {

constexpr size_t kMaxSubdomain = 253;
// A namespace, a dot, and an object's name.
constexpr size_t kMaxSignerPath = kMaxSubdomain + 63 + 1;
constexpr size_t kMaxSignerName = kMaxSubdomain + 1 + kMaxSignerPath;

using LabelRule = Messages (*)(std::string_view);

// Errors of the first label that has any. Returns how many labels there are.
size_t CheckLabels(std::string_view text, LabelRule rule, const field::Path& path,
                   field::ErrorList* errors) {
  const std::vector<std::string_view> labels = Split(text, '.');
  for (const std::string_view label : labels) {
    const Messages problems = rule(label);
    for (const std::string& problem : problems) {
      std::string detail = "validating label ";
      reflect::AppendGoQuoted(label, &detail);
      errors->Add(field::Invalid(path, text, detail.append(": ").append(problem)));
    }
    if (!problems.empty()) break;
  }
  return labels.size();
}

}  // namespace

bool IsKubernetesSignerName(std::string_view name) {
  const std::string_view host = name.substr(0, name.find('/'));
  return host == "kubernetes.io" || host.ends_with(".kubernetes.io");
}

field::ErrorList ValidateSignerName(std::string_view name, const field::Path& path) {
  field::ErrorList errors;
  if (name.empty()) {
    errors.Add(field::Required(path, ""));
    return errors;
  }
  if (std::ranges::count(name, '/') != 1) {
    errors.Add(field::Invalid(
        path, name,
        "must be a fully qualified domain and path of the form 'example.com/signer-name'"));
    return errors;
  }
  const std::string_view domain = name.substr(0, name.find('/'));
  const std::string_view rest = name.substr(domain.size() + 1);
  if (domain.size() > kMaxSubdomain) errors.Add(field::TooLong(path, kMaxSubdomain));
  if (CheckLabels(domain, IsDNS1123Label, path, &errors) < 2) {
    errors.Add(field::Invalid(path, domain,
                              "should be a domain with at least two segments separated by dots"));
  }
  CheckLabels(rest, IsDNS1123Subdomain, path, &errors);
  if (name.size() > kMaxSignerName) errors.Add(field::TooLong(path, kMaxSignerName));
  return errors;
}

std::vector<std::string> ClusterTrustBundleNameProblems(std::string_view name) {
  // Up to the last colon stands the signer, with colons for slashes.
  const size_t colon = name.rfind(':');
  if (colon == name.npos) return IsDNS1123Subdomain(name);
  if (colon == 0) {
    return {"ClusterTrustBundle without signer name must not have \":\" in its name"};
  }
  if (name.substr(0, colon).contains('/')) {
    std::string signer(name.substr(0, colon));
    std::ranges::replace(signer, ':', '/');
    std::string prefix = signer + ":";
    std::ranges::replace(prefix, '/', ':');
    return {"ClusterTrustBundle for signerName " + signer + " must be named with prefix " + prefix};
  }
  return IsDNS1123Subdomain(name.substr(colon + 1));
}

field::ErrorList ValidateUserAnnotations(const reflect::Map<std::string>& annotations,
                                         const field::Path& path) {
  field::ErrorList errors;
  for (const auto& [key, value] : annotations) {
    errors.Append(IsDomainPrefixedKey(path, LowerToAscii(key)));
  }
  errors.Append(ValidateAnnotationsSize(annotations, path));
  return errors;
}

}  // namespace podium::api
