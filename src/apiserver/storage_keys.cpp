#include "apiserver/storage_keys.h"

namespace podium::apiserver {
namespace {

constexpr std::string_view kRoot = "/registry/";

struct OldName {
  std::string_view group;
  std::string_view plural;
  std::string_view name;
};

constexpr OldName kOldNames[] = {
    {"", "endpoints", "services/endpoints"},
    {"", "nodes", "minions"},
    {"", "replicationcontrollers", "controllers"},
    {"", "services", "services/specs"},
    {"networking.k8s.io", "ingresses", "ingress"},
    // Kept by servers of their own upstream, which put the group in front.
    {"apiextensions.k8s.io", "customresourcedefinitions",
     "apiextensions.k8s.io/customresourcedefinitions"},
    {"apiregistration.k8s.io", "apiservices", "apiregistration.k8s.io/apiservices"},
};

}  // namespace

std::string KeyPrefix(const api::Resource& resource) {
  std::string prefix(kRoot);
  for (const OldName& old : kOldNames) {
    if (old.plural == resource.plural && old.group == resource.group) {
      return prefix.append(old.name).append("/");
    }
  }
  return prefix.append(resource.plural).append("/");
}

std::string CustomKeyPrefix(std::string_view group, std::string_view plural) {
  std::string prefix(kRoot);
  return prefix.append(group).append("/").append(plural).append("/");
}

std::string KeyOf(std::string_view prefix, std::string_view name_space, std::string_view name) {
  std::string key;
  key.reserve(prefix.size() + name_space.size() + name.size() + 1);
  key.append(prefix);
  if (!name_space.empty()) key.append(name_space).append("/");
  return key.append(name);
}

}  // namespace podium::apiserver
