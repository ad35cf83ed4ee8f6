#include "apiserver/authorization/node_graph.h"

#include <algorithm>

#include "api/types/resource_v1.h"
#include "api/types/storage_v1.h"
#include "apiserver/authorization/node_references.h"
#include "apiserver/objects.h"
#include "apiserver/stored_object.h"
#include "reflect/type.h"

namespace podium::apiserver {
namespace {

using api::core::v1::PersistentVolume;
using api::core::v1::Pod;
using api::resource::v1::ResourceSlice;
using api::storage::v1::VolumeAttachment;

constexpr std::string_view kMirrorPod = "kubernetes.io/config.mirror";

// The numbers of the prefixes.
enum Prefix : size_t { kPods, kVolumes, kAttachments, kSlices };

const reflect::Type& TypeOfPrefix(size_t prefix) {
  switch (prefix) {
    case kPods:
      return reflect::TypeOf<Pod>();
    case kVolumes:
      return reflect::TypeOf<PersistentVolume>();
    case kAttachments:
      return reflect::TypeOf<VolumeAttachment>();
    default:
      return reflect::TypeOf<ResourceSlice>();
  }
}

// The key without its prefix.
std::string_view NameOf(size_t prefix, std::string_view key) {
  static const std::vector<std::string> kPrefixes = NodeGraph::Prefixes();
  return key.substr(kPrefixes[prefix].size());
}

std::string KeyOf(std::string_view name_space, std::string_view name) {
  std::string key(name_space);
  if (!key.empty()) key += '/';
  return key.append(name);
}

// What pods refer to; '\0' is in no name.
std::string ReferenceKey(NodeObject kind, std::string_view key) {
  std::string out{static_cast<char>(kind), '\0'};
  return out.append(key);
}

void MakeUnique(std::vector<std::string>* texts) {
  std::ranges::sort(*texts);
  texts->erase(std::unique(texts->begin(), texts->end()), texts->end());
}

std::vector<std::string> ReferenceKeys(const Pod& pod) {
  std::vector<std::string> keys;
  // A node makes its mirror pods itself.
  if (pod.metadata.annotations.contains(kMirrorPod)) return keys;
  const PodReferences references = ReferencesOf(pod);
  const auto add = [&](NodeObject kind, const std::string& name) {
    keys.push_back(ReferenceKey(kind, KeyOf(pod.metadata.namespace_, name)));
  };
  if (!references.service_account.empty()) {
    add(NodeObject::kServiceAccount, references.service_account);
  }
  for (const auto& name : references.secrets) add(NodeObject::kSecret, name);
  for (const auto& name : references.config_maps) add(NodeObject::kConfigMap, name);
  for (const auto& name : references.claims) add(NodeObject::kPersistentVolumeClaim, name);
  for (const auto& name : references.resource_claims) add(NodeObject::kResourceClaim, name);
  MakeUnique(&keys);
  return keys;
}

}  // namespace

std::vector<std::string> NodeGraph::Prefixes() {
  std::vector<std::string> prefixes;
  for (const size_t prefix : {kPods, kVolumes, kAttachments, kSlices}) {
    prefixes.push_back(Objects::PrefixOf(TypeOfPrefix(prefix)));
  }
  return prefixes;
}

void NodeGraph::Reset() {
  pods_.clear();
  volumes_.clear();
  attachments_.clear();
  slices_.clear();
  references_.clear();
  volumes_of_secrets_.clear();
}

void NodeGraph::Put(size_t prefix, const store::Entry& entry) {
  Remove(prefix, entry.key());
  const auto stored = StoredObject::Of(entry);
  if (!stored.ok()) return;
  const auto decoded = (*stored)->Decode(TypeOfPrefix(prefix), false);
  if (!decoded.ok()) return;
  const reflect::AnyObject& object = **decoded;
  std::string key(NameOf(prefix, entry.key()));
  switch (prefix) {
    case kPods:
      return PutPod(std::move(key), *object.As<Pod>());
    case kVolumes:
      return PutVolume(std::move(key), *object.As<PersistentVolume>());
    case kAttachments:
      attachments_.insert_or_assign(std::move(key), object.As<VolumeAttachment>()->spec.nodeName);
      return;
    default:
      slices_.insert_or_assign(std::move(key),
                               object.As<ResourceSlice>()->spec.nodeName.value_or(""));
  }
}

void NodeGraph::Remove(size_t prefix, std::string_view key) {
  key = NameOf(prefix, key);
  if (prefix == kPods) return RemovePod(key);
  if (prefix == kVolumes) return RemoveVolume(key);
  Table<std::string>& table = prefix == kAttachments ? attachments_ : slices_;
  if (const auto found = table.find(key); found != table.end()) table.erase(found);
}

void NodeGraph::PutPod(std::string key, const Pod& pod) {
  if (pod.spec.nodeName.empty()) return;
  BoundPod put{.node = pod.spec.nodeName, .references = ReferenceKeys(pod)};
  for (const std::string& reference : put.references) ++references_[reference][put.node];
  pods_.insert_or_assign(std::move(key), std::move(put));
}

void NodeGraph::RemovePod(std::string_view key) {
  const auto pod = pods_.find(key);
  if (pod == pods_.end()) return;
  for (const std::string& reference : pod->second.references) {
    const auto nodes = references_.find(reference);
    const auto count = nodes->second.find(pod->second.node);
    if (--count->second == 0) nodes->second.erase(count);
    if (nodes->second.empty()) references_.erase(nodes);
  }
  pods_.erase(pod);
}

void NodeGraph::PutVolume(std::string key, const PersistentVolume& volume) {
  if (!volume.spec.claimRef) return;
  BoundVolume put{.claim = KeyOf(volume.spec.claimRef->namespace_, volume.spec.claimRef->name),
                  .secrets = {}};
  for (const SecretName& secret : NodeSecretsOf(volume)) {
    put.secrets.push_back(KeyOf(secret.namespace_, secret.name));
  }
  MakeUnique(&put.secrets);
  for (const std::string& secret : put.secrets) volumes_of_secrets_[secret].push_back(key);
  volumes_.insert_or_assign(std::move(key), std::move(put));
}

void NodeGraph::RemoveVolume(std::string_view key) {
  const auto volume = volumes_.find(key);
  if (volume == volumes_.end()) return;
  for (const std::string& secret : volume->second.secrets) {
    const auto volumes = volumes_of_secrets_.find(secret);
    std::erase(volumes->second, key);
    if (volumes->second.empty()) volumes_of_secrets_.erase(volumes);
  }
  volumes_.erase(volume);
}

bool NodeGraph::PodsReach(std::string_view node, NodeObject kind, std::string_view key) const {
  const auto nodes = references_.find(ReferenceKey(kind, key));
  return nodes != references_.end() && nodes->second.contains(node);
}

bool NodeGraph::VolumeReaches(std::string_view node, std::string_view key) const {
  const auto volume = volumes_.find(key);
  return volume != volumes_.end() &&
         PodsReach(node, NodeObject::kPersistentVolumeClaim, volume->second.claim);
}

bool NodeGraph::SecretReaches(std::string_view node, std::string_view key) const {
  if (PodsReach(node, NodeObject::kSecret, key)) return true;
  const auto volumes = volumes_of_secrets_.find(key);
  return volumes != volumes_of_secrets_.end() &&
         std::ranges::any_of(volumes->second, [&](const std::string& volume) {
           return VolumeReaches(node, volume);
         });
}

bool NodeGraph::Reaches(std::string_view node, NodeObject kind, std::string_view name_space,
                        std::string_view name) const {
  const std::string key = KeyOf(name_space, name);
  const auto is_of_node = [node](const Table<std::string>& table, const std::string& of) {
    const auto found = table.find(of);
    return found != table.end() && found->second == node && !node.empty();
  };
  switch (kind) {
    case NodeObject::kPod: {
      const auto pod = pods_.find(key);
      return pod != pods_.end() && pod->second.node == node;
    }
    case NodeObject::kSecret:
      return SecretReaches(node, key);
    case NodeObject::kPersistentVolume:
      return VolumeReaches(node, key);
    case NodeObject::kVolumeAttachment:
      return is_of_node(attachments_, key);
    case NodeObject::kResourceSlice:
      return is_of_node(slices_, key);
    default:
      return PodsReach(node, kind, key);
  }
}

}  // namespace podium::apiserver
