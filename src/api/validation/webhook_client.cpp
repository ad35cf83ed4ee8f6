#include "api/validation/webhook_client.h"

#include "api/go_url.h"
#include "api/names.h"
#include "api/validation/unversioned_json.h"
#include "pki/pem.h"
#include "pki/x509.h"

namespace podium::api {

using field::ErrorList;
using field::Path;

namespace {

void CheckServicePath(const std::string& value, const Path& path, ErrorList* errors) {
  if (value.empty() || value == "/") return;
  const auto refuse = [&](size_t segment, const std::string& problem) {
    errors->Add(field::Invalid(path, value, "segment[" + std::to_string(segment) + "]" + problem));
  };
  if (value == "//") return refuse(0, " may not be empty");
  if (!value.starts_with('/')) errors->Add(field::Invalid(path, value, "must start with a '/'"));
  std::string_view rest = std::string_view(value).substr(1);
  if (rest.ends_with('/')) rest.remove_suffix(1);
  for (size_t i = 0;; ++i) {
    const std::string_view segment = rest.substr(0, rest.find('/'));
    if (segment.empty()) {
      refuse(i, " may not be empty");
    } else {
      for (const std::string& message : IsDNS1123Subdomain(segment)) refuse(i, ": " + message);
    }
    if (segment.size() == rest.size()) return;
    rest.remove_prefix(segment.size() + 1);
  }
}

// Why no certificate can be read; empty when one can.
std::string BundleProblem(std::string_view pem) {
  std::string first_problem;
  while (!pem.empty()) {
    const auto block = pki::TakePemBlock(&pem);
    std::string problem;
    if (!block) {
      problem = "unable to parse bytes as PEM block";
    } else if (block->type == "CERTIFICATE" && !block->has_headers) {
      const auto checked = pki::CheckCertificate(block->bytes);
      if (checked.ok()) return {};
      problem = "failed to parse certificate: " + checked.error().message();
    }
    if (first_problem.empty()) first_problem = problem;
    if (!block) break;
  }
  return first_problem.empty() ? "no valid certificate authority data seen" : first_problem;
}

}  // namespace

ErrorList ValidateWebhookUrl(std::string_view url, const Path& path) {
  ErrorList errors;
  const std::string form = "; desired format: https://host[/path]";
  const auto parts = ParseGoUrl(url);
  if (!parts.ok()) {
    errors.Add(field::Required(path, "url must be a valid URL: " + parts.error().message() + form));
    return errors;
  }
  if (parts->scheme != "https") {
    errors.Add(
        field::Invalid(path, parts->scheme, "'https' is the only allowed URL scheme" + form));
  }
  if (parts->host.empty()) errors.Add(field::Invalid(path, "", "host must be specified" + form));
  if (parts->user) {
    errors.Add(field::Invalid(path, *parts->user, "user information is not permitted in the URL"));
  }
  if (!parts->fragment.empty()) {
    errors.Add(field::Invalid(path, parts->fragment, "fragments are not permitted in the URL"));
  }
  if (!parts->query.empty()) {
    errors.Add(field::Invalid(path, parts->query, "query parameters are not permitted in the URL"));
  }
  return errors;
}

ErrorList ValidateWebhookService(std::string_view namespace_name, std::string_view name,
                                 const std::optional<std::string>& url_path, int32_t port,
                                 const Path& path) {
  ErrorList errors;
  if (name.empty()) errors.Add(field::Required(path.Child("name"), ""));
  if (namespace_name.empty()) errors.Add(field::Required(path.Child("namespace"), ""));
  for (const std::string& message : IsValidPortNum(port)) {
    errors.Add(field::Invalid(path.Child("port"), port, "port is not valid: " + message));
  }
  if (url_path) CheckServicePath(*url_path, path.Child("path"), &errors);
  return errors;
}

ErrorList ValidateCABundle(const reflect::Bytes& bundle, const Path& path) {
  ErrorList errors;
  if (bundle.empty()) return errors;
  if (const std::string problem = BundleProblem(bundle.data); !problem.empty()) {
    errors.Add(
        field::Invalid(path, BytesValue(bundle), "unable to load root certificates: " + problem));
  }
  return errors;
}

}  // namespace podium::api
