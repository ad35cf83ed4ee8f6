#include "cli/describe_server.h"

#include <utility>

#include "api/scheme.h"
#include "cli/chunks.h"
#include "cli/json_members.h"
#include "cli/server_errors.h"
#include "http/url.h"

namespace podium::cli {
namespace {

using reflect::JsonValue;
using reflect::Object;
using reflect::ObjectPtr;

// A list that a kind's description looks at.
struct Around {
  const char* kind;      // of the described object
  const char* resource;  // with its group
  // "%" stands for the object's name; null: all of the namespace.
  const char* field_selector;
  const char* label_selector;
  bool everywhere;  // all namespaces
};

constexpr Around kAround[] = {
    {"Node", "pods", "spec.nodeName=%", nullptr, true},
    {"Node", "leases.coordination.k8s.io", "metadata.name=%", nullptr, true},
    {"Node", "resourceslices.resource.k8s.io", nullptr, nullptr, true},
    {"Deployment", "replicasets.apps", nullptr, nullptr, false},
    {"ReplicaSet", "pods", nullptr, nullptr, false},
    {"ReplicationController", "pods", nullptr, nullptr, false},
    {"StatefulSet", "pods", nullptr, nullptr, false},
    {"DaemonSet", "pods", nullptr, nullptr, false},
    {"Service", "endpointslices.discovery.k8s.io", nullptr, "kubernetes.io/service-name=%", false},
    {"PersistentVolumeClaim", "pods", nullptr, nullptr, false},
    {"Ingress", "services", nullptr, nullptr, false},
    {"Ingress", "endpointslices.discovery.k8s.io", nullptr, nullptr, false},
};

std::string Filled(const char* text, std::string_view name) {
  if (!text) return {};
  std::string out = text;
  const size_t place = out.find('%');
  if (place != out.npos) out.replace(place, 1, name);
  return out;
}

Result<ObjectPtr> ToObject(const JsonValue& json) {
  return Object::FromJson(ToText(json),
                          api::FindType(TextOf(json, "apiVersion"), TextOf(json, "kind")));
}

// The items of a list, which need not say what they are.
Result<std::vector<JsonValue>> ItemsOf(const JsonValue& list) {
  std::string kind(TextOf(list, "kind"));
  if (!kind.ends_with("List")) return Error(Code::kInvalidArgument, "the answer is no list");
  kind.resize(kind.size() - 4);
  std::vector<JsonValue> out;
  for (JsonValue item : ElementsOf(list, "items")) {
    if (!item.is_object()) continue;
    if (TextOf(item, "kind").empty()) item.Set("kind", JsonValue::String(kind));
    if (TextOf(item, "apiVersion").empty()) {
      item.Set("apiVersion", JsonValue::String(std::string(TextOf(list, "apiVersion"))));
    }
    out.push_back(std::move(item));
  }
  return out;
}

// All pages.
Result<std::vector<JsonValue>> ListAll(Server& server, const Invocation& invocation,
                                       const ServerResource& resource, std::string_view name_space,
                                       http::QueryParameters parameters) {
  std::vector<JsonValue> out;
  AddLimit(invocation, &parameters);
  std::string more;
  do {
    ServerRequest request;
    TRY(request.path, resource.Path(name_space, ""));
    auto with_token = parameters;
    if (!more.empty()) with_token.emplace_back("continue", more);
    request.query = http::EncodeQuery(with_token);
    TRY(const JsonValue list, server.AskJson(request));
    TRY(auto items, ItemsOf(list));
    for (JsonValue& item : items) out.push_back(std::move(item));
    more = TextAt(list, {"metadata", "continue"});
  } while (!more.empty());
  return out;
}

class Fetcher {
 public:
  Fetcher(Server& server, const Invocation& invocation, bool events)
      : server_(server), invocation_(invocation), events_(events) {}

  Result<std::vector<JsonValue>> Objects(const Selected& item) {
    if (item.name.empty()) {
      http::QueryParameters parameters;
      if (invocation_.Has("selector")) {
        parameters.emplace_back("labelSelector", invocation_.Get("selector"));
      }
      auto all =
          ListAll(server_, invocation_, *item.resource, item.namespace_, std::move(parameters));
      if (!all.ok()) return ListError(item, invocation_, all.error());
      return all;
    }
    ServerRequest request;
    TRY(request.path, item.resource->Path(item.namespace_, item.name));
    auto object = server_.AskJson(request);
    if (object.ok()) return std::vector<JsonValue>{*std::move(object)};
    if (!IsNotFound(object.error())) return object.error();
    // The beginning of names, as kubectl has it; without such the first error is told.
    const auto all = ListAll(server_, invocation_, *item.resource, item.namespace_, {});
    std::vector<JsonValue> out;
    if (all.ok()) {
      for (const JsonValue& each : *all) {
        if (TextAt(each, {"metadata", "name"}).starts_with(item.name)) out.push_back(each);
      }
    }
    if (out.empty()) return object.error();
    return out;
  }

  std::vector<ObjectPtr> Related(const JsonValue& object) {
    std::vector<ObjectPtr> out;
    const std::string_view kind = TextOf(object, "kind");
    const std::string name(TextAt(object, {"metadata", "name"}));
    const std::string space(TextAt(object, {"metadata", "namespace"}));
    for (const Around& around : kAround) {
      if (kind != around.kind) continue;
      http::QueryParameters parameters;
      if (around.field_selector) {
        parameters.emplace_back("fieldSelector", Filled(around.field_selector, name));
      }
      if (around.label_selector) {
        parameters.emplace_back("labelSelector", Filled(around.label_selector, name));
      }
      Add(around.resource, around.everywhere ? "" : space, std::move(parameters), &out);
    }
    if (kind == "Namespace") {
      Add("resourcequotas", name, {}, &out);
      Add("limitranges", name, {}, &out);
    }
    if (events_) {
      Add("events.v1.", space, {{"fieldSelector", "involvedObject.name=" + name}}, &out);
    }
    return out;
  }

 private:
  // What cannot be had is not there.
  void Add(std::string_view resource, std::string_view name_space, http::QueryParameters parameters,
           std::vector<ObjectPtr>* out) {
    const auto resources = server_.Resources();
    if (!resources.ok()) return;
    const auto found = (*resources)->Resolve(resource);
    if (!found.ok()) return;
    const auto items = ListAll(server_, invocation_, **found, name_space, std::move(parameters));
    if (!items.ok()) return;
    for (const JsonValue& item : *items) {
      if (auto object = ToObject(item); object.ok()) out->push_back(*std::move(object));
    }
  }

  Server& server_;
  const Invocation& invocation_;
  const bool events_;
};

}  // namespace

std::vector<DescribedObject> FetchDescribed(Server& server, const Invocation& invocation,
                                            const Selection& selection, bool events,
                                            std::vector<Error>* errors) {
  Fetcher fetcher(server, invocation, events);
  std::vector<DescribedObject> out;
  for (const Selected& item : selection.items) {
    const auto objects = fetcher.Objects(item);
    if (!objects.ok()) {
      errors->push_back(objects.error());
      continue;
    }
    for (const JsonValue& json : *objects) {
      auto object = ToObject(json);
      if (!object.ok()) {
        errors->push_back(std::move(object).error());
        continue;
      }
      out.push_back({*std::move(object), fetcher.Related(json)});
    }
  }
  return out;
}

}  // namespace podium::cli
