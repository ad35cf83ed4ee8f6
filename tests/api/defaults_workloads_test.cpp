// Defaults of apps, batch, autoscaling and policy (upstream release 1.36).
#include <gtest/gtest.h>

#include "api/defaults_support.h"

namespace podium::api::test {
namespace {

TEST(WorkloadDefaults, Deployment) {
  constexpr Row kRows[] = {
      {"deployment", "spec/replicas", "1", "0"},
      {"deployment", "spec/strategy/type", R"("RollingUpdate")", R"("Recreate")"},
      {"deployment", "spec/strategy/rollingUpdate", R"({"maxUnavailable":"25%","maxSurge":"25%"})"},
      {"deployment", "spec/strategy/rollingUpdate/maxUnavailable", R"("25%")", "0",
       R"({"spec/strategy/rollingUpdate":{}})"},
      {"deployment", "spec/strategy/rollingUpdate/maxSurge", R"("25%")", R"("0%")",
       R"({"spec/strategy/rollingUpdate":{"maxUnavailable":1}})"},
      {"deployment", "spec/strategy/rollingUpdate", nullptr, nullptr,
       R"({"spec/strategy/type":"Recreate"})"},
      {"deployment", "spec/revisionHistoryLimit", "10", "0"},
      {"deployment", "spec/progressDeadlineSeconds", "600", "1"},
      {"deployment", "spec/selector/matchLabels", nullptr, R"({"a":"b"})"},
      {"deployment", "metadata/labels", nullptr, R"({"a":"b"})"},
      {"deployment", "spec/minReadySeconds", nullptr, "1"},
      {"deployment", "spec/template/spec/restartPolicy", R"("Always")", R"("Never")"},
      {"deployment", "spec/template/spec/enableServiceLinks", nullptr, "true"},
  };
  CheckRows(kRows);
}

TEST(WorkloadDefaults, ReplicaSetAndDaemonSet) {
  constexpr Row kRows[] = {
      {"replicaset", "spec/replicas", "1", "0"},
      {"replicaset", "metadata/labels", nullptr, R"({"a":"b"})"},
      {"replicaset", "spec/template/spec/dnsPolicy", R"("ClusterFirst")", R"("Default")"},
      {"daemonset", "spec/updateStrategy/type", R"("RollingUpdate")", R"("OnDelete")"},
      {"daemonset", "spec/updateStrategy/rollingUpdate/maxUnavailable", "1", R"("10%")"},
      {"daemonset", "spec/updateStrategy/rollingUpdate/maxSurge", "0", R"("10%")"},
      {"daemonset", "spec/updateStrategy/rollingUpdate", nullptr, nullptr,
       R"({"spec/updateStrategy/type":"OnDelete"})"},
      {"daemonset", "spec/revisionHistoryLimit", "10", "0"},
      {"daemonset", "spec/template/spec/dnsPolicy", R"("ClusterFirst")", R"("Default")"},
  };
  CheckRows(kRows);
}

TEST(WorkloadDefaults, StatefulSet) {
  constexpr Row kRows[] = {
      {"statefulset", "spec/podManagementPolicy", R"("OrderedReady")", R"("Parallel")"},
      {"statefulset", "spec/updateStrategy", R"({"type":"RollingUpdate",
           "rollingUpdate":{"partition":0,"maxUnavailable":1}})"},
      {"statefulset", "spec/updateStrategy/type", R"("RollingUpdate")", R"("OnDelete")"},
      {"statefulset", "spec/updateStrategy/rollingUpdate", nullptr, nullptr,
       R"({"spec/updateStrategy/type":"RollingUpdate"})"},
      {"statefulset", "spec/updateStrategy/rollingUpdate", nullptr, nullptr,
       R"({"spec/updateStrategy/type":"OnDelete"})"},
      {"statefulset", "spec/updateStrategy/rollingUpdate/partition", "0", "3",
       R"({"spec/updateStrategy/type":"RollingUpdate",
           "spec/updateStrategy/rollingUpdate":{}})"},
      {"statefulset", "spec/updateStrategy/rollingUpdate/maxUnavailable", "1", R"("50%")",
       R"({"spec/updateStrategy/type":"RollingUpdate",
           "spec/updateStrategy/rollingUpdate":{}})"},
      {"statefulset", "spec/updateStrategy/rollingUpdate/partition", nullptr, nullptr,
       R"({"spec/updateStrategy":{"type":"OnDelete","rollingUpdate":{}}})"},
      {"statefulset", "spec/persistentVolumeClaimRetentionPolicy",
       R"({"whenDeleted":"Retain","whenScaled":"Retain"})"},
      {"statefulset", "spec/persistentVolumeClaimRetentionPolicy/whenDeleted", R"("Retain")",
       R"("Delete")", R"({"spec/persistentVolumeClaimRetentionPolicy/whenScaled":"Delete"})"},
      {"statefulset", "spec/persistentVolumeClaimRetentionPolicy/whenScaled", R"("Retain")",
       R"("Delete")", R"({"spec/persistentVolumeClaimRetentionPolicy/whenDeleted":"Delete"})"},
      {"statefulset", "spec/replicas", "1", "0"},
      {"statefulset", "spec/revisionHistoryLimit", "10", "0"},
      {"statefulset", "spec/template/spec/dnsPolicy", R"("ClusterFirst")", R"("Default")"},
      {"statefulset", "spec/volumeClaimTemplates/0/status/phase", R"("Pending")", R"("Bound")",
       R"({"spec/volumeClaimTemplates/0/metadata/name":"v"})"},
      {"statefulset", "spec/volumeClaimTemplates/0/spec/volumeMode", R"("Filesystem")",
       R"("Block")", R"({"spec/volumeClaimTemplates/0/metadata/name":"v"})"},
  };
  CheckRows(kRows);
}

TEST(WorkloadDefaults, Job) {
  constexpr Row kRows[] = {
      {"job", "spec/completions", "1", "3"},
      {"job", "spec/parallelism", "1", "3"},
      {"job", "spec/completions", nullptr, "3", R"({"spec/parallelism":2})"},
      {"job", "spec/parallelism", "1", "3", R"({"spec/completions":2})"},
      {"job", "spec/backoffLimit", "6", "0"},
      {"job", "spec/backoffLimit", "2147483647", "0", R"({"spec/backoffLimitPerIndex":1})"},
      {"job", "metadata/labels", R"({"a":"b"})", R"({"c":"d"})"},
      {"job", "spec/completionMode", R"("NonIndexed")", R"("Indexed")"},
      {"job", "spec/suspend", "false", "true"},
      {"job", "spec/podReplacementPolicy", R"("TerminatingOrFailed")", R"("Failed")"},
      {"job", "spec/podReplacementPolicy", R"("Failed")", R"("TerminatingOrFailed")",
       R"({"spec/podFailurePolicy":{"rules":[]}})"},
      {"job", "spec/podFailurePolicy/rules/0/onPodConditions/0/status", R"("True")", R"("False")",
       R"({"spec/podFailurePolicy/rules/0":{"action":"Ignore","onPodConditions":[{"type":"T"}]}})"},
      {"job", "spec/manualSelector", "false", "true"},
      {"job", "spec/template/spec/dnsPolicy", R"("ClusterFirst")", R"("Default")"},
      {"job", "spec/ttlSecondsAfterFinished", nullptr, "1"},
  };
  CheckRows(kRows);
}

TEST(WorkloadDefaults, CronJob) {
  for (const char* kind : {"cronjob", "batch/v1beta1/cronjob"}) {
    const Row rows[] = {
        {kind, "spec/concurrencyPolicy", R"("Allow")", R"("Forbid")"},
        {kind, "spec/suspend", "false", "true"},
        {kind, "spec/successfulJobsHistoryLimit", "3", "0"},
        {kind, "spec/failedJobsHistoryLimit", "1", "0"},
        {kind, "spec/jobTemplate/spec/template/spec/dnsPolicy", R"("ClusterFirst")",
         R"("Default")"},
        {kind, "spec/jobTemplate/spec/podFailurePolicy/rules/0/onPodConditions/0/status",
         R"("True")", R"("False")",
         R"({"spec/jobTemplate/spec/podFailurePolicy/rules/0":
             {"action":"Ignore","onPodConditions":[{"type":"T"}]}})"},
        // The Job that is made from the template has these, the template has not.
        {kind, "spec/jobTemplate/spec/completions", nullptr, "1"},
        {kind, "spec/jobTemplate/spec/backoffLimit", nullptr, "1"},
        {kind, "spec/jobTemplate/spec/completionMode", nullptr, R"("Indexed")"},
        {kind, "spec/jobTemplate/spec/podReplacementPolicy", nullptr, R"("Failed")"},
    };
    CheckRows(rows);
  }
}

TEST(WorkloadDefaults, Autoscaling) {
#define UP "spec/behavior/scaleUp/"
#define DOWN "spec/behavior/scaleDown/"
#define WITH_BEHAVIOR R"({"spec/behavior":{}})"
#define WITH_RULES R"({"spec/behavior":{"scaleUp":{},"scaleDown":{}}})"
  constexpr Row kRows[] = {
      {"hpa", "spec/minReplicas", "1", "2"},
      {"hpa", "spec/metrics", R"([{"type":"Resource","resource":{"name":"cpu",
           "target":{"type":"Utilization","averageUtilization":80}}}])",
       R"([{"type":"ContainerResource"}])"},
      {"hpa", "spec/behavior", nullptr},
      {"hpa", UP "stabilizationWindowSeconds", "0", "5", WITH_BEHAVIOR},
      {"hpa", UP "selectPolicy", R"("Max")", R"("Min")", WITH_BEHAVIOR},
      {"hpa", UP "policies", R"([{"type":"Pods","value":4,"periodSeconds":15},
                                 {"type":"Percent","value":100,"periodSeconds":15}])",
       R"([{"type":"Pods","value":1,"periodSeconds":1}])", WITH_BEHAVIOR},
      {"hpa", UP "tolerance", nullptr, R"("100m")", WITH_BEHAVIOR},
      {"hpa", DOWN "stabilizationWindowSeconds", nullptr, "5", WITH_BEHAVIOR},
      {"hpa", DOWN "selectPolicy", R"("Max")", R"("Min")", WITH_BEHAVIOR},
      {"hpa", DOWN "policies", R"([{"type":"Percent","value":100,"periodSeconds":15}])",
       R"([{"type":"Pods","value":1,"periodSeconds":1}])", WITH_BEHAVIOR},
      {"hpa", DOWN "tolerance", nullptr, R"("100m")", WITH_BEHAVIOR},
      {"hpa", UP "selectPolicy", R"("Max")", R"("Disabled")", WITH_RULES},
      {"hpa", DOWN "selectPolicy", R"("Max")", R"("Disabled")", WITH_RULES},
      {"autoscaling/v1/hpa", "spec/minReplicas", "1", "2"},
      {"autoscaling/v1/hpa", "spec/targetCPUUtilizationPercentage", nullptr, "50"},
  };
  CheckRows(kRows);
}

TEST(WorkloadDefaults, DisruptionBudgetsHaveNone) {
  for (const char* kind : {"pdb", "policy/v1beta1/pdb"}) {
    const Row rows[] = {
        {kind, "spec/unhealthyPodEvictionPolicy", nullptr, R"("AlwaysAllow")"},
        {kind, "spec/minAvailable", nullptr, "1"},
    };
    CheckRows(rows);
  }
}

}  // namespace
}  // namespace podium::api::test
