// What an object that is there may keep.
#include "api/validation/pod_options.h"

#include "api/validation/pod_harness.h"

namespace podium::api {
namespace {

PodValidationOptions OptionsAfter(const std::vector<std::string>& edits) {
  const auto pod = Load<core::v1::Pod>(Edited(kStoredPod, edits));
  return PodValidationOptionsFor(&pod.spec, &pod.metadata);
}

// A pod with `kept` turns the option; without it, and for a new pod, it stands as it does at first.
struct OptionCase {
  bool PodValidationOptions::* option;
  std::vector<std::string> kept;
  std::vector<std::string> fine;
};

std::vector<OptionCase> OptionCases() {
  using O = PodValidationOptions;
  const std::string devices =
      R"(spec.containers[0].volumeDevices=[{"name":"v","devicePath":"/d"}])";
  return {
      {&O::allow_invalid_pod_deletion_cost,
       {R"(metadata.annotations={"controller.kubernetes.io/pod-deletion-cost":"x"})"},
       {R"(metadata.annotations={"controller.kubernetes.io/pod-deletion-cost":"1"})"}},
      {&O::allow_indivisible_huge_pages_values,
       {R"(spec.containers[0].resources={"limits":{"hugepages-2Mi":"1Mi"}})"},
       {R"(spec.containers[0].resources={"limits":{"hugepages-2Mi":"2Mi"}})"}},
      {&O::allow_indivisible_huge_pages_values,
       {R"(spec.overhead={"hugepages-2Mi":"1Mi"})"},
       {R"(spec.overhead={"hugepages-2Mi":"4Mi"})"}},
      {&O::allow_invalid_label_value_in_selector,
       {R"(spec.affinity={"podAffinity":{"requiredDuringSchedulingIgnoredDuringExecution":[
            {"topologyKey":"z","labelSelector":{"matchExpressions":[
             {"key":"k","operator":"In","values":["-"]}]}}]}})"},
       {R"(spec.affinity={"podAffinity":{"requiredDuringSchedulingIgnoredDuringExecution":[
            {"topologyKey":"z","labelSelector":{"matchExpressions":[
             {"key":"k","operator":"In","values":["a"]}]}}]}})"}},
      {&O::allow_invalid_label_value_in_selector,
       {R"(spec.affinity={"podAntiAffinity":{"preferredDuringSchedulingIgnoredDuringExecution":[
            {"weight":1,"podAffinityTerm":{"topologyKey":"z","namespaceSelector":{"matchExpressions":[
             {"key":"k","operator":"In","values":["-"]}]}}}]}})"},
       {R"(spec.affinity={"podAntiAffinity":{}})"}},
      {&O::allow_invalid_label_value_in_required_node_affinity,
       {R"(spec.affinity={"nodeAffinity":{"requiredDuringSchedulingIgnoredDuringExecution":{
            "nodeSelectorTerms":[{"matchExpressions":[
             {"key":"k","operator":"In","values":["-"]}]}]}}})"},
       {R"(spec.affinity={"nodeAffinity":{"preferredDuringSchedulingIgnoredDuringExecution":[
            {"weight":1,"preference":{"matchExpressions":[
             {"key":"k","operator":"In","values":["-"]}]}}]}})"}},
      {&O::allow_invalid_topology_spread_constraint_label_selector,
       {R"(spec.topologySpreadConstraints=[{"maxSkew":1,"topologyKey":"z",
            "whenUnsatisfiable":"DoNotSchedule","labelSelector":{"matchLabels":{"a":"-"}}}])"},
       {R"(spec.topologySpreadConstraints=[{"maxSkew":1,"topologyKey":"z",
            "whenUnsatisfiable":"DoNotSchedule","labelSelector":{"matchLabels":{"a":"b"}}}])"}},
      {&O::old_pod_violates_match_label_keys_validation,
       {R"(spec.topologySpreadConstraints=[{"maxSkew":1,"topologyKey":"z",
            "whenUnsatisfiable":"DoNotSchedule","matchLabelKeys":["a"]}])"},
       {R"(spec.topologySpreadConstraints=[{"maxSkew":1,"topologyKey":"z",
            "whenUnsatisfiable":"DoNotSchedule","labelSelector":{},"matchLabelKeys":["a"]}])"}},
      {&O::allow_non_local_projected_token_path,
       {R"(spec.volumes=[{"name":"v","projected":{"sources":[{"serviceAccountToken":{"path":"/t"}}]}}])"},
       {R"(spec.volumes=[{"name":"v","projected":{"sources":[{"serviceAccountToken":{"path":"t"}}]}}])"}},
      {&O::allow_namespaced_sysctls_for_host_net_and_host_ipc,
       {"spec.hostNetwork=true",
        R"(spec.securityContext={"sysctls":[{"name":"net.a","value":"1"}]})"},
       {"spec.hostIPC=true", R"(spec.securityContext={"sysctls":[{"name":"net.a","value":"1"}]})"}},
      {&O::allow_namespaced_sysctls_for_host_net_and_host_ipc,
       {"spec.hostIPC=true",
        R"(spec.securityContext={"sysctls":[{"name":"kernel/shmmax","value":"1"}]})"},
       {"spec.hostIPC=true", R"(spec.securityContext={"sysctls":[{"name":"vm.a","value":"1"}]})"}},
      {&O::allow_existing_restart_container_for_non_sidecar_init_container,
       {R"(spec.initContainers=[{"name":"i","image":"i","resizePolicy":[
            {"resourceName":"cpu","restartPolicy":"RestartContainer"}]}])"},
       {R"(spec.initContainers=[{"name":"i","image":"i","restartPolicy":"Always","resizePolicy":[
            {"resourceName":"cpu","restartPolicy":"RestartContainer"}]}])"}},
      {&O::allow_user_namespaces_with_volume_devices, {"spec.hostUsers=false", devices}, {devices}},
      {&O::allow_user_namespaces_host_network_support,
       {"spec.hostUsers=false", "spec.hostNetwork=true"},
       {"spec.hostNetwork=true"}},
      {&O::allow_taint_toleration_comparison_operators,
       {R"(spec.tolerations=[{"key":"k","operator":"Gt","value":"1"}])"},
       {R"(spec.tolerations=[{"key":"k","operator":"Equal","value":"1"}])"}},
      {&O::allow_empty_image_volume_reference,
       {R"(spec.volumes=[{"name":"v","image":{}}])"},
       {R"(spec.volumes=[{"name":"v","image":{"reference":"r"}}])"}},
  };
}

TEST(PodOptionsTest, WhatOldPodsKeep) {
  for (const OptionCase& c : OptionCases()) {
    const std::string shown = ::testing::PrintToString(c.kept);
    EXPECT_FALSE(PodValidationOptions().*c.option) << shown;
    EXPECT_TRUE(OptionsAfter(c.kept).*c.option) << shown;
    EXPECT_FALSE(OptionsAfter(c.fine).*c.option) << ::testing::PrintToString(c.fine);
  }
  // The one that narrows.
  EXPECT_TRUE(OptionsAfter({}).allow_only_recursive_selinux_change_policy);
  EXPECT_FALSE(OptionsAfter({R"(spec.securityContext={"seLinuxChangePolicy":"MountOption"})"})
                   .allow_only_recursive_selinux_change_policy);
}

// New objects have none of it; templates are as pods.
TEST(PodOptionsTest, NewObjectsAndTemplates) {
  const PodValidationOptions fresh = PodValidationOptionsFor(nullptr, nullptr);
  const PodValidationOptions fresh_template = PodValidationOptionsForTemplate(nullptr);
  core::v1::PodTemplateSpec old_template;
  old_template.metadata.annotations["controller.kubernetes.io/pod-deletion-cost"] = "x";
  old_template.spec.hostUsers = false;
  old_template.spec.hostNetwork = true;
  const PodValidationOptions kept = PodValidationOptionsForTemplate(&old_template);
  for (const PodValidationOptions& options : {fresh, fresh_template}) {
    EXPECT_FALSE(options.allow_invalid_pod_deletion_cost);
    EXPECT_FALSE(options.allow_user_namespaces_host_network_support);
    EXPECT_FALSE(options.resource_is_pod);
  }
  EXPECT_TRUE(kept.allow_invalid_pod_deletion_cost);
  EXPECT_TRUE(kept.allow_user_namespaces_host_network_support);
}

// A pod that breaks a rule which did not hold when it was made may still change.
TEST(PodOptionsTest, UpdatesOfOldPods) {
  const std::string gt = R"(spec.tolerations=[{"key":"k","operator":"Gt","value":"1"}])";
  ExpectPodErrors({{{gt},
                    {"spec.tolerations[0].operator: Unsupported value: \"Gt\": supported values: "
                     "\"Equal\", \"Exists\", \"Lt\", \"Gt\""}}});
  ExpectUpdateErrors({{{gt}, {"spec.containers[0].image=\"j\""}, {}}}, ValidatePodUpdate);
}

}  // namespace
}  // namespace podium::api
