#include "commands/play_objects.h"

#include <algorithm>
#include <initializer_list>
#include <utility>

#include "api/scheme.h"
#include "api/types/apps_v1.h"
#include "api/types/batch_v1.h"
#include "api/types/batch_v1beta1.h"
#include "api/types/meta_v1.h"
#include "base/text.h"
#include "reflect/json.h"
#include "reflect/json_value.h"

namespace podium::commands {
namespace {

using api::meta::v1::ObjectMeta;
using reflect::AnyObject;
using reflect::TypeOf;

constexpr char kDefaultNamespace[] = "default";

// `deployment "web"`
std::string Named(std::string_view kind, const std::string& name) {
  return LowerCase(kind) + " \"" + name + "\"";
}

// What the spec of a workload sets besides its template, in the order of its JSON.
template <class Spec>
std::vector<std::string> OtherFields(const Spec& spec, std::string_view template_field) {
  std::vector<std::string> names;
  const auto json = reflect::ToJson(spec);
  if (!json.ok()) return names;
  const auto value = reflect::ParseJson(*json);
  if (!value.ok() || !value->is_object()) return names;
  for (const auto& [name, set] : value->object()) {
    // Structs are written when nothing in them is set, too.
    if (set.is_object() && set.object().empty()) continue;
    if (name != template_field && name != "selector") names.push_back(name);
  }
  return names;
}

class Collector {
 public:
  Result<void> Add(const AnyObject& object) {
    const reflect::Type& type = object.type();
    if (&type == &TypeOf<v1::Pod>()) return AddPod(As<v1::Pod>(object));
    if (&type == &TypeOf<v1::ConfigMap>()) return AddConfigMap(As<v1::ConfigMap>(object));
    if (&type == &TypeOf<v1::Secret>()) return AddSecret(As<v1::Secret>(object));
    if (&type == &TypeOf<api::meta::v1::List>()) return AddItems(As<api::meta::v1::List>(object));
    if (&type == &TypeOf<v1::PodList>()) {
      for (const v1::Pod& pod : As<v1::PodList>(object).items) TRY_VOID(AddPod(pod));
      return {};
    }
    if (&type == &TypeOf<v1::PodTemplate>()) {
      const auto& own = As<v1::PodTemplate>(object);
      return AddTemplate("PodTemplate", own.metadata, own.template_, {});
    }
    if (&type == &TypeOf<v1::ReplicationController>()) return AddController(object);
    if (&type == &TypeOf<api::apps::v1::Deployment>()) {
      return AddWorkload<api::apps::v1::Deployment>(object);
    }
    if (&type == &TypeOf<api::apps::v1::ReplicaSet>()) {
      return AddWorkload<api::apps::v1::ReplicaSet>(object);
    }
    if (&type == &TypeOf<api::apps::v1::StatefulSet>()) {
      return AddWorkload<api::apps::v1::StatefulSet>(object);
    }
    if (&type == &TypeOf<api::apps::v1::DaemonSet>()) {
      return AddWorkload<api::apps::v1::DaemonSet>(object);
    }
    if (&type == &TypeOf<api::batch::v1::Job>()) return AddWorkload<api::batch::v1::Job>(object);
    if (&type == &TypeOf<api::batch::v1::CronJob>()) {
      return AddCronJob<api::batch::v1::CronJob>(object);
    }
    if (&type == &TypeOf<api::batch::v1beta1::CronJob>()) {
      return AddCronJob<api::batch::v1beta1::CronJob>(object);
    }
    PassOver(object);
    return {};
  }

  void PassOverUnknown(const std::string& json) {
    const auto header = reflect::ReadHeader(json);
    objects_.notes.push_back((header.ok() ? LowerCase(header->kind) : std::string("an object")) +
                             ": passed over, podium does not know this kind");
  }

  PlayObjects Take() && { return std::move(objects_); }

 private:
  template <class T>
  static const T& As(const AnyObject& object) {
    return *static_cast<const T*>(object.get());
  }

  Result<void> AddPod(v1::Pod pod) {
    if (pod.metadata.namespace_.empty()) pod.metadata.namespace_ = kDefaultNamespace;
    const auto same = [&](const v1::Pod& other) {
      return !pod.metadata.name.empty() && other.metadata.name == pod.metadata.name &&
             other.metadata.namespace_ == pod.metadata.namespace_;
    };
    if (std::ranges::any_of(objects_.pods, same)) {
      return Error(Code::kInvalidArgument, "two pods are called \"" + pod.metadata.name +
                                               "\" in namespace \"" + pod.metadata.namespace_ +
                                               "\"");
    }
    pod.apiVersion = "v1";
    pod.kind = "Pod";
    objects_.pods.push_back(std::move(pod));
    return {};
  }

  Result<void> AddConfigMap(v1::ConfigMap map) {
    if (map.metadata.namespace_.empty()) map.metadata.namespace_ = kDefaultNamespace;
    map.apiVersion = "v1";
    map.kind = "ConfigMap";
    objects_.config_maps.push_back(std::move(map));
    return {};
  }

  Result<void> AddSecret(v1::Secret secret) {
    if (secret.metadata.namespace_.empty()) secret.metadata.namespace_ = kDefaultNamespace;
    // As an API server does when it stores one.
    for (auto& [key, text] : secret.stringData) {
      secret.data[key] = reflect::Bytes{std::move(text), true};
    }
    secret.stringData.clear();
    secret.apiVersion = "v1";
    secret.kind = "Secret";
    objects_.secrets.push_back(std::move(secret));
    return {};
  }

  Result<void> AddItems(const api::meta::v1::List& list) {
    for (const reflect::RawJson& item : list.items) {
      TRY(const reflect::ObjectHeader header, reflect::ReadHeader(item.text));
      const reflect::Type* type = api::FindType(header.api_version, header.kind);
      if (!type) {
        PassOverUnknown(item.text);
        continue;
      }
      AnyObject object(*type);
      TRY_VOID(reflect::DecodeJsonInto(item.text, *type, object.get()));
      TRY_VOID(Add(object));
    }
    return {};
  }

  Result<void> AddTemplate(const char* kind, const ObjectMeta& metadata,
                           const v1::PodTemplateSpec& pod_template,
                           const std::vector<std::string>& others) {
    v1::Pod pod;
    pod.metadata = pod_template.metadata;
    pod.metadata.name = metadata.name;
    pod.metadata.generateName.clear();
    if (metadata.name.empty()) pod.metadata.generateName = metadata.generateName;
    pod.metadata.namespace_ = metadata.namespace_;
    pod.spec = pod_template.spec;
    std::string note = Named(kind, metadata.name) + ": runs one pod of its template";
    for (const std::string& field : others) {
      note += (&field == &others.front() ? "; passed over: " : ", ") + field;
    }
    objects_.notes.push_back(std::move(note));
    return AddPod(std::move(pod));
  }

  template <class Workload>
  Result<void> AddWorkload(const AnyObject& object) {
    const auto& own = As<Workload>(object);
    return AddTemplate(object.type().name, own.metadata, own.spec.template_,
                       OtherFields(own.spec, "template"));
  }

  Result<void> AddController(const AnyObject& object) {
    const auto& own = As<v1::ReplicationController>(object);
    if (!own.spec.template_.has_value()) {
      return Error(Code::kInvalidArgument,
                   Named(object.type().name, own.metadata.name) + " has no template");
    }
    return AddTemplate(object.type().name, own.metadata, *own.spec.template_,
                       OtherFields(own.spec, "template"));
  }

  template <class CronJob>
  Result<void> AddCronJob(const AnyObject& object) {
    const auto& own = As<CronJob>(object);
    std::vector<std::string> others = OtherFields(own.spec, "jobTemplate");
    for (std::string& field : OtherFields(own.spec.jobTemplate.spec, "template")) {
      others.push_back("jobTemplate.spec." + field);
    }
    return AddTemplate(object.type().name, own.metadata, own.spec.jobTemplate.spec.template_,
                       others);
  }

  void PassOver(const AnyObject& object) {
    std::string name;
    if (const reflect::Field* field = object.type().Find("metadata");
        field && field->type == &TypeOf<ObjectMeta>()) {
      name = static_cast<const ObjectMeta*>(field->at(object.get()))->name;
    }
    objects_.notes.push_back(Named(object.type().name, name) +
                             ": passed over, it needs an API server");
  }

  PlayObjects objects_;
};

}  // namespace

Result<PlayObjects> CollectPlayObjects(const std::vector<cli::ManifestObject>& manifests) {
  Collector collector;
  for (const cli::ManifestObject& manifest : manifests) {
    if (manifest.object) {
      TRY_VOID(collector.Add(manifest.object));
    } else {
      collector.PassOverUnknown(manifest.json);
    }
  }
  return std::move(collector).Take();
}

}  // namespace podium::commands
