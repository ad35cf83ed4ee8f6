#include "api/validation/secret.h"

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "api/go_json.h"
#include "api/names.h"
#include "api/validation/common.h"
#include "api/validation/object_meta.h"
#include "api/validation/workloads.h"

namespace podium::api {
namespace {

constexpr size_t kMaxBytes = size_t{1024} * 1024;

using Data = std::map<std::string_view, std::string_view>;

// data with stringData over it; points into the secret.
Data DataOf(const core::v1::Secret& secret) {
  Data data;
  for (const auto& [key, value] : secret.data) data.insert_or_assign(key, value.data);
  for (const auto& [key, value] : secret.stringData) data.insert_or_assign(key, value);
  return data;
}

// The key is there and holds a JSON object (or null); its content is never shown.
void CheckJsonObject(const Data& data, std::string_view key, const field::Path& path,
                     field::ErrorList* errors) {
  const auto found = data.find(key);
  if (found == data.end()) {
    errors->Add(field::Required(path.Key(key), ""));
    return;
  }
  if (const std::optional<std::string> problem = GoJsonObjectProblem(found->second)) {
    errors->Add(field::Invalid(path.Key(key), "<secret contents redacted>", *problem));
  }
}

// The keys that the type promises.
void CheckType(const core::v1::Secret& secret, const Data& data, const field::Path& path,
               field::ErrorList* errors) {
  const auto require = [&](std::string_view key) {
    errors->Add(field::Required(path.Key(key), ""));
  };
  if (secret.type == "kubernetes.io/service-account-token") {
    constexpr std::string_view kAccount = "kubernetes.io/service-account.name";
    const auto account = secret.metadata.annotations.find(kAccount);
    if (account == secret.metadata.annotations.end() || account->second.empty()) {
      errors->Add(field::Required(field::Path("metadata").Child("annotations").Key(kAccount), ""));
    }
  } else if (secret.type == "kubernetes.io/dockercfg") {
    CheckJsonObject(data, ".dockercfg", path, errors);
  } else if (secret.type == "kubernetes.io/dockerconfigjson") {
    CheckJsonObject(data, ".dockerconfigjson", path, errors);
  } else if (secret.type == "kubernetes.io/basic-auth") {
    // Either may be missing, and what is there may be empty.
    if (!data.contains("username") && !data.contains("password")) {
      require("username");
      require("password");
    }
  } else if (secret.type == "kubernetes.io/ssh-auth") {
    const auto key = data.find("ssh-privatekey");
    if (key == data.end() || key->second.empty()) require("ssh-privatekey");
  } else if (secret.type == "kubernetes.io/tls") {
    if (!data.contains("tls.crt")) require("tls.crt");
    if (!data.contains("tls.key")) require("tls.key");
  }
}

}  // namespace

field::ErrorList ValidateSecret(const core::v1::Secret& secret) {
  const field::Path root;
  field::ErrorList errors = ValidateObjectMeta(secret.metadata, Scope::kNamespaced,
                                               NameIsDNSSubdomain, root.Child("metadata"));
  const field::Path path = root.Child("data");
  const Data data = DataOf(secret);
  size_t bytes = 0;
  for (const auto& [key, value] : data) {
    errors.AddInvalid(path.Key(key), key, IsConfigMapKey(key));
    bytes += value.size();
  }
  if (bytes > kMaxBytes) errors.Add(field::TooLong(path, kMaxBytes));
  CheckType(secret, data, path, &errors);
  return errors;
}

field::ErrorList ValidateSecretUpdate(const core::v1::Secret& secret,
                                      const core::v1::Secret& old_secret) {
  const field::Path root;
  field::ErrorList errors =
      ValidateObjectMetaUpdate(secret.metadata, old_secret.metadata, root.Child("metadata"));
  CheckImmutable(secret.type == old_secret.type, NamedString(secret.type), root.Child("type"),
                 &errors);
  if (old_secret.immutable.value_or(false)) {
    constexpr std::string_view kDetail = "field is immutable when `immutable` is set";
    if (!secret.immutable.value_or(false)) {
      errors.Add(field::Forbidden(root.Child("immutable"), kDetail));
    }
    if (DataOf(secret) != DataOf(old_secret)) {
      errors.Add(field::Forbidden(root.Child("data"), kDetail));
    }
  }
  errors.Append(ValidateSecret(secret));
  return errors;
}

}  // namespace podium::api
