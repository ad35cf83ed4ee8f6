// Kinds that make pods (upstream's pkg/registry/apps, batch, and core/replicationcontroller and
// podtemplate).

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <iterator>
#include <string>

#include "api/names.h"
#include "api/types/apps_v1.h"
#include "api/types/autoscaling_v2.h"
#include "api/types/batch_v1.h"
#include "api/types/core_v1.h"
#include "apiserver/strategies/pod_spec_rules.h"
#include "apiserver/strategies/rows.h"
#include "reflect/copy.h"

namespace podium::apiserver {
namespace {

using api::apps::v1::DaemonSet;
using api::apps::v1::Deployment;
using api::apps::v1::ReplicaSet;
using api::apps::v1::StatefulSet;
using api::batch::v1::CronJob;
using api::batch::v1::Job;
using api::core::v1::PodTemplate;
using api::core::v1::PodTemplateSpec;
using api::core::v1::ReplicationController;
using api::field::ErrorList;
using api::field::Path;

// Where a kind has its template: the object and the path to it are the same for all but three.
template <class T>
const PodTemplateSpec& TemplateOf(const T& object) {
  return object.spec.template_;
}
const PodTemplateSpec& TemplateOf(const PodTemplate& object) { return object.template_; }
const PodTemplateSpec& TemplateOf(const CronJob& object) {
  return object.spec.jobTemplate.spec.template_;
}
const PodTemplateSpec* FindTemplate(const ReplicationController& object) {
  return object.spec.template_.get();
}
template <class T>
const PodTemplateSpec* FindTemplate(const T& object) {
  return &TemplateOf(object);
}

template <class T, class Use>
auto WithTemplatePath(Use use) {
  const Path spec("spec");
  if constexpr (std::is_same_v<T, PodTemplate>) {
    return use(Path("template"));
  } else if constexpr (std::is_same_v<T, CronJob>) {
    const Path job_template = spec.Child("jobTemplate");
    const Path job_spec = job_template.Child("spec");
    return use(job_spec.Child("template"));
  } else {
    return use(spec.Child("template"));
  }
}

template <class T>
void PrepareTemplate(const T* old, T& object) {
  const PodTemplateSpec* of_old = old != nullptr ? FindTemplate(*old) : nullptr;
  auto* of_object = const_cast<PodTemplateSpec*>(FindTemplate(object));
  if (of_object == nullptr) return;
  DropDisabledFields(of_old != nullptr ? &of_old->spec : nullptr, &of_object->spec);
}

template <class T>
void PrepareNew(const StrategyContext&, T& object) {
  PrepareTemplate<T>(nullptr, object);
}
template <class T>
void PrepareChanged(const StrategyContext&, T& object, const T& old) {
  PrepareTemplate<T>(&old, object);
}

template <class T>
ErrorList Check(const T& object, const T* old) {
  const PodTemplateSpec* of_object = FindTemplate(object);
  if (of_object == nullptr) return {};
  const PodTemplateSpec* of_old = old != nullptr ? FindTemplate(*old) : nullptr;
  return WithTemplatePath<T>([&](const Path& path) {
    return CheckServedFields(of_object->spec, of_old != nullptr ? &of_old->spec : nullptr,
                             path.Child("spec"));
  });
}

// A template that has not changed is not warned of again.
template <class T>
std::vector<std::string> WarnOfTemplate(const T& object, const T* old) {
  const PodTemplateSpec* of_object = FindTemplate(object);
  if (of_object == nullptr) return {};
  const PodTemplateSpec* of_old = old != nullptr ? FindTemplate(*old) : nullptr;
  if (of_old != nullptr && object.metadata.generation == old->metadata.generation) return {};
  return WithTemplatePath<T>([&](const Path& path) {
    return WarningsForPodTemplate(of_object->metadata, of_object->spec, path, true);
  });
}

// Of new objects whose pods are named after them.
template <class T>
std::vector<std::string> WarnOfName(const T& object, const T* old) {
  if (old != nullptr) return {};
  const auto messages = api::IsDNS1123Label(object.metadata.name);
  if (messages.empty()) return {};
  return {fmt::format(
      "metadata.name: this is used in Pod names and hostnames, which can result in surprising "
      "behavior; a DNS label is recommended: [{}]",
      fmt::join(messages, " "))};
}

template <class T>
std::vector<std::string> WarnOfNameAndTemplate(const T& object, const T* old) {
  std::vector<std::string> warnings = WarnOfName(object, old);
  std::ranges::move(WarnOfTemplate(object, old), std::back_inserter(warnings));
  return warnings;
}

template <class T>
Strategy RowOf() {
  return {.type = &reflect::TypeOf<T>(),
          .has_status = true,
          .generation = Generation::kSpec,
          .prepare_create = Create<T, PrepareNew<T>>,
          .prepare_update = Update<T, PrepareChanged<T>>,
          .validate_create = CheckCreate<T, Check<T>>,
          .validate_update = CheckUpdate<T, Check<T>>,
          .warnings = Warn<T, WarnOfTemplate<T>>};
}

// Annotations count as well: the controller copies them to its ReplicaSets.
void PrepareDeployment(const StrategyContext&, Deployment& deployment, const Deployment& old) {
  PrepareTemplate<Deployment>(&old, deployment);
  if (!reflect::Equal(deployment.spec, old.spec) ||
      deployment.metadata.annotations != old.metadata.annotations) {
    ++deployment.metadata.generation;
  }
}

// What was the field templateGeneration of extensions/v1beta1 lives on as an annotation.
constexpr std::string_view kTemplateGeneration = "deprecated.daemonset.template.generation";

int64_t TemplateGenerationOf(const DaemonSet& set) {
  const auto found = set.metadata.annotations.find(kTemplateGeneration);
  int64_t number = 0;
  if (found != set.metadata.annotations.end()) {
    const std::string& text = found->second;
    std::from_chars(text.data(), text.data() + text.size(), number);
  }
  return number;
}

void SetTemplateGeneration(DaemonSet& set, int64_t number) {
  set.metadata.annotations[std::string(kTemplateGeneration)] = std::to_string(number);
}

void PrepareNewDaemonSet(const StrategyContext&, DaemonSet& set) {
  PrepareTemplate<DaemonSet>(nullptr, set);
  SetTemplateGeneration(set, std::max<int64_t>(TemplateGenerationOf(set), 1));
}

void PrepareDaemonSet(const StrategyContext&, DaemonSet& set, const DaemonSet& old) {
  PrepareTemplate<DaemonSet>(&old, set);
  const bool same = reflect::Equal(set.spec.template_, old.spec.template_);
  SetTemplateGeneration(set, TemplateGenerationOf(old) + (same ? 0 : 1));
}

// What tells a job's pods from all others. What the client wrote there is left for validation.
void SelectByUid(Job& job) {
  auto& labels = job.spec.template_.metadata.labels;
  for (const char* name : {"job-name", "batch.kubernetes.io/job-name"}) {
    labels.try_emplace(name, job.metadata.name);
  }
  for (const char* name : {"controller-uid", "batch.kubernetes.io/controller-uid"}) {
    labels.try_emplace(name, job.metadata.uid);
  }
  job.spec.selector.ensure().matchLabels.try_emplace("batch.kubernetes.io/controller-uid",
                                                     job.metadata.uid);
}

void PrepareNewJob(const StrategyContext&, Job& job) {
  PrepareTemplate<Job>(nullptr, job);
  if (!job.spec.manualSelector.value_or(false)) SelectByUid(job);
}

constexpr std::string_view kManyIndexes =
    "In Indexed Jobs with a number of completions higher than 10^5 and a parallelism higher than "
    "10^4, Kubernetes might not be able to track completedIndexes when a big number of indexes "
    "fail";

void WarnOfIndexes(const api::batch::v1::JobSpec& spec, const Path& path,
                   std::vector<std::string>* warnings) {
  const bool many = spec.completionMode == "Indexed" && spec.completions.value_or(0) > 100'000 &&
                    spec.parallelism.value_or(0) > 10'000;
  if (many) warnings->push_back(fmt::format("{}: {}", path.String(), kManyIndexes));
}

std::vector<std::string> WarnOfJob(const Job& job, const Job* old) {
  std::vector<std::string> warnings = WarnOfName(job, old);
  WarnOfIndexes(job.spec, Path("spec"), &warnings);
  std::ranges::move(WarnOfTemplate(job, old), std::back_inserter(warnings));
  return warnings;
}

std::vector<std::string> WarnOfCronJob(const CronJob& job, const CronJob* old) {
  std::vector<std::string> warnings = WarnOfName(job, old);
  const Path spec("spec");
  const Path job_template = spec.Child("jobTemplate");
  WarnOfIndexes(job.spec.jobTemplate.spec, job_template.Child("spec"), &warnings);
  std::ranges::move(WarnOfTemplate(job, old), std::back_inserter(warnings));
  // New ones are refused. The path is upstream's.
  if (old != nullptr && job.spec.schedule.contains("TZ")) {
    warnings.emplace_back(
        "cannot use TZ or CRON_TZ in spec.spec.schedule, use timeZone instead, see "
        "https://kubernetes.io/docs/concepts/workloads/controllers/cron-jobs/ for more details");
  }
  return warnings;
}

std::vector<std::string> WarnOfStatefulSet(const StatefulSet& set, const StatefulSet* old) {
  std::vector<std::string> warnings = WarnOfTemplate(set, old);
  const Path spec("spec");
  const Path claims = spec.Child("volumeClaimTemplates");
  for (size_t i = 0; i < set.spec.volumeClaimTemplates.size(); ++i) {
    const Path claim = claims.Index(i);
    // Upstream's paths, which are not those of the fields.
    WarnOfClaimSpec(set.spec.volumeClaimTemplates[i].spec,
                    old != nullptr ? claim.Child("Spec") : claim, &warnings);
  }
  if (set.spec.revisionHistoryLimit.value_or(0) < 0) {
    warnings.emplace_back(
        "spec.revisionHistoryLimit: a negative value retains all historical revisions; a value >= "
        "0 is recommended");
  }
  return warnings;
}

Strategy DeploymentRow() {
  Strategy row = RowOf<Deployment>();
  row.warnings = Warn<Deployment, WarnOfNameAndTemplate<Deployment>>;
  row.generation = Generation::kOwn;
  row.prepare_update = Update<Deployment, PrepareDeployment>;
  return row;
}

Strategy DaemonSetRow() {
  Strategy row = RowOf<DaemonSet>();
  row.prepare_create = Create<DaemonSet, PrepareNewDaemonSet>;
  row.prepare_update = Update<DaemonSet, PrepareDaemonSet>;
  return row;
}

Strategy JobRow() {
  Strategy row = RowOf<Job>();
  row.prepare_create = Create<Job, PrepareNewJob>;
  row.warnings = Warn<Job, WarnOfJob>;
  row.orphans_by_default = true;
  return row;
}

Strategy CronJobRow() {
  Strategy row = RowOf<CronJob>();
  row.warnings = Warn<CronJob, WarnOfCronJob>;
  return row;
}

Strategy ReplicaSetRow() {
  Strategy row = RowOf<ReplicaSet>();
  row.warnings = Warn<ReplicaSet, WarnOfNameAndTemplate<ReplicaSet>>;
  return row;
}

Strategy StatefulSetRow() {
  Strategy row = RowOf<StatefulSet>();
  row.warnings = Warn<StatefulSet, WarnOfStatefulSet>;
  return row;
}

Strategy ReplicationControllerRow() {
  Strategy row = RowOf<ReplicationController>();
  row.warnings = Warn<ReplicationController, WarnOfNameAndTemplate<ReplicationController>>;
  row.orphans_by_default = true;
  return row;
}

Strategy PodTemplateRow() {
  Strategy row = RowOf<PodTemplate>();
  row.has_status = false;
  row.generation = Generation::kContent;
  row.create_on_update = true;
  return row;
}

}  // namespace

std::span<const Strategy> WorkloadStrategies() {
  static const Strategy kRows[] = {
      DeploymentRow(),
      StatusOf<Deployment>(KeptMetadata::kLabels),
      ReplicaSetRow(),
      StatusOf<ReplicaSet>(),
      StatefulSetRow(),
      StatusOf<StatefulSet>(),
      DaemonSetRow(),
      StatusOf<DaemonSet>(),
      JobRow(),
      StatusOf<Job>(),
      CronJobRow(),
      StatusOf<CronJob>(),
      ReplicationControllerRow(),
      StatusOf<ReplicationController>(),
      PodTemplateRow(),
      {.type = &reflect::TypeOf<api::autoscaling::v2::HorizontalPodAutoscaler>(),
       .has_status = true},
      StatusOf<api::autoscaling::v2::HorizontalPodAutoscaler>(),
  };
  return kRows;
}

}  // namespace podium::apiserver
