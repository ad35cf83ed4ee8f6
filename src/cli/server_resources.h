// What a server has, as its discovery documents say, and which of it people mean by a word: plural,
// singular or short name, or kind, with a group or a version and a group behind it; or a category
// (upstream's k8s.io/apimachinery/pkg/api/meta and k8s.io/client-go/restmapper).
//
// Immutable once made.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "reflect/json_value.h"

namespace podium::cli {

struct ServerResource {
  std::string group;  // "" for core
  std::string version;
  std::string plural;
  std::string singular;  // "" where the server says none
  std::string kind;
  bool namespaced = false;
  bool preferred = false;  // its version is the one that the server prefers in the group
  std::vector<std::string> short_names = {};
  std::vector<std::string> categories = {};
  std::vector<std::string> verbs = {};
  std::vector<std::string> subresources = {};

  bool HasVerb(std::string_view verb) const;
  // "v1", "apps/v1"
  std::string ApiVersion() const { return group.empty() ? version : group + "/" + version; }
  // "pods", "deployments.apps": as messages name it.
  std::string GroupResource() const { return group.empty() ? plural : plural + "." + group; }
  // "pod", "deployment.apps": what stands before the slash of a printed name.
  std::string PrintedKind() const;
  // "/api/v1/namespaces/ns/pods/web/log"; without a name the collection. `name_space` counts where
  // the resource is in namespaces, and "" there is all of them. kInvalidArgument for names that
  // would lead elsewhere.
  Result<std::string> Path(std::string_view name_space, std::string_view name,
                           std::string_view subresource = {}) const;
};

class ServerResources {
 public:
  using Ask = std::function<Result<reflect::JsonValue>(const std::string& path)>;

  // By /api and /apis; where the server answers in the old form, also by each group-version. A
  // group-version that cannot be had now is left out and noted.
  static Result<ServerResources> Discover(const Ask& ask);
  // What an agent serves.
  static ServerResources OfAgent();

  // In the server's order: by groups, in each the preferred version first.
  const std::vector<ServerResource>& all() const { return all_; }
  // "v1", "apps/v1": in the same order, those without resources too.
  const std::vector<std::string>& versions() const { return versions_; }
  // Group-versions that could not be had: errors for people.
  const std::vector<Error>& missing() const { return missing_; }

  // kNotFound with kubectl's words: `the server doesn't have a resource type "x"`.
  Result<const ServerResource*> Resolve(std::string_view word) const;
  // The resources of a category ("all") in order, each in one version; none where it is none.
  std::vector<const ServerResource*> OfCategory(std::string_view word) const;
  // Of objects of this apiVersion and kind; null where there is none.
  const ServerResource* OfKind(std::string_view api_version, std::string_view kind) const;

 private:
  void AddAggregated(const reflect::JsonValue& list);
  void AddVersion(const std::string& group_version, bool preferred, const Ask& ask);
  const ServerResource* Match(std::string_view name, std::string_view version,
                              std::string_view group) const;

  std::vector<ServerResource> all_;
  std::vector<std::string> versions_;
  std::vector<Error> missing_;
  // Behind what is said of a word that means nothing.
  std::string hint_;
};

}  // namespace podium::cli
