#include "node/environment.h"

#include <algorithm>
#include <functional>
#include <set>

#include "base/text.h"
#include "node/field_values.h"

namespace podium::node {
namespace {

bool IsOptional(const std::optional<bool>& optional) { return optional.value_or(false); }

// Whether a source may be left out: it is not there, and need not be.
template <class T>
bool MayMiss(const Result<T>& result, const std::optional<bool>& optional) {
  return !result.ok() && result.error().code() == Code::kNotFound && IsOptional(optional);
}

class Maker {
 public:
  explicit Maker(const EnvironmentInput& input) : in_(input) {}

  Result<Environment> Make();

 private:
  Result<void> AddFrom(const v1::EnvFromSource& source);
  // False when it is left out.
  Result<bool> ValueOf(const v1::EnvVarSource& source, std::string* value) const;
  Result<bool> ConfigMapValue(const v1::ConfigMapKeySelector& ref, std::string* value) const;
  Result<bool> SecretValue(const v1::SecretKeySelector& ref, std::string* value) const;
  Result<bool> FileValue(const v1::FileKeySelector& ref, std::string* value) const;
  Result<std::string> FieldOf(const v1::ObjectFieldSelector& selector) const;
  const std::string& name_space() const { return in_.pod.metadata.namespace_; }

  const EnvironmentInput& in_;
  Environment out_;
};

Result<void> Maker::AddFrom(const v1::EnvFromSource& source) {
  if (source.configMapRef) {
    auto map = in_.objects.GetConfigMap(name_space(), source.configMapRef->name);
    if (MayMiss(map, source.configMapRef->optional)) return {};
    if (!map.ok()) return std::move(map).error();
    for (const auto& [key, value] : (*map)->data) out_.Set(source.prefix + key, value);
  } else if (source.secretRef) {
    auto secret = in_.objects.GetSecret(name_space(), source.secretRef->name);
    if (MayMiss(secret, source.secretRef->optional)) return {};
    if (!secret.ok()) return std::move(secret).error();
    for (const auto& [key, value] : (*secret)->data) out_.Set(source.prefix + key, value.data);
  }
  return {};
}

Result<bool> Maker::ConfigMapValue(const v1::ConfigMapKeySelector& ref, std::string* value) const {
  auto map = in_.objects.GetConfigMap(name_space(), ref.name);
  if (MayMiss(map, ref.optional)) return false;
  if (!map.ok()) return std::move(map).error();
  auto found = (*map)->data.find(ref.key);
  if (found == (*map)->data.end()) {
    if (IsOptional(ref.optional)) return false;
    return Error(Code::kNotFound,
                 "couldn't find key " + ref.key + " in ConfigMap " + name_space() + "/" + ref.name);
  }
  *value = found->second;
  return true;
}

Result<bool> Maker::SecretValue(const v1::SecretKeySelector& ref, std::string* value) const {
  auto secret = in_.objects.GetSecret(name_space(), ref.name);
  if (MayMiss(secret, ref.optional)) return false;
  if (!secret.ok()) return std::move(secret).error();
  auto found = (*secret)->data.find(ref.key);
  if (found == (*secret)->data.end()) {
    if (IsOptional(ref.optional)) return false;
    return Error(Code::kNotFound,
                 "couldn't find key " + ref.key + " in Secret " + name_space() + "/" + ref.name);
  }
  *value = found->second.data;
  return true;
}

Result<bool> Maker::FileValue(const v1::FileKeySelector& ref, std::string* value) const {
  if (!in_.read_file) {
    return Error(Code::kUnsupported, "environment variables from files are not offered here");
  }
  auto text = in_.read_file(ref.volumeName, ref.path);
  if (MayMiss(text, ref.optional)) return false;
  if (!text.ok()) return std::move(text).error();
  auto found = EnvFileValue(*text, ref.key);
  if (MayMiss(found, ref.optional)) return false;
  if (!found.ok()) {
    return std::move(found).error().WithContext("file " + ref.path + " of volume " +
                                                ref.volumeName);
  }
  *value = *std::move(found);
  return true;
}

// Of the status only what is known already, before the status itself says it.
Result<std::string> Maker::FieldOf(const v1::ObjectFieldSelector& selector) const {
  if (selector.apiVersion != "v1") {
    return Error(Code::kInvalidArgument, "unsupported pod version: " + selector.apiVersion);
  }
  const std::string& path = selector.fieldPath;
  const auto first = [](const std::vector<std::string>& addresses) {
    return addresses.empty() ? std::string() : addresses.front();
  };
  if (path == "status.podIP") return first(in_.pod_addresses);
  if (path == "status.podIPs") return Join(in_.pod_addresses, ",");
  if (path == "status.hostIP") return first(in_.config.addresses);
  if (path == "status.hostIPs") return Join(in_.config.addresses, ",");
  if (path == "spec.nodeName" && in_.pod.spec.nodeName.empty()) return in_.config.name;
  return PodFieldValue(in_.pod, path);
}

Result<bool> Maker::ValueOf(const v1::EnvVarSource& source, std::string* value) const {
  if (source.fieldRef) {
    TRY(*value, FieldOf(*source.fieldRef));
  } else if (source.resourceFieldRef) {
    TRY(*value, ResourceFieldValue(in_.pod, in_.container.name, *source.resourceFieldRef,
                                   in_.config.allocatable));
  } else if (source.configMapKeyRef) {
    return ConfigMapValue(*source.configMapKeyRef, value);
  } else if (source.secretKeyRef) {
    return SecretValue(*source.secretKeyRef, value);
  } else if (source.fileKeyRef) {
    return FileValue(*source.fileKeyRef, value);
  }
  return true;
}

Result<Environment> Maker::Make() {
  for (const v1::EnvFromSource& source : in_.container.envFrom) TRY_VOID(AddFrom(source));
  const auto lookup = [this](std::string_view name) -> const std::string* {
    const std::string* own = out_.Find(name);
    return own ? own : in_.services.Find(name);
  };
  for (const v1::EnvVar& variable : in_.container.env) {
    std::string value;
    if (!variable.value.empty() || !variable.valueFrom) {
      value = api::Expand(variable.value, lookup);
    } else {
      TRY(const bool there, ValueOf(*variable.valueFrom, &value));
      if (!there) continue;
    }
    out_.Set(variable.name, std::move(value));
  }
  for (const Environment::Variable& service : in_.services.variables()) {
    if (!out_.Find(service.name)) out_.Set(service.name, service.value);
  }
  return std::move(out_);
}

std::string_view Trim(std::string_view text) {
  constexpr std::string_view kSpace = " \t\r";
  const size_t begin = text.find_first_not_of(kSpace);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(kSpace) - begin + 1);
}

}  // namespace

void Environment::Set(std::string_view name, std::string value) {
  for (Variable& variable : variables_) {
    if (variable.name != name) continue;
    variable.value = std::move(value);
    return;
  }
  variables_.push_back({std::string(name), std::move(value)});
}

const std::string* Environment::Find(std::string_view name) const {
  for (const Variable& variable : variables_) {
    if (variable.name == name) return &variable.value;
  }
  return nullptr;
}

std::string Environment::Expand(std::string_view text) const {
  return api::Expand(text, [this](std::string_view name) { return Find(name); });
}

Result<Environment> MakeEnvironment(const EnvironmentInput& input) { return Maker(input).Make(); }

Result<std::string> EnvFileValue(std::string_view text, std::string_view key) {
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = Trim(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
    const size_t equals = line.find('=');
    if (line.starts_with('#') || equals == std::string_view::npos) continue;
    if (Trim(line.substr(0, equals)) != key) continue;
    std::string_view value = Trim(line.substr(equals + 1));
    const bool quoted = value.size() >= 2 && value.front() == value.back() &&
                        (value.front() == '"' || value.front() == '\'');
    return std::string(quoted ? value.substr(1, value.size() - 2) : value);
  }
  return Error(Code::kNotFound, "environment variable key \"" + std::string(key) + "\" not found");
}

Result<std::string> ExpandSubPath(const v1::VolumeMount& mount, const Environment& environment) {
  std::set<std::string, std::less<>> missing;
  std::string out =
      api::Expand(mount.subPathExpr, [&](std::string_view name) -> const std::string* {
        const std::string* value = environment.Find(name);
        if (!value || value->empty()) missing.emplace(name);
        return value;
      });
  if (missing.empty()) return out;
  return Error(Code::kInvalidArgument, "missing value for " + Join(missing, ", "));
}

}  // namespace podium::node
