// Catalog: which resources are served. Built-in ones from the tables of api, and custom ones from
// the CustomResourceDefinitions that are there now. A catalog is immutable; when a definition
// changes, another one takes its place (LiveCatalog), and requests that have begun go on with the
// one they saw.
#pragma once

#include <atomic>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "api/resource.h"
#include "api/status.h"
#include "reflect/type.h"

namespace podium::apiserver {

struct CustomVersion;  // custom_resources/custom_version.h

// One resource in one version, as a path names it.
struct ServedResource {
  std::string group{};  // "" for core
  std::string version{};
  std::string plural{};
  std::string singular{};
  std::string kind{};
  std::string list_kind{};
  std::string api_version{};  // "v1", "apps/v1"
  bool namespaced = false;
  // Of the resource itself; those of its subresources stand in FindSubresource.
  std::vector<std::string> verbs{};
  std::vector<std::string> short_names{};
  std::vector<std::string> categories{};
  // Fields that selectors may ask for, metadata.name and metadata.namespace among them.
  std::vector<std::string> field_selectors{};
  const api::Resource* builtin = nullptr;         // null: custom
  std::shared_ptr<const CustomVersion> custom{};  // null: built-in
  const reflect::Type* type = nullptr;            // of its objects
  // What is stored: the type, and the version, which is another one's where this resource is a view
  // (autoscaling/v1, batch/v1beta1, events.k8s.io). Of custom resources those of this version:
  // custom_resources/custom_objects.h leads to what is stored.
  const reflect::Type* stored_type = nullptr;
  std::string stored_api_version{};
  // Of the keys; "" for what is never stored: reviews, bindings.
  std::string prefix{};

  bool HasVerb(std::string_view verb) const;
  std::span<const api::Subresource> subresources() const;
  // Null when there is none of that name.
  const api::Subresource* FindSubresource(std::string_view name) const;
  bool stored_as_is() const { return type == stored_type; }
  bool is_stored() const { return !prefix.empty(); }
  // "deployments.apps"; the views live as long as this.
  api::GroupResource group_resource() const { return {group, plural}; }
};

class Catalog {
 public:
  // Built-in resources, and these, but for those that are called as a built-in resource of their
  // group: not in another version either, for they could share its keys.
  static std::shared_ptr<const Catalog> Make(std::vector<ServedResource> custom);

  // Null when there is none.
  const ServedResource* Find(std::string_view group, std::string_view version,
                             std::string_view plural) const;
  // By the kind of its objects.
  const ServedResource* FindKind(std::string_view group, std::string_view version,
                                 std::string_view kind) const;
  bool HasGroup(std::string_view group) const;
  bool HasVersion(std::string_view group, std::string_view version) const;
  // Built-in ones in the order of discovery, then custom ones by group, version by preference, and
  // name.
  const std::vector<ServedResource>& resources() const { return resources_; }
  // Different in every catalog of this process.
  uint64_t number() const { return number_; }

 private:
  struct Key {
    std::string_view group;
    std::string_view version;
    std::string_view name;
    friend bool operator==(const Key&, const Key&) = default;
  };
  struct KeyHash {
    size_t operator()(const Key& key) const;
  };

  Catalog() = default;

  std::vector<ServedResource> resources_;
  std::unordered_map<Key, const ServedResource*, KeyHash> by_plural_;
  std::unordered_map<Key, const ServedResource*, KeyHash> by_kind_;
  uint64_t number_ = 0;
};

using CatalogPtr = std::shared_ptr<const Catalog>;

// The catalog of now. Threads: any.
class LiveCatalog {
 public:
  LiveCatalog() : now_(Catalog::Make({})) {}
  CatalogPtr Now() const { return now_.load(std::memory_order_acquire); }
  void Replace(CatalogPtr catalog) { now_.store(std::move(catalog), std::memory_order_release); }

 private:
  std::atomic<CatalogPtr> now_;
};

}  // namespace podium::apiserver
