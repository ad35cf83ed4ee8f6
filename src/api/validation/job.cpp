#include "api/validation/job.h"

#include <algorithm>
#include <string>
#include <string_view>

#include "api/labels.h"
#include "api/names.h"
#include "api/validation/common.h"
#include "api/validation/job_spec.h"
#include "api/validation/object_meta.h"
#include "api/validation/unversioned_json.h"
#include "api/validation/workloads.h"

namespace podium::api {
namespace {

using batch::v1::Job;
using batch::v1::JobSpec;

constexpr std::string_view kUidLabel = "batch.kubernetes.io/controller-uid";
constexpr std::string_view kNameLabel = "batch.kubernetes.io/job-name";
// As they were called before labels had domains.
constexpr std::string_view kOldUidLabel = "controller-uid";
constexpr std::string_view kOldNameLabel = "job-name";

constexpr std::string_view kUidToCome = "00000000-0000-0000-0000-000000000000";

struct JobOptions {
  PodValidationOptions pod;
  // The template has the labels with a domain too; Jobs from before they were made have not.
  bool require_prefixed_labels = true;
  // The Job is suspended and has no pods, so that its template may change in part.
  bool allow_template_changes = false;
};

bool IsSuspendedWithoutPods(const Job& job) {
  if (!job.spec.suspend.value_or(false) || job.status.active != 0) return false;
  if (!job.status.startTime) return true;
  return std::ranges::any_of(job.status.conditions, [](const batch::v1::JobCondition& condition) {
    return condition.type == "Suspended" && condition.status == "True";
  });
}

JobOptions OptionsForUpdate(const Job& old_job) {
  const auto& labels = old_job.spec.template_.metadata.labels;
  JobOptions options{
      .pod = PodValidationOptionsForTemplate(&old_job.spec.template_),
      .require_prefixed_labels = labels.contains(kNameLabel) && labels.contains(kUidLabel),
      .allow_template_changes = IsSuspendedWithoutPods(old_job)};
  options.pod.allow_invalid_label_value_in_selector |=
      old_job.spec.selector && HasInvalidLabelValue(*old_job.spec.selector);
  return options;
}

// The template has the label that the selector was made with.
void CheckHasLabel(const meta::v1::ObjectMeta& metadata, const field::Path& path,
                   std::string_view key, const std::string& expected, field::ErrorList* errors) {
  const field::Path labels = path.Child("labels");
  const auto found = metadata.labels.find(key);
  const std::string detail = "must be '" + expected + "'";
  if (found == metadata.labels.end()) {
    errors->Add(field::Required(labels.Key(key), detail));
  } else if (found->second != expected) {
    errors->Add(field::Invalid(labels.Key(key), metadata.labels, detail));
  }
}

void CheckGeneratedSelector(const Job& job, bool require_prefixed_labels,
                            field::ErrorList* errors) {
  if (job.spec.manualSelector.value_or(false) || !job.spec.selector) return;
  const std::string& uid = job.metadata.uid;
  const std::string& name = job.metadata.name;
  const field::Path root;
  const field::Path metadata = root.Child("metadata");
  const field::Path spec = root.Child("spec");
  const field::Path pod_template = spec.Child("template");
  const field::Path template_metadata = pod_template.Child("metadata");
  if (uid.empty()) errors->Add(field::Required(metadata.Child("uid"), ""));

  reflect::Map<std::string> generated;
  const auto expect = [&](std::string_view key, const std::string& value) {
    CheckHasLabel(job.spec.template_.metadata, template_metadata, key, value, errors);
    generated.emplace(key, value);
  };
  expect(kOldUidLabel, uid);
  expect(kOldNameLabel, name);
  if (require_prefixed_labels) {
    expect(kUidLabel, uid);
    expect(kNameLabel, name);
  }
  const TemplateSelector selector(job.spec.selector);
  if (selector.valid() && !selector.Matches(generated)) {
    errors->Add(
        field::Invalid(spec.Child("selector"), job.spec.selector, "`selector` not auto-generated"));
  }
}

void CheckSpecAndSelector(const JobSpec& spec, const field::Path& path,
                          const PodValidationOptions& options, field::ErrorList* errors) {
  CheckJobSpec(spec, path, options, errors);
  const field::Path selector_path = path.Child("selector");
  if (spec.selector) {
    errors->Append(ValidateLabelSelector(
        *spec.selector, selector_path,
        {.allow_invalid_label_values = options.allow_invalid_label_value_in_selector}));
  } else {
    errors->Add(field::Required(selector_path, ""));
  }
  const TemplateSelector selector(spec.selector);
  CheckTemplateLabels(!selector.valid() || selector.Matches(spec.template_.metadata.labels),
                      spec.template_, path.Child("template"), errors);
}

// The pods of an indexed Job have its name and their index as hostname.
void CheckHostnames(const Job& job, field::ErrorList* errors) {
  if (!IsIndexed(job.spec) || job.spec.completions.value_or(0) <= 0) return;
  const std::string last = job.metadata.name + "-" + std::to_string(*job.spec.completions - 1);
  if (IsDNS1123Label(last).empty()) return;
  errors->Add(field::Invalid(field::Path("metadata").Child("name"), job.metadata.name,
                             "will not able to create pod with invalid DNS label: " + last));
}

field::ErrorList Validate(const Job& job, const JobOptions& options) {
  const field::Path root;
  field::ErrorList errors = ValidateObjectMeta(job.metadata, Scope::kNamespaced, NameIsDNSSubdomain,
                                               root.Child("metadata"));
  CheckGeneratedSelector(job, options.require_prefixed_labels, &errors);
  CheckSpecAndSelector(job.spec, root.Child("spec"), options.pod, &errors);
  CheckHostnames(job, &errors);
  return errors;
}

// Indexed Jobs scale: completions may change together with parallelism.
void CheckCompletionsUpdate(const JobSpec& spec, const JobSpec& old_spec, const field::Path& path,
                            field::ErrorList* errors) {
  const field::Path completions = path.Child("completions");
  if (!IsIndexed(spec)) {
    CheckImmutable(spec.completions == old_spec.completions, spec.completions, completions, errors);
  } else if (spec.completions && spec.completions != old_spec.completions &&
             spec.completions != spec.parallelism) {
    // The path is the root's child, as upstream has it.
    errors->Add(field::Invalid(completions, *spec.completions,
                               "can only be modified in tandem with spec.parallelism"));
  }
}

// The old template with what schedulers decide by, taken from the new one.
core::v1::PodTemplateSpec WithSchedulingOf(const core::v1::PodTemplateSpec& old_template,
                                           const core::v1::PodTemplateSpec& new_template) {
  core::v1::PodTemplateSpec adapted = old_template;
  const core::v1::PodSpec& spec = new_template.spec;
  auto& affinity = adapted.spec.affinity;
  if (!spec.affinity && affinity) {
    affinity->nodeAffinity.reset();
    if (!affinity->podAffinity && !affinity->podAntiAffinity) affinity.reset();
  } else if (spec.affinity) {
    affinity.ensure().nodeAffinity = spec.affinity->nodeAffinity;
  }
  adapted.spec.nodeSelector = spec.nodeSelector;
  adapted.spec.tolerations = spec.tolerations;
  adapted.spec.schedulingGates = spec.schedulingGates;
  adapted.metadata.annotations = new_template.metadata.annotations;
  adapted.metadata.labels = new_template.metadata.labels;
  return adapted;
}

// Resources of containers that have the same name at the same place.
void TakeResources(const reflect::List<core::v1::Container>& from,
                   reflect::List<core::v1::Container>* to) {
  if (from.size() != to->size()) return;
  for (size_t i = 0; i < from.size(); ++i) {
    if ((*to)[i].name == from[i].name) (*to)[i].resources = from[i].resources;
  }
}

template <class T>
field::BadValue Printed(const reflect::Box<T>& box) {
  return box ? UnversionedValue(*box) : field::BadValue(nullptr);
}

template <class T>
bool Same(const T& a, const T& b) {
  return reflect::EqualObjects(reflect::TypeOf<T>(), &a, &b);
}

void CheckTemplateUpdate(const JobSpec& spec, const JobSpec& old_spec, const field::Path& path,
                         bool allow_changes, field::ErrorList* errors) {
  if (!allow_changes) {
    if (Same(spec.template_, old_spec.template_)) return;
    errors->Add(
        field::Invalid(path.Child("template"), UnversionedValue(spec.template_), kFieldImmutable));
    return;
  }
  core::v1::PodTemplateSpec old_template = WithSchedulingOf(old_spec.template_, spec.template_);
  TakeResources(spec.template_.spec.containers, &old_template.spec.containers);
  TakeResources(spec.template_.spec.initContainers, &old_template.spec.initContainers);
  if (Same(spec.template_.spec, old_template.spec)) return;
  errors->Add(field::Invalid(path.Child("template.spec"), UnversionedValue(spec.template_.spec),
                             kFieldImmutable));
}

void CheckSpecUpdate(const JobSpec& spec, const JobSpec& old_spec, const field::Path& path,
                     const JobOptions& options, field::ErrorList* errors) {
  CheckSpecAndSelector(spec, path, options.pod, errors);
  CheckCompletionsUpdate(spec, old_spec, path, errors);
  CheckImmutable(spec.selector == old_spec.selector, spec.selector, path.Child("selector"), errors);
  CheckTemplateUpdate(spec, old_spec, path, options.allow_template_changes, errors);
  CheckImmutable(spec.completionMode == old_spec.completionMode, NamedString(spec.completionMode),
                 path.Child("completionMode"), errors);
  CheckImmutable(spec.podFailurePolicy == old_spec.podFailurePolicy, Printed(spec.podFailurePolicy),
                 path.Child("podFailurePolicy"), errors);
  CheckImmutable(spec.backoffLimitPerIndex == old_spec.backoffLimitPerIndex,
                 spec.backoffLimitPerIndex, path.Child("backoffLimitPerIndex"), errors);
  CheckImmutable(spec.managedBy == old_spec.managedBy, NamedString(spec.managedBy),
                 path.Child("managedBy"), errors);
  CheckImmutable(spec.successPolicy == old_spec.successPolicy, Printed(spec.successPolicy),
                 path.Child("successPolicy"), errors);
}

}  // namespace

void GenerateJobSelector(Job* job) {
  if (job->spec.manualSelector.value_or(false)) return;
  auto& labels = job->spec.template_.metadata.labels;
  // Labels that are there stay, and fail validation where they are wrong.
  labels.try_emplace(std::string(kOldNameLabel), job->metadata.name);
  labels.try_emplace(std::string(kNameLabel), job->metadata.name);
  labels.try_emplace(std::string(kOldUidLabel), job->metadata.uid);
  labels.try_emplace(std::string(kUidLabel), job->metadata.uid);
  job->spec.selector.ensure().matchLabels.try_emplace(std::string(kUidLabel), job->metadata.uid);
}

field::ErrorList ValidateJob(const Job& job) {
  Job stored = job;
  if (stored.metadata.uid.empty()) stored.metadata.uid = kUidToCome;
  GenerateJobSelector(&stored);
  return Validate(stored, JobOptions{.pod = PodValidationOptionsForTemplate(nullptr)});
}

field::ErrorList ValidateJobUpdate(const Job& job, const Job& old_job) {
  const JobOptions options = OptionsForUpdate(old_job);
  const field::Path root;
  field::ErrorList errors = Validate(job, options);
  errors.Append(ValidateObjectMetaUpdate(job.metadata, old_job.metadata, root.Child("metadata")));
  CheckSpecUpdate(job.spec, old_job.spec, root.Child("spec"), options, &errors);
  return errors;
}

field::ErrorList ValidateJobTemplateSpec(const JobSpec& spec, const field::Path& path,
                                         const PodValidationOptions& options) {
  field::ErrorList errors;
  CheckJobSpec(spec, path, options, &errors);
  if (spec.selector) {
    errors.Add(
        field::Invalid(path.Child("selector"), spec.selector, "`selector` will be auto-generated"));
  }
  if (spec.manualSelector.value_or(false)) {
    errors.Add(field::NotSupported(path.Child("manualSelector"), true, {"nil", "false"}));
  }
  return errors;
}

}  // namespace podium::api
