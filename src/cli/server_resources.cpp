#include "cli/server_resources.h"

#include <algorithm>
#include <array>
#include <utility>

#include "api/scheme.h"
#include "base/text.h"
#include "cli/json_members.h"
#include "client/paths.h"
#include "reflect/go_text.h"

namespace podium::cli {
namespace {

using reflect::JsonValue;

bool Holds(const std::vector<std::string>& texts, std::string_view text) {
  return std::ranges::find(texts, text) != texts.end();
}

std::string Joined(std::string_view group, std::string_view version) {
  return (group.empty() ? "" : std::string(group) + "/") + std::string(version);
}

ServerResource FromAggregated(const JsonValue& resource, std::string_view group,
                              std::string_view version) {
  ServerResource out{.group = std::string(group),
                     .version = std::string(version),
                     .plural = std::string(TextOf(resource, "resource")),
                     .singular = std::string(TextOf(resource, "singularResource")),
                     .kind = std::string(TextAt(resource, {"responseKind", "kind"})),
                     .namespaced = TextOf(resource, "scope") == "Namespaced",
                     .short_names = TextsOf(resource, "shortNames"),
                     .categories = TextsOf(resource, "categories"),
                     .verbs = TextsOf(resource, "verbs")};
  for (const JsonValue& each : ElementsOf(resource, "subresources")) {
    out.subresources.emplace_back(TextOf(each, "subresource"));
  }
  return out;
}

}  // namespace

bool ServerResource::HasVerb(std::string_view verb) const { return Holds(verbs, verb); }

std::string ServerResource::PrintedKind() const {
  const std::string name = LowerCase(kind);
  return group.empty() ? name : name + "." + group;
}

Result<std::string> ServerResource::Path(std::string_view name_space, std::string_view name,
                                         std::string_view subresource) const {
  return client::PathOf({.group = group,
                         .version = version,
                         .resource = plural,
                         .namespace_ = namespaced ? std::string(name_space) : std::string(),
                         .name = std::string(name),
                         .subresource = std::string(subresource)});
}

void ServerResources::AddAggregated(const JsonValue& list) {
  for (const JsonValue& group : ElementsOf(list, "items")) {
    const std::string_view name = TextAt(group, {"metadata", "name"});
    bool first = true;
    for (const JsonValue& version : ElementsOf(group, "versions")) {
      const std::string_view its = TextOf(version, "version");
      versions_.push_back(Joined(name, its));
      if (TextOf(version, "freshness") == "Stale") {
        missing_.emplace_back(
            Code::kUnavailable,
            versions_.back() + ": stale GroupVersion discovery: " + versions_.back());
      }
      for (const JsonValue& resource : ElementsOf(version, "resources")) {
        all_.push_back(FromAggregated(resource, name, its));
        all_.back().preferred = first;
      }
      first = false;
    }
  }
}

// An APIResourceList; what has a slash in its name is a subresource of what stands before it.
void ServerResources::AddVersion(const std::string& group_version, bool preferred, const Ask& ask) {
  versions_.push_back(group_version);
  const size_t slash = group_version.find('/');
  const bool core = slash == std::string::npos;
  auto list = ask((core ? "/api/" : "/apis/") + group_version);
  if (!list.ok()) {
    missing_.push_back(std::move(list).error().WithContext(group_version));
    return;
  }
  const std::string group = core ? "" : group_version.substr(0, slash);
  const size_t begin = all_.size();
  for (const JsonValue& resource : ElementsOf(*list, "resources")) {
    const std::string_view name = TextOf(resource, "name");
    const size_t cut = name.find('/');
    if (cut != name.npos) {
      for (size_t i = begin; i < all_.size(); ++i) {
        if (all_[i].plural == name.substr(0, cut)) {
          all_[i].subresources.emplace_back(name.substr(cut + 1));
        }
      }
      continue;
    }
    all_.push_back({.group = group,
                    .version = core ? group_version : group_version.substr(slash + 1),
                    .plural = std::string(name),
                    .singular = std::string(TextOf(resource, "singularName")),
                    .kind = std::string(TextOf(resource, "kind")),
                    .namespaced = TruthOf(resource, "namespaced"),
                    .preferred = preferred,
                    .short_names = TextsOf(resource, "shortNames"),
                    .categories = TextsOf(resource, "categories"),
                    .verbs = TextsOf(resource, "verbs")});
  }
}

Result<ServerResources> ServerResources::Discover(const Ask& ask) {
  ServerResources out;
  TRY(const JsonValue core, ask("/api"));
  if (TextOf(core, "kind") == "APIGroupDiscoveryList") {
    out.AddAggregated(core);
  } else {
    bool first = true;
    for (const std::string& version : TextsOf(core, "versions")) {
      out.AddVersion(version, std::exchange(first, false), ask);
    }
  }
  TRY(const JsonValue groups, ask("/apis"));
  if (TextOf(groups, "kind") == "APIGroupDiscoveryList") {
    out.AddAggregated(groups);
    return out;
  }
  for (const JsonValue& group : ElementsOf(groups, "groups")) {
    const std::string best(TextAt(group, {"preferredVersion", "groupVersion"}));
    if (!best.empty()) out.AddVersion(best, true, ask);
    for (const JsonValue& version : ElementsOf(group, "versions")) {
      const std::string name(TextOf(version, "groupVersion"));
      if (name != best) out.AddVersion(name, false, ask);
    }
  }
  return out;
}

ServerResources ServerResources::OfAgent() {
  static constexpr std::array kServed = {"configmaps", "events", "pods", "secrets"};
  ServerResources out;
  out.versions_.emplace_back("v1");
  out.hint_ =
      "; the agent of this machine has configmaps, events, pods and secrets alone, a server "
      "has more: --kubeconfig names one";
  for (const char* plural : kServed) {
    const api::Resource* resource = api::FindResource("", "v1", plural);
    if (!resource) continue;
    out.all_.push_back({.group = "",
                        .version = "v1",
                        .plural = plural,
                        .singular = std::string(resource->singular),
                        .kind = std::string(resource->kind),
                        .namespaced = true,
                        .preferred = true,
                        .short_names = {resource->short_names.begin(), resource->short_names.end()},
                        .verbs = {"create", "delete", "get", "list", "update", "watch"}});
  }
  return out;
}

const ServerResource* ServerResources::Match(std::string_view name, std::string_view version,
                                             std::string_view group) const {
  using Test = bool (*)(const ServerResource& resource, std::string_view name);
  static constexpr std::array<Test, 3> kTests = {
      [](const ServerResource& r, std::string_view n) { return r.plural == n || r.singular == n; },
      [](const ServerResource& r, std::string_view n) { return Holds(r.short_names, n); },
      [](const ServerResource& r, std::string_view n) { return EqualsIgnoringCase(r.kind, n); }};
  for (const Test test : kTests) {
    // A whole group is stronger than the beginning of one.
    for (const bool whole : {true, false}) {
      for (const ServerResource& each : all_) {
        if (!version.empty() && each.version != version) continue;
        const bool in_group = whole ? each.group == group : each.group.starts_with(group);
        if ((group.empty() && version.empty()) || in_group) {
          if (test(each, name)) return &each;
        }
      }
    }
  }
  return nullptr;
}

Result<const ServerResource*> ServerResources::Resolve(std::string_view word) const {
  const std::string lower = LowerCase(word);
  const std::string_view text = lower;
  const size_t dot = std::min(text.find('.'), text.size());
  const std::string_view name = text.substr(0, dot);
  const std::string_view rest = dot < text.size() ? text.substr(dot + 1) : std::string_view();
  if (const size_t second = rest.find('.'); second != rest.npos) {
    const auto* found = Match(name, rest.substr(0, second), rest.substr(second + 1));
    if (found) return found;
  }
  if (const auto* found = Match(name, {}, rest)) return found;
  // A version and no group: pods.v1.
  if (!rest.empty() && rest.find('.') == rest.npos) {
    if (const auto* found = Match(name, rest, {})) return found;
  }
  return Error(Code::kNotFound, "the server doesn't have a resource type " +
                                    reflect::GoQuoted(word.substr(0, word.find('.'))) + hint_);
}

std::vector<const ServerResource*> ServerResources::OfCategory(std::string_view word) const {
  std::vector<const ServerResource*> out;
  for (const ServerResource& each : all_) {
    if (!Holds(each.categories, word)) continue;
    const bool known = std::ranges::any_of(out, [&](const ServerResource* other) {
      return other->group == each.group && other->plural == each.plural;
    });
    if (!known) out.push_back(&each);
  }
  return out;
}

const ServerResource* ServerResources::OfKind(std::string_view api_version,
                                              std::string_view kind) const {
  const auto found = std::ranges::find_if(all_, [&](const ServerResource& each) {
    return each.kind == kind && each.ApiVersion() == api_version;
  });
  return found == all_.end() ? nullptr : &*found;
}

}  // namespace podium::cli
