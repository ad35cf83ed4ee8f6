// NodeGraph: which objects each node has to do with, since a pod that is bound to it refers to them
// (upstream's plugin/pkg/auth/authorizer/node, graph.go and graph_populator.go, release 1.36):
//
//   node ← pod ← secret, config map, service account, resource claim
//   node ← pod ← claim ← volume ← secret
//   node ← volume attachment, resource slice
//
// Mirror pods lead to nothing but themselves: a node makes them, and must not give itself rights.
//
// Threads: as with a container: many may read, or one may change.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "api/types/core_v1.h"
#include "apiserver/authorization/store_follower.h"

namespace podium::apiserver {

enum class NodeObject {
  kPod,
  kSecret,
  kConfigMap,
  kServiceAccount,
  kPersistentVolumeClaim,
  kPersistentVolume,
  kResourceClaim,
  kVolumeAttachment,
  kResourceSlice,
};

class NodeGraph : public StoreFollower::Handler {
 public:
  // The prefixes of the store that it is made of, in the order of their numbers.
  static std::vector<std::string> Prefixes();

  void Reset() override;
  // What cannot be read leads nowhere.
  void Put(size_t prefix, const store::Entry& entry) override;
  void Remove(size_t prefix, std::string_view key) override;

  // Whether the node has to do with the object. "" for the namespace of what has none.
  bool Reaches(std::string_view node, NodeObject kind, std::string_view name_space,
               std::string_view name) const;

 private:
  struct Hash {
    using is_transparent = void;  // NOLINT(readability-identifier-naming): the library's word
    size_t operator()(std::string_view text) const { return std::hash<std::string_view>()(text); }
  };
  template <class T>
  using Table = std::unordered_map<std::string, T, Hash, std::equal_to<>>;
  // How many pods of each node refer to it.
  using Nodes = std::map<std::string, size_t, std::less<>>;

  struct BoundPod {
    std::string node;
    std::vector<std::string> references;  // what it refers to, each once
  };
  struct BoundVolume {
    std::string claim;                 // "namespace/name"
    std::vector<std::string> secrets;  // each once
  };

  void PutPod(std::string key, const api::core::v1::Pod& pod);
  void RemovePod(std::string_view key);
  void PutVolume(std::string key, const api::core::v1::PersistentVolume& volume);
  void RemoveVolume(std::string_view key);
  bool PodsReach(std::string_view node, NodeObject kind, std::string_view key) const;
  bool VolumeReaches(std::string_view node, std::string_view key) const;
  bool SecretReaches(std::string_view node, std::string_view key) const;

  // Keys are "namespace/name", or "name" of what has no namespace.
  Table<BoundPod> pods_;
  Table<BoundVolume> volumes_;
  Table<std::string> attachments_;  // their nodes
  Table<std::string> slices_;
  // What pods refer to, with its kind in front.
  Table<Nodes> references_;
  Table<std::vector<std::string>> volumes_of_secrets_;
};

}  // namespace podium::apiserver
