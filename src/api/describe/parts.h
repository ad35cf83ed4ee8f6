// What several kinds' descriptions have in common, and the descriptions themselves by the type that
// they are of. Private to describe/. All write what upstream's function of the like name writes.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "api/describe/scene.h"
#include "api/describe/writer.h"
#include "api/labels.h"
#include "api/types/core_v1.h"
#include "api/types/meta_v1.h"
#include "base/result.h"
#include "reflect/type.h"
#include "reflect/values.h"

namespace podium::api {

// --- Metadata and events (metadata.cpp) ---

// "TITLE:" and the labels, a line each, or <none>. Each line stands behind `indent`.
void WriteLabels(std::string_view title, const reflect::Map<std::string>& labels,
                 DescribeWriter* out, std::string_view indent = {});
// Long values, and those of several lines, stand below their keys, cut off.
void WriteAnnotations(std::string_view title, const reflect::Map<std::string>& annotations,
                      DescribeWriter* out);
// Name, namespace, labels and annotations, as most kinds begin.
void WriteMetadata(const meta::v1::ObjectMeta& metadata, DescribeWriter* out);
// The owner that controls the object; null for none.
const meta::v1::OwnerReference* ControllerOf(const meta::v1::ObjectMeta& metadata);
void WriteControlledBy(const meta::v1::ObjectMeta& metadata, DescribeWriter* out);
// The table of events, or <none>; nothing where events are not asked for.
void WriteEvents(const std::vector<const core::v1::Event*>& events, const Scene& scene,
                 DescribeWriter* out);
// Those of this object.
void WriteEventsOf(std::string_view kind, const meta::v1::ObjectMeta& metadata, const Scene& scene,
                   DescribeWriter* out);

// --- Values, as Go's %v prints them ---

std::string GoText(const reflect::List<std::string>& list);  // [a b]
std::string GoText(const reflect::Map<std::string>& map);    // map[a:b c:d]
std::string GoText(const reflect::Box<core::v1::LocalObjectReference>& reference);
std::string GoText(const reflect::Box<core::v1::SecretReference>& reference);
// Go's int64(value): of what does not fit, the least one, as on the processors that it mostly runs
// on.
int64_t GoInteger(double value);
// The amount of that name; zero when there is none.
Quantity AmountOf(const reflect::Map<Quantity>& amounts, std::string_view name);

// --- Parts of pods (containers.cpp, probe.cpp, volumes.cpp, pod.cpp, amounts.cpp) ---

// `pod` is null for a template, which knows no values of its fields. `indented`: one level deeper,
// as in templates.
void WriteContainers(std::string_view label, const reflect::List<core::v1::Container>& containers,
                     const reflect::List<core::v1::ContainerStatus>& statuses,
                     const core::v1::Pod* pod, bool indented, const Scene& scene,
                     DescribeWriter* out);
void WriteContainers(std::string_view label,
                     const reflect::List<core::v1::EphemeralContainer>& containers,
                     const reflect::List<core::v1::ContainerStatus>& statuses,
                     const core::v1::Pod* pod, bool indented, const Scene& scene,
                     DescribeWriter* out);
std::string ProbeText(const core::v1::Probe& probe);
// Limits and requests.
void WriteResources(const core::v1::ResourceRequirements& resources, int level,
                    DescribeWriter* out);
void WriteVolumes(const reflect::List<core::v1::Volume>& volumes, bool indented,
                  DescribeWriter* out);
void WritePersistentVolumeSource(const core::v1::PersistentVolumeSpec& spec, DescribeWriter* out);
void WritePodTemplate(const core::v1::PodTemplateSpec& pod_template, const Scene& scene,
                      DescribeWriter* out);
// What a claim asks for; of a claim itself, not of a template for one, also its name and state.
// `scene` is null for a template.
void WriteClaim(const meta::v1::ObjectMeta& metadata,
                const core::v1::PersistentVolumeClaimSpec& spec,
                const core::v1::PersistentVolumeClaimStatus* status, const Scene* scene,
                DescribeWriter* out);

// What the pod's containers ask for together, with what the pod itself asks for and its overhead
// (component-helpers' PodRequests and PodLimits). `as_running`: also what it was given so far,
// where a resize is under way.
reflect::Map<Quantity> PodRequests(const core::v1::Pod& pod, bool as_running);
reflect::Map<Quantity> PodLimits(const core::v1::Pod& pod, bool as_running);
void AddAmounts(const reflect::Map<Quantity>& from, reflect::Map<Quantity>* to);

// --- Of services (service.cpp) ---

// The first addresses behind a port of the service, and how many more there are; <none>.
std::string EndpointsOf(const core::v1::Service& service, std::string_view port_name,
                        const Scene& scene);

// --- Descriptions ---

struct Describer {
  const reflect::Type* type;
  Result<void> (*describe)(const void* object, const Scene& scene, DescribeWriter* out);
};

template <class T, Result<void> (*describe)(const T&, const Scene&, DescribeWriter*)>
Describer DescriberOf() {
  return {.type = &reflect::TypeOf<T>(),
          .describe = [](const void* object, const Scene& scene, DescribeWriter* out) {
            return describe(*static_cast<const T*>(object), scene, out);
          }};
}

std::span<const Describer> PodDescribers();
std::span<const Describer> NodeDescribers();
std::span<const Describer> WorkloadDescribers();  // what makes pods
std::span<const Describer> ServiceDescribers();
std::span<const Describer> IngressDescribers();
std::span<const Describer> StorageDescribers();
std::span<const Describer> ClusterDescribers();
std::span<const Describer> ConfigDescribers();  // what configures, and what limits a namespace

// Any object, by its fields.
Result<void> DescribeFields(const reflect::Object& object, const Scene& scene, DescribeWriter* out);

}  // namespace podium::api
