#include "node/volumes/payload.h"

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "base/text.h"
#include "node/field_values.h"
#include "node/security_context.h"

namespace podium::node {
namespace {

constexpr uint32_t kDefaultMode = 0644;
constexpr uint32_t kTokenMode = 0600;

uint32_t ModeOf(const std::optional<int32_t>& mode, uint32_t otherwise) {
  return mode ? static_cast<uint32_t>(*mode) : otherwise;
}

// The entries of a ConfigMap or Secret.
using Entries = std::map<std::string_view, std::string_view>;

Entries EntriesOf(const v1::ConfigMap& object) {
  Entries entries(object.data.begin(), object.data.end());
  for (const auto& [key, bytes] : object.binaryData) entries.emplace(key, bytes.data);
  return entries;
}

Entries EntriesOf(const v1::Secret& object) {
  Entries entries;
  for (const auto& [key, bytes] : object.data) entries.emplace(key, bytes.data);
  return entries;
}

Error MissingKey(std::string_view kind, const std::string& key) {
  if (kind == "configmap") {
    return Error(Code::kNotFound, "configmap references non-existent config key: " + key);
  }
  return Error(Code::kNotFound, "references non-existent secret key: " + key);
}

// Those that `items` choose, or all.
template <class Items>
Result<void> AddEntries(std::string_view kind, const Entries& entries, const Items& items,
                        uint32_t mode, bool optional, Payload* payload) {
  if (items.empty()) {
    for (const auto& [key, value] : entries) {
      (*payload)[std::string(key)] = {std::string(value), mode};
    }
    return {};
  }
  for (const v1::KeyToPath& item : items) {
    const auto found = entries.find(item.key);
    if (found != entries.end()) {
      (*payload)[item.path] = {std::string(found->second), ModeOf(item.mode, mode)};
    } else if (!optional) {
      return MissingKey(kind, item.key);
    }
  }
  return {};
}

// One error of several: "a", or "[a, b]", each once.
class Errors {
 public:
  void Add(const podium::Result<void>& result) {
    if (result.ok()) return;
    const Error& error = result.error();
    if (std::ranges::find(messages_, error.message()) != messages_.end()) return;
    if (messages_.empty()) code_ = error.code();
    messages_.push_back(error.message());
  }
  podium::Result<void> Result() const {
    if (messages_.empty()) return {};
    const std::string text = Join(messages_, ", ");
    return Error(code_, messages_.size() == 1 ? text : "[" + text + "]");
  }

 private:
  Code code_ = Code::kInternal;
  std::vector<std::string> messages_;
};

// The user of all its containers (upstream's FsUserFrom); none where they differ, or one does not
// say.
std::optional<int64_t> CommonUser(const v1::Pod& pod) {
  std::optional<int64_t> common;
  const auto same = [&](const v1::Container& container) {
    const auto user = EffectiveSecurityContext(pod, container).runAsUser;
    if (!user || (common && *common != *user)) return false;
    common = user;
    return true;
  };
  if (!std::ranges::all_of(pod.spec.initContainers, same) ||
      !std::ranges::all_of(pod.spec.containers, same)) {
    return std::nullopt;
  }
  return common;
}

class Collector {
 public:
  Collector(const v1::Pod& pod, const ObjectSource& objects, const NodeConfig& config)
      : pod_(pod), objects_(objects), config_(config) {}

  template <class Source>
  Result<void> ConfigMap(const std::string& name, const Source& source, uint32_t mode) {
    return FromObject("configmap", objects_.GetConfigMap(pod_.metadata.namespace_, name), source,
                      mode);
  }
  template <class Source>
  Result<void> Secret(const std::string& name, const Source& source, uint32_t mode) {
    return FromObject("secret", objects_.GetSecret(pod_.metadata.namespace_, name), source, mode);
  }

  template <class Items>
  Result<void> DownwardApi(const Items& items, uint32_t mode) {
    for (const v1::DownwardAPIVolumeFile& item : items) {
      VolumeFile file{"", ModeOf(item.mode, mode)};
      if (item.fieldRef.has_value()) {
        TRY(file.data, PodFieldValue(pod_, item.fieldRef->fieldPath));
      } else if (item.resourceFieldRef.has_value()) {
        TRY(file.data, ResourceFieldValue(pod_, "", *item.resourceFieldRef, config_.allocatable));
      }
      payload_[item.path] = std::move(file);
    }
    return {};
  }

  Result<void> Projection(const v1::VolumeProjection& source, uint32_t mode) {
    if (source.secret.has_value()) return Secret(source.secret->name, *source.secret, mode);
    if (source.configMap.has_value()) {
      return ConfigMap(source.configMap->name, *source.configMap, mode);
    }
    if (source.downwardAPI.has_value()) return DownwardApi(source.downwardAPI->items, mode);
    if (source.serviceAccountToken.has_value()) return Token(*source.serviceAccountToken, mode);
    if (source.clusterTrustBundle.has_value()) {
      return Error(Code::kUnsupported, "volumes with a ClusterTrustBundle are not offered here");
    }
    if (source.podCertificate.has_value()) {
      return Error(Code::kUnsupported, "volumes with a pod's certificate are not offered here");
    }
    return {};
  }

  VolumeContent Take() && { return {.files = std::move(payload_), .refresh_at = refresh_at_}; }

 private:
  Result<void> Token(const v1::ServiceAccountTokenProjection& source, uint32_t mode) {
    TRY(ServiceAccountToken token,
        objects_.GetServiceAccountToken(pod_, source.audience, source.expirationSeconds));
    VolumeFile file{std::move(token.token), mode, CommonUser(pod_)};
    const bool grouped = pod_.spec.securityContext && pod_.spec.securityContext->fsGroup;
    // Its group may read it all the same.
    if (file.owner || grouped) file.mode = kTokenMode;
    payload_[source.path] = std::move(file);
    refresh_at_ = std::min(refresh_at_.value_or(token.refresh_at), token.refresh_at);
    return {};
  }

  template <class Object, class Source>
  Result<void> FromObject(std::string_view kind, Result<Object> object, const Source& source,
                          uint32_t mode) {
    const bool optional = source.optional.value_or(false);
    if (!object.ok()) {
      if (optional && object.error().code() == Code::kNotFound) return {};
      return std::move(object).error();
    }
    return AddEntries(kind, EntriesOf(**object), source.items, mode, optional, &payload_);
  }

  const v1::Pod& pod_;
  const ObjectSource& objects_;
  const NodeConfig& config_;
  Payload payload_;
  std::optional<int64_t> refresh_at_;
};

}  // namespace

bool HasPayload(const v1::Volume& volume) {
  return volume.configMap.has_value() || volume.secret.has_value() ||
         volume.downwardAPI.has_value() || volume.projected.has_value();
}

Result<VolumeContent> MakeContent(const v1::Pod& pod, const v1::Volume& volume,
                                  const ObjectSource& objects, const NodeConfig& config) {
  Collector collector(pod, objects, config);
  if (volume.configMap.has_value()) {
    const auto& source = *volume.configMap;
    TRY_VOID(collector.ConfigMap(source.name, source, ModeOf(source.defaultMode, kDefaultMode)));
  } else if (volume.secret.has_value()) {
    const auto& source = *volume.secret;
    TRY_VOID(collector.Secret(source.secretName, source, ModeOf(source.defaultMode, kDefaultMode)));
  } else if (volume.downwardAPI.has_value()) {
    const auto& source = *volume.downwardAPI;
    TRY_VOID(collector.DownwardApi(source.items, ModeOf(source.defaultMode, kDefaultMode)));
  } else if (volume.projected.has_value()) {
    const auto& source = *volume.projected;
    Errors errors;
    for (const v1::VolumeProjection& each : source.sources) {
      errors.Add(collector.Projection(each, ModeOf(source.defaultMode, kDefaultMode)));
    }
    TRY_VOID(errors.Result());
  }
  return std::move(collector).Take();
}

}  // namespace podium::node
