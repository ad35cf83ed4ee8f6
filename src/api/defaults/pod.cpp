#include "api/defaults/rules.h"
#include "api/types/core_v1.h"
#include "base/image_reference.h"

namespace podium::api::defaults {
namespace {

void DefaultHttpGet(core::v1::HTTPGetAction& action) {
  SetIfEmpty(action.path, "/");
  SetIfEmpty(action.scheme, "HTTP");
}

void DefaultProbe(core::v1::Probe& probe) {
  SetIfZero(probe.timeoutSeconds, 1);
  SetIfZero(probe.periodSeconds, 10);
  SetIfZero(probe.successThreshold, 1);
  SetIfZero(probe.failureThreshold, 3);
  if (probe.httpGet) DefaultHttpGet(*probe.httpGet);
  if (probe.grpc) SetIfUnset(probe.grpc->service, "");
}

void DefaultEnv(core::v1::EnvVar& variable) {
  if (!variable.valueFrom) return;
  core::v1::EnvVarSource& source = *variable.valueFrom;
  if (source.fieldRef) SetIfEmpty(source.fieldRef->apiVersion, "v1");
  if (source.fileKeyRef) SetIfUnset(source.fileKeyRef->optional, false);
}

// Container and EphemeralContainer have these fields alike.
template <class AnyContainer>
void DefaultContainer(AnyContainer& container) {
  DefaultPullPolicy(container.imagePullPolicy, container.image);
  SetIfEmpty(container.terminationMessagePath, "/dev/termination-log");
  SetIfEmpty(container.terminationMessagePolicy, "File");
  for (core::v1::ContainerPort& port : container.ports) SetIfEmpty(port.protocol, "TCP");
  for (core::v1::EnvVar& variable : container.env) DefaultEnv(variable);
  DefaultResourceRequirements(container.resources);
  for (auto* probe :
       {&container.livenessProbe, &container.readinessProbe, &container.startupProbe}) {
    if (*probe) DefaultProbe(**probe);
  }
  if (!container.lifecycle) return;
  for (auto* handler : {&container.lifecycle->postStart, &container.lifecycle->preStop}) {
    if (*handler && (*handler)->httpGet) DefaultHttpGet(*(*handler)->httpGet);
  }
}

void RequestWhatIsLimited(reflect::List<core::v1::Container>& containers) {
  for (core::v1::Container& container : containers) {
    AddMissing(container.resources.limits, container.resources.requests);
  }
}

void UseContainerPortOnHost(reflect::List<core::v1::Container>& containers) {
  for (core::v1::Container& container : containers) {
    for (core::v1::ContainerPort& port : container.ports) {
      SetIfZero(port.hostPort, port.containerPort);
    }
  }
}

}  // namespace

void AddMissing(const ResourceList& from, ResourceList& to) { to.insert(from.begin(), from.end()); }

// Upstream keeps thousandths at the finest, and rounds instead of refusing what is finer.
void DefaultResourceList(ResourceList& list) {
  for (auto& [name, quantity] : list) quantity.RoundUp(Quantity::kMilli);
}

void DefaultResourceRequirements(core::v1::ResourceRequirements& resources) {
  DefaultResourceList(resources.limits);
  DefaultResourceList(resources.requests);
}

// Of what is no reference upstream ignores the parser's error, and compares the empty tag.
bool HasLatestTag(const std::string& image) {
  const Result<ImageReference> reference = ImageReference::Parse(image);
  return reference.ok() && (reference->IsNameOnly() || reference->tag == "latest");
}

void DefaultPullPolicy(std::string& policy, const std::string& image) {
  if (policy.empty()) policy = HasLatestTag(image) ? "Always" : "IfNotPresent";
}

void DefaultPodOnly(core::v1::Pod& pod) {
  core::v1::PodSpec& spec = pod.spec;
  RequestWhatIsLimited(spec.containers);
  RequestWhatIsLimited(spec.initContainers);
  DefaultPodResources(spec);
  SetIfUnset(spec.enableServiceLinks, true);
  if (spec.hostNetwork) {
    UseContainerPortOnHost(spec.containers);
    UseContainerPortOnHost(spec.initContainers);
  }
}

void DefaultPodSpec(core::v1::PodSpec& spec) {
  SetIfEmpty(spec.dnsPolicy, "ClusterFirst");
  SetIfEmpty(spec.restartPolicy, "Always");
  spec.securityContext.ensure();
  SetIfUnset(spec.terminationGracePeriodSeconds, 30);
  SetIfEmpty(spec.schedulerName, "default-scheduler");
  // Not a rule of defaulting upstream but of its internal form, which has one field for the two.
  if (spec.serviceAccountName.empty()) spec.serviceAccountName = spec.serviceAccount;
  spec.serviceAccount = spec.serviceAccountName;

  for (core::v1::Volume& volume : spec.volumes) DefaultVolume(volume);
  for (core::v1::Container& container : spec.initContainers) DefaultContainer(container);
  for (core::v1::Container& container : spec.containers) DefaultContainer(container);
  for (core::v1::EphemeralContainer& container : spec.ephemeralContainers) {
    DefaultContainer(container);
  }
  DefaultResourceList(spec.overhead);
  if (spec.resources) DefaultResourceRequirements(*spec.resources);
}

}  // namespace podium::api::defaults
